package judge

import "certdrift/internal/finding"

func dnsFailure() rule {
	return rule{Entry: Entry{Code: finding.DNSFailure, Group: "reach"}}
}
