package judge

import "certdrift/internal/finding"

func httpStatus() rule {
	return rule{Entry: Entry{Code: finding.HTTPStatus, Group: "HTTP"}}
}
