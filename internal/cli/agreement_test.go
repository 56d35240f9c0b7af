package cli

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	stdhtml "html"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"certdrift/internal/alert"
	"certdrift/internal/chain"
	"certdrift/internal/finding"
	"certdrift/internal/incident"
	"certdrift/internal/judge"
	"certdrift/internal/observation"
	"certdrift/internal/policy"
	"certdrift/internal/prose"
	"certdrift/internal/report"
	"certdrift/internal/report/comparison"
	"certdrift/internal/report/html"
	"certdrift/internal/report/text"
	"certdrift/internal/report/widget"
	"certdrift/internal/sim/pki"
	"certdrift/internal/target"
	"certdrift/internal/topology"
)

// rendered is one round in every form, and its findings.
type rendered struct {
	findings             []finding.Finding
	document             report.Report
	rows                 map[string]comparison.Row
	page, widget, listed string
}

func renderAll(t fataler, round observation.Round, thresholds policy.Thresholds, at time.Time) rendered {
	t.Helper()
	none := chain.NewStore(nil)
	conclusion := judge.Judge(judge.Input{Policy: thresholds, Roots: func(target.Roots) *chain.Store { return none }, Now: at, Round: round})
	built := report.Build(report.Input{Round: round, Conclusion: conclusion, FailOn: finding.Critical, At: at})
	out := rendered{findings: conclusion.Findings, rows: map[string]comparison.Row{}}
	var document, page, words bytes.Buffer
	for _, err := range []error{report.WriteJSON(&document, built), html.Write(&page, built), text.Write(&words, built, text.Options{Verbose: true, Width: 10_000})} {
		if err != nil {
			t.Fatalf("%v", err)
		}
	}
	if err := json.Unmarshal(document.Bytes(), &out.document); err != nil {
		t.Fatalf("%v", err)
	}
	for _, row := range comparison.Rows(built) {
		out.rows[row.Endpoint.Environment+"/"+row.Endpoint.Name] = row
	}
	out.page, out.listed, out.widget = strings.ReplaceAll(page.String(), "<wbr>", ""), words.String(), strings.ReplaceAll(widget.HTML(widget.Input{Report: built}), "<wbr>", "")
	return out
}

type fataler interface {
	Helper()
	Fatalf(format string, args ...any)
	Errorf(format string, args ...any)
}

// concerned are the endpoints that a finding is about, ENVIRONMENT/NAME.
func concerned(f finding.Finding) []string {
	keys := slices.Clone(f.Affects)
	if f.Endpoint != "" {
		keys = append(keys, f.Environment+"/"+f.Endpoint)
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

// attachedARN is the ARN that a drift finding says is attached; empty for none.
func attachedARN(f finding.Finding) string {
	if len(f.Certificates.Attached) == 0 {
		return ""
	}
	return f.Certificates.Attached[0].ARN
}

// checkAgreement holds every output against the findings.
func (r rendered) checkAgreement(t fataler) {
	t.Helper()
	drifted := map[string]bool{}
	for _, f := range r.findings {
		for _, key := range concerned(f) {
			switch f.Code {
			case finding.DriftAttached:
				drifted[key] = true
				relation := "different"
				if f.Severity < finding.Critical {
					relation = "equivalent"
				}
				r.checkPlace(t, f, key)
				r.checkRelation(t, f, key, "declared_attached", relation)
			case finding.DriftServed:
				r.checkPlace(t, f, key)
				r.checkRelation(t, f, key, "attached_served", "different")
			case finding.DriftDeclared:
				r.checkRelation(t, f, key, "declared_served", "different")
			}
		}
		if f.Code == finding.DriftAttached {
			checkAlert(t, f)
		}
	}
	for _, e := range r.document.Endpoints {
		key := e.Environment + "/" + e.Name
		if c := e.Comparison; c != nil && e.Declared != nil && c.DeclaredAttached == "different" && c.DeclaredServed != "same" && !drifted[key] {
			t.Errorf("%s: the document compares declared and attached as %s, and there is no drift-attached", key, c.DeclaredAttached)
		}
	}
}

// checkPlace holds the listener and the attached certificate of a finding against every output.
func (r rendered) checkPlace(t fataler, f finding.Finding, key string) {
	t.Helper()
	i := slices.IndexFunc(r.document.Endpoints, func(e report.Endpoint) bool { return e.Environment+"/"+e.Name == key })
	if i < 0 {
		t.Fatalf("%s is not in the document", key)
	}
	e := r.document.Endpoints[i]
	if f.Listener != "" && e.Listener != f.Listener {
		t.Errorf("%s: the document's listener is %q, that of %s %q", key, e.Listener, f.Code, f.Listener)
	}
	if !slices.ContainsFunc(r.document.Listeners, func(l report.Listener) bool { return l.Listener == e.Listener && slices.Contains(l.Endpoints, key) }) {
		t.Errorf("%s is not among the endpoints of %q", key, e.Listener)
	}
	if e.Comparison == nil || e.Comparison.Attached != attachedARN(f) {
		t.Errorf("%s: the document has %+v attached, %s %q", key, e.Comparison, f.Code, attachedARN(f))
	}
	row := r.rows[key]
	if row.Listener == nil || row.Listener.Listener != e.Listener || len(row.Attached) == 0 || row.Attached[0].ARN != attachedARN(f) {
		t.Errorf("%s: the page has %+v at %+v attached, %s %q", key, row.Attached, row.Listener, f.Code, attachedARN(f))
	}
	if f.Listener != "" && !strings.Contains(r.listed, f.Listener) || !strings.Contains(r.listed, attachedARN(f)) {
		t.Errorf("%s: the text names neither %q nor %q:\n%s", key, f.Listener, attachedARN(f), r.listed)
	}
	for name, shown := range map[string]struct{ page, arn string }{
		"page": {r.page, comparison.ShortARN(attachedARN(f))}, "widget": {r.widget, prose.ShortenIDs(topology.ShortARN(attachedARN(f)))},
	} {
		cells := rowOf(shown.page, e.Name)
		if !strings.Contains(cells, stdhtml.EscapeString(shown.arn)) {
			t.Errorf("%s: the %s's row lacks %q: %s", key, name, shown.arn, cells)
		}
	}
}

// checkRelation holds a comparison against the document and the sign of the page.
func (r rendered) checkRelation(t fataler, f finding.Finding, key, name, want string) {
	t.Helper()
	i := slices.IndexFunc(r.document.Endpoints, func(e report.Endpoint) bool { return e.Environment+"/"+e.Name == key })
	if i < 0 || r.document.Endpoints[i].Comparison == nil {
		t.Fatalf("%s has no comparison, but %s", key, f.Code)
	}
	e, row := r.document.Endpoints[i], r.rows[key]
	label, mark := "declared and attached", row.DeclaredAttached
	if name != "declared_attached" {
		label, mark = "attached and served", row.AttachedServed
		if len(row.Attached) == 0 {
			label = "declared and served"
		}
	}
	got := map[string]string{
		"declared_attached": e.Comparison.DeclaredAttached, "attached_served": e.Comparison.AttachedServed, "declared_served": e.Comparison.DeclaredServed,
	}[name]
	if got != want {
		t.Errorf("%s: %s is %q in the document, %q by %s", key, name, got, want, f.Code)
	}
	if name == "declared_served" && e.Comparison.Unknown == "" {
		return // the page compares with what is attached
	}
	if name == "declared_served" && len(row.Attached) == 0 {
		label = "declared and served"
	}
	if mark.Word() != want {
		t.Errorf("%s: the page says %q, %s %q", key, mark.Word(), f.Code, want)
	}
	if cells := rowOf(r.page, e.Name); !strings.Contains(cells, `aria-label="`+label+": "+want+`">`+mark.Sign()) {
		t.Errorf("%s: the page's row has another sign than %q: %s", key, mark.Sign(), cells)
	}
}

// rowOf is the table row of an endpoint, whose name is unique in these rounds.
func rowOf(page, name string) string {
	for rest := page; ; {
		_, after, found := strings.Cut(rest, "<tr>")
		if !found {
			return ""
		}
		var row string
		row, rest, _ = strings.Cut(after, "</tr>")
		_, head, _ := strings.Cut(row, `<th scope="row">`)
		if head, _, _ = strings.Cut(head, "</th>"); strings.Contains(head+"<", name+"<") {
			return row
		}
	}
}

func checkAlert(t fataler, f finding.Finding) {
	t.Helper()
	var stored finding.Finding
	text, err := json.Marshal(f)
	if err == nil {
		err = json.Unmarshal(text, &stored)
	}
	if err != nil {
		t.Fatalf("%v", err)
	}
	email := alert.Compose(incident.Notice{Event: incident.Opened, Severity: f.Severity, Findings: []finding.Finding{stored}}, alert.Options{}).Email
	if !strings.Contains(email, f.Listener) || !strings.Contains(email, attachedARN(f)) {
		t.Errorf("the email names neither %q nor %q:\n%s", f.Listener, attachedARN(f), email)
	}
	if !strings.Contains(email, "\n  ! attached") {
		t.Errorf("the email does not mark the attached certificate:\n%s", email)
	}
}

// These two rounds had one answer in the findings and another one in the document and on the page.
func TestOutputsAgreeOnKnownDisagreements(t *testing.T) {
	for name, want := range map[string]struct{ listener, attached string }{
		"grouped-ingress": {"k8s-shared:443", ""}, "two-sni": {"alb:443", "arn:aws:acm:us-west-2:111122223333:certificate/long"},
	} {
		t.Run(name, func(t *testing.T) {
			seen, err := readRound(nil, filepath.Join("testdata", "agreement", name+".json"))
			if err != nil {
				t.Fatal(err)
			}
			r := renderAll(t, seen.Round, policy.DefaultThresholds(), seen.Finished)
			i := slices.IndexFunc(r.findings, func(f finding.Finding) bool { return f.Code == finding.DriftAttached && f.Severity == finding.Critical })
			if i < 0 {
				t.Fatalf("no drift-attached among %+v", r.findings)
			}
			if f := r.findings[i]; f.Listener != want.listener || want.attached != "" && attachedARN(f) != want.attached {
				t.Errorf("the finding is about %q with %q", f.Listener, attachedARN(f))
			}
			r.checkAgreement(t)
		})
	}
}

func TestOutputsAgreeOnSavedRounds(t *testing.T) {
	count := 0
	for _, folder := range []string{"../judge/testdata/rounds", "../../e2e/servers/testdata/observations"} {
		err := filepath.WalkDir(folder, func(path string, _ fs.DirEntry, err error) error {
			if err != nil || filepath.Ext(path) != ".json" {
				return err
			}
			text, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			if len(text) > 200_000 || !bytes.Contains(text, []byte(`"declared"`)) && !bytes.Contains(text, []byte(`"load_balancers"`)) {
				return nil // nothing to compare
			}
			seen, err := parseRound(text)
			if err != nil {
				return fmt.Errorf("%s: %w", path, err)
			}
			count++
			t.Run(filepath.Base(path), func(t *testing.T) {
				renderAll(t, seen.Round, policy.DefaultThresholds(), seen.Finished).checkAgreement(t)
			})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if count < 5 {
		t.Errorf("only %d rounds", count)
	}
}

// bodies are certificates with overlapping names: some ECDSA, of different lengths, one renewed.
func bodies(t *testing.T, now time.Time) [][]byte {
	t.Helper()
	root, err := pki.Root("Example Root", now)
	if err != nil {
		t.Fatal(err)
	}
	var out [][]byte
	for i, names := range [][]string{{"e0.example.org"}, {"*.example.org"}, {"*.example.org", "example.net"}, {"e1.example.org", "e0.example.org"}, {"other.example.com"}} {
		leaf, err := root.Leaf(now, names, pki.Valid(now.AddDate(0, 0, -10), now.AddDate(0, 0, 60+10*i)))
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, leaf.Certificate.Raw)
	}
	return out
}

// Whatever a round looks like, every output names the listener, the certificates and the comparison that the findings do.
func TestOutputsAgreeOnAnyRound(t *testing.T) {
	now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	certificates := bodies(t, now)
	arn := func(i int) string { return fmt.Sprintf("arn:aws:acm:us-west-2:111122223333:certificate/c%d", i) }
	seen := 0
	rapid.Check(t, func(t *rapid.T) {
		body := rapid.IntRange(0, len(certificates)-1)
		round := observation.Round{Started: now, Finished: now, ListenersRead: rapid.IntRange(0, 9).Draw(t, "read") > 0}
		for i, der := range certificates {
			c := observation.Certificate{ARN: arn(i), Chain: [][]byte{der}}
			switch rapid.IntRange(0, 9).Draw(t, "record") {
			case 0:
				c.Chain = nil
			case 1:
				c.Chain, c.Missing = nil, true
			case 2:
				continue
			}
			round.Certificates = append(round.Certificates, c)
		}
		balancers := rapid.IntRange(1, 3).Draw(t, "balancers")
		for i := range balancers {
			lb := observation.LoadBalancer{
				Kind: rapid.SampledFrom([]observation.LoadBalancerKind{observation.Classic, observation.Application, observation.Network}).Draw(t, "kind"),
				Name: fmt.Sprintf("lb%d", i), Region: "us-west-2", Account: "111122223333", DNSName: fmt.Sprintf("lb%d.elb.example.com", i),
				Addresses: []string{fmt.Sprintf("192.0.2.%d", i)}, Partial: rapid.IntRange(0, 9).Draw(t, "partial") == 0,
			}
			lb.ARN = "arn:aws:elasticloadbalancing:us-west-2:111122223333:loadbalancer/" + lb.Name
			switch rapid.IntRange(0, 2).Draw(t, "tag") {
			case 0:
				lb.Tags = map[string]string{"ingress.k8s.aws/stack": "shared"}
			case 1:
				lb.Tags = map[string]string{"kubernetes.io/service-name": fmt.Sprintf("prod/s%d", i)}
			}
			for port := 443; port <= 443+rapid.IntRange(0, 1).Draw(t, "ports"); port++ {
				l := observation.Listener{Port: port, Protocol: "HTTPS", ARN: fmt.Sprintf("%s/%d", lb.ARN, port)}
				attached := rapid.SliceOfNDistinct(body, 0, 3, rapid.ID[int]).Draw(t, "attached")
				if lb.Kind == observation.Classic {
					attached = attached[:min(len(attached), 1)]
				}
				for j, c := range attached {
					l.Certificates = append(l.Certificates, observation.Attachment{ARN: arn(c), Default: j == 0})
				}
				lb.Listeners = append(lb.Listeners, l)
			}
			round.LoadBalancers = append(round.LoadBalancers, lb)
		}
		for i := range rapid.IntRange(1, 4).Draw(t, "endpoints") {
			host := fmt.Sprintf("e%d.example.org", i)
			e := observation.Endpoint{Probed: rapid.IntRange(0, 9).Draw(t, "probed") > 0, Target: target.Endpoint{
				Environment: "prod", Name: fmt.Sprintf("e%d", i), URL: "https://" + host + "/", Kind: target.HTTPS, Host: host, Port: 443,
			}}
			lb := rapid.IntRange(0, balancers-1).Draw(t, "balancer")
			switch rapid.IntRange(0, 3).Draw(t, "placed") {
			case 0:
				e.Target.LoadBalancer = &target.LoadBalancerRef{Name: fmt.Sprintf("lb%d", lb), Port: 443}
			case 1:
				e.Target.Service = fmt.Sprintf("prod/s%d", lb)
			case 2:
				e.DNS.CanonicalName = fmt.Sprintf("lb%d.elb.example.com", lb)
			case 3:
				e.DNS.Addresses = []string{fmt.Sprintf("192.0.2.%d", lb)}
			}
			switch c := body.Draw(t, "declared"); rapid.IntRange(0, 3).Draw(t, "by") {
			case 0:
				e.Target.Declared = &target.Declared{ARN: arn(c)}
			case 1:
				e.Target.Declared = &target.Declared{FingerprintSHA256: fingerprint(certificates[c])}
			case 2:
				e.Target.Declared = &target.Declared{Issuer: rapid.SampledFrom([]string{"Example Root", "Other Root"}).Draw(t, "issuer")}
			}
			if e.Probed {
				for a := range rapid.IntRange(1, 2).Draw(t, "addresses") {
					address := observation.Address{Address: fmt.Sprintf("192.0.2.%d:443", 10*i+a), Started: now}
					if rapid.IntRange(0, 4).Draw(t, "serves") > 0 {
						address.TLS = &observation.TLS{Version: "TLS 1.3", Chain: [][]byte{certificates[body.Draw(t, "served")]}}
					} else {
						address.Failure = &observation.Failure{Phase: observation.PhaseConnect, Kind: observation.Refused}
					}
					e.Addresses = append(e.Addresses, address)
				}
			}
			round.Endpoints = append(round.Endpoints, e)
			if rapid.Bool().Draw(t, "manifest") {
				d := observation.Declaration{
					Object: fmt.Sprintf("Service prod/s%d", i), Service: fmt.Sprintf("prod/s%d", i), Port: 443,
					ARNs: []string{arn(body.Draw(t, "manifested"))}, Source: target.Position{File: "k8s.yaml", Line: 10 * (i + 1)},
				}
				if rapid.Bool().Draw(t, "ingress") {
					d.Object, d.Group, d.Hosts = fmt.Sprintf("Ingress prod/s%d", i), "shared", []string{host}
				}
				round.Manifests = append(round.Manifests, d)
			}
		}
		r := renderAll(t, round, policy.DefaultThresholds(), now)
		for _, f := range r.findings {
			if f.Code == finding.DriftAttached {
				seen++
			}
		}
		r.checkAgreement(t)
	})
	if seen == 0 {
		t.Error("no round has a drift-attached")
	}
}

func fingerprint(der []byte) string {
	sum := sha256.Sum256(der)
	return hex.EncodeToString(sum[:])
}
