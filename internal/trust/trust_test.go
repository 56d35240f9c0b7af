package trust_test

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/x509roots/fallback/bundle"

	"certdrift/internal/chain"
	"certdrift/internal/sim/pki"
	"certdrift/internal/target"
	"certdrift/internal/trust"
)

var now = time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)

func root(t testing.TB, name string) *pki.Pair {
	t.Helper()
	p, err := pki.Root(name, now)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func leaf(t *testing.T, issuer *pki.Pair) *x509.Certificate {
	t.Helper()
	p, err := issuer.Leaf(now, []string{"api.example.org"})
	if err != nil {
		t.Fatal(err)
	}
	return p.Certificate
}

func encode(certs ...*x509.Certificate) []byte {
	var out []byte
	for _, c := range certs {
		out = append(out, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})...)
	}
	return out
}

func write(t *testing.T, dir, name string, data []byte) string {
	t.Helper()
	file := filepath.Join(dir, name)
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestMozillaHoldsEveryRoot(t *testing.T) {
	store, count := trust.Mozilla(), 0
	for r := range bundle.Roots() {
		count++
		cert, err := x509.ParseCertificate(r.Certificate)
		if err != nil {
			t.Fatal(err)
		}
		result := chain.Build(store, chain.Query{Served: []*x509.Certificate{cert}, At: now})
		if result.Verdict != chain.Trusted || !result.Public() {
			t.Errorf("%s: %s", cert.Subject, result.Verdict)
		}
	}
	if count < 100 || store.Len() != count {
		t.Errorf("%d roots in the bundle, %d in the store", count, store.Len())
	}
}

// TestMozillasLimitsHold looks for roots that Mozilla trusts only for what was issued before a date.
func TestMozillasLimitsHold(t *testing.T) {
	limited := 0
	for r := range bundle.Roots() {
		if r.Constraint == nil {
			continue
		}
		limited++
		cert, err := x509.ParseCertificate(r.Certificate)
		if err != nil {
			t.Fatal(err)
		}
		// A root's key is not ours to sign with: the root itself stands in for a certificate issued late.
		late := *cert
		late.NotBefore = now.AddDate(5, 0, 0)
		result := chain.Build(trust.Mozilla(), chain.Query{Served: []*x509.Certificate{&late}, At: now})
		if len(result.Path.Problems) != 1 || result.Path.Problems[0].Kind != chain.RootConstraint {
			t.Errorf("%s: the limit is not applied: %v", cert.Subject, result.Path.Problems)
		}
		if result := chain.Build(trust.Mozilla(), chain.Query{Served: []*x509.Certificate{cert}, At: now}); len(result.Valid) != 1 {
			t.Errorf("%s: issued before the limit, and yet %v", cert.Subject, result.Path.Problems)
		}
	}
	if limited == 0 {
		t.Error("the bundle carries no limited root any more: make one for this test")
	}
}

func TestSystemReadsFilesAndDirectories(t *testing.T) {
	dir := t.TempDir()
	a, b, c := root(t, "A"), root(t, "B"), root(t, "C")
	first := write(t, dir, "first.pem", append([]byte("# a comment\n"), encode(a.Certificate, a.Certificate)...))
	second := write(t, dir, "second.pem", encode(b.Certificate))
	sub := filepath.Join(dir, "certs")
	if err := os.Mkdir(sub, 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, sub, "c.crt", encode(c.Certificate))
	write(t, sub, "README", []byte("no certificate"))
	store, err := trust.Locations{Files: []string{filepath.Join(dir, "none"), first, second}, Dirs: []string{sub}}.Store()
	if err != nil {
		t.Fatal(err)
	}
	for issuer, want := range map[*pki.Pair]bool{a: true, b: false, c: true} {
		if got := chain.Build(store, chain.Query{Served: []*x509.Certificate{leaf(t, issuer)}, At: now}).Verdict == chain.Trusted; got != want {
			t.Errorf("%s is trusted: %v, want %v", issuer.Certificate.Subject, got, want)
		}
	}
	if store.Len() != 2 {
		t.Errorf("%d roots, want 2: the second file is not read, a certificate counts once", store.Len())
	}
}

func TestSystemKnowsWhatIsPublic(t *testing.T) {
	var public *x509.Certificate
	for r := range bundle.Roots() {
		public, _ = x509.ParseCertificate(r.Certificate)
		break
	}
	private := root(t, "Ours")
	store, err := trust.Locations{Files: []string{write(t, t.TempDir(), "ca.pem", encode(public, private.Certificate))}}.Store()
	if err != nil {
		t.Fatal(err)
	}
	for cert, want := range map[*x509.Certificate]bool{public: true, private.Certificate: false} {
		if got := chain.Build(store, chain.Query{Served: []*x509.Certificate{cert}, At: now}).Public(); got != want {
			t.Errorf("%s is public: %v", cert.Subject, got)
		}
	}
}

func TestSystemThatCannotBeRead(t *testing.T) {
	for name, places := range map[string]trust.Locations{
		"nothing there":       {Files: []string{"/nowhere/ca.pem"}, Dirs: []string{"/nowhere"}},
		"no certificate":      {Files: []string{write(t, t.TempDir(), "ca.pem", []byte("hello"))}},
		"a directory instead": {Files: []string{t.TempDir()}},
	} {
		if _, err := places.Store(); err == nil || !strings.Contains(err.Error(), "system's trust store") {
			t.Errorf("%s: %v", name, err)
		}
		stores := &trust.Stores{Locations: places}
		if stores.Get(target.System) != nil || stores.Err(target.System) == nil {
			t.Errorf("%s: a store all the same", name)
		}
		if stores.NeedsIssuer(target.Endpoint{Trust: target.Trust{Roots: target.System}}, []*x509.Certificate{leaf(t, root(t, "A"))}, now) {
			t.Errorf("%s: issuers are fetched for nothing", name)
		}
	}
}

func TestSystemFollowsTheEnvironment(t *testing.T) {
	ca := root(t, "A")
	t.Setenv("SSL_CERT_FILE", write(t, t.TempDir(), "ca.pem", encode(ca.Certificate)))
	t.Setenv("SSL_CERT_DIR", t.TempDir())
	store, err := trust.SystemLocations().Store()
	if err != nil || store.Len() != 1 {
		t.Fatalf("%d roots, %v", store.Len(), err)
	}
}

func TestStoresAreMadeOnce(t *testing.T) {
	var stores trust.Stores
	var group sync.WaitGroup
	got := make([]*chain.Store, 8)
	for i := range got {
		group.Go(func() { got[i] = stores.Get(target.Mozilla) })
	}
	group.Wait()
	for _, s := range got {
		if s == nil || s != got[0] {
			t.Fatal("more than one store of a name")
		}
	}
	if stores.Get("microsoft") != nil || stores.Err("microsoft") == nil {
		t.Error("a store that nobody knows")
	}
}

func TestEndpointsOwnCAs(t *testing.T) {
	ca := root(t, "Ours")
	served := []*x509.Certificate{leaf(t, ca)}
	var stores trust.Stores
	with := target.Endpoint{Trust: target.Trust{Roots: target.Mozilla, CAs: [][]byte{ca.Certificate.Raw, []byte("no certificate")}}}
	without := target.Endpoint{Trust: target.Trust{Roots: target.Mozilla}}
	if stores.NeedsIssuer(with, served, now) || !stores.NeedsIssuer(without, served, now) {
		t.Error("an endpoint's CAs are not its own")
	}
	if a := stores.Anchors(with, served[0]); len(a) != 1 || sha256.Sum256(a[0].Raw) != sha256.Sum256(ca.Certificate.Raw) {
		t.Errorf("%d anchors issued the leaf", len(a))
	}
	if a := stores.Anchors(without, served[0]); len(a) != 0 {
		t.Errorf("%d anchors issued a certificate of another CA", len(a))
	}
}

func TestCertificates(t *testing.T) {
	ca := root(t, "A")
	if certs, err := trust.Certificates(encode(ca.Certificate, ca.Certificate)); err != nil || len(certs) != 2 {
		t.Errorf("%d certificates, %v", len(certs), err)
	}
	for name, data := range map[string]string{
		"empty": "", "text": "hello",
		"broken": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
	} {
		if _, err := trust.Certificates([]byte(data)); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func BenchmarkMozilla(b *testing.B) {
	for b.Loop() {
		trust.Mozilla()
	}
}

func TestVerified(t *testing.T) {
	now := time.Now()
	root, err := pki.Root("Root", now)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := root.Leaf(now, []string{"api.example.org"})
	if err != nil {
		t.Fatal(err)
	}
	served := []*x509.Certificate{leaf.Certificate}
	good := target.Endpoint{Host: "api.example.org", Trust: target.Trust{Roots: target.Mozilla, CAs: [][]byte{root.Certificate.Raw}}}
	for name, c := range map[string]struct {
		change func(*target.Endpoint)
		served []*x509.Certificate
		at     time.Time
		want   bool
	}{
		"good":            {func(*target.Endpoint) {}, served, now, true},
		"another name":    {func(e *target.Endpoint) { e.Host = "www.example.org" }, served, now, false},
		"an unknown root": {func(e *target.Endpoint) { e.Trust.CAs = nil }, served, now, false},
		"expired":         {func(*target.Endpoint) {}, served, now.AddDate(1, 0, 0), false},
		"nothing served":  {func(*target.Endpoint) {}, nil, now, false},
		"no such store":   {func(e *target.Endpoint) { e.Trust.Roots = "none" }, served, now, false},
	} {
		e := good
		c.change(&e)
		if got := new(trust.Stores).Verified(e, c.served, c.at); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// TestRootCalendar: Mozilla's roots have the dates of its schedule, and those that it trusts only for what was issued before a date have
// that one, to the second.
func TestRootCalendar(t *testing.T) {
	issued := 0
	dates := map[string]string{}
	for r := range bundle.Roots() {
		cert, err := x509.ParseCertificate(r.Certificate)
		if err != nil {
			t.Fatal(err)
		}
		anchor := chain.Build(trust.Mozilla(), chain.Query{Served: []*x509.Certificate{cert}, At: now}).Path.Anchor
		dates[cert.Subject.CommonName] = anchor.Removal.Format(time.DateOnly)
		if anchor.Removal.Before(cert.NotBefore.AddDate(15, 0, -1)) || anchor.Removal.After(cert.NotBefore.AddDate(20, 0, 0)) {
			t.Errorf("%s, valid from %s, leaves on %s", cert.Subject, cert.NotBefore, anchor.Removal)
		}
		if last := anchor.DistrustAfter; (r.Constraint == nil) != last.IsZero() {
			t.Errorf("%s: distrusted after %s", cert.Subject, last)
		} else if r.Constraint != nil {
			issued++
			at := func(when time.Time) error { return r.Constraint([]*x509.Certificate{{NotBefore: when}}) }
			if at(last) != nil || at(last.Add(time.Second)) == nil {
				t.Errorf("%s: not the last moment: %s", cert.Subject, last)
			}
		}
	}
	if issued == 0 {
		t.Error("the bundle has no root with a distrust date any more: make one for this test")
	}
	for name, want := range map[string]string{
		"Go Daddy Root Certificate Authority - G2": "2027-04-15", "COMODO RSA Certification Authority": "2028-04-15",
		"Amazon Root CA 1": "2030-05-26", "ISRG Root X1": "2030-06-04",
	} {
		if dates[name] != want {
			t.Errorf("%s leaves on %s, want %s", name, dates[name], want)
		}
	}
}
