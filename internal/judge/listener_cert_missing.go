package judge

import "certdrift/internal/finding"

func listenerCertMissing() rule {
	return rule{Entry: Entry{Code: finding.ListenerCertMissing, Group: "listener"}}
}
