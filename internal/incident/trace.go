package incident

import (
	"cmp"
	"maps"
	"slices"

	"certdrift/internal/finding"
)

// A name may have more addresses than an answer holds, and rotate them. That an address is missing from an answer says nothing about it
// then: it comes back as bad as it was. So a part remembers where it was seen. It is over only after each of these addresses
// was seen sound, or has been away so long that the name has it no more.

const (
	// awayRounds is for how many rounds in a row an address must be missing from complete answers. Of a name that gives eight of
	// sixteen addresses at random, one stays away so long once in a billion times; of one that gives one of four, once in five
	// thousand.
	awayRounds = 30
	// awayGaps is how many times as long it must be missing as one was before it came back.
	awayGaps = 4
	// maxTraces bounds the addresses of a part, and maxTraceBytes those of a record in bytes of JSON.
	maxTraces, maxTraceBytes = 16, 40 << 10
)

func (t Trace) size() int { return written(t.Address) + 50 }

func (p Part) traceSize() (size int) {
	for _, t := range p.At {
		size += t.size()
	}
	return size
}

// left reports whether the name has the address of a trace no more.
func (p Part) left(t Trace) bool { return t.Away >= max(awayRounds, awayGaps*p.Gap) }

// traceDepth is how far the probe of an address must come to show that a part is not there; ok is false for parts that rest on no
// probe of their endpoint.
func traceDepth(endpoint string, p Part) (depth Depth, ok bool) {
	for _, fact := range p.RestsOn {
		switch {
		case fact.Kind == finding.FactEverything && p.Endpoint != "":
			return Whole, true
		case fact.Endpoint != endpoint:
		case fact.Kind == finding.FactConnection:
			depth, ok = max(depth, Connected), true
		case fact.Kind == finding.FactHandshake, fact.Kind == finding.FactOther:
			depth, ok = max(depth, Handshaken), true
		case fact.Kind == finding.FactResponse:
			depth, ok = Whole, true
		}
	}
	return depth, ok
}

// seenAt are the addresses at which the round's findings of a part show it: those that they name, or all that were dialed.
func (c Coverage) seenAt(endpoint string, p Part) map[string]bool {
	named, all := map[string]bool{}, map[string]bool{}
	for address := range c.addresses[endpoint] {
		all[address] = true
	}
	for _, fact := range p.RestsOn {
		switch {
		case fact.Kind == finding.FactEverything:
			return all
		case fact.Endpoint != endpoint || !slices.Contains([]finding.FactKind{finding.FactConnection, finding.FactHandshake, finding.FactOther, finding.FactResponse}, fact.Kind):
		case fact.Resource == "":
			return all
		default:
			named[fact.Resource] = true
		}
	}
	return named
}

// trace brings a round into what a part remembers of addresses. bad are those where the round saw it; room is how many bytes the
// record has for more. waits reports whether there is an address that was not dialed and that the name may still have.
func (b *tracker) trace(r *Record, p *Part, bad map[string]bool, counts bool, room int) (waits bool) {
	endpoint := r.Environment + "/" + p.Endpoint
	needed, ok := traceDepth(endpoint, *p)
	if !ok {
		return false
	}
	known, kept := map[string]bool{}, []Trace(nil) // the record that was loaded has p.At too
	for _, t := range p.At {
		known[t.Address] = true
		depth, dialed := b.Coverage.addresses[endpoint][t.Address]
		switch {
		case bad[t.Address]:
			p.Gap = max(p.Gap, t.Away)
			t.Sound, t.Away = 0, 0
		case dialed:
			t.Away = 0
			if counts && depth >= needed && (p.Other == "" || b.Coverage.keyTypes[endpoint][t.Address][finding.OtherObject(p.Code, p.Other)]) {
				t.Sound++
			}
		default: // away, or in the part of the answer that is not known
			if counts && len(b.Coverage.addresses[endpoint]) > 0 && !b.Coverage.some[endpoint] {
				t.Away++
			}
			waits = waits || !p.left(t)
		}
		if t.Sound < b.Policy.RecoverAfter(r.Flaps) && !p.left(t) {
			kept = append(kept, t)
		}
	}
	for _, address := range slices.Sorted(maps.Keys(bad)) {
		if t := (Trace{Address: address}); !known[address] && len(kept) < maxTraces && t.size() <= room {
			kept = append(kept, t)
			room -= t.size()
		}
	}
	slices.SortStableFunc(kept, func(a, b Trace) int { return cmp.Compare(a.Address, b.Address) })
	p.At = kept
	return waits
}
