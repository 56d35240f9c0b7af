package trust

import (
	"crypto/x509"
	"time"
)

// removal returns when Mozilla's schedule has a root stop being trusted for servers: by when its key was made. Mozilla takes the date from the
// auditor's report on the key ceremony, and "valid from" where there is none; only the latter is in the certificate.
//
// Source: Mozilla Root Store Policy §7.4 and its transition schedule, wiki.mozilla.org/CA/Root_CA_Lifecycles, read on 2026-11-30.
func removal(root *x509.Certificate) time.Time {
	made := root.NotBefore.UTC()
	for _, step := range []struct{ before, removed time.Time }{
		{day(2006, 1, 1), day(2025, 4, 15)},
		{day(2008, 1, 1), day(2026, 4, 15)},
		{day(2010, 1, 1), day(2027, 4, 15)},
		{day(2012, 1, 1), day(2028, 4, 15)},
		{day(2014, 4, 15), day(2029, 4, 15)},
	} {
		if made.Before(step.before) {
			return step.removed
		}
	}
	return made.AddDate(15, 0, 0)
}

func day(year int, month time.Month, of int) time.Time {
	return time.Date(year, month, of, 0, 0, 0, 0, time.UTC)
}

// distrustAfter returns the last moment at which a root may issue certificates that a constraint permits; zero if it permits those of any
// date. A constraint is only a function, so it is asked.
func distrustAfter(constraint func([]*x509.Certificate) error) time.Time {
	permits := func(issued int64) bool {
		return constraint([]*x509.Certificate{{NotBefore: time.Unix(issued, 0)}}) == nil
	}
	early, late := day(2000, 1, 1).Unix(), day(2100, 1, 1).Unix()
	if !permits(early) || permits(late) {
		return time.Time{}
	}
	for late-early > 1 {
		if middle := early + (late-early)/2; permits(middle) {
			early = middle
		} else {
			late = middle
		}
	}
	return time.Unix(early, 0).UTC()
}
