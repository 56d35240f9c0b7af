package incident

import (
	"cmp"
	"slices"

	"certdrift/internal/finding"
)

// Reconcile returns a stored record with what this process knows of the incident and could not write, because the store has
// gone on: that a notice was delivered stays true, whoever wrote since, and so does that one is owed. claims are those of
// this process, whether it knows that the store has taken them or not. changed is false where there is nothing to add.
func Reconcile(stored, mine Record, claims []Claim) (r Record, changed bool) {
	r = stored
	ours := stored.Claim != nil && slices.ContainsFunc(claims, stored.Claim.equal)
	if ours {
		r.Claim = nil
	}
	switch {
	case stored.Pending() && mine.Open() && !stored.First.After(mine.Opened) && !stored.LastNotified.After(mine.LastNotified):
		mine.Version, mine.Claim = stored.Version, r.Claim // the others have still to confirm it
		mine.Owed, mine.Unsure = max(mine.Owed, stored.Owed), cmp.Or(mine.Unsure, stored.Unsure)
		return mine, true
	case mine.LastNotified.After(stored.LastNotified) && !stored.First.After(mine.LastNotified):
		return delivered(r, mine)
	case stored.Closed.IsZero() && mine.Closed.IsZero() && mine.LastNotified.After(stored.LastNotified) && stored.Unsure == nil:
		// Another round saw it first after people were notified. It may have come back since, or be the same.
		r.Unsure = &Claim{Event: Opened, Severity: mine.Notified, Until: mine.LastNotified}
		return r, true
	case stored.Closed.IsZero() && mine.Closed.IsZero() && undelivered(stored, mine):
		r.Owed, r.Unsure = max(r.Owed, mine.Owed), cmp.Or(mine.Unsure, r.Unsure)
		return r, true
	}
	return r, ours
}

func (c Claim) equal(d Claim) bool {
	return c.Event == d.Event && c.Severity == d.Severity && c.By == d.By && c.Until.Equal(d.Until)
}

// undelivered reports whether the process knows of a notice that it could not deliver, or of one that may have been, and the
// store does not.
func undelivered(stored, mine Record) bool {
	return mine.Owed > max(stored.Owed, stored.Notified) ||
		mine.Unsure != nil && stored.Unsure == nil && mine.Unsure.Until.After(stored.LastNotified)
}

// delivered is a stored record where the process has delivered a later notice than the store knows of.
func delivered(r, mine Record) (Record, bool) {
	over := r.Ended != "" || len(r.Parts) == 0
	switch {
	case !r.Closed.IsZero() && mine.First.Before(r.Closed):
		return r, false // somebody has ended it since
	case !r.Closed.IsZero(), !mine.Closed.IsZero() && over:
		mine.Version = r.Version
		return mine, true
	case !mine.Closed.IsZero():
		r.Notified = finding.None // people have read that it is resolved, and it is not
	default:
		r.Notified, r.Predicted = mine.Notified, mine.Predicted
		if c := r.Claim; c != nil && c.Event == Opened && c.Severity <= r.Notified {
			r.Claim = nil
		}
	}
	r.LastNotified, r.Reminders, r.Unsure, r.Owed = mine.LastNotified, mine.Reminders, nil, mine.Owed
	return r, true
}
