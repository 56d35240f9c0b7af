package incident

import (
	"encoding/json"
	"fmt"
	"testing"

	"certdrift/internal/alertpath"
	"certdrift/internal/finding"
	"certdrift/internal/observation"
	"certdrift/internal/target"
)

func endpoint(name string, failures ...*observation.Failure) observation.Endpoint {
	e := observation.Endpoint{Target: target.Endpoint{Environment: "production", Name: name}, Probed: true}
	for _, f := range failures {
		e.Addresses = append(e.Addresses, observation.Address{Failure: f})
	}
	return e
}

func failed(phase observation.Phase) *observation.Failure { return &observation.Failure{Phase: phase} }

func TestDepth(t *testing.T) {
	unprobed := endpoint("x", nil)
	unprobed.Probed = false
	unresolved := endpoint("x", nil)
	unresolved.DNS.Failure = failed(observation.PhaseDNS)
	hopping := endpoint("x", nil)
	hopping.Addresses[0].HTTP = &observation.HTTP{Hops: []observation.Hop{{
		Addresses: []observation.Address{{Failure: failed(observation.PhaseConnect)}},
	}}}
	withheld := endpoint("x", nil)
	withheld.Addresses[0].Withheld = "the certificate does not verify"
	withheldAtHop := endpoint("x", nil)
	withheldAtHop.Addresses[0].HTTP = &observation.HTTP{Hops: []observation.Hop{{Addresses: withheld.Addresses}}}
	for name, c := range map[string]struct {
		endpoint observation.Endpoint
		want     Depth
	}{
		"no request was sent":     {withheld, Handshaken},
		"nor to a hop":            {withheldAtHop, Handshaken},
		"not probed":              {unprobed, Unseen},
		"no address":              {endpoint("x"), Asked},
		"unresolved":              {unresolved, Asked},
		"refused":                 {endpoint("x", failed(observation.PhaseConnect)), Asked},
		"one of two is refused":   {endpoint("x", nil, failed(observation.PhaseConnect)), Asked},
		"handshake":               {endpoint("x", failed(observation.PhaseTLS)), Connected},
		"no answer":               {endpoint("x", failed(observation.PhaseHeaders)), Handshaken},
		"all the way":             {endpoint("x", nil, nil), Whole},
		"but not to the last hop": {hopping, Handshaken},
	} {
		if got := depth(c.endpoint); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
}

func TestCover(t *testing.T) {
	round := observation.Round{
		Endpoints:     []observation.Endpoint{endpoint("api", nil)},
		ListenersRead: true,
		Diagnostics:   []observation.Diagnostic{{Environment: "production", Endpoint: "broken"}},
		LoadBalancers: []observation.LoadBalancer{
			{Name: "lb", Region: "r", Account: "1", Listeners: []observation.Listener{{Port: 443}}},
		},
	}
	c := Cover(round, []string{"production/ui"}, false, true)
	for _, key := range []string{"production/api", "production/ui", "production/broken"} {
		if !c.Configured[key] {
			t.Errorf("%s counts as removed", key)
		}
	}
	if !c.Full || !c.ListenersWhole || !c.Listeners["1/r/lb:443"] {
		t.Errorf("a whole round is not: %+v", c)
	}
	removed := Part{Code: finding.HTTPStatus, Endpoint: "removed"}
	if got := c.of("production", removed); got != gone {
		t.Errorf("an endpoint that is configured no more: %v", got)
	}
	torn := round
	torn.Diagnostics = []observation.Diagnostic{{Message: "an unknown key"}}
	if got := Cover(torn, []string{"production/ui"}, false, true); got.of("production", removed) != unknown || !got.Full {
		t.Error("a mistake outside of all endpoints may hide one, which counts as removed; or the round counts as none")
	}
	torn.Endpoints = nil
	if got := Cover(torn, nil, false, false); got.Full || got.Configured != nil {
		t.Errorf("nothing could be read, and all counts as asked: %+v", got)
	}
	round.ObserveErrors = []observation.ObserveError{{Kind: observation.Denied, Region: "r"}}
	if c := Cover(round, nil, false, true); c.ListenersWhole {
		t.Error("a region was denied, and its listeners count as gone")
	}
	if c := Cover(round, nil, true, true); c.Full {
		t.Error("a narrowed round counts as full")
	}
	round.LoadBalancers[0].Partial = true
	if c := Cover(round, nil, false, true); len(c.Listeners) != 0 {
		t.Error("a listener of a load balancer that was read in part counts as read")
	}
}

func TestListenersOfOneName(t *testing.T) {
	part := Part{Code: finding.DriftAttached, Listener: "lb:443", Region: "us-west-2", Account: "1"}
	c := Coverage{Listeners: map[string]bool{ListenerKey("1", "eu-west-1", "lb:443"): true}}
	if got := c.of("production", part); got != unknown {
		t.Errorf("the namesake in another region is taken for it: %v", got)
	}
	c.ListenersWhole = true
	if got := c.of("production", part); got != gone {
		t.Errorf("it is not there, and all were read: %v", got)
	}
	part.Region = ""
	if got := c.of("production", part); got != clean {
		t.Errorf("where the region is not known the name must do: %v", got)
	}
}

// A record stays within what DynamoDB takes, and is not over before all that it stands for is.
func TestAVastIncident(t *testing.T) {
	s := newScript(t)
	var names []string
	var fs []finding.Finding
	for i := range 3000 {
		names = append(names, fmt.Sprintf("an-endpoint-with-a-rather-long-name-%04d", i))
		f := found(finding.CertExpired, finding.Critical, names[i], "certificate:aa")
		f.Evidence = finding.Evidence{"path": make([]string, 500)}
		fs = append(fs, f)
	}
	c := full(names)
	got := s.round(c, fs, Opened)
	text, err := json.Marshal(got[0].Record)
	if err != nil || len(text) > 350<<10 {
		t.Errorf("the record has %d bytes: %v", len(text), err)
	}
	if got[0].Record.AffectsCount != 3000 {
		t.Errorf("affects %d", got[0].Record.AffectsCount)
	}
	narrow := full(names)
	for _, name := range names[1500:] {
		delete(narrow.Endpoints, "production/"+name)
	}
	for range 4 {
		s.round(narrow, nil) // only some of it was checked
	}
	s.round(c, nil)
	s.round(c, nil, Recovered)
}

// Reading shows who gets alerts. Only sending shows that a topic accepts them. Neither depends on listeners.
func TestCoverOfTheAlertPath(t *testing.T) {
	unheard, refused := Part{Code: finding.AlertPathBroken}, Part{Code: finding.AlertPathBroken, Refused: true}
	read := observation.Topic{ARN: "a", Read: true}
	taken := observation.Topic{ARN: "a", Taken: true}
	for name, c := range map[string]struct {
		topics           []observation.Topic
		failures         []observation.ObserveError
		unheard, refused evidence
	}{
		"nobody looked":         {nil, nil, unknown, unknown},
		"read":                  {[]observation.Topic{read}, nil, clean, unknown},
		"sent":                  {[]observation.Topic{taken}, nil, unknown, clean},
		"sent to another":       {[]observation.Topic{{ARN: "b", Taken: true}}, nil, unknown, unknown},
		"sent to it alone":      {[]observation.Topic{taken, {ARN: "b"}}, nil, unknown, clean},
		"one of two was read":   {[]observation.Topic{read, {ARN: "b"}}, nil, unknown, unknown},
		"gone":                  {[]observation.Topic{{ARN: "a", Missing: true}}, nil, clean, unknown},
		"a filter is not known": {[]observation.Topic{read}, []observation.ObserveError{{Kind: observation.Denied, Operation: "sns:GetSubscriptionAttributes"}}, unknown, unknown},
	} {
		round := observation.Round{ListenersRead: true, ObserveErrors: c.failures}
		if c.topics != nil {
			round.AlertPath = &observation.AlertPath{Topics: c.topics}
		}
		got := Cover(round, nil, false, true)
		r := &Record{Cause: alertpath.Cause("a")}
		if a, b := got.ofPath(r, unheard), got.ofPath(r, refused); a != c.unheard || b != c.refused {
			t.Errorf("%s: who hears %v, what is taken %v", name, a, b)
		}
		if !got.ListenersWhole {
			t.Errorf("%s: what SNS does not tell hides listeners", name)
		}
	}
}
