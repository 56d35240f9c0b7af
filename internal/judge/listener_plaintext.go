package judge

import "certdrift/internal/finding"

func listenerPlaintext() rule {
	return rule{Entry: Entry{Code: finding.ListenerPlaintext, Group: "listener"}}
}
