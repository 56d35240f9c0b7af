package judge

import "certdrift/internal/finding"

func certNameMismatch() rule {
	return rule{Entry: Entry{Code: finding.CertNameMismatch, Group: "certificate as served"}}
}
