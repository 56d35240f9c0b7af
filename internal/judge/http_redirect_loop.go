package judge

import "certdrift/internal/finding"

func httpRedirectLoop() rule {
	return rule{Entry: Entry{Code: finding.HTTPRedirectLoop, Group: "HTTP"}}
}
