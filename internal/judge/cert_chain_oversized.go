package judge

import "certdrift/internal/finding"

func certChainOversized() rule {
	return rule{Entry: Entry{Code: finding.CertChainOversized, Group: "certificate as served"}}
}
