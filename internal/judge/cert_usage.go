package judge

import "certdrift/internal/finding"

func certUsage() rule {
	return rule{Entry: Entry{Code: finding.CertUsage, Group: "certificate as served"}}
}
