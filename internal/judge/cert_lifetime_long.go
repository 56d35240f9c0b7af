package judge

import "certdrift/internal/finding"

func certLifetimeLong() rule {
	return rule{Entry: Entry{Code: finding.CertLifetimeLong, Group: "certificate as served"}}
}
