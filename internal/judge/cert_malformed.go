package judge

import "certdrift/internal/finding"

func certMalformed() rule {
	return rule{Entry: Entry{Code: finding.CertMalformed, Group: "certificate as served"}}
}
