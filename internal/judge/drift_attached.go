package judge

import "certdrift/internal/finding"

func driftAttached() rule {
	return rule{Entry: Entry{Code: finding.DriftAttached, Group: "drift"}}
}
