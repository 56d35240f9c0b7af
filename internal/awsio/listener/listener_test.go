package listener_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/acm"
	"github.com/google/go-cmp/cmp"

	"certdrift/internal/awsio/listener"
	"certdrift/internal/observation"
	"certdrift/internal/sim/account"
	"certdrift/internal/target"
)

func TestInspectReadsEveryKind(t *testing.T) {
	w := newWorld(t)
	w.fill()
	got := w.inspect(t, everything())
	want := []string{
		"application web:80 HTTP default:redirectHTTPS 1:forward 2:forward",
		"application web:443 HTTPS ELBSecurityPolicy-TLS13-1-2-2021-06[TLSv1.2 TLSv1.3] mtls=off acm acm2 iam",
		"application web:8443 HTTPS ELBSecurityPolicy-2016-08[TLSv1 TLSv1.1 TLSv1.2] mtls=verify acm",
		"classic a22e1d63:80 HTTP",
		"classic a22e1d63:443 HTTPS ELBSecurityPolicy-2016-08[TLSv1 TLSv1.1 TLSv1.2] iam",
		"network tcp:22 TCP",
		"network tcp:443 TLS ELBSecurityPolicy-2016-08[TLSv1 TLSv1.1 TLSv1.2] acm2",
	}
	if diff := cmp.Diff(want, w.summary(got)); diff != "" {
		t.Errorf("listeners (-want +got):\n%s", diff)
	}
	if len(got.ObserveErrors) > 0 {
		t.Errorf("errors: %v", got.ObserveErrors)
	}
	web := got.LoadBalancers[0]
	if !web.Internal || web.Tags["env"] != "staging" || web.Account != "111122223333" || web.Region != "us-west-2" || web.DNSName != w.west.DNSName("web") {
		t.Errorf("the load balancer: %+v", web)
	}
	if classic := got.LoadBalancers[1]; classic.ARN != "arn:aws:elasticloadbalancing:us-west-2:111122223333:loadbalancer/a22e1d63" {
		t.Errorf("ARN of the classic one: %s", classic.ARN)
	}
	if len(got.Certificates) != 3 {
		t.Fatalf("%d certificates", len(got.Certificates))
	}
	for _, c := range got.Certificates {
		if len(c.Chain) != 2 || !cmp.Equal(c.Chain[0], w.pair.Certificate.Raw) || !c.NotAfter.Equal(w.pair.Certificate.NotAfter) || c.Missing || c.Unreadable {
			t.Errorf("certificate %s: %d in the chain, ends %s", c.ARN, len(c.Chain), c.NotAfter)
		}
	}
	if calls := w.west.Repeated(); len(calls) > 0 {
		t.Errorf("asked more than once: %v", calls)
	}
}

// TestTheDefaultMayBeInTheList: a default certificate that is in the SNI list, too, is read as both, each once.
func TestTheDefaultMayBeInTheList(t *testing.T) {
	w := newWorld(t)
	w.west.AddLoadBalancer(account.LoadBalancer{Kind: observation.Application, Name: "both", Listeners: []account.Listener{
		{Port: 443, Protocol: "HTTPS", Certificates: []string{w.acm, w.acm2, w.acm}},
		{Port: 8443, Protocol: "HTTPS", Certificates: []string{w.acm, w.acm2}},
	}})
	listeners := w.inspect(t, everything()).LoadBalancers[0].Listeners
	for i, want := range [][]observation.Attachment{{{ARN: w.acm, Default: true}, {ARN: w.acm}, {ARN: w.acm2}}, {{ARN: w.acm, Default: true}, {ARN: w.acm2}}} {
		if got := listeners[i].Certificates; len(got) != len(want) || got[0] != want[0] || !slices.Contains(got[1:], want[1]) {
			t.Errorf("port %d has %v, want %v", listeners[i].Port, got, want)
		}
	}
}

// TestWhenACertificateWasPutThere: ACM says it of imported certificates only, IAM of all of its own.
func TestWhenACertificateWasPutThere(t *testing.T) {
	w := newWorld(t)
	w.fill()
	key, err := w.pair.KeyPEM()
	if err != nil {
		t.Fatal(err)
	}
	in := &acm.ImportCertificateInput{CertificateArn: aws.String(w.acm), Certificate: w.pair.PEM(), PrivateKey: key}
	if _, err := w.west.ACM().ImportCertificate(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	for _, c := range w.inspect(t, everything()).Certificates {
		switch {
		case c.ARN == w.acm && (!c.Imported.Equal(now()) || c.Type != "IMPORTED"),
			c.ARN == w.acm2 && !c.Imported.IsZero(),
			c.ARN == w.iam && !c.Imported.Equal(w.pair.Certificate.NotBefore):
			t.Errorf("%s, %s: imported at %s", c.ARN, c.Type, c.Imported)
		}
	}
}

func TestInspectNarrows(t *testing.T) {
	web := func(w *world) string {
		return w.west.AddLoadBalancer(account.LoadBalancer{Kind: observation.Application, Name: "extra"})
	}
	ref := func(names ...string) (refs []target.LoadBalancerRef) {
		for _, n := range names {
			refs = append(refs, target.LoadBalancerRef{Name: n, Port: 443})
		}
		return refs
	}
	scope := everything().Scope
	tagged := scope
	tagged.Tags = map[string]string{"env": "production"}
	tests := []struct {
		name   string
		wanted func(w *world) target.Wanted
		want   []string
	}{
		{"to tags", func(*world) target.Wanted { return target.Wanted{Scope: tagged} }, []string{"a22e1d63", "tcp"}},
		{"to tags, with one that an endpoint names", func(*world) target.Wanted {
			return target.Wanted{Scope: tagged, LoadBalancers: ref("web")}
		}, []string{"a22e1d63", "tcp", "web"}},
		{"to names", func(*world) target.Wanted { return target.Wanted{LoadBalancers: ref("web", "a22e1d63")} }, []string{"a22e1d63", "web"}},
		{"to names, one of them missing", func(*world) target.Wanted { return target.Wanted{LoadBalancers: ref("web", "gone")} }, []string{"web"}},
		{"to more names than are asked one by one", func(*world) target.Wanted {
			return target.Wanted{LoadBalancers: ref("web", "gone", "gone-too", "tcp", "a22e1d63")}
		}, []string{"a22e1d63", "tcp", "web"}},
		{"to a name in another region", func(*world) target.Wanted {
			return target.Wanted{LoadBalancers: []target.LoadBalancerRef{{Name: "web", Port: 443, Region: "us-east-1"}}}
		}, nil},
		{"to what an event names", func(*world) target.Wanted { return target.Wanted{Scope: scope, Only: []string{"web"}} }, []string{"web"}},
		{"to an event's ARN", func(w *world) target.Wanted { return target.Wanted{Scope: scope, Only: []string{web(w)}} }, []string{"extra"}},
		{"to an event's load balancer that the tags leave out", func(*world) target.Wanted {
			return target.Wanted{Scope: tagged, Only: []string{"web"}}
		}, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t)
			w.fill()
			got := w.inspect(t, test.wanted(w))
			if diff := cmp.Diff(test.want, names(got)); diff != "" {
				t.Errorf("load balancers (-want +got):\n%s", diff)
			}
			if len(got.ObserveErrors) > 0 {
				t.Errorf("errors: %v", got.ObserveErrors)
			}
			if calls := w.west.Repeated(); len(calls) > 0 {
				t.Errorf("asked more than once: %v", calls)
			}
		})
	}
}

// An event is a hint: what it makes up leads to no call.
func TestAnEventLeadsNowhereElse(t *testing.T) {
	const prefix = "arn:aws:elasticloadbalancing:"
	for name, only := range map[string]string{
		"another account": prefix + "us-west-2:999999999999:loadbalancer/app/web/1",
		"another region":  prefix + "eu-west-1:111122223333:loadbalancer/app/web/1",
		"another service": "arn:aws:s3:us-west-2:111122223333:loadbalancer/app/web/1",
		"no resource":     prefix + "us-west-2:111122223333:",
		"no ARN":          "arn:",
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.fill()
			wanted := everything()
			wanted.Only = []string{only}
			if got := w.inspect(t, wanted); len(got.LoadBalancers)+len(got.ObserveErrors) > 0 {
				t.Errorf("read: %+v", got)
			}
			if calls := w.west.Calls(); len(calls) > 0 {
				t.Errorf("AWS was asked: %v", calls)
			}
		})
	}
	t.Run("a name that the configuration does not name", func(t *testing.T) {
		w := newWorld(t)
		w.fill()
		got := w.inspect(t, target.Wanted{LoadBalancers: []target.LoadBalancerRef{{Name: "web", Port: 443}}, Only: []string{"tcp"}})
		if calls := w.west.Calls(); len(calls) > 0 || len(got.LoadBalancers) > 0 {
			t.Errorf("AWS was asked: %v", calls)
		}
	})
}

func TestInspectOtherAccountsAndRegions(t *testing.T) {
	w := newWorld(t)
	w.fill()
	w.east.AddLoadBalancer(account.LoadBalancer{Kind: observation.Classic, Name: "east"})
	arn := w.other.AddCertificate("33333333-0000-4000-8000-000000000003", w.pair)
	w.other.AddLoadBalancer(account.LoadBalancer{
		Kind: observation.Network, Name: "member", Listeners: []account.Listener{{Port: 443, Protocol: "TLS", Certificates: []string{arn}}},
	})
	got := w.inspect(t, target.Wanted{Scope: target.Scope{
		Enabled: true, Walk: true, Regions: []string{"us-west-2", "us-east-1"},
		Roles: []target.Role{{ARN: otherRole}, {ARN: "arn:aws:iam::777788889999:role/refused"}},
	}})
	found := names(got)
	for _, want := range []string{"a22e1d63", "east", "member", "web"} {
		if !contains(found, want) {
			t.Errorf("%s is missing in %v", want, found)
		}
	}
	read := map[string]observation.Certificate{}
	for _, c := range got.Certificates {
		read[c.ARN] = c
	}
	if c := read[arn]; len(c.Chain) == 0 {
		t.Errorf("the other account's certificate is not read: %+v", c)
	}
	if diff := cmp.Diff([]string{"incomplete sts:AssumeRole "}, problems(got)); diff != "" {
		t.Errorf("errors (-want +got):\n%s", diff)
	}
	if got.ObserveErrors[0].Account != "777788889999" || got.ObserveErrors[0].Resource != "arn:aws:iam::777788889999:role/refused" {
		t.Errorf("the error names no role: %+v", got.ObserveErrors[0])
	}
}

func contains(all []string, one string) bool {
	for _, s := range all {
		if s == one {
			return true
		}
	}
	return false
}

func TestNothingWantedAsksNothing(t *testing.T) {
	w := newWorld(t)
	if got := w.inspect(t, target.Wanted{}); len(w.west.Calls()) > 0 || got.ObserveErrors != nil {
		t.Errorf("asked %v, errors %v", w.west.Calls(), got.ObserveErrors)
	}
}

// TestNoRegionIsNotNothing: without a region nothing can be read, and that must not pass for an empty account.
func TestNoRegionIsNotNothing(t *testing.T) {
	w := newWorld(t)
	w.fill()
	inspector := listener.New(listener.Options{Clients: w.clients, Account: w.account})
	for name, c := range map[string]struct {
		wanted target.Wanted
		known  bool
	}{
		"all of the account": {target.Wanted{Scope: target.Scope{Enabled: true, Walk: true}}, false},
		"one that is named":  {target.Wanted{LoadBalancers: []target.LoadBalancerRef{{Name: "a1"}}}, false},
		"one, and its region, without a walk": {target.Wanted{
			Scope: target.Scope{Enabled: true}, LoadBalancers: []target.LoadBalancerRef{{Name: "a1", Region: "us-west-2"}},
		}, true},
		"one, and its region":      {target.Wanted{LoadBalancers: []target.LoadBalancerRef{{Name: "a1", Region: "us-west-2"}}}, true},
		"the regions of the scope": {target.Wanted{Scope: target.Scope{Enabled: true, Walk: true, Regions: []string{"us-west-2"}}}, true},
		"nothing":                  {target.Wanted{}, true},
	} {
		got := inspector.Inspect(t.Context(), c.wanted)
		tags := slices.ContainsFunc(got.ObserveErrors, func(t observation.ObserveError) bool {
			return t.Kind == observation.Incomplete && strings.Contains(t.Detail, "AWS_REGION")
		})
		if tags == c.known || !c.known && len(got.LoadBalancers) > 0 {
			t.Errorf("%s: tags %v, %d load balancers, errors %+v", name, tags, len(got.LoadBalancers), got.ObserveErrors)
		}
	}
}
