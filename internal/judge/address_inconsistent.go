package judge

import "certdrift/internal/finding"

func addressInconsistent() rule {
	return rule{Entry: Entry{Code: finding.AddressInconsistent, Group: "one name, many addresses"}}
}
