package judge

import "certdrift/internal/finding"

func connectRefused() rule {
	return rule{Entry: Entry{Code: finding.ConnectRefused, Group: "reach"}}
}
