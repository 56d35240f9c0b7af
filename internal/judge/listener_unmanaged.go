package judge

import "certdrift/internal/finding"

func listenerUnmanaged() rule {
	return rule{Entry: Entry{Code: finding.ListenerUnmanaged, Group: "listener"}}
}
