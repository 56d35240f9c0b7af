package judge

import "certdrift/internal/finding"

func configInvalid() rule {
	return rule{Entry: Entry{Code: finding.ConfigInvalid, Group: "certdrift itself"}}
}
