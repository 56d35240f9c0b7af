package judge

import "certdrift/internal/finding"

func driftDeclared() rule {
	return rule{Entry: Entry{Code: finding.DriftDeclared, Group: "drift"}}
}
