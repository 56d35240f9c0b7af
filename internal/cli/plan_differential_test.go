package cli

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"certdrift/internal/chain"
	"certdrift/internal/finding"
	"certdrift/internal/judge"
	"certdrift/internal/manifest"
	"certdrift/internal/observation"
	"certdrift/internal/plan"
	"certdrift/internal/policy"
	"certdrift/internal/sim/pki"
	"certdrift/internal/target"
	"certdrift/internal/topology"
)

// TestPlanAgreesWithCheck applies random plans to random accounts as their tools and AWS do, and checks the accounts then:
// each name's clients get what the plan said, and the plan refuses exactly what the check finds broken.
func TestPlanAgreesWithCheck(t *testing.T) {
	w := newStage(t)
	verdicts := map[plan.Verdict]int{}
	for try := 0; try < 10 && (verdicts[plan.Pass] == 0 || verdicts[plan.Refuse] == 0); try++ { // a hundred rows may happen to be alike
		rapid.Check(t, func(t *rapid.T) {
			now := w.account(t)
			change := rapid.SampledFrom([]func(*rapid.T, estate) (estate, []string){w.changeTerraform, w.changeTerraform, w.changePulumi, w.changeGateway}).Draw(t, "tool")
			then, states := change(t, now)
			endpoints := w.endpoints(t)
			before, after := w.round(now, endpoints), w.round(then, endpoints)
			for _, state := range states {
				read := manifest.Load([]string{"-"}, manifest.Options{Plain: true, Stdin: strings.NewReader(state)})
				if len(read.Diagnostics) > 0 {
					t.Fatalf("%v\n%s", read.Diagnostics, state)
				}
				before.Manifests = append(before.Manifests, read.Declared...)
			}
			unseen := w.hide(t, &before)
			rows, _ := judge.Preview(w.input(before))
			w.agree(t, rows, w.round(now, endpoints), after, unseen, nil)
			if t.Failed() {
				t.Logf("%s\n%+v\n%+v", strings.Join(states, "\n"), rows, before.LoadBalancers)
			}
			for _, r := range rows {
				verdicts[r.Verdict]++
			}
		})
	}
	for _, v := range []plan.Verdict{plan.Pass, plan.Refuse} {
		if verdicts[v] == 0 {
			t.Errorf("no row is %s: %v", v, verdicts)
		}
	}
}

const (
	stageRegion = "eu-west-1"
	stageOwner  = "111122223333"
)

// held is a listener of the simulated account, as AWS has it: the SNI list may hold the default too.
type held struct {
	arn, protocol, byDefault string
	list                     []string
}

// estate is an account: listeners by load balancer and port. An ALB is called "alb", a classic load balancer "elb" or "elb2".
type estate map[string]map[int]held

func (e estate) clone() estate {
	out := estate{}
	for lb, ports := range e {
		out[lb] = map[int]held{}
		for p, h := range ports {
			h.list = slices.Clone(h.list)
			out[lb][p] = h
		}
	}
	return out
}

// estates makes accounts; it has the certificates, which are made once.
type estates struct {
	now   time.Time
	store *chain.Store
	certs map[string]*pki.Pair // by ARN
	arns  []string
}

func stageARN(id string) string {
	return "arn:aws:acm:" + stageRegion + ":" + stageOwner + ":certificate/" + id
}

func newStage(t *testing.T) *estates {
	t.Helper()
	w := &estates{now: time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC), certs: map[string]*pki.Pair{}}
	root, err := pki.Root("Stage Root", w.now)
	if err != nil {
		t.Fatal(err)
	}
	w.store = chain.NewStore([]chain.Anchor{{Certificate: root.Certificate}})
	for id, c := range map[string]struct {
		names []string
		days  int
		rsa   bool
	}{
		"a": {[]string{"a.example.org"}, 60, false}, "a-long": {[]string{"a.example.org"}, 80, false}, "a-rsa": {[]string{"a.example.org"}, 70, true},
		"b": {[]string{"b.example.org"}, 60, false}, "wild": {[]string{"*.example.org"}, 65, true}, "both": {[]string{"a.example.org", "b.example.org"}, 75, false},
		"other": {[]string{"c.example.net"}, 60, false},
	} {
		end := w.now.AddDate(0, 0, c.days)
		valid := pki.Valid(end.AddDate(0, 0, -90), end)
		pair, err := root.Leaf(w.now, c.names, valid)
		if c.rsa {
			key, err := rsa.GenerateKey(rand.Reader, 2048)
			if err != nil {
				t.Fatal(err)
			}
			pair, err = root.LeafWithKey(w.now, c.names, key, valid)
			if err != nil {
				t.Fatal(err)
			}
		}
		if err != nil {
			t.Fatal(err)
		}
		w.certs[stageARN(id)] = pair
	}
	w.arns = slices.Sorted(maps.Keys(w.certs))
	return w
}

func (w *estates) cert(t *rapid.T, label string) string {
	return rapid.SampledFrom(w.arns).Draw(t, label)
}

func listenerOf(lb string, n int) string {
	return fmt.Sprintf("arn:aws:elasticloadbalancing:%s:%s:listener/app/%s/50dc6c495c0c9188/%016x", stageRegion, stageOwner, lb, n)
}

func balancerOf(lb string) string {
	return fmt.Sprintf("arn:aws:elasticloadbalancing:%s:%s:loadbalancer/app/%s/50dc6c495c0c9188", stageRegion, stageOwner, lb)
}

func (w *estates) account(t *rapid.T) estate {
	alb := held{arn: listenerOf("alb", 1), protocol: "HTTPS", byDefault: w.cert(t, "default")}
	alb.list = rapid.SliceOfNDistinct(rapid.SampledFrom(w.arns), 0, 3, rapid.ID[string]).Draw(t, "list") // the default may be among them
	return estate{
		"alb": {443: alb, 80: {arn: listenerOf("alb", 2), protocol: "HTTP"}},
		"elb": {443: {protocol: "HTTPS", byDefault: w.cert(t, "classic")}, 80: {protocol: "HTTP"}},
	}
}

func (w *estates) endpoints(t *rapid.T) []observation.Endpoint {
	var out []observation.Endpoint
	for i := range rapid.IntRange(1, 3).Draw(t, "endpoints") {
		host := rapid.SampledFrom([]string{"a.example.org", "b.example.org"}).Draw(t, "host")
		e := target.Endpoint{
			Environment: "production", Name: fmt.Sprint("e", i), URL: "https://" + host + "/", Kind: target.HTTPS, Host: host, Port: 443, Trust: target.Trust{Roots: target.Mozilla},
			LoadBalancer: &target.LoadBalancerRef{Name: rapid.SampledFrom([]string{"alb", "alb", "elb"}).Draw(t, "behind"), Region: stageRegion},
		}
		if rapid.IntRange(0, 4).Draw(t, "declares") > 0 {
			e.Declared = &target.Declared{ARN: w.cert(t, "declared")}
		}
		out = append(out, observation.Endpoint{Target: e, Probed: true, DNS: observation.DNS{Skipped: true}})
	}
	return out
}

func (w *estates) round(e estate, endpoints []observation.Endpoint) observation.Round {
	r := observation.Round{Schema: observation.Schema, Started: w.now, Finished: w.now, ListenersRead: true, Endpoints: slices.Clone(endpoints)}
	for _, name := range slices.Sorted(maps.Keys(e)) {
		lb := observation.LoadBalancer{Kind: observation.Application, Name: name, ARN: balancerOf(name), Region: stageRegion, Account: stageOwner, DNSName: name + ".elb.amazonaws.com"}
		if strings.HasPrefix(name, "elb") {
			lb.Kind, lb.ARN = observation.Classic, ""
		} else {
			lb.Tags = map[string]string{"gateway.k8s.aws.alb/stack": "store/shop"}
		}
		for _, port := range slices.Sorted(maps.Keys(e[name])) {
			h := e[name][port]
			l := observation.Listener{ARN: h.arn, Port: port, Protocol: h.protocol}
			if h.byDefault != "" {
				l.Certificates = append(l.Certificates, observation.Attachment{ARN: h.byDefault, Default: true})
			}
			for _, arn := range h.list {
				l.Certificates = append(l.Certificates, observation.Attachment{ARN: arn})
			}
			lb.Listeners = append(lb.Listeners, l)
		}
		r.LoadBalancers = append(r.LoadBalancers, lb)
	}
	for _, arn := range w.arns {
		c := w.certs[arn]
		r.Certificates = append(r.Certificates, observation.Certificate{
			ARN: arn, Chain: c.Served(), Status: "ISSUED", Type: "AMAZON_ISSUED", Names: c.Certificate.DNSNames, NotBefore: c.Certificate.NotBefore, NotAfter: c.Certificate.NotAfter,
		})
	}
	return r
}

func (w *estates) input(r observation.Round) judge.Input {
	return judge.Input{Policy: policy.DefaultThresholds(), Roots: func(target.Roots) *chain.Store { return w.store }, Now: w.now, Round: r}
}

// terraformState is one plan: what there is after it, and what it changes.
type terraformState struct {
	Format  string           `json:"format_version"`
	Planned map[string]any   `json:"planned_values"`
	Changes []map[string]any `json:"resource_changes"`
	values  []any
}

// resource notes what a plan does to a resource.
func (s *terraformState) resource(kind, name string, actions []string, before, after map[string]any) {
	address := kind + "." + name
	if after != nil {
		s.values = append(s.values, map[string]any{"address": address, "mode": "managed", "type": kind, "name": name, "values": after})
	}
	change := map[string]any{"actions": actions, "after_unknown": map[string]any{}}
	if before != nil {
		change["before"] = before
	}
	s.Changes = append(s.Changes, map[string]any{"address": address, "mode": "managed", "type": kind, "name": name, "change": change})
}

func (s *terraformState) text() string {
	s.Format, s.Planned = "1.2", map[string]any{"root_module": map[string]any{"resources": s.values}}
	out, err := json.Marshal(s)
	if err != nil {
		panic(err)
	}
	return string(out)
}

func listenerValues(h held, port int) map[string]any {
	return map[string]any{"arn": h.arn, "id": h.arn, "load_balancer_arn": balancerOf("alb"), "port": port, "protocol": h.protocol, "certificate_arn": h.byDefault}
}

func (w *estates) changeTerraform(t *rapid.T, now estate) (estate, []string) {
	return w.change(t, now, (*terraformState).text)
}

// changePulumi does the same with Pulumi, whose AWS provider is Terraform's.
func (w *estates) changePulumi(t *rapid.T, now estate) (estate, []string) {
	return w.change(t, now, (*terraformState).preview)
}

// change has two states plan something each: the one has the ALB's listener and the classic load balancer, the other the further
// certificates. It returns the account after both, and the plans as write writes them.
func (w *estates) change(t *rapid.T, now estate, write func(*terraformState) string) (estate, []string) {
	then := now.clone()
	var states []string
	if rapid.Bool().Draw(t, "the listener's state") {
		s := &terraformState{}
		w.changeListener(t, s, then)
		w.changeClassic(t, s, then)
		states = append(states, write(s))
	}
	if h, kept := then["alb"][443]; rapid.Bool().Draw(t, "the certificates' state") && kept && h.arn == listenerOf("alb", 1) && h.protocol == "HTTPS" {
		s := &terraformState{}
		w.changeList(t, s, &h)
		then["alb"][443] = h
		states = append(states, write(s))
	}
	return then, states
}

func (w *estates) changeListener(t *rapid.T, s *terraformState, then estate) {
	h := then["alb"][443]
	before := listenerValues(h, 443)
	switch rapid.SampledFrom([]string{"no-op", "default", "default", "replace", "delete", "plain", "move"}).Draw(t, "listener") {
	case "no-op":
		s.resource("aws_lb_listener", "https", []string{"no-op"}, before, before)
	case "default": // ModifyListener leaves the SNI list alone
		h.byDefault = w.cert(t, "new default")
		s.resource("aws_lb_listener", "https", []string{"update"}, before, listenerValues(h, 443))
		then["alb"][443] = h
	case "replace": // a listener made anew has no SNI list
		h = held{arn: "", protocol: "HTTPS", byDefault: w.cert(t, "new default")}
		after := listenerValues(h, 443)
		delete(after, "arn")
		delete(after, "id")
		s.resource("aws_lb_listener", "https", []string{"delete", "create"}, before, after)
		h.arn = listenerOf("alb", 9)
		then["alb"][443] = h
	case "delete":
		s.resource("aws_lb_listener", "https", []string{"delete"}, before, nil)
		delete(then["alb"], 443)
	case "plain":
		h = held{arn: h.arn, protocol: "HTTP"}
		s.resource("aws_lb_listener", "https", []string{"update"}, before, listenerValues(h, 443))
		then["alb"][443] = h
	case "move":
		s.resource("aws_lb_listener", "https", []string{"update"}, before, listenerValues(h, 8443))
		delete(then["alb"], 443)
		then["alb"][8443] = h
	}
}

func classicValues(name string, ports map[int]held) map[string]any {
	var blocks []any
	for _, p := range slices.Sorted(maps.Keys(ports)) {
		blocks = append(blocks, map[string]any{"lb_port": p, "lb_protocol": strings.ToLower(ports[p].protocol), "ssl_certificate_id": ports[p].byDefault})
	}
	return map[string]any{"id": name, "name": name, "listener": blocks}
}

func (w *estates) changeClassic(t *rapid.T, s *terraformState, then estate) {
	before := classicValues("elb", then["elb"])
	name, actions := "elb", []string{"update"}
	switch rapid.SampledFrom([]string{"no-op", "certificate", "block", "plain", "name", "delete"}).Draw(t, "classic") {
	case "no-op":
		actions = []string{"no-op"}
	case "certificate":
		then["elb"][443] = held{protocol: "SSL", byDefault: w.cert(t, "new classic")}
	case "block":
		delete(then["elb"], 443)
	case "plain":
		then["elb"][443] = held{protocol: "TCP"}
	case "name":
		name, actions = "elb2", []string{"delete", "create"}
		then["elb2"] = then["elb"]
		delete(then, "elb")
	case "delete":
		s.resource("aws_elb", "web", []string{"delete"}, before, nil)
		delete(then, "elb")
		return
	}
	s.resource("aws_elb", "web", actions, before, classicValues(name, then[name]))
}

func (w *estates) changeList(t *rapid.T, s *terraformState, h *held) {
	values := func(arn string) map[string]any {
		return map[string]any{"id": h.arn + "_" + arn, "listener_arn": h.arn, "certificate_arn": arn}
	}
	for i, arn := range slices.Clone(h.list) {
		name := fmt.Sprint("kept", i)
		switch rapid.SampledFrom([]string{"elsewhere", "no-op", "delete"}).Draw(t, "listed") {
		case "no-op":
			s.resource("aws_lb_listener_certificate", name, []string{"no-op"}, values(arn), values(arn))
		case "delete":
			s.resource("aws_lb_listener_certificate", name, []string{"delete"}, values(arn), nil)
			h.list = slices.DeleteFunc(h.list, func(a string) bool { return a == arn })
		}
	}
	if added := w.cert(t, "added"); rapid.Bool().Draw(t, "adds") && !strings.Contains(s.text(), added) {
		s.resource("aws_lb_listener_certificate", "added", []string{"create"}, nil, values(added))
		if !slices.Contains(h.list, added) {
			h.list = append(h.list, added)
		}
	}
}

// hide takes away what the plan may see of the account: what some certificates hold, or all that is attached.
func (w *estates) hide(t *rapid.T, r *observation.Round) (unseen bool) {
	switch rapid.IntRange(0, 3).Draw(t, "unseen") {
	case 0:
		r.LoadBalancers, r.ListenersRead = nil, false
	case 1:
		hidden := rapid.SliceOfNDistinct(rapid.SampledFrom(w.arns), 1, 3, rapid.ID[string]).Draw(t, "unread")
		r.Certificates = slices.DeleteFunc(r.Certificates, func(c observation.Certificate) bool { return slices.Contains(hidden, c.ARN) })
	default:
		return false
	}
	return true
}

// agree holds what the plan said against the account before and after. Where the plan could not see all, it may leave a row
// undecided; what it decides holds nevertheless. Of the load balancers in open the tool does not say what they hold in the end: a row may
// be undecided, or refuse what may happen, but not every row of an endpoint may pass what does.
func (w *estates) agree(t *rapid.T, rows []plan.Row, before, after observation.Round, unseen bool, open map[string]bool) {
	was, is := topology.Build(before, w.now), topology.Build(after, w.now)
	broken := map[string][]finding.Code{}
	for _, f := range judge.Judge(w.input(after)).Findings {
		if f.Severity == finding.Critical && f.Code != finding.DNSFailure { // nobody dials
			for _, e := range append(slices.Clone(f.Affects), f.Environment+"/"+f.Endpoint) {
				broken[e] = append(broken[e], f.Code)
			}
		}
	}
	about, doubted := map[string]bool{}, map[string]bool{}
	for _, r := range rows {
		for _, key := range r.Endpoints {
			doubted[key] = doubted[key] || r.Verdict == plan.Refuse || r.Verdict == plan.Undecided
		}
	}
	for _, r := range rows {
		if len(r.Endpoints) == 0 {
			continue
		}
		codes, drifts := []finding.Code{}, false
		may := open[is.Endpoint(r.Endpoints[0]).Target.LoadBalancer.Name]
		for _, key := range r.Endpoints {
			about[key] = true
			host, want := is.Endpoint(key).Target.Host, gets(is, is.Endpoint(key))
			codes = append(codes, broken[key]...)
			drifts = drifts || slices.Contains(broken[key], finding.DriftAttached) && want != gets(was, was.Endpoint(key))
			if want == "" && len(broken[key]) == 0 { // a check would dial it: nothing ends TLS there any more
				codes = append(codes, finding.TLSPlaintext)
			}
			for _, n := range r.Names {
				if !may && n.Name == host && n.Covered != nil && n.ARN != want {
					t.Errorf("%s says that clients of %s get %q; they get %q", r.Object, key, n.ARN, want)
				}
			}
		}
		refused := r.Verdict == plan.Refuse
		switch {
		case may && (unseen || r.Verdict == plan.Refuse || r.Verdict == plan.Undecided || len(codes) == 0 || !slices.ContainsFunc(r.Endpoints, func(key string) bool { return !doubted[key] })):
		case unseen && strings.Contains(fmt.Sprint(r.Reasons), "would lose"): // refused although it may be the default as well
		case !unseen && (r.Verdict == plan.Undecided || refused != (len(codes) > 0)), unseen && refused && len(codes) == 0, unseen && r.Verdict == plan.Pass && drifts:
			t.Errorf("%s: the verdict is %s (%v %v), and the check finds %v", r.Object, r.Verdict, r.Reasons, r.NotKnown, codes)
		}
	}
	for _, e := range is.Endpoints {
		key := e.Target.Key()
		if then, want := gets(was, was.Endpoint(key)), gets(is, e); !unseen && !about[key] && then != want {
			t.Errorf("%s gets %q in place of %q, and no row says so", key, want, then)
		}
	}
}

func gets(m *topology.Topology, e *topology.Endpoint) string {
	if e.Listener == nil {
		return ""
	}
	a, _ := e.Listener.Select(e.Target.Host)
	if a == nil {
		return ""
	}
	return a.ARN
}
