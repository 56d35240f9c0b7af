package judge

import "certdrift/internal/finding"

func connectTimeout() rule {
	return rule{Entry: Entry{Code: finding.ConnectTimeout, Group: "reach"}}
}
