package judge

import (
	"fmt"
	"path/filepath"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
	"certdrift/internal/policy"
	"certdrift/internal/sim/pki"
	"certdrift/internal/target"
	"certdrift/internal/topology"
)

// agree holds that findings and comparisons give one answer about the listener, the certificates and how they compare: a
// drift finding says what the comparison of each of its endpoints says, and no comparison has a difference without one.
func agree(t interface{ Errorf(string, ...any) }, in Input) {
	model, found := topology.Build(in.Round, in.Now), Judge(in).Findings
	reported := map[string]map[finding.Code]bool{}
	for _, f := range found {
		for _, key := range append([]string{f.Environment + "/" + f.Endpoint}, f.Affects...) {
			if reported[key] == nil {
				reported[key] = map[finding.Code]bool{}
			}
			reported[key][f.Code] = true
			if e := model.Endpoint(key); e != nil {
				agreeOn(t, model, f, e.Compare())
			}
		}
	}
	for _, e := range model.Endpoints {
		c, key := e.Compare(), e.Target.Key()
		if e.Target.Declared != nil && c.DeclaredAttached >= topology.Equivalent && !reported[key][finding.DriftAttached] {
			t.Errorf("%s: declared and attached are %s, and no finding says so", key, c.DeclaredAttached)
		}
		l := e.Listener
		if l == nil || !l.Secure() || l.Settling(in.Policy.Settle) {
			continue
		}
		if _, sure := l.Select(e.Target.Host); sure && c.AttachedServed >= topology.Equivalent && !reported[key][finding.DriftServed] {
			t.Errorf("%s: attached and served are %s, and no finding says so", key, c.AttachedServed)
		}
	}
}

func agreeOn(t interface{ Errorf(string, ...any) }, model *topology.Topology, f finding.Finding, c topology.Comparison) {
	says := func(what string, got, want any) {
		if got != want {
			t.Errorf("%s of %s: the finding says %s %v, the comparison %v", f.Code, c.Endpoint.Target.Key(), what, want, got)
		}
	}
	relation := topology.Different
	if f.Severity == finding.Warning {
		relation = topology.Equivalent
	}
	switch f.Code {
	case finding.DriftAttached:
		says("relation", c.DeclaredAttached, relation)
		says("declared", model.DeclaredFact(c.Declared[0].Declared).ARN, f.Certificates.Declared[0].ARN)
	case finding.DriftServed:
		if f.Address == "" {
			says("relation", c.AttachedServed, relation)
		}
	case finding.DriftDeclared:
		says("relation", c.DeclaredServed >= relation, true)
		return
	default:
		return
	}
	if !c.Listener.Known() {
		t.Errorf("%s of %s: the comparison knows no listener: %+v", f.Code, c.Endpoint.Target.Key(), c.Listener)
		return
	}
	says("listener", c.Listener.Value.Label(), f.Listener)
	if attached := f.Certificates.Attached[0]; attached.None {
		says("nothing attached", c.Attached.State, topology.Absent)
	} else {
		says("attached", c.Attached.Value.ARN, attached.ARN)
		says("fingerprint", c.Attached.Value.Fingerprint(), attached.FingerprintSHA256)
	}
}

// TestFindingsAgreeWithTheModelOnSavedRounds includes the rounds on which report and judge once disagreed: a grouped Ingress
// whose endpoint names a service, and two SNI certificates that match.
func TestFindingsAgreeWithTheModelOnSavedRounds(t *testing.T) {
	paths, err := filepath.Glob("testdata/rounds/*.json")
	if err != nil || len(paths) == 0 {
		t.Fatal("no saved rounds", err)
	}
	for _, path := range append(paths, "testdata/disagreements/grouped-ingress.json", "testdata/disagreements/two-sni.json") {
		in, err := load(path)
		if err != nil {
			t.Fatal(err)
		}
		agree(t, in)
	}
}

// TestOneAnswer holds what the two disagreements were about.
func TestOneAnswer(t *testing.T) {
	for name, want := range map[string]struct{ listener, attached string }{
		"grouped-ingress": {"k8s-shared:443", arnOf("stale")},
		"two-sni":         {"alb:443", arnOf("long")},
	} {
		in, err := load("testdata/disagreements/" + name + ".json")
		if err != nil {
			t.Fatal(err)
		}
		c := topology.Build(in.Round, in.Now).Endpoint("prod/site").Compare()
		if !c.Listener.Known() || c.Listener.Value.Label() != want.listener || !c.Attached.Known() || c.Attached.Value.ARN != want.attached || c.DeclaredAttached != topology.Different {
			t.Errorf("%s: listener %+v, attached %+v, %s", name, c.Listener, c.Attached, c.DeclaredAttached)
		}
		i := slices.IndexFunc(Judge(in).Findings, func(f finding.Finding) bool {
			return f.Code == finding.DriftAttached && f.Listener == want.listener && f.Certificates.Attached[0].ARN == want.attached
		})
		if i < 0 {
			t.Errorf("%s: no drift-attached of %s with %s", name, want.listener, want.attached)
		}
	}
}

// TestFindingsAgreeWithTheModel generates rounds: load balancers of every kind found in every way, certificates with and
// without a body, declarations of every form.
func TestFindingsAgreeWithTheModel(t *testing.T) {
	s := newScene(t)
	pool := []*pki.Pair{
		s.Leaf("a.example.org"), s.LeafUntil(noon.AddDate(0, 0, 80), "a.example.org"), s.Leaf("*.example.org"),
		s.Leaf("b.example.org", "a.example.org"), s.LeafUntil(noon.AddDate(0, 0, -1), "a.example.org"),
	}
	rapid.Check(t, func(t *rapid.T) {
		r := generator{t, pool}
		in := s.input()
		in.Policy, in.Round = policy.DefaultThresholds(), r.round()
		agree(t, in)
	})
}

type generator struct {
	*rapid.T
	pool []*pki.Pair
}

func (g generator) chance(label string, of int) bool {
	return rapid.IntRange(1, of).Draw(g.T, label) == 1
}
func (g generator) cert(label string) int { return rapid.IntRange(0, len(g.pool)-1).Draw(g.T, label) }

func (g generator) round() observation.Round {
	round := observation.Round{Schema: observation.Schema, Started: noon, Finished: noon, ListenersRead: true}
	for i, p := range g.pool {
		c := observation.Certificate{ARN: arnOf(fmt.Sprint(i)), Names: p.Certificate.DNSNames, NotAfter: p.Certificate.NotAfter, Status: "ISSUED"}
		switch {
		case g.chance("missing", 10):
			c = observation.Certificate{ARN: c.ARN, Missing: true}
		case g.chance("unread", 10):
			continue
		case !g.chance("record only", 6):
			c.Chain = p.Served()
		}
		round.Certificates = append(round.Certificates, c)
	}
	for i := range rapid.IntRange(0, 3).Draw(g.T, "load balancers") {
		round.LoadBalancers = append(round.LoadBalancers, g.loadBalancer(i))
	}
	for i := range rapid.IntRange(0, 3).Draw(g.T, "manifests") {
		round.Manifests = append(round.Manifests, g.manifest(i))
	}
	for i := range rapid.IntRange(1, 4).Draw(g.T, "endpoints") {
		round.Endpoints = append(round.Endpoints, g.endpoint(i))
	}
	return round
}

func (g generator) loadBalancer(i int) observation.LoadBalancer {
	kind := rapid.SampledFrom([]observation.LoadBalancerKind{observation.Classic, observation.Application, observation.Network}).Draw(g.T, "kind")
	lb := observation.LoadBalancer{
		Kind: kind, Name: fmt.Sprint("lb", i), ARN: fmt.Sprint("arn:lb/", i), Region: region, Account: account, DNSName: fmt.Sprintf("lb%d.elb.amazonaws.com", i),
		Tags:    map[string]string{rapid.SampledFrom([]string{"kubernetes.io/service-name", "ingress.k8s.aws/stack", "none"}).Draw(g.T, "tag"): g.service()},
		Partial: g.chance("partial", 8), Addresses: []string{fmt.Sprint("10.0.0.", i)},
	}
	l := observation.Listener{ARN: fmt.Sprint("arn:listener/", i), Port: 443, Protocol: rapid.SampledFrom([]string{"HTTPS", "TLS", "TCP"}).Draw(g.T, "protocol")}
	most := 4
	if kind == observation.Classic {
		most = 1
	}
	for n := range rapid.IntRange(0, most).Draw(g.T, "attached") {
		l.Certificates = append(l.Certificates, observation.Attachment{ARN: arnOf(fmt.Sprint(g.cert("attached"))), Default: n == 0})
	}
	lb.Listeners = append(lb.Listeners, l)
	return lb
}

func (g generator) service() string {
	return rapid.SampledFrom([]string{"web/a", "web/b", "shared"}).Draw(g.T, "service")
}

func (g generator) manifest(i int) observation.Declaration {
	d := observation.Declaration{
		Object: "Ingress " + g.service(), Kind: observation.Application, Port: 443, Order: i, Discovered: g.chance("discovered", 6),
		Group: rapid.SampledFrom([]string{"", "shared"}).Draw(g.T, "group"), Source: target.Position{File: "m.yaml", Line: i + 1},
	}
	d.Service = d.Object[len("Ingress "):]
	if !d.Discovered {
		for range rapid.IntRange(0, 2).Draw(g.T, "declared") {
			d.ARNs = append(d.ARNs, arnOf(fmt.Sprint(g.cert("declared"))))
		}
	}
	return d
}

func (g generator) endpoint(i int) observation.Endpoint {
	host := rapid.SampledFrom([]string{"a.example.org", "b.example.org", "c.example.net", "192.0.2.1"}).Draw(g.T, "host")
	e := observation.Endpoint{
		Target: target.Endpoint{Environment: "production", Name: fmt.Sprint("e", i), Kind: target.HTTPS, Host: host, Port: 443, Trust: target.Trust{Roots: target.Mozilla}},
		Probed: !g.chance("not probed", 8),
	}
	switch rapid.IntRange(0, 3).Draw(g.T, "found by") {
	case 0:
		e.Target.LoadBalancer = &target.LoadBalancerRef{Name: fmt.Sprint("lb", rapid.IntRange(0, 3).Draw(g.T, "named"))}
	case 1:
		e.Target.Service = g.service()
	case 2:
		e.DNS.CanonicalName = fmt.Sprintf("lb%d.elb.amazonaws.com", rapid.IntRange(0, 3).Draw(g.T, "cname"))
	}
	switch one := g.cert("configured"); rapid.IntRange(0, 3).Draw(g.T, "declared by") {
	case 0:
		e.Target.Declared = &target.Declared{ARN: arnOf(fmt.Sprint(one))}
	case 1:
		e.Target.Declared = &target.Declared{FingerprintSHA256: topology.Fingerprint(g.pool[one].Certificate)}
	case 2:
		e.Target.Declared = &target.Declared{Issuer: rapid.SampledFrom([]string{"Scene Root", "Another CA"}).Draw(g.T, "issuer")}
	}
	for n := range rapid.IntRange(0, 2).Draw(g.T, "addresses") {
		a := failing(fmt.Sprint("10.1.0.", n), observation.PhaseTLS, observation.TimedOut)
		if !g.chance("fails", 5) {
			a = ok(fmt.Sprint("10.1.0.", n), g.pool[g.cert("served")])
		}
		e.Addresses = append(e.Addresses, a)
	}
	return e
}
