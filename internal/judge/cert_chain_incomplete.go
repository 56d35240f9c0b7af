package judge

import "certdrift/internal/finding"

func certChainIncomplete() rule {
	return rule{Entry: Entry{Code: finding.CertChainIncomplete, Group: "certificate as served"}}
}
