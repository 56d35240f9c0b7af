package judge

import "certdrift/internal/finding"

func certUntrusted() rule {
	return rule{Entry: Entry{Code: finding.CertUntrusted, Group: "certificate as served"}}
}
