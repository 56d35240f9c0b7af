package judge

import "certdrift/internal/finding"

func connectReset() rule {
	return rule{Entry: Entry{Code: finding.ConnectReset, Group: "reach"}}
}
