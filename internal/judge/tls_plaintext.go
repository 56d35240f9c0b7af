package judge

import "certdrift/internal/finding"

func tlsPlaintext() rule {
	return rule{Entry: Entry{Code: finding.TLSPlaintext, Group: "TLS"}}
}
