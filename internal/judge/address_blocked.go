package judge

import "certdrift/internal/finding"

func addressBlocked() rule {
	return rule{Entry: Entry{Code: finding.AddressBlocked, Group: "reach"}}
}
