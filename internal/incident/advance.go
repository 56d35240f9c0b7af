package incident

import (
	"cmp"
	"maps"
	"reflect"
	"slices"
	"time"

	"certdrift/internal/finding"
)

// Advance is one step: from the records in the store and the findings of a round, it computes the records to write and the
// notices to send. It returns the records that changed or have a notice, sorted by key, each with the Version that was loaded;
// and at most one notice per record, worst first. See the package's protocol for what to do with them.
func Advance(in Input) (changed []Record, notices []Notice) {
	if in.StateUnread && in.Records == nil {
		in.Policy.Confirm = 1 // nothing is remembered, so nothing can be counted: better early than never
	}
	b := newTracker(in)
	for _, g := range groupFindings(in.Findings) {
		b.assign(g)
	}
	for _, key := range slices.Sorted(maps.Keys(b.entries)) {
		e := b.entries[key]
		due := false
		if e.record.Closed.IsZero() {
			b.step(e)
			var n Notice
			if n, due = b.decide(e); due {
				notices = append(notices, n)
			}
		}
		if due || !reflect.DeepEqual(e.record, e.loaded) {
			changed = append(changed, e.record)
		}
	}
	slices.SortStableFunc(notices, func(a, b Notice) int { return cmp.Compare(b.Severity, a.Severity) })
	return changed, notices
}

// tracker is the state at work: every record with what the round found for it.
type tracker struct {
	Input
	entries map[string]*entry
	// explained are the endpoints (ENVIRONMENT/NAME) whose name mismatch is explained by another finding of this round:
	// that it is not reported does not mean that it is resolved.
	explained map[string]bool
	// held is which incident has the worst finding of a code at an endpoint.
	held map[fault]holder
}

type (
	fault struct {
		endpoint string // ENVIRONMENT/NAME
		code     finding.Code
		other    string // see Part.Other
	}
	holder struct {
		key      string
		severity finding.Severity
	}
)

// entry is one record with its findings of this round.
type entry struct {
	loaded, record Record
	present        []finding.Finding
}

func newTracker(in Input) *tracker {
	b := &tracker{Input: in, entries: map[string]*entry{}, explained: map[string]bool{}, held: map[fault]holder{}}
	for _, r := range in.Records {
		b.entries[r.Key] = &entry{loaded: r, record: b.present(clone(r))}
	}
	for _, f := range in.Findings {
		if explains(f.Code) && f.Severity >= finding.Warning {
			for _, endpoint := range f.Endpoints() {
				b.explained[endpoint] = true
			}
		}
	}
	return b
}

// present resets times of a record that are in the future: a clock that ran ahead, or an edited item, must not suppress
// notices until then. Small differences between clocks are ignored.
func (b *tracker) present(r Record) Record {
	if b.Now.Before(r.Counted) && r.Counted.Sub(b.Now) >= b.Policy.Apart {
		r.Counted = time.Time{}
	}
	latest := b.Now.Add(b.Policy.Lease)
	if r.LastNotified.After(latest) {
		r.LastNotified = b.Now
	}
	if r.LastSeen.After(latest) {
		r.LastSeen = b.Now
	}
	if r.Claim != nil && r.Claim.Until.After(latest.Add(b.Policy.Lease)) {
		ended := *r.Claim
		ended.Until = b.Now
		r.Claim = &ended
	}
	return r
}

// clone copies what the step changes, so that the caller's records stay as they were.
func clone(r Record) Record {
	r.Parts = slices.Clone(r.Parts)
	r.Causes = slices.Clone(r.Causes)
	return r
}

// findingGroup is the findings of one cause in one environment.
type findingGroup struct {
	environment, cause string
	findings           []finding.Finding
}

func (g findingGroup) key() string { return keyOf(g.environment, g.cause) }

// groupFindings sorts findings by cause. What explains others comes first, so that they can hang on it.
func groupFindings(fs []finding.Finding) []findingGroup {
	byKey := map[string]*findingGroup{}
	for _, f := range fs {
		if f.Severity < finding.Warning {
			continue
		}
		cause := causeOf(f)
		key := keyOf(f.Environment, cause)
		if byKey[key] == nil {
			byKey[key] = &findingGroup{environment: f.Environment, cause: cause}
		}
		byKey[key].findings = append(byKey[key].findings, f)
	}
	groups := make([]findingGroup, 0, len(byKey))
	for _, g := range byKey {
		sortFindings(g.findings)
		groups = append(groups, *g)
	}
	slices.SortStableFunc(groups, func(a, b findingGroup) int {
		return cmp.Or(cmp.Compare(rank(a.findings[0].Code), rank(b.findings[0].Code)), cmp.Compare(a.key(), b.key()))
	})
	return groups
}

// assign adds a group of findings to its incident: the one with its cause, one that its findings belong to, or a new one.
func (b *tracker) assign(g findingGroup) {
	e := b.holding(g)
	if e == nil {
		e = b.related(g)
	}
	if e == nil {
		e = b.open(g)
	}
	if !slices.Contains(e.record.Causes, g.cause) && len(e.record.Causes) < maxCauses {
		e.record.Causes = append(e.record.Causes, g.cause)
	}
	e.present = append(e.present, g.findings...)
	sortFindings(e.present)
	for _, f := range g.findings {
		at := fault{f.Environment + "/" + f.Endpoint, f.Code, otherKeyType(f)}
		if f.Severity > b.held[at].severity {
			b.held[at] = holder{e.record.Key, f.Severity}
		}
	}
}

// maxCauses bounds what an incident remembers of its causes; past it, a cause that comes back is a new incident.
const maxCauses = 50

// holding is the live incident that has the group's cause already.
func (b *tracker) holding(g findingGroup) *entry {
	if e := b.entries[g.key()]; e != nil && e.record.Closed.IsZero() {
		return e
	}
	return b.oldest(func(e *entry) bool {
		return e.record.Environment == g.environment && slices.Contains(e.record.Causes, g.cause)
	})
}

// related is the live incident that the group belongs to though its cause is another. Where the group explains several,
// they become one.
func (b *tracker) related(g findingGroup) *entry {
	found := b.oldest(func(e *entry) bool { return e.record.Environment == g.environment && belongs(e, g) })
	explained := explains(g.findings[0].Code)
	if found == nil || !explained && !inconsistent(found) {
		return found
	}
	if threatens(found) {
		return b.escalatePredicted(g)
	}
	for _, e := range b.entries {
		if e != found && e.record.Closed.IsZero() && e.record.Environment == g.environment && (explained || inconsistent(e)) && belongs(e, g) {
			found.take(e, b)
		}
	}
	return found
}

// escalatePredicted opens an incident of its own for a group that was only predicted so far: people were notified that the next
// apply would break something, and now it has. The predictions are closed without a notice. Their causes stay their own:
// once the listener is fixed, a manifest that is still out of date is reported again.
func (b *tracker) escalatePredicted(g findingGroup) *entry {
	var threats []*entry
	for _, e := range b.entries {
		if e.record.Closed.IsZero() && e.record.Environment == g.environment && belongs(e, g) && threatens(e) {
			threats = append(threats, e)
		}
	}
	fresh := b.open(g)
	for _, e := range threats {
		e.record.Closed, e.record.Ended, e.record.Claim = b.Now, EndMerged, nil
	}
	return fresh
}

// take merges another incident into this one, without a word to anybody: what people know of it they know.
func (e *entry) take(other *entry, b *tracker) {
	r, o := &e.record, &other.record
	for _, cause := range o.Causes {
		if !slices.Contains(r.Causes, cause) && len(r.Causes) < maxCauses {
			r.Causes = append(r.Causes, cause)
		}
	}
	slices.Sort(r.Causes)
	r.Parts = append(r.Parts, o.Parts...)
	slices.SortStableFunc(r.Parts, compareParts)
	r.Parts = slices.CompactFunc(r.Parts, func(a, b Part) bool { return a.id() == b.id() })
	r.Notified = max(r.Notified, o.Notified)
	e.present = append(e.present, other.present...)
	other.present = nil
	o.Closed, o.Ended, o.Claim = b.Now, EndMerged, nil
}

// oldest is the live incident that fits; open before pending, then the longest known, then by key.
func (b *tracker) oldest(fits func(*entry) bool) *entry {
	var found *entry
	for _, e := range b.entries { // in no order: in a storm, sorting for each of thousands of causes is what a round would be busy with
		if e.record.Closed.IsZero() && (found == nil || e.older(found)) && fits(e) {
			found = e
		}
	}
	return found
}

func (e *entry) older(than *entry) bool {
	if e.record.Open() != than.record.Open() {
		return e.record.Open()
	}
	return cmp.Or(e.record.First.Compare(than.record.First), cmp.Compare(e.record.Key, than.record.Key)) < 0
}

// open makes a record, or makes a new incident of a closed one: the store's version goes on counting.
func (b *tracker) open(g findingGroup) *entry {
	fresh := Record{Key: g.key(), Environment: g.environment, Cause: g.cause, First: b.Now, LastSeen: b.Now}
	e := b.entries[fresh.Key]
	if e == nil {
		e = &entry{}
		b.entries[fresh.Key] = e
	} else {
		old := e.record
		fresh.Version = old.Version
		if b.Now.Sub(old.Closed) < b.Policy.FlapWindow {
			fresh.Flaps = old.Flaps
			if old.Ended == EndRecovered {
				fresh.Flaps++
			}
		}
	}
	e.record = fresh
	return e
}
