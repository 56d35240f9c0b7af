package incident

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
	"certdrift/internal/target"

	"pgregory.net/rapid"
)

// pool is a name's addresses, of which an answer holds some, and the faults at them.
type pool struct {
	all    []string
	broken map[string]finding.Code
}

func newPool(n int) pool {
	p := pool{broken: map[string]finding.Code{}}
	for i := range n {
		p.all = append(p.all, fmt.Sprintf("203.0.113.%d:443", i+1))
	}
	return p
}

// round is what probing the addresses of an answer shows, with the findings as package judge makes them: where all of several
// addresses have a fault, it names none.
func (p pool) round(answer []string) (observation.Round, []finding.Finding) {
	e := observation.Endpoint{Target: target.Endpoint{Environment: "production", Name: "api"}, Probed: true}
	at := map[finding.Code][]string{}
	for _, address := range answer {
		a := observation.Address{Address: address}
		switch code := p.broken[address]; code {
		case "":
		case finding.ConnectRefused:
			a.Failure = failed(observation.PhaseConnect)
			fallthrough
		default:
			at[code] = append(at[code], address)
		}
		e.Addresses = append(e.Addresses, a)
	}
	var fs []finding.Finding
	for code, where := range at {
		if len(where) > 1 && len(where) == len(answer) {
			where = []string{""}
		}
		for _, address := range where {
			kind := map[finding.Code]finding.FactKind{
				finding.ConnectRefused: finding.FactConnection, finding.CertExpired: finding.FactHandshake, finding.HTTPStatus: finding.FactResponse,
			}[code]
			f := found(code, finding.Critical, "api", "")
			f.Address, f.RestsOn = address, []finding.Fact{{Kind: kind, Endpoint: "production/api", Resource: address}}
			fs = append(fs, f)
		}
	}
	return observation.Round{Endpoints: []observation.Endpoint{e}, ListenersRead: true}, fs
}

func (p pool) run(t fataler, tb *table, minute int, answer []string, change ...func(*observation.Round)) []Notice {
	round, fs := p.round(answer)
	for _, c := range change {
		c(&round)
	}
	return tb.run(t, Input{Policy: newScript(nil).policy, Findings: fs, Coverage: Cover(round, []string{"production/api"}, false, false), Now: at(minute)}, lives)
}

// A name that rotates its addresses has one incident for as long as a broken one keeps coming back. It recovers once, after each of
// these was seen sound, or stayed away.
func TestRotatingAddressesAreOneIncident(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(2, 12).Draw(t, "addresses")
		k := rapid.IntRange(1, n-1).Draw(t, "in an answer")
		shuffled, p, tb := rapid.Bool().Draw(t, "shuffled"), newPool(n), newTable()
		code := rapid.SampledFrom([]finding.Code{finding.ConnectRefused, finding.CertExpired, finding.HTTPStatus}).Draw(t, "code")
		for range rapid.IntRange(1, n).Draw(t, "broken") {
			p.broken[rapid.SampledFrom(p.all).Draw(t, "which")] = code
		}
		last := map[string]int{} // by address: the round that had it
		answer := func(minute int) (got []string) {
			for i := range k {
				address := p.all[(minute*k+i)%n]
				if shuffled {
					address = p.all[(i+rapid.IntRange(0, n-1).Draw(t, "from"))%n]
				}
				got = append(got, address)
			}
			for _, address := range p.all { // whatever chance says, each comes back
				if minute-last[address] > awayRounds-5 {
					got = append(got, address)
				}
			}
			got = unique(got)
			for _, address := range got {
				last[address] = minute
			}
			return got
		}
		var heard []Event
		minute := 0
		for ; minute < 150; minute++ {
			hidden := func(r *observation.Round) {
				switch rapid.IntRange(0, 9).Draw(t, "hidden") {
				case 0:
					r.Endpoints[0].DNS.Partial = failed(observation.PhaseDNS)
				case 1:
					r.Endpoints[0].Probed, r.Endpoints[0].Addresses = false, nil
				}
			}
			heard = append(heard, events(p.run(t, tb, minute, answer(minute), hidden))...)
		}
		if len(heard) > 1 || len(heard) == 1 && heard[0] != Opened || len(heard) == 0 && code == finding.CertExpired {
			t.Fatalf("while it was broken: %v", heard)
		}
		wasBroken := p.broken
		p.broken = map[string]finding.Code{}
		looked, opened, heard := map[string]int{}, heard, nil
		for end := minute + 150; minute < end; minute++ {
			now := answer(minute)
			for _, address := range now {
				looked[address]++
			}
			got := events(p.run(t, tb, minute, now))
			if heard = append(heard, got...); len(got) == 0 {
				continue
			}
			for address := range wasBroken {
				if looked[address] < 2 && minute-last[address] < awayRounds {
					t.Fatalf("recovered after %s was seen sound %d times", address, looked[address])
				}
			}
		}
		if len(heard) != len(opened) || len(heard) == 1 && heard[0] != Recovered {
			t.Fatalf("after it was fixed: %v", heard)
		}
	})
}

func unique(list []string) (out []string) {
	seen := map[string]bool{}
	for _, s := range list {
		if !seen[s] {
			seen[s] = true
			out = append(out, s)
		}
	}
	return out
}

// A broken address that has left the name ends the incident after awayRounds, and later where it has come back once before.
func TestAnAddressThatLeaves(t *testing.T) {
	until := func(t *testing.T, p pool, tb *table, from int, answer []string) int {
		t.Helper()
		for minute := from; minute < from+500; minute++ {
			if got := events(p.run(t, tb, minute, answer)); len(got) > 0 {
				if got[0] != Recovered {
					t.Fatalf("minute %d: %v", minute, got)
				}
				return minute - from
			}
		}
		t.Fatal("it never recovered")
		return 0
	}
	p := newPool(3)
	p.broken[p.all[0]] = finding.CertExpired
	t.Run("for good", func(t *testing.T) {
		tb := newTable()
		p.run(t, tb, 0, p.all)
		if got := until(t, p, tb, 1, p.all[1:]); got != awayRounds {
			t.Errorf("recovered after %d rounds", got)
		}
	})
	t.Run("after it came back", func(t *testing.T) {
		const gap = 20
		tb := newTable()
		p.run(t, tb, 0, p.all)
		for minute := range gap {
			if got := p.run(t, tb, 1+minute, p.all[1:]); len(got) > 0 {
				t.Fatal(events(got))
			}
		}
		p.run(t, tb, 1+gap, p.all)
		if got := until(t, p, tb, 2+gap, p.all[1:]); got != awayGaps*gap {
			t.Errorf("recovered after %d rounds", got)
		}
	})
	t.Run("duplicate rounds count once", func(t *testing.T) {
		tb := newTable()
		p.run(t, tb, 0, p.all)
		for range 3 * awayRounds {
			if got := p.run(t, tb, 1, p.all[1:]); len(got) > 0 {
				t.Fatal(events(got))
			}
		}
	})
	t.Run("while others stay broken", func(t *testing.T) {
		tb, two := newTable(), newPool(3)
		two.broken[two.all[0]], two.broken[two.all[1]] = finding.CertExpired, finding.CertExpired
		two.run(t, tb, 0, two.all)
		two.run(t, tb, 1, two.all[1:])
		delete(two.broken, two.all[1])
		if got := until(t, two, tb, 2, two.all[1:]); got != awayRounds-1 {
			t.Errorf("recovered after %d rounds", got)
		}
	})
	t.Run("a name that is fixed recovers as before", func(t *testing.T) {
		tb := newTable()
		p.run(t, tb, 0, p.all)
		fixed := newPool(3)
		if got := until(t, fixed, tb, 1, fixed.all); got != 1 {
			t.Errorf("recovered after %d rounds", 1+got)
		}
	})
}

// What a record remembers of addresses is bounded, and its parts do not suffer.
func TestTracesAreBounded(t *testing.T) {
	var round observation.Round
	var fs []finding.Finding
	for i := range 2000 {
		name := fmt.Sprintf("api-%04d", i)
		e := observation.Endpoint{Target: target.Endpoint{Environment: "production", Name: name}, Probed: true}
		for n := range 32 {
			e.Addresses = append(e.Addresses, observation.Address{Address: fmt.Sprintf("[2001:db8:1111:2222:3333:4444:5555:%x]:443", n)})
		}
		round.Endpoints = append(round.Endpoints, e)
		f := found(finding.CertExpired, finding.Critical, name, "certificate:aa")
		f.RestsOn = []finding.Fact{{Kind: finding.FactHandshake, Endpoint: "production/" + name}}
		fs = append(fs, f)
	}
	run := func(c Coverage) Record {
		changed, _ := Advance(Input{Policy: newScript(nil).policy, Findings: fs, Coverage: c, Now: start})
		if len(changed) != 1 {
			t.Fatalf("%d records", len(changed))
		}
		return changed[0]
	}
	with, without := run(Cover(round, nil, false, false)), run(full(nil))
	if len(with.Parts) != len(without.Parts) || len(with.Parts) < 100 || len(with.Parts[0].At) != maxTraces {
		t.Errorf("%d parts, %d without addresses; the first was seen at %d", len(with.Parts), len(without.Parts), len(with.Parts[0].At))
	}
	text, err := json.Marshal(with)
	if err != nil {
		t.Fatal(err)
	}
	if traces := strings.Count(string(text), "{\"address\":"); traces*60 > maxTraceBytes || len(text) > 390<<10 {
		t.Errorf("%d bytes, %d addresses", len(text), traces)
	}
}
