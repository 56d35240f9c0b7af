package judge

import "certdrift/internal/finding"

func observeIncomplete() rule {
	return rule{Entry: Entry{Code: finding.ObserveIncomplete, Group: "certdrift itself"}}
}
