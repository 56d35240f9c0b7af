package judge

import "certdrift/internal/finding"

func tlsClientCertificateRequired() rule {
	return rule{Entry: Entry{Code: finding.TLSClientCertificateRequired, Group: "TLS"}}
}
