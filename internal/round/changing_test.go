package round_test

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"certdrift/internal/finding"
	"certdrift/internal/incident"
	"certdrift/internal/round"
	"certdrift/internal/target"
)

// What changes around an incident while it is open, together with what cannot be seen at the same time: the fault lasts, so nobody may
// be notified that it was resolved, and once everything can be seen again, somebody knows of it under its new name.

// twist is a change of the configuration or of DNS while incidents are open.
type twist struct {
	name string
	// renames: an incident that is over because its endpoint has gone from the configuration is reported so.
	renames bool
	apply   func(w *world) (undo func())
}

func twists() []twist {
	each := func(w *world, change func(e *target.Endpoint)) {
		for _, e := range w.endpoints {
			change(e)
		}
	}
	return []twist{
		{"endpoints are renamed", true, func(w *world) func() {
			each(w, func(e *target.Endpoint) { e.Name += "-new" })
			return nil
		}},
		{"environments are renamed", true, func(w *world) func() {
			each(w, func(e *target.Endpoint) { e.Environment += "-new" })
			return nil
		}},
		{"endpoints are left out for a while", true, func(w *world) func() {
			all := w.endpoints
			w.endpoints = nil
			return func() { w.endpoints = all }
		}},
		{"names lose their first address for a while", false, func(w *world) func() {
			before := map[string][]netip.Addr{}
			for host, ips := range w.names {
				if before[host] = ips; len(ips) > 1 {
					w.names[host] = slices.Clone(ips[1:])
				}
			}
			return func() { w.names = before }
		}},
		{"names lose their last address for a while", false, func(w *world) func() {
			before := map[string][]netip.Addr{}
			for host, ips := range w.names {
				if before[host] = ips; len(ips) > 1 {
					w.names[host] = slices.Clone(ips[:len(ips)-1])
				}
			}
			return func() { w.names = before }
		}},
		{"names resolve to nothing for a while", false, func(w *world) func() {
			before := w.names
			w.names = map[string][]netip.Addr{}
			return func() { w.names = before }
		}},
		{"nothing changes", false, func(*world) func() { return nil }},
	}
}

// knows reports whether an incident that people were notified about has a fault of a code in an environment.
func (w *world) knows(environment string, code finding.Code) bool {
	state, err := w.runner.Publisher.Store.Load(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	return slices.ContainsFunc(state.Incidents, func(r incident.Record) bool {
		return r.Open() && r.Notified > finding.None && (r.Environment == environment || strings.TrimSuffix(r.Environment, "-new") == environment) &&
			slices.ContainsFunc(r.Parts, func(p incident.Part) bool { return p.Code == code })
	})
}

// TestIncidentsOfAChangingConfiguration: each change meets one fault in seeing, a different one each.
func TestIncidentsOfAChangingConfiguration(t *testing.T) {
	blackouts := slices.Concat(probeBlackouts(), awsBlackouts())
	for i, tw := range twists() {
		b := blackouts[(i*5+1)%len(blackouts)]
		ph := b.phases[i%len(b.phases)]
		if i%round.Raced > 0 {
			continue
		}
		t.Run(tw.name+", "+ph.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := newPlay(t, slices.DeleteFunc(slices.Concat(served(t), attached(), drifting()), func(s scenario) bool { return s.global }))
				p.open()
				undo := tw.apply(p.w)
				for range 3 {
					synctest.Wait()
					ph.begin(p.w)
					p.w.like = tw.name + b.probes(ph)
					p.w.round()
					synctest.Wait()
					p.w.heal()
					p.noAllClear(tw, "while "+ph.name)
				}
				if undo != nil {
					undo()
				}
				p.w.like = tw.name + ", seen"
				for range 4 {
					p.w.round()
					p.noAllClear(tw, "once everything could be seen again")
				}
				for _, s := range p.scenarios {
					if !p.w.knows(s.environment(), s.code) {
						t.Errorf("%s: nobody knows of it", s.environment())
					}
				}
			})
		})
	}
}

// noAllClear holds that the last round notified nobody that a scenario's incident is over, but for one whose endpoint has gone.
func (p *play) noAllClear(tw twist, when string) {
	p.t.Helper()
	for _, n := range p.w.heard {
		for _, s := range p.scenarios {
			if n.Event == incident.Recovered && !n.Downgraded && n.Record.Key == p.key[s.environment()] && !(n.Removed && tw.renames) {
				p.t.Errorf("%s: recovered (removed %v) %s", s.environment(), n.Removed, when)
			}
		}
	}
}
