package judge

import "certdrift/internal/finding"

func certConstraint() rule {
	return rule{Entry: Entry{Code: finding.CertConstraint, Group: "certificate as served"}}
}
