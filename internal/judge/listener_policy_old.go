package judge

import "certdrift/internal/finding"

func listenerPolicyOld() rule {
	return rule{Entry: Entry{Code: finding.ListenerPolicyOld, Group: "listener"}}
}
