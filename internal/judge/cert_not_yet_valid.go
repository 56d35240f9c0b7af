package judge

import "certdrift/internal/finding"

func certNotYetValid() rule {
	return rule{Entry: Entry{Code: finding.CertNotYetValid, Group: "certificate as served"}}
}
