package round_test

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"sync"
	"testing"
	"testing/synctest"

	"certdrift/internal/catalogue"
	"certdrift/internal/finding"
	"certdrift/internal/incident"
	"certdrift/internal/round"
	"certdrift/internal/sim/pki"
)

// These tests take away, one after the other, all facts that findings rest on, and hold DESIGN's first principle: unknown is
// never clean. For every code of the catalogue, while its problem lasts: its incident stays open whatever cannot be observed,
// however many rounds that takes; the round says what it could not see; nobody is notified again when it can be seen again; and
// once the problem is fixed, the recovery is reported exactly once.

func fingerprint(p *pki.Pair) string {
	sum := sha256.Sum256(p.Certificate.Raw)
	return hex.EncodeToString(sum[:])
}

// TestEveryCodeHasABlackout: a code that is added needs a scenario, or a reason why there is none.
func TestEveryCodeHasABlackout(t *testing.T) {
	have := map[finding.Code]bool{}
	for _, s := range slices.Concat(served(t), attached(), drifting()) {
		have[s.code] = true
	}
	for _, e := range catalogue.Entries() {
		if !have[e.Code] && unobservable[e.Code] == "" && elsewhere[e.Code] == "" {
			t.Errorf("%s: no scenario takes its facts away, and no reason is given", e.Code)
		}
	}
}

// TestNoAllClearWithoutTheProbe takes away what probes establish.
func TestNoAllClearWithoutTheProbe(t *testing.T) {
	scenarios := slices.Concat(served(t), attached(), drifting())
	blackOut(t, scenarios, probeBlackouts())
}

// TestNoAllClearWithoutAWS takes away what AWS says.
func TestNoAllClearWithoutAWS(t *testing.T) {
	scenarios := slices.DeleteFunc(slices.Concat(served(t), attached(), drifting()), func(s scenario) bool { return !s.aws })
	blackOut(t, scenarios, awsBlackouts())
}

func blackOut(t *testing.T, scenarios []scenario, blackouts []blackout) {
	var mu sync.Mutex
	hidden, ran := map[string]bool{}, 0
	t.Cleanup(func() {
		for _, s := range scenarios {
			if round.Raced == 1 && ran == len(blackouts) && !hidden[s.environment()] {
				t.Errorf("%s: found in every round, so that nothing was taken away", s.environment())
			}
		}
	})
	for i, b := range blackouts {
		if i%round.Raced > 0 {
			continue
		}
		if round.Raced > 1 {
			b.phases = b.phases[:1]
		}
		t.Run(b.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := newPlay(t, scenarios)
				p.open()
				for _, phase := range b.phases {
					for range darkRounds {
						p.dark(b, phase)
					}
				}
				p.light()
				p.fix()
				mu.Lock()
				defer mu.Unlock()
				ran++
				for environment, yes := range p.hidden {
					hidden[environment] = hidden[environment] || yes
				}
			})
		})
	}
}

// darkRounds is how long each phase of a blackout lasts: as long as a recovery takes.
const darkRounds = 2

// play is one run of the scenarios.
type play struct {
	t         *testing.T
	w         *world
	scenarios []scenario
	fixes     []func()
	key       map[string]string          // the incident of each scenario, by environment
	first     map[string]finding.Finding // what was found first, by environment
	hidden    map[string]bool            // what some round did not find, by environment
}

func newPlay(t *testing.T, scenarios []scenario) *play {
	p := &play{t: t, w: newWorld(t), scenarios: scenarios, key: map[string]string{}, first: map[string]finding.Finding{}, hidden: map[string]bool{}}
	for _, s := range scenarios {
		p.fixes = append(p.fixes, s.build(p.w, s.environment()))
	}
	return p
}

// round runs one round, and returns what it sent about each scenario's fault.
func (p *play) round() map[string][]incident.Notice {
	if p.w.base != nil {
		p.w.base()
	}
	about := map[string][]incident.Notice{}
	for _, n := range p.w.round() {
		for _, s := range p.scenarios {
			if n.Record.Environment == s.environment() && p.concerns(s, n) {
				about[s.environment()] = append(about[s.environment()], n)
			}
		}
	}
	return about
}

// concerns reports whether a notice is about a scenario's fault: what became of its incident, or another incident of it. That
// something else breaks meanwhile, as an endpoint that cannot be reached does, is something else.
func (p *play) concerns(s scenario, n incident.Notice) bool {
	first, known := p.first[s.environment()]
	same := slices.ContainsFunc(n.Findings, func(f finding.Finding) bool {
		return f.Code == s.code && (!known || f.Endpoint == first.Endpoint && f.Listener == first.Listener && f.Subject.Hop == first.Subject.Hop) && (!s.global || !known || f.Cause == first.Cause)
	})
	switch {
	case n.Downgraded:
		return n.Record.Key == p.key[s.environment()] && n.Remaining < first.Severity
	case n.Event == incident.Opened && n.Before != finding.None:
		return n.Record.Key == p.key[s.environment()] && same && n.Findings[0].Code == s.code
	case n.Event == incident.Opened:
		drift := s.code.Class() == finding.ClassDrift && slices.ContainsFunc(n.Findings, func(f finding.Finding) bool { return f.Code.Class() == finding.ClassDrift })
		return same || drift
	}
	return n.Record.Key == p.key[s.environment()] || same && p.key[s.environment()] == ""
}

func (p *play) open() {
	for range 3 {
		for environment, notices := range p.round() {
			for _, n := range notices {
				if p.key[environment] != "" {
					p.t.Errorf("%s: %s again in the beginning", environment, n.Event)
				}
				p.key[environment] = n.Record.Key
			}
		}
	}
	for _, s := range p.scenarios {
		for _, f := range p.w.last.Conclusion.Findings {
			if f.Environment == s.environment() && f.Code == s.code && p.first[s.environment()].Code == "" {
				p.first[s.environment()] = f
			}
		}
		if !p.w.shows(s.environment(), s.code) || p.key[s.environment()] == "" {
			p.t.Errorf("%s: nothing was found in the beginning, but %v", s.environment(), p.w.foundIn(s.environment()))
		}
	}
}

// dark is one round of a blackout.
func (p *play) dark(b blackout, phase phase) {
	synctest.Wait() // for what the last round left behind, as a look-up of an alias
	phase.begin(p.w)
	p.w.like = b.probes(phase)
	scoped := len(p.w.only) > 0 || p.w.depth == round.EndpointsOnly || phase.name == notAsked // the round leaves things out on purpose, and is complete all the same
	told := p.round()
	synctest.Wait()
	p.w.heal()
	for _, s := range p.scenarios {
		environment := s.environment()
		for _, n := range told[environment] {
			p.t.Errorf("%s: %s (%s) while %s: %q", environment, n.Event, n.Severity, phase.name, n.Record.Cause)
			for _, f := range n.Findings {
				p.t.Logf("  %s %s: %s", f.Severity, f.Code, f.Summary)
			}
		}
		p.hidden[environment] = p.hidden[environment] || !p.w.shows(environment, s.code)
		if !p.w.shows(environment, s.code) && p.w.last.Conclusion.Complete && !scoped && !p.w.says(environment) {
			p.t.Errorf("%s: the round does not say that it could not see it while %s", environment, phase.name)
		}
	}
}

// light gives all facts back.
func (p *play) light() {
	for range 2 {
		for environment, notices := range p.round() {
			for _, n := range notices {
				p.t.Errorf("%s: %s (%s) after everything could be seen again", environment, n.Event, n.Severity)
			}
		}
	}
	for _, s := range p.scenarios {
		if !p.w.shows(s.environment(), s.code) {
			p.t.Errorf("%s: not found any more, but %v", s.environment(), p.w.foundIn(s.environment()))
		}
	}
}

// fix ends all faults.
func (p *play) fix() {
	for _, fix := range p.fixes {
		fix()
	}
	p.w.like = "fixed"
	recovered := map[string]int{}
	for range 4 {
		for environment, notices := range p.round() {
			for _, n := range notices {
				if n.Event != incident.Recovered || n.Downgraded || n.Removed {
					p.t.Errorf("%s: %s after the fix (downgraded %v, removed %v)", environment, n.Event, n.Downgraded, n.Removed)
				}
				recovered[environment]++
			}
		}
	}
	for _, s := range p.scenarios {
		if got := recovered[s.environment()]; got != 1 {
			p.t.Errorf("%s: reported as resolved %d times, want once; the round still has %v", s.environment(), got, p.w.foundIn(s.environment()))
		}
	}
}
