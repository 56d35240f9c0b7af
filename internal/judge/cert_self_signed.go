package judge

import "certdrift/internal/finding"

func certSelfSigned() rule {
	return rule{Entry: Entry{Code: finding.CertSelfSigned, Group: "certificate as served"}}
}
