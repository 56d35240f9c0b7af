package plan

import (
	"cmp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"certdrift/internal/observation"
	"certdrift/internal/policy"
	"certdrift/internal/sim/pki"
	"certdrift/internal/target"
	"certdrift/internal/topology"
)

// noon is the time of every plan.
var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

const (
	prefix      = "arn:aws:acm:us-west-2:111122223333:certificate/"
	listenerWeb = "arn:aws:elasticloadbalancing:us-west-2:111122223333:listener/app/web/50dc/0467"
)

// certificates are those of the account by the ends of their ARNs; no other ARN leads to any: what it covers is not known. a2 is for the
// same name as a, and lasts longer, so that a load balancer that has both in its list selects it.
var certificates = sync.OnceValues(func() ([]observation.Certificate, error) {
	root, err := pki.Root("plan", noon)
	if err != nil {
		return nil, err
	}
	var out []observation.Certificate
	for _, c := range []struct {
		id, name string
		days     int
	}{{"a", "a.example.org", 60}, {"a2", "a.example.org", 80}, {"b", "b.example.org", 60}, {"wild", "*.example.org", 60}, {"spent", "a.example.org", -3}, {"ending", "a.example.org", 2}} {
		end := noon.AddDate(0, 0, c.days)
		leaf, err := root.Leaf(noon, []string{c.name}, pki.Valid(end.AddDate(0, 0, -90), end))
		if err != nil {
			return nil, err
		}
		out = append(out, observation.Certificate{
			ARN: prefix + c.id, Chain: leaf.Served(), Status: "ISSUED", Type: "AMAZON_ISSUED", Names: []string{c.name},
			NotBefore: leaf.Certificate.NotBefore, NotAfter: leaf.Certificate.NotAfter,
		})
	}
	return out, nil
})

// deploy is an apply to the listener of port 443 of the load balancer "web".
type deploy struct {
	kind observation.LoadBalancerKind
	// holds are the certificates that the listener holds now, the default first; without any, the account has no such load balancer.
	holds string
	// offline: nobody asks AWS.
	offline bool
	// whole: all members of the groups are there.
	whole bool
	tags  map[string]string
	// endpoints are those behind the listener: HOST, or HOST=CERTIFICATE with the declared one.
	endpoints string
	applies   []observation.Declaration
}

func arns(ids string) []string {
	var out []string
	for _, id := range strings.Fields(ids) {
		out = append(out, prefix+id)
	}
	return out
}

// rows are what the plan says of the deploy.
func (d deploy) rows(t *testing.T) []Row {
	t.Helper()
	round := observation.Round{Schema: observation.Schema, Started: noon, Finished: noon, Planned: true, WholeGroups: d.whole, ListenersRead: !d.offline, Manifests: d.applies}
	var err error
	if round.Certificates, err = certificates(); err != nil {
		t.Fatal(err)
	}
	if d.offline {
		for _, c := range round.Certificates {
			round.CertificateFiles = append(round.CertificateFiles, observation.Certificate{ARN: c.ARN, Chain: c.Chain})
		}
		round.Certificates = nil
	}
	if d.holds != "" {
		l := observation.Listener{ARN: listenerWeb, Port: 443, Protocol: "HTTPS"}
		if d.kind == observation.Classic {
			l.ARN = ""
		}
		for i, arn := range arns(d.holds) {
			l.Certificates = append(l.Certificates, observation.Attachment{ARN: arn, Default: i == 0})
		}
		round.LoadBalancers = []observation.LoadBalancer{{
			Kind: d.kind, Name: "web", Region: "us-west-2", Account: "111122223333", DNSName: "web.elb.amazonaws.com", Tags: d.tags,
			ARN: "arn:aws:elasticloadbalancing:us-west-2:111122223333:loadbalancer/app/web/50dc", Listeners: []observation.Listener{l},
		}}
	}
	for _, text := range strings.Fields(d.endpoints) {
		host, declared, is := strings.Cut(text, "=")
		e := observation.Endpoint{Target: target.Endpoint{
			Environment: "production", Name: host, Kind: target.HTTPS, Host: host, Port: 443, Service: "store/shop", LoadBalancer: &target.LoadBalancerRef{Name: "web"},
		}}
		if is {
			e.Target.Declared = &target.Declared{ARN: prefix + declared}
		}
		round.Endpoints = append(round.Endpoints, e)
	}
	rows, _ := Preview(topology.Build(round, noon), policy.DefaultThresholds())
	return rows
}

// The declarations of tools, each as its reader makes them.

// sets is Terraform's aws_lb_listener.
func sets(ids string) observation.Declaration {
	return observation.Declaration{
		Object: "aws_lb_listener.web", LoadBalancer: "web", Port: 443, Kind: observation.Application, ListenerARN: listenerWeb, ARNs: arns(ids), KeepsOthers: true,
		Source: target.Position{File: "plan.json", Line: 3},
	}
}

// makes is the same for a listener that is made anew.
func makes(ids string) observation.Declaration {
	d := sets(ids)
	d.Creates, d.ListenerARN = true, ""
	return d
}

// adds and removes are aws_lb_listener_certificate.
func adds(id string) observation.Declaration {
	return observation.Declaration{Object: "aws_lb_listener_certificate." + id, LoadBalancer: "web", Kind: observation.Application, Listener: listenerWeb, ARNs: arns(id), Source: target.Position{File: "plan.json", Line: 7}}
}

func removes(id string) observation.Declaration {
	d := adds(id)
	d.ARNs, d.Detaches = nil, arns(id)
	return d
}

// ingress is an Ingress of the AWS Load Balancer Controller, service a Service.
func ingress(ids string) observation.Declaration {
	return observation.Declaration{Object: "Ingress store/shop", Service: "store/shop", LoadBalancer: "web", Kind: observation.Application, Port: 443, ARNs: arns(ids), Source: target.Position{File: "shop.yaml", Line: 7}}
}

func service(kind observation.LoadBalancerKind, ids string) observation.Declaration {
	d := ingress(ids)
	d.Object, d.Kind = "Service store/shop", kind
	return d
}

func but(d observation.Declaration, change func(*observation.Declaration)) observation.Declaration {
	change(&d)
	return d
}

// grouped makes it a member of a group whose other members may be elsewhere, and for a.example.org only.
func grouped(d *observation.Declaration) { d.Group, d.Hosts = "web", []string{"a.example.org"} }

// restated makes it a change set's, which names what its template has, changed or not.
func restated(d *observation.Declaration) { d.Restates, d.Tool = true, observation.ChangeSet }

// held are certificates as a listener's: the default with an asterisk, those of the SNI list with a plus.
func held(all []Certificate) string {
	var out []string
	for _, c := range all {
		text := strings.TrimPrefix(c.ARN, prefix)
		if c.Default {
			text += "*"
		}
		if c.Listed {
			text += "+"
		}
		out = append(out, text)
	}
	return strings.Join(out, " ")
}

// got are names with the certificate that their clients get after the apply, and what is wrong with it.
func got(names []Name) string {
	var out []string
	for _, n := range names {
		text := cmp.Or(strings.TrimPrefix(n.ARN, prefix), "?")
		if n.ARN == "" && n.Problem != "" {
			text = ""
		}
		if n.Problem != "" {
			text += "!"
		}
		host, _, _ := strings.Cut(n.Name, ".")
		out = append(out, host+"="+text)
	}
	return strings.Join(out, " ")
}

// TestWhatAnApplyLeavesBehind: what the listener holds after an apply, which of that each name's clients get, and what the row comes to.
//
// The semantics are those of the tools' documentation. ModifyListener sets the default certificate, and AddListenerCertificates and
// RemoveListenerCertificates change the SNI list (Elastic Load Balancing's API reference): Terraform's aws_lb_listener does the former,
// its aws_lb_listener_certificate the latter. The AWS Load Balancer Controller makes the list what the annotation says. A classic load
// balancer has one certificate. A name's clients get a certificate of the list that covers it, else the default.
func TestWhatAnApplyLeavesBehind(t *testing.T) {
	const alb, nlb, clb = observation.Application, observation.Network, observation.Classic
	byProvider := map[string]string{"kubernetes.io/service-name": "store/shop"}
	for name, c := range map[string]struct {
		deploy
		after, names string
		state        State
		says         string // of reasons, what is not known, and the remedy
	}{
		// What is there already.
		"nothing changes":                {deploy{kind: alb, holds: "a", endpoints: "a.example.org=a", applies: []observation.Declaration{sets("a")}}, "a*", "a=a", Unchanged, ""},
		"nothing changes, and it is bad": {deploy{kind: alb, holds: "b", endpoints: "a.example.org=a", applies: []observation.Declaration{sets("b")}}, "b*", "a=b!", Refused, "declare\n" + prefix + "a"},
		"what was wrong becomes right":   {deploy{kind: alb, holds: "b", endpoints: "a.example.org=a", applies: []observation.Declaration{sets("a")}}, "a*", "a=a", Changes, "attaches the declared certificate"},
		"what was right becomes wrong":   {deploy{kind: alb, holds: "a", endpoints: "a.example.org=a", applies: []observation.Declaration{sets("b")}}, "b*", "a=b!", Refused, "would not be covered"},
		"no endpoint, nothing changes":   {deploy{kind: alb, holds: "a", applies: []observation.Declaration{sets("a")}}, "a*", "", Unchanged, ""},
		"no endpoint, something changes": {deploy{kind: alb, holds: "a", applies: []observation.Declaration{sets("b")}}, "b*", "", NotDecided, "load_balancer: {name: web}"},
		"a rotation, declared":           {deploy{kind: alb, holds: "a", endpoints: "a.example.org=a2", applies: []observation.Declaration{sets("a2")}}, "a2*", "a=a2", Changes, ""},
		"a rotation that nobody declared": {deploy{kind: alb, holds: "a", endpoints: "a.example.org", applies: []observation.Declaration{sets("a2")}}, "a2*", "a=a2", WithWarning,
			"the configuration declares none"},
		"one that has expired":    {deploy{kind: alb, holds: "a", endpoints: "a.example.org", applies: []observation.Declaration{sets("spent")}}, "spent*", "a=spent!", Refused, "expired 2026-11-17"},
		"one that ends sooner":    {deploy{kind: alb, holds: "a", endpoints: "a.example.org=ending", applies: []observation.Declaration{sets("ending")}}, "ending*", "a=ending", Refused, "in 2 days"},
		"nobody knows what it is": {deploy{kind: alb, holds: "a", endpoints: "a.example.org", applies: []observation.Declaration{sets("x")}}, "x*", "a=x", NotDecided, "what certificate/x contains"},
		"nobody knows, and it is declared": {deploy{kind: alb, holds: "a", endpoints: "a.example.org=x", applies: []observation.Declaration{sets("x")}}, "x*", "a=x", Changes,
			"attaches the declared certificate"},

		// Terraform leaves the list alone.
		"the list stays, and is served":     {deploy{kind: alb, holds: "b a", endpoints: "a.example.org=a", applies: []observation.Declaration{sets("wild")}}, "wild* a+", "a=a", Changes, "no endpoint gets"},
		"the list stays, and is in the way": {deploy{kind: alb, holds: "b a", endpoints: "a.example.org=a2", applies: []observation.Declaration{sets("a2")}}, "a2* a+", "a=a!", Refused, "aws elbv2 remove-listener-certificates"},
		"the default covers what the list does not": {deploy{kind: alb, holds: "a b", endpoints: "a.example.org=wild", applies: []observation.Declaration{sets("wild")}}, "wild* b+",
			"a=wild", Changes, ""},
		"made anew, the list is gone":       {deploy{kind: alb, holds: "b a", endpoints: "a.example.org=a", applies: []observation.Declaration{makes("b")}}, "b*", "a=b!", Refused, ""},
		"a further one, which is served":    {deploy{kind: alb, holds: "b", endpoints: "a.example.org=a", applies: []observation.Declaration{adds("a")}}, "b* a+", "a=a", Changes, "adds it"},
		"a further one that is not served":  {deploy{kind: alb, holds: "a", endpoints: "a.example.org=a", applies: []observation.Declaration{adds("b")}}, "a* b+", "", Changes, ""},
		"a further one, which takes over":   {deploy{kind: alb, holds: "b a", endpoints: "a.example.org=a", applies: []observation.Declaration{adds("a2")}}, "b* a+ a2+", "a=a2!", Refused, ""},
		"the needed one is removed":         {deploy{kind: alb, holds: "b a", endpoints: "a.example.org=a", applies: []observation.Declaration{removes("a")}}, "b*", "a=b!", Refused, "would not be covered"},
		"one that is not needed is removed": {deploy{kind: alb, holds: "a b", endpoints: "a.example.org=a", applies: []observation.Declaration{removes("b")}}, "a*", "", Changes, "would detach certificate/b"},
		"removed, and it stays the default": {deploy{kind: alb, holds: "a a", endpoints: "a.example.org=a", applies: []observation.Declaration{removes("a")}}, "a*", "", Changes, ""},
		"added and removed at once": {deploy{kind: alb, holds: "b a", endpoints: "a.example.org=a", applies: []observation.Declaration{adds("a"), removes("a")}}, "b* a+",
			"a=?", NotDecided, "before or after"},
		"another default and a further one": {deploy{kind: alb, holds: "b", endpoints: "a.example.org=a b.example.org=b", applies: []observation.Declaration{sets("wild"), adds("a"), adds("b")}},
			"wild* a+ b+", "a=a b=b", Changes, ""},
		"it becomes plain": {deploy{kind: alb, holds: "a b", endpoints: "a.example.org=a b.example.org=b", applies: []observation.Declaration{sets("")}}, "", "a=! b=!", Refused, "b.example.org would be left without a certificate"},

		// The AWS Load Balancer Controller replaces the list.
		"the controller, the same":           {deploy{kind: alb, holds: "a b", endpoints: "a.example.org=a b.example.org=b", applies: []observation.Declaration{ingress("a b")}}, "a* b+", "a=a b=b", Unchanged, ""},
		"the controller drops what it lacks": {deploy{kind: alb, holds: "a b", endpoints: "a.example.org=a b.example.org=b", applies: []observation.Declaration{ingress("a")}}, "a*", "a=a b=a!", Refused, "would detach certificate/b"},
		"the controller, another order":      {deploy{kind: alb, holds: "a b", endpoints: "a.example.org=a", applies: []observation.Declaration{ingress("b a")}}, "b* a+", "a=a", Changes, "changes the default"},
		"the controller, a port without":     {deploy{kind: alb, holds: "a", endpoints: "a.example.org=a", applies: []observation.Declaration{ingress("")}}, "", "a=!", Refused, "port 443 needs TLS there"},
		"the controller looks it up":         {deploy{kind: alb, holds: "a", endpoints: "a.example.org=a", applies: []observation.Declaration{but(ingress(""), func(d *observation.Declaration) { d.Discovered = true })}}, "", "a=?", NotDecided, "would pick from ACM"},
		"the controller, new":                {deploy{kind: alb, endpoints: "a.example.org=a", applies: []observation.Declaration{ingress("a")}}, "a*", "a=a", New, ""},
		"the controller, new and wrong":      {deploy{kind: alb, endpoints: "a.example.org=a", applies: []observation.Declaration{ingress("b")}}, "b*", "a=b!", Refused, ""},
		"the object asks for no listener":    {deploy{kind: alb, holds: "a", endpoints: "a.example.org=a", applies: []observation.Declaration{but(ingress(""), func(d *observation.Declaration) { d.RemovesListeners, d.Port = true, 0 })}}, "", "a=!", Refused, "if port 443 should stay"},
		"what the manifest leaves open":      {deploy{kind: alb, holds: "a", endpoints: "a.example.org=a", applies: []observation.Declaration{but(ingress("a"), func(d *observation.Declaration) { d.UndecidedBecause = "which class" })}}, "a*", "a=?", NotDecided, "which class"},

		// Members of a group elsewhere, certificates to come, and sources that do not say all.
		"a member elsewhere may keep one": {deploy{kind: alb, holds: "a b", endpoints: "a.example.org=a", applies: []observation.Declaration{but(ingress("a"), grouped)}}, "a*", "a=a", NotDecided, "keeps certificate/b"},
		"a member elsewhere may keep one that is served": {deploy{kind: alb, holds: "b wild", endpoints: "a.example.org=wild", applies: []observation.Declaration{but(ingress("b"), grouped)}}, "b*", "a=?", NotDecided,
			"keeps certificate/wild"},
		"the members' own goes":                    {deploy{kind: alb, holds: "b a", endpoints: "a.example.org=a", applies: []observation.Declaration{but(ingress("b"), grouped)}}, "b*", "a=b!", Refused, "would not be covered"},
		"a further one to come":                    {deploy{kind: alb, holds: "a", endpoints: "a.example.org=a", applies: []observation.Declaration{but(sets("a"), func(d *observation.Declaration) { d.Pending = []string{"one to come"} })}}, "a*", "a=?", NotDecided, "in an apply of its own"},
		"the default is to come":                   {deploy{kind: alb, holds: "a", endpoints: "a.example.org=a", applies: []observation.Declaration{but(sets(""), func(d *observation.Declaration) { d.Discovered = true })}}, "", "a=?", NotDecided, "which the same apply creates"},
		"CloudFormation may leave it alone":        {deploy{kind: alb, holds: "b", endpoints: "a.example.org=a", applies: []observation.Declaration{but(sets("a"), restated)}}, "a*", "a=a", NotDecided, "REVERT_DRIFT"},
		"CloudFormation, and it is there":          {deploy{kind: alb, holds: "a", endpoints: "a.example.org=a", applies: []observation.Declaration{but(sets("a"), restated)}}, "a*", "a=a", Unchanged, ""},
		"the account has one that covers the name": {deploy{kind: clb, endpoints: "a.example.org", applies: []observation.Declaration{service(clb, "b")}}, "b*", "a=b!", Refused, "declare a valid certificate for a.example.org, such as\n" + prefix + "a2"},
		"offline, the object asks for no listener": {deploy{kind: alb, offline: true, endpoints: "a.example.org=a", applies: []observation.Declaration{but(ingress(""), func(d *observation.Declaration) { d.RemovesListeners, d.Port = true, 0 })}}, "", "a=?", NotDecided, "currently has a load balancer"},

		// The cloud provider sends one certificate, and leaves a network load balancer's list alone.
		"the provider, network":      {deploy{kind: nlb, holds: "a b", tags: byProvider, endpoints: "a.example.org=a b.example.org=b", applies: []observation.Declaration{service(nlb, "a")}}, "a* b+", "a=a b=b", Unchanged, ""},
		"the provider takes no list": {deploy{kind: nlb, holds: "a", tags: byProvider, endpoints: "a.example.org=a", applies: []observation.Declaration{service(nlb, "a b")}}, "a* b+", "a=?", NotDecided, "AWS refuses"},
		"either of them, a list":     {deploy{kind: nlb, endpoints: "a.example.org=a", applies: []observation.Declaration{but(service(nlb, "a b"), func(d *observation.Declaration) { d.MakerUnknown = true })}}, "a* b+", "a=a", NotDecided, "spec.loadBalancerClass"},
		"classic":                    {deploy{kind: clb, holds: "b", tags: byProvider, endpoints: "a.example.org=a", applies: []observation.Declaration{service(clb, "a")}}, "a*", "a=a", Changes, ""},
		"classic, wrong":             {deploy{kind: clb, holds: "a", tags: byProvider, endpoints: "a.example.org=a", applies: []observation.Declaration{service(clb, "b")}}, "b*", "a=b!", Refused, ""},
		"another region's, which no one": {deploy{kind: clb, holds: "a", tags: byProvider, endpoints: "a.example.org", applies: []observation.Declaration{but(service(clb, "a"), func(d *observation.Declaration) {
			d.ARNs = []string{strings.Replace(prefix, "us-west-2", "eu-west-1", 1) + "a"}
		})}}, strings.Replace(prefix, "us-west-2", "eu-west-1", 1) + "a*", "a=" + strings.Replace(prefix, "us-west-2", "eu-west-1", 1) + "a", Refused, "AWS refuses to attach it"},

		// Without AWS.
		"offline, the controller":          {deploy{kind: alb, offline: true, endpoints: "a.example.org=a", applies: []observation.Declaration{ingress("a")}}, "a*", "a=a", AsDeclared, ""},
		"offline, nothing declared":        {deploy{kind: alb, offline: true, endpoints: "a.example.org", applies: []observation.Declaration{ingress("a")}}, "a*", "a=a", CoversItsName, ""},
		"offline, nothing known of it":     {deploy{kind: alb, offline: true, endpoints: "a.example.org", applies: []observation.Declaration{ingress("x")}}, "x*", "a=x", NotDecided, "certificates: [{arn: \"" + prefix + "x\""},
		"offline, wrong":                   {deploy{kind: alb, offline: true, endpoints: "a.example.org=a", applies: []observation.Declaration{ingress("b")}}, "b*", "a=b!", Refused, ""},
		"offline, a list that nobody read": {deploy{kind: alb, offline: true, endpoints: "a.example.org=a", applies: []observation.Declaration{sets("a")}}, "a*", "a=?", NotDecided, "without --offline"},
		"offline, Terraform found nothing": {deploy{kind: alb, offline: true, endpoints: "a.example.org=a", applies: []observation.Declaration{but(sets("a"), func(d *observation.Declaration) { d.Unchanged = true })}}, "a*", "a=?", AsDeclared, ""},
		"offline, a member of a group":     {deploy{kind: alb, offline: true, endpoints: "a.example.org=a", applies: []observation.Declaration{but(ingress("a"), grouped)}}, "a*", "a=a", NotDecided, "--whole-groups"},
		"offline, a member, and wrong":     {deploy{kind: alb, offline: true, endpoints: "a.example.org=a", applies: []observation.Declaration{but(ingress("b"), grouped)}}, "b*", "a=b!", Refused, ""},
		"offline, all members of a group":  {deploy{kind: alb, offline: true, whole: true, endpoints: "a.example.org=a", applies: []observation.Declaration{but(ingress("a"), grouped)}}, "a*", "a=a", AsDeclared, ""},
		"all members, and one goes":        {deploy{kind: alb, whole: true, holds: "a b", endpoints: "a.example.org=a", applies: []observation.Declaration{but(ingress("a"), grouped)}}, "a*", "a=a", Changes, "would detach certificate/b"},
		"offline, made anew":               {deploy{kind: alb, offline: true, endpoints: "a.example.org=a", applies: []observation.Declaration{makes("a")}}, "a*", "a=a", AsDeclared, ""},
		"offline, the declared one goes":   {deploy{kind: alb, offline: true, endpoints: "a.example.org=a", applies: []observation.Declaration{removes("a")}}, "", "a=?", Refused, "would lose"},
	} {
		t.Run(name, func(t *testing.T) {
			rows := c.rows(t)
			if len(rows) != 1 {
				t.Fatalf("%d rows: %+v", len(rows), rows)
			}
			r := rows[0]
			if held(r.Would) != c.after || got(r.Names) != c.names || r.State != c.state {
				t.Errorf("holds %q, clients get %q: %s; want %q, %q: %s\n%+v", held(r.Would), got(r.Names), r.State, c.after, c.names, c.state, r)
			}
			if said := strings.Join(slices.Concat(r.Reasons, r.NotKnown, []string{r.Remedy}), "\n"); !strings.Contains(said, c.says) {
				t.Errorf("it does not say %q:\n%s", c.says, said)
			}
			refused, undecided := r.State == Refused, r.State == NotDecided
			if r.Verdict == Refuse != refused || r.Verdict == Undecided != undecided || (refused || undecided || r.State == WithWarning) && r.Remedy == "" {
				t.Errorf("%s, %s, and what to do: %q", r.State, r.Verdict, r.Remedy)
			}
		})
	}
}

// TestAnotherCertificateUnderTheARN: what AWS has under an ARN that the apply imports anew says nothing about what clients will get.
func TestAnotherCertificateUnderTheARN(t *testing.T) {
	for _, endpoint := range []string{"a.example.org", "a.example.org=a"} {
		d := deploy{kind: observation.Application, holds: "b", endpoints: endpoint, applies: []observation.Declaration{sets("a"), {
			Object: "aws_acm_certificate.a", ARNs: arns("a"), Reimports: true, UndecidedBecause: "what certificate/a holds", Source: target.Position{File: "plan.json", Line: 1},
		}}}
		rows := d.rows(t)
		if len(rows) != 2 || rows[0].State != NotDecided {
			t.Errorf("%s: %+v", endpoint, rows)
		}
		for _, r := range rows {
			if len(r.Names) > 0 && r.Names[0].Covered != nil {
				t.Errorf("%s: what it covers counts as known: %+v", endpoint, r)
			}
		}
	}
}

// TestRowsAreOrderedAndCounted: the worst comes first, what was not understood is undecided and has its line and a remedy, and every row is
// counted once.
func TestRowsAreOrderedAndCounted(t *testing.T) {
	d := deploy{kind: observation.Application, holds: "a", endpoints: "a.example.org=a", applies: []observation.Declaration{
		ingress("a"), but(ingress("b"), func(d *observation.Declaration) { d.Source.Line = 20 }),
	}}
	parts := []part{{row: passedOver(observation.PassedOver{Position: target.Position{File: "values.yaml", Line: 3}, Object: "a document", Why: "it holds an ARN"})}}
	for i, row := range d.rows(t) {
		parts = append(parts, part{subject: subject{notRead: i + 1}, row: row})
	}
	rows := byListener(parts)
	var states []State
	for _, r := range rows {
		states = append(states, r.State)
	}
	if want := []State{Refused, NotDecided, Unchanged}; !slices.Equal(states, want) {
		t.Fatalf("%v, want %v", states, want)
	}
	if r := rows[1]; !r.NotRead || r.Source.Line != 3 || r.Remedy == "" || len(r.NotKnown) != 1 || !strings.Contains(r.NotKnown[0], "values.yaml:3") {
		t.Errorf("%+v", r)
	}
	count := CountRows([]Row{{State: Refused}, {State: Unchanged}, {State: Unchanged}, {State: NotDecided, NotRead: true}})
	if count.Listeners != 3 || count.Others != 1 || count.ByState[Unchanged] != 2 || count.ByState[NotDecided] != 1 {
		t.Errorf("%+v", count)
	}
}
