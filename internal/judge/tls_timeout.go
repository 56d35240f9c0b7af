package judge

import "certdrift/internal/finding"

func tlsTimeout() rule {
	return rule{Entry: Entry{Code: finding.TLSTimeout, Group: "TLS"}}
}
