package judge

import "certdrift/internal/finding"

func tlsHandshake() rule {
	return rule{Entry: Entry{Code: finding.TLSHandshake, Group: "TLS"}}
}
