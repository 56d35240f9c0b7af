package judge

import "certdrift/internal/finding"

func listenerCertExpiring() rule {
	return rule{Entry: Entry{Code: finding.ListenerCertExpiring, Group: "listener"}}
}
