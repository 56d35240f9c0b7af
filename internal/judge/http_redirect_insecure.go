package judge

import "certdrift/internal/finding"

func httpRedirectInsecure() rule {
	return rule{Entry: Entry{Code: finding.HTTPRedirectInsecure, Group: "HTTP"}}
}
