package judge

import "certdrift/internal/finding"

func tlsVersionOld() rule {
	return rule{Entry: Entry{Code: finding.TLSVersionOld, Group: "TLS"}}
}
