//go:build !race

package round_test

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"certdrift/internal/finding"
	"certdrift/internal/incident"
)

// TestRotatingNames: names of six addresses give two at a time, and one of them is broken, in every way that a probe sees. Each is
// reported once, recovers not before it is fixed, and then once.
//
// Not under the race detector: there, one run in ten lost a timer of the bubble (Go 1.26.8), so that a response after three seconds met a
// timeout of two.
func TestRotatingNames(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, fixes, scenarios := newWorld(t), []func(){}, map[string]scenario{}
		for _, s := range served(t) {
			if s.code == finding.DNSFailure || s.name == "fingerprint" { // no address, or the others would be wrong too
				continue
			}
			scenarios[s.environment()] = s
			fixes = append(fixes, s.build(w, s.environment()))
		}
		all := map[string][]netip.Addr{}
		for _, e := range w.endpoints {
			good := w.leaf([]string{e.Host})
			for all[e.Host] = w.names[e.Host]; len(all[e.Host]) < 6; {
				ip := w.ip()
				w.serve(netip.AddrPortFrom(ip, 443), &server{pair: good})
				all[e.Host] = append(all[e.Host], ip)
			}
		}
		n := 0
		round := func() []incident.Notice {
			synctest.Wait()
			for host, ips := range all {
				w.names[host] = slices.Clone(ips[n%3*2 : n%3*2+2])
			}
			n++
			w.like = fmt.Sprint("rotated ", n%3, len(fixes))
			return w.round()
		}
		opened := map[string]bool{}
		for range 60 {
			for _, notice := range round() {
				key := notice.Record.Key
				if notice.Event != incident.Opened || notice.Before == finding.None && opened[key] {
					t.Errorf("round %d: %s (%s) of %s", n, notice.Event, notice.Severity, key)
				}
				opened[key] = true
			}
		}
		for environment, s := range scenarios {
			if !slices.ContainsFunc(slices.Collect(maps.Keys(opened)), func(key string) bool { return strings.HasPrefix(key, environment+" ") }) {
				t.Errorf("%s was never reported", s.environment())
			}
		}
		for _, fix := range fixes {
			fix()
		}
		fixes = nil
		recovered := map[string]int{}
		for range 45 {
			for _, notice := range round() {
				if notice.Event != incident.Recovered {
					t.Errorf("after the fix: %s of %s", notice.Event, notice.Record.Key)
				}
				if !notice.Downgraded {
					recovered[notice.Record.Key]++
				}
			}
		}
		for key := range opened {
			if recovered[key] != 1 {
				t.Errorf("%s: reported as resolved %d times", key, recovered[key])
			}
		}
	})
}
