package judge

import "certdrift/internal/finding"

func listenerNameUncovered() rule {
	return rule{Entry: Entry{Code: finding.ListenerNameUncovered, Group: "listener"}}
}
