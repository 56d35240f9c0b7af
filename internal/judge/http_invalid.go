package judge

import "certdrift/internal/finding"

func httpInvalid() rule {
	return rule{Entry: Entry{Code: finding.HTTPInvalid, Group: "HTTP"}}
}
