package topology

import (
	"fmt"
	"testing"
	"time"

	"certdrift/internal/observation"
	"certdrift/internal/target"
)

// dated is a round in which each host answered at noon by this machine's clock; ahead is how far this machine's is ahead of each.
func dated(ahead ...time.Duration) observation.Round {
	noon := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	var r observation.Round
	for i, by := range ahead {
		e := observation.Endpoint{Target: target.Endpoint{Environment: "production", Name: fmt.Sprint(i), Host: fmt.Sprintf("h%d.example.org", i)}, Probed: true}
		e.Addresses = []observation.Address{{Started: noon, HTTP: &observation.HTTP{Date: noon.Add(-by)}}}
		r.Endpoints = append(r.Endpoints, e)
	}
	return r
}

func TestClock(t *testing.T) {
	for name, c := range map[string]struct {
		ahead         []time.Duration
		most, inDoubt bool
	}{
		"nobody to ask":            {},
		"exact":                    {ahead: []time.Duration{0, 0, 0}},
		"within the tolerance":     {ahead: []time.Duration{5 * time.Minute, -5 * time.Minute}},
		"an hour ahead":            {[]time.Duration{time.Hour, time.Hour, time.Hour}, true, true},
		"days behind":              {[]time.Duration{-72 * time.Hour, -72 * time.Hour}, true, true},
		"most":                     {[]time.Duration{time.Hour, time.Hour, 0}, true, true},
		"half":                     {ahead: []time.Duration{time.Hour, time.Hour, 0, 0}},
		"one of many":              {ahead: []time.Duration{time.Hour, 0, 0}},
		"the only one":             {[]time.Duration{time.Hour}, true, false},
		"every clock its own time": {ahead: []time.Duration{time.Hour, -time.Hour}},
	} {
		t.Run(name, func(t *testing.T) {
			got := Build(dated(c.ahead...), time.Now()).Clock()
			if got.Most() != c.most || got.InDoubt() != c.inDoubt {
				t.Errorf("%+v: most %v, in doubt %v", got, got.Most(), got.InDoubt())
			}
		})
	}
}

func TestClockOfOneHost(t *testing.T) {
	r := dated(time.Hour, time.Hour, time.Hour)
	for i := range r.Endpoints {
		r.Endpoints[i].Target.Host = "one.example.org"
	}
	if c := Build(r, time.Now()).Clock(); c.InDoubt() {
		t.Errorf("three endpoints of one host count three times: %+v", c)
	}
	r = dated(time.Hour, time.Hour)
	for i := range r.Endpoints {
		r.Endpoints[i].Probed = false
	}
	if c := Build(r, time.Now()).Clock(); c.Hosts != 0 {
		t.Errorf("what was not finished is counted: %+v", c)
	}
}

func TestClockTakesThePhases(t *testing.T) {
	r := dated(0, 0)
	for i := range r.Endpoints {
		a := &r.Endpoints[i].Addresses[0]
		a.Phases.TLS, a.HTTP.Date = 10*time.Minute, a.HTTP.Date.Add(10*time.Minute)
	}
	if c := Build(r, time.Now()).Clock(); c.InDoubt() {
		t.Errorf("a slow handshake is taken for a wrong clock: %+v", c)
	}
}
