package judge

import "certdrift/internal/finding"

func certChainExpired() rule {
	return rule{Entry: Entry{Code: finding.CertChainExpired, Group: "certificate as served"}}
}
