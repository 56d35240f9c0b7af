package incident

import (
	"cmp"
	"slices"
	"time"

	"certdrift/internal/finding"
)

// seenEvery is how old LastSeen may get before it is written again: an incident that just stands costs a write now and
// then, not one a round.
const seenEvery = 10 * time.Minute

// step counts a round for one live incident: what is there, what is clean, what is gone, and what that makes of it.
func (b *tracker) step(e *entry) {
	r := &e.record
	counts := r.Counted.IsZero() || b.Now.Sub(r.Counted) >= b.Policy.Apart
	before := clone(*r)
	b.keepKnown(r.Environment, e.present, r.Findings)
	present, beyond := b.see(r, e.present, counts)
	removed, lookedClean := b.miss(r, present, counts)
	b.spill(r, beyond, counts)
	if counts && !slices.EqualFunc(before.Parts, r.Parts, samePart) {
		r.Counted = b.Now
	}
	if len(e.present) == 0 && !removed && !lookedClean {
		b.silence(r)
		return // the round did not look here, or not at every address
	}
	b.count(r, e.present, counts)
	if before.Confirmations != r.Confirmations || before.OverflowClean != r.OverflowClean {
		r.Counted = b.Now
	}
	b.conclude(r, removed)
	stale := len(e.present) > 0 && b.Now.Sub(r.LastSeen) >= seenEvery
	if stale || len(r.Findings) == 0 || !slices.EqualFunc(names(before.Parts), names(r.Parts), samePart) {
		b.snapshot(r, e.present, removed)
		if len(e.present) > 0 {
			r.LastSeen = b.Now
		}
	}
	b.silence(r)
}

// partID is what makes a part the same in the next round. Among faults that flap, one of a group stands for another: a
// refused connection now and a timeout then are one outage. The severity belongs to it, so that getting worse is
// confirmed, and getting better proven, like anything else.
type partID struct {
	concern                             string
	severity                            finding.Severity
	endpoint, listener, region, account string
	hop, refused                        bool
	other                               string
}

func (p Part) id() partID {
	concern := string(p.Code)
	if !certain(p.Code) {
		concern = "~" + group(p.Code)
	}
	return partID{concern, p.Severity, p.Endpoint, p.Listener, p.Region, p.Account, p.Hop, p.Refused, p.Other}
}

// partOf makes the part that a finding is.
func partOf(f finding.Finding) Part {
	return Part{
		Code: f.Code, Severity: f.Severity, Endpoint: f.Endpoint, Listener: f.Listener,
		Region: f.Subject.Listener.Region, Account: f.Subject.Listener.Account,
		Hop: f.Subject.Hop != "", Refused: f.Subject.Refused && f.Code == finding.AlertPathBroken,
		Other:   otherKeyType(f),
		RestsOn: normalize(f.RestsOn),
	}
}

func otherKeyType(f finding.Finding) string {
	if f.Subject.Other {
		return f.Subject.KeyType
	}
	return ""
}

// see brings the round's findings into the parts and returns which parts are there, and how many found no room.
func (b *tracker) see(r *Record, found []finding.Finding, counts bool) (present map[partID]bool, beyond int) {
	at, size := make(map[partID]int, len(r.Parts)), 0
	for i, p := range r.Parts {
		at[p.id()] = i
		size += p.size()
	}
	present = map[partID]bool{}
	for _, f := range found {
		p := partOf(f)
		id := p.id()
		i, known := at[id]
		switch {
		case present[id]: // another address of the same
			rest(&r.Parts[i], normalize(slices.Concat(r.Parts[i].RestsOn, p.RestsOn)), &size)
			continue
		case !known && (len(r.Parts) >= MaxParts || size+p.size() > maxPartBytes):
			beyond++
			continue
		case !known:
			size += p.size()
			i = len(r.Parts)
			at[id] = i
			r.Parts = append(r.Parts, p)
			r.Parts[i].Seen = 1
		default:
			b.seeAgain(&r.Parts[i], p.Code, counts)
			rest(&r.Parts[i], p.RestsOn, &size)
		}
		present[id] = true
		if certain(p.Code) || r.Parts[i].Seen >= b.Policy.Confirm {
			r.Parts[i].Confirmed = true
		}
	}
	b.traceAll(r, present, counts)
	slices.SortStableFunc(r.Parts, compareParts)
	return present, beyond
}

// traceAll notes where the round saw the parts that it saw.
func (b *tracker) traceAll(r *Record, present map[partID]bool, counts bool) {
	used := 0
	for _, p := range r.Parts {
		used += p.traceSize()
	}
	for i := range r.Parts {
		if p := &r.Parts[i]; present[p.id()] {
			before := p.traceSize()
			b.trace(r, p, b.Coverage.seenAt(r.Environment+"/"+p.Endpoint, *p), counts, maxTraceBytes-used)
			used += p.traceSize() - before
		}
	}
}

// rest replaces the facts that a part rests on. Where the record has no room for them, one stands for everything.
func rest(p *Part, facts []finding.Fact, size *int) {
	for _, list := range [][]finding.Fact{facts, {{Kind: finding.FactEverything}}} {
		after := *p
		after.RestsOn = list
		if grown := *size - p.size() + after.size(); grown <= maxPartBytes {
			*p, *size = after, grown
			return
		}
	}
}

// spill counts the parts beyond the bound, which nobody remembers one by one: only rounds that look at everything there
// is say that they are over.
func (b *tracker) spill(r *Record, beyond int, counts bool) {
	switch {
	case beyond > 0:
		r.OverflowClean = 0
		if b.seesAll() || beyond > r.Overflow {
			r.Overflow = beyond
		}
	case r.Overflow > 0 && counts && b.seesAll():
		r.OverflowClean++
	}
	if r.OverflowClean >= b.Policy.RecoverAfter(r.Flaps) {
		r.Overflow, r.OverflowClean = 0, 0
	}
}

// seeAgain counts a part that is still there, up to the count that matters: the record must not change forever.
func (b *tracker) seeAgain(p *Part, code finding.Code, counts bool) {
	p.Code = code
	switch {
	case p.Clean > 0:
		p.Seen, p.Clean = 1, 0
	case counts && p.Seen < b.Policy.Confirm:
		p.Seen++
	}
}

// miss looks for evidence about the parts that have no finding, and drops those that are over or gone.
func (b *tracker) miss(r *Record, present map[partID]bool, counts bool) (removed, lookedClean bool) {
	need := b.Policy.RecoverAfter(r.Flaps)
	kept := r.Parts[:0]
	for _, p := range r.Parts {
		if present[p.id()] {
			kept = append(kept, p)
			continue
		}
		switch b.evidenceOf(r, p) {
		case gone:
			removed = true
			continue
		case clean:
			if b.trace(r, &p, nil, counts, 0) {
				break // an address where it was seen is not in the answer, and may be in the next
			}
			lookedClean = true
			if counts {
				p.Seen = 0
				p.Clean++
			}
		}
		pendingOver := r.Opened.IsZero() && !p.Confirmed && p.Clean > 0
		if p.Clean < need && !pendingOver {
			kept = append(kept, p)
		}
	}
	r.Parts = kept
	return removed, lookedClean || len(r.Parts) == 0
}

// evidenceOf is what the round says of a part that its incident has no finding for. Another incident may have it, or have
// taken it up in its evidence: then it is not over.
func (b *tracker) evidenceOf(r *Record, p Part) evidence {
	if p.Code == finding.AlertPathBroken {
		return b.Coverage.ofPath(r, p)
	}
	s := b.Coverage.of(r.Environment, p)
	if s != clean || p.Endpoint == "" {
		return s
	}
	endpoint := r.Environment + "/" + p.Endpoint
	if p.Code == finding.CertRevoked && b.Coverage.silentOn(endpoint, r) {
		return unknown
	}
	if p.Code == finding.CertNameMismatch && b.explained[endpoint] {
		return unknown
	}
	if p.Code == finding.DriftManifest {
		return clean // a manifest that is stale still has an incident of its own by now (see escalatePredicted)
	}
	if held := b.held[fault{endpoint, p.Code, p.Other}]; held.key != "" && held.key != r.Key && held.severity >= p.Severity {
		return unknown
	}
	return clean
}

// seesAll reports whether the round checked everything there is.
func (b *tracker) seesAll() bool {
	return b.Coverage.Full && b.Coverage.wholly(Handshaken)
}

// count keeps the figures for people: how many rounds in a row were bad, or clean.
func (b *tracker) count(r *Record, present []finding.Finding, counts bool) {
	if len(present) > 0 {
		if counts && r.Confirmations < max(1, b.Policy.Confirm) {
			r.Confirmations++
		}
		r.CleanRounds = 0
		return
	}
	least := 0
	for i, p := range r.Parts {
		if i == 0 || p.Clean < least {
			least = p.Clean
		}
	}
	r.CleanRounds = least
	if least > 0 {
		r.Confirmations = 0
	}
}

// conclude opens the incident, changes its severity, or finds it over.
func (b *tracker) conclude(r *Record, removed bool) {
	worst := finding.None
	for _, p := range r.Parts {
		if p.Confirmed {
			worst = max(worst, p.Severity)
		}
	}
	if worst != finding.None {
		r.Severity = worst
		if r.Opened.IsZero() {
			r.Opened = b.Now
		}
	}
	switch {
	case len(r.Parts) > 0 || r.Overflow > 0:
		r.Ended = ""
		return
	case removed:
		r.Ended = EndRemoved
	case r.Ended == "":
		r.Ended = EndRecovered
	}
	if r.Opened.IsZero() {
		r.Closed, r.Ended = b.Now, EndUnconfirmed
	}
}

func compareParts(a, b Part) int {
	return cmp.Or(
		cmp.Compare(b.Severity, a.Severity), cmp.Compare(rank(a.Code), rank(b.Code)), cmp.Compare(a.Code, b.Code),
		cmp.Compare(a.Endpoint, b.Endpoint), cmp.Compare(a.Listener, b.Listener),
		cmp.Compare(a.Region, b.Region), cmp.Compare(a.Account, b.Account), cmp.Compare(a.Other, b.Other),
	)
}

// names are parts without their counts.
func names(parts []Part) []Part {
	out := slices.Clone(parts)
	for i := range out {
		out[i].Seen, out[i].Clean, out[i].At, out[i].Gap = 0, 0, nil, 0
	}
	return out
}
