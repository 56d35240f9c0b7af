package judge

import "certdrift/internal/finding"

func observeDenied() rule {
	return rule{Entry: Entry{Code: finding.ObserveDenied, Group: "certdrift itself"}}
}
