package judge

import "certdrift/internal/finding"

func acmRenewalFailing() rule {
	return rule{Entry: Entry{Code: finding.ACMRenewalFailing, Group: "listener"}}
}
