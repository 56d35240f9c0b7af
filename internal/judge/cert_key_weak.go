package judge

import "certdrift/internal/finding"

func certKeyWeak() rule {
	return rule{Entry: Entry{Code: finding.CertKeyWeak, Group: "certificate as served"}}
}
