package judge

import "certdrift/internal/finding"

func certExpiring() rule {
	return rule{Entry: Entry{Code: finding.CertExpiring, Group: "certificate as served"}}
}
