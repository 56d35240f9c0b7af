package judge

import "certdrift/internal/finding"

func httpTimeout() rule {
	return rule{Entry: Entry{Code: finding.HTTPTimeout, Group: "HTTP"}}
}
