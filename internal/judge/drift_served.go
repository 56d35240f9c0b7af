package judge

import "certdrift/internal/finding"

func driftServed() rule {
	return rule{Entry: Entry{Code: finding.DriftServed, Group: "drift"}}
}
