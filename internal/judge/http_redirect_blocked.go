package judge

import "certdrift/internal/finding"

func httpRedirectBlocked() rule {
	return rule{Entry: Entry{Code: finding.HTTPRedirectBlocked, Group: "HTTP"}}
}
