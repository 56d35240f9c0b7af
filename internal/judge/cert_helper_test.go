package judge

import (
	"crypto/x509"
	"slices"
	"strings"
	"testing"
	"time"

	"certdrift/internal/catalogue"
	"certdrift/internal/certtest"
	"certdrift/internal/chain"
	"certdrift/internal/clients"
	"certdrift/internal/finding"
	"certdrift/internal/observation"
	"certdrift/internal/policy"
	"certdrift/internal/sim/pki"
	"certdrift/internal/target"
)

var certNow = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

const certHost = "api.example.org"

var must = certtest.Must

// server is one server to judge: what it is asked for, what it sends, and what it is judged by.
type server struct {
	host       string
	chain      [][]byte
	issuers    []observation.FetchedIssuer
	revocation []observation.Revocation
	failure    *observation.Failure
	declared   string // an ARN
	roots      []*pki.Pair
	anchors    []chain.Anchor // beside roots
	cas        []*pki.Pair
	noStore    bool
	stores     []clients.Store
	at         time.Time
	policy     policy.Thresholds
}

// input makes a round of one endpoint at one address.
func (s server) input() Input {
	if s.host == "" {
		s.host = certHost
	}
	if s.at.IsZero() {
		s.at = certNow
	}
	if s.policy == (policy.Thresholds{}) {
		s.policy = policy.DefaultThresholds()
	}
	e := target.Endpoint{Environment: "production", Name: "api", URL: "tls://" + s.host, Kind: target.TLS, Host: s.host, Port: 443}
	e.Trust.Roots = target.Mozilla
	for _, ca := range s.cas {
		e.Trust.CAs = append(e.Trust.CAs, ca.Certificate.Raw)
	}
	if s.declared != "" {
		e.Declared = &target.Declared{ARN: s.declared}
	}
	a := observation.Address{Address: "192.0.2.1:443", Started: s.at, Failure: s.failure}
	if len(s.chain) > 0 {
		a.TLS = &observation.TLS{Version: "TLS 1.3", Chain: s.chain, Issuers: s.issuers, Revocation: s.revocation}
	}
	anchors := slices.Clone(s.anchors)
	for _, r := range s.roots {
		anchors = append(anchors, chain.Anchor{Certificate: r.Certificate})
	}
	store := chain.NewStore(anchors)
	if s.noStore {
		store = nil
	}
	return Input{
		Policy: s.policy, Now: s.at, ClientStores: s.stores, Roots: func(target.Roots) *chain.Store { return store },
		Round: observation.Round{Endpoints: []observation.Endpoint{{Target: e, Probed: true, Addresses: []observation.Address{a}}}},
	}
}

// judge gives the findings about certificates.
func (s server) judge() []finding.Finding {
	return slices.DeleteFunc(Judge(s.input()).Findings, func(f finding.Finding) bool { return !strings.HasPrefix(string(f.Code), "cert-") })
}

// expect holds the findings to be exactly these, each "code severity", and gives them.
func (s server) expect(t *testing.T, want ...string) []finding.Finding {
	t.Helper()
	found := s.judge()
	var got []string
	for _, f := range found {
		got = append(got, string(f.Code)+" "+f.Severity.String())
		if f.Summary == "" || f.Remedy == "" || len(f.Evidence) == 0 || strings.ContainsAny(f.Summary+f.Remedy, "\n\r\x1b") {
			t.Errorf("%s: an empty or unsafe part: %q, %q, %v", f.Code, f.Summary, f.Remedy, f.Evidence)
		}
		if f.Clients.Empty() || !strings.Contains(f.Summary, ". Refused by: ") {
			t.Errorf("%s: it does not say which clients refuse: %q, %v", f.Code, f.Summary, f.Clients)
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	return found
}

func critical(code finding.Code) string { return string(code) + " critical" }
func warning(code finding.Code) string  { return string(code) + " warning" }
func notice(code finding.Code) string   { return string(code) + " info" }

// says holds a finding's summary to contain texts.
func says(t *testing.T, fs []finding.Finding, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if len(fs) == 0 || !strings.Contains(fs[0].Summary, text) {
			t.Errorf("%q is not said: %v", text, summaries(fs))
		}
	}
}

func summaries(fs []finding.Finding) (out []string) {
	for _, f := range fs {
		out = append(out, f.Summary)
	}
	return out
}

// shop is a CA with an intermediate, as most chains have it.
type shop struct{ root, inter *pki.Pair }

func newShop(t testing.TB, opts ...pki.Option) shop {
	t.Helper()
	root := must(t)(pki.Root("Test Root", certNow))
	return shop{root, must(t)(root.Intermediate("Test Intermediate", certNow, opts...))}
}

// serve is a server with a leaf of the shop's, trusted.
func (s shop) serve(t testing.TB, opts ...pki.Option) server {
	t.Helper()
	return server{chain: must(t)(s.inter.Leaf(certNow, []string{certHost}, opts...)).Served(), roots: []*pki.Pair{s.root}}
}

// lasting sets a validity relative to now.
func lasting(before, after time.Duration) pki.Option {
	return pki.Valid(certNow.Add(-before), certNow.Add(after))
}

const dayLong = 24 * time.Hour

func subjectOfPair(p *pki.Pair) pki.Option {
	return func(c *x509.Certificate) { c.Subject = p.Certificate.Subject }
}

func TestHealthyCertificateHasNoFinding(t *testing.T) {
	newShop(t).serve(t).expect(t)
}

func TestCertificateEntriesAreWhole(t *testing.T) {
	for _, e := range catalogue.Entries() {
		if e.Code.Class() != finding.ClassCertificate {
			continue
		}
		if e.Title == "" || e.Meaning == "" || e.Severity == "" || e.Check == "" || e.Remedy == "" || e.Source == "" {
			t.Errorf("%s: a part is missing", e.Code)
		}
	}
}

func TestWithoutATrustStoreNothingIsCalledUntrusted(t *testing.T) {
	s := newShop(t).serve(t, lasting(90*dayLong, -dayLong))
	s.noStore = true
	s.expect(t, critical(finding.CertExpired))
	if Judge(s.input()).Complete {
		t.Error("the round counts as complete")
	}
}
