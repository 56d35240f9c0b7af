package judge

import "certdrift/internal/finding"

func httpBody() rule {
	return rule{Entry: Entry{Code: finding.HTTPBody, Group: "HTTP"}}
}
