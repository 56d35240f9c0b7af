package judge

import "certdrift/internal/finding"

func acmRenewalIneligible() rule {
	return rule{Entry: Entry{Code: finding.ACMRenewalIneligible, Group: "listener"}}
}
