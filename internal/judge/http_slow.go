package judge

import "certdrift/internal/finding"

func httpSlow() rule {
	return rule{Entry: Entry{Code: finding.HTTPSlow, Group: "HTTP"}}
}
