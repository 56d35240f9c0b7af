package judge

import "certdrift/internal/finding"

func listenerCertExpired() rule {
	return rule{Entry: Entry{Code: finding.ListenerCertExpired, Group: "listener"}}
}
