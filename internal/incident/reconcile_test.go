package incident

import (
	"testing"

	"certdrift/internal/finding"
)

// TestReconcile: another round wrote the incident while this process could not. What people were notified about stays true.
func TestReconcile(t *testing.T) {
	part := []Part{{Code: finding.CertExpired, Severity: finding.Critical, Endpoint: "api", Confirmed: true}}
	open := Record{Key: "production x", Version: 5, First: at(0), Opened: at(0), Severity: finding.Critical, Parts: part}
	with := func(r Record, change func(*Record)) Record {
		change(&r)
		return r
	}
	at5 := func(change func(*Record)) Record { return with(open, change) }
	at9 := func(change func(*Record)) Record { return with(open, func(r *Record) { r.Version = 9; change(r) }) }
	nothing := func(*Record) {}
	told := at5(func(r *Record) { r.Notified, r.LastNotified = finding.Critical, at(3) })
	resolved := at5(func(r *Record) { r.LastNotified, r.Closed, r.Ended, r.Parts = at(3), at(3), EndRecovered, nil })
	claim := Claim{Event: Opened, Severity: finding.Critical, By: "probe", Until: at(8)}
	other := Claim{Event: Opened, Severity: finding.Critical, By: "inspect", Until: at(9)}
	for name, c := range map[string]struct {
		stored, mine Record
		claims       []Claim
		changed      bool
		holds        func(Record) bool
	}{
		"nothing to add": {at9(nothing), at5(nothing), nil, false, func(r Record) bool { return r.Notified == finding.None }},
		"a delivered notice": {at9(nothing), told, nil, true, func(r Record) bool {
			return r.Notified == finding.Critical && r.LastNotified.Equal(at(3))
		}},
		"delivered, and claimed by another round since": {at9(func(r *Record) { r.Claim = &other }), told, nil, true, func(r Record) bool { return r.Claim == nil }},
		"delivered, and by another round later": {
			at9(func(r *Record) { r.Notified, r.LastNotified = finding.Critical, at(4) }), told, nil, false,
			func(r Record) bool { return r.LastNotified.Equal(at(4)) },
		},
		"our claim, which the store took": {at9(func(r *Record) { r.Claim = &claim }), at5(nothing), []Claim{other, claim}, true, func(r Record) bool { return r.Claim == nil }},
		"another round's claim":           {at9(func(r *Record) { r.Claim = &other }), at5(nothing), []Claim{claim}, false, func(r Record) bool { return r.Claim != nil }},
		"a notice that is owed": {at9(nothing), at5(func(r *Record) { r.Owed = finding.Critical }), nil, true, func(r Record) bool {
			return r.Owed == finding.Critical
		}},
		"owed, and delivered by another round": {
			at9(func(r *Record) { r.Notified, r.LastNotified = finding.Critical, at(4) }), at5(func(r *Record) { r.Owed = finding.Critical }), nil, false,
			func(r Record) bool { return r.Owed == finding.None },
		},
		"a notice that may have gone out": {at9(nothing), at5(func(r *Record) { r.Unsure = &claim }), nil, true, func(r Record) bool { return r.Unsure != nil }},
		"still pending in the store": {
			at9(func(r *Record) { r.Opened, r.Severity = r.Closed, finding.None }), told, nil, true,
			func(r Record) bool { return r.Open() && r.Notified == finding.Critical },
		},
		"ended by a person since": {at9(func(r *Record) { r.Closed, r.Ended = at(4), EndClosed }), told, nil, false, func(r Record) bool { return r.Ended == EndClosed }},
		"a new incident after one that had ended": {
			at9(func(r *Record) { r.First, r.Closed, r.Ended = at(-60), at(-30), EndRecovered }), told, nil, true,
			func(r Record) bool { return r.Open() && r.Notified == finding.Critical },
		},
		"first seen by another round after people were notified": {at9(func(r *Record) { r.First, r.Opened = at(4), at(4) }), told, nil, true, func(r Record) bool {
			return r.Notified == finding.None && r.Unsure != nil // it may be another incident: said again, as a possible duplicate
		}},
		"reported as resolved, and it is": {at9(func(r *Record) { r.Ended, r.Parts = EndRecovered, nil }), resolved, nil, true, func(r Record) bool { return !r.Closed.IsZero() }},
		"reported as resolved, and it is not": {
			at9(func(r *Record) { r.Notified = finding.Critical }), resolved, nil, true,
			func(r Record) bool { return r.Open() && r.Notified == finding.None },
		},
	} {
		got, changed := Reconcile(c.stored, c.mine, c.claims)
		if changed != c.changed || !c.holds(got) || got.Version != 9 {
			t.Errorf("%s: changed %v, %+v", name, changed, got)
		}
	}
}
