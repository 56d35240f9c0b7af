package judge

import "certdrift/internal/finding"

func certSignatureWeak() rule {
	return rule{Entry: Entry{Code: finding.CertSignatureWeak, Group: "certificate as served"}}
}
