package judge

import "certdrift/internal/finding"

func driftManifest() rule {
	return rule{Entry: Entry{Code: finding.DriftManifest, Group: "drift"}}
}
