package incident

import "certdrift/internal/finding"

// Reconcile returns a stored record with what this process knows of the incident and could not write, because the store has
// gone on: that a notice was delivered stays true, whoever wrote since, and so does that one is owed. claim is the last one
// that the process could not write, the zero value for none; the store may have taken it all the same. changed is false
// where there is nothing to add.
func Reconcile(stored, mine Record, claim Claim) (r Record, changed bool) {
	r = stored
	ours := stored.Claim != nil && *stored.Claim == claim
	if ours {
		r.Claim = nil
	}
	switch {
	case mine.LastNotified.After(stored.LastNotified) && !stored.First.After(mine.LastNotified):
		return delivered(r, mine)
	case stored.Closed.IsZero() && mine.Closed.IsZero() && mine.Owed > max(stored.Owed, stored.Notified):
		r.Owed = mine.Owed
		return r, true
	}
	return r, ours
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
