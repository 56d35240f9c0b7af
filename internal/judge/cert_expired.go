package judge

import "certdrift/internal/finding"

func certExpired() rule {
	return rule{Entry: Entry{Code: finding.CertExpired, Group: "certificate as served"}}
}
