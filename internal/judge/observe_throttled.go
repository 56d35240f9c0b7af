package judge

import "certdrift/internal/finding"

func observeThrottled() rule {
	return rule{Entry: Entry{Code: finding.ObserveThrottled, Group: "certdrift itself"}}
}
