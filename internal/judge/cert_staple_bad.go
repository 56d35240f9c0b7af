package judge

import "certdrift/internal/finding"

func certStapleBad() rule {
	return rule{Entry: Entry{Code: finding.CertStapleBad, Group: "certificate as served"}}
}
