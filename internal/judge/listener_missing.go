package judge

import "certdrift/internal/finding"

func listenerMissing() rule {
	return rule{Entry: Entry{Code: finding.ListenerMissing, Group: "listener"}}
}
