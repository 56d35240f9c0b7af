package judge

import "certdrift/internal/finding"

func httpTooLarge() rule {
	return rule{Entry: Entry{Code: finding.HTTPTooLarge, Group: "HTTP"}}
}
