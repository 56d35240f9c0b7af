package judge

import "certdrift/internal/finding"

func certRevoked() rule {
	return rule{Entry: Entry{Code: finding.CertRevoked, Group: "certificate as served"}}
}
