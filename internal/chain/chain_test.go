package chain_test

import (
	"crypto/x509"
	"errors"
	"slices"
	"testing"
	"time"

	"certdrift/internal/chain"
	"certdrift/internal/sim/pki"
)

var now = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

const host = "api.example.org"

func ok(t testing.TB) func(*pki.Pair, error) *pki.Pair {
	return func(p *pki.Pair, err error) *pki.Pair {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
}

func certs(pairs ...*pki.Pair) []*x509.Certificate {
	var out []*x509.Certificate
	for _, p := range pairs {
		out = append(out, p.Certificate)
	}
	return out
}

// ders returns the certificates of pairs in DER.
func ders(pairs ...*pki.Pair) [][]byte {
	var out [][]byte
	for _, c := range certs(pairs...) {
		out = append(out, c.Raw)
	}
	return out
}

// trusting returns a store of certificates.
func trusting(certs ...*x509.Certificate) *chain.Store {
	var anchors []chain.Anchor
	for _, c := range certs {
		anchors = append(anchors, chain.Anchor{Certificate: c})
	}
	return chain.NewStore(anchors)
}

func storeOf(pairs ...*pki.Pair) *chain.Store {
	var anchors []chain.Anchor
	for _, p := range pairs {
		anchors = append(anchors, chain.Anchor{Certificate: p.Certificate, Public: true})
	}
	return chain.NewStore(anchors)
}

// as gives the template of another certificate's subject, so that a key and a name get a second certificate.
func as(p *pki.Pair) pki.Option {
	return func(c *x509.Certificate) { c.Subject = p.Certificate.Subject }
}

func expired(c *x509.Certificate) {
	c.NotBefore, c.NotAfter = now.AddDate(-3, 0, 0), now.AddDate(0, 0, -1)
}

// crossSign makes another certificate for subject's name and key, issued by issuer.
func crossSign(t testing.TB, subject, issuer *pki.Pair, opts ...pki.Option) *pki.Pair {
	t.Helper()
	ca := func(c *x509.Certificate) {
		c.Subject, c.IsCA, c.KeyUsage = subject.Certificate.Subject, true, x509.KeyUsageCertSign
		c.ExtKeyUsage, c.SubjectKeyId = nil, subject.Certificate.SubjectKeyId
	}
	return ok(t)(issuer.LeafWithKey(now, nil, subject.Key, append([]pki.Option{ca}, opts...)...))
}

func kinds(fs []chain.Problem) []chain.Kind {
	var out []chain.Kind
	for _, f := range fs {
		out = append(out, f.Kind)
	}
	return out
}

func TestVerdicts(t *testing.T) {
	must := ok(t)
	root, other := must(pki.Root("Root", now)), must(pki.Root("Other", now))
	inter := must(root.Intermediate("Inter", now))
	leaf := must(inter.Leaf(now, []string{host}))
	stray := must(other.Intermediate("Stray", now))
	self := must(pki.SelfSigned(now, []string{host}))
	namesake := must(pki.Root("Root", now)) // the same name, another key
	interNamesake := must(root.Intermediate("Inter", now))

	tests := []struct {
		name    string
		store   *chain.Store
		served  []*x509.Certificate
		fetched []*x509.Certificate
		want    chain.Verdict
		path    int
	}{
		{"as it should be", storeOf(root), certs(leaf, inter), nil, chain.Trusted, 3},
		{"root sent", storeOf(root), certs(leaf, inter, root), nil, chain.Trusted, 3},
		{"any order, extras, twice", storeOf(root, other), certs(leaf, stray, root, other, inter, leaf, inter), nil, chain.Trusted, 3},
		{"self-signed", storeOf(root), certs(self), nil, chain.SelfSigned, 1},
		{"self-signed beside unrelated certificates", storeOf(root), certs(self, inter, root), nil, chain.SelfSigned, 1},
		{"self-signed and trusted as it stands", storeOf(root).With(ders(self)), certs(self), nil, chain.Trusted, 1},
		{"intermediate trusted as it stands", storeOf(inter), certs(leaf), nil, chain.Trusted, 2},
		{"lone leaf", storeOf(root), certs(leaf), nil, chain.Incomplete, 1},
		{"lone leaf beside unrelated certificates", storeOf(root), certs(leaf, stray, other), nil, chain.Incomplete, 1},
		{"lone leaf, issuer fetched", storeOf(root), certs(leaf), certs(inter), chain.Incomplete, 3},
		{"lone leaf, wrong issuer fetched", storeOf(root), certs(leaf), certs(stray), chain.Incomplete, 1},
		{"unknown root", storeOf(other), certs(leaf, inter), nil, chain.Untrusted, 2},
		{"unknown root, sent", storeOf(other), certs(leaf, inter, root), nil, chain.Untrusted, 3},
		{"root of the same name", storeOf(namesake), certs(leaf, inter), nil, chain.Untrusted, 2},
		{"two roots of one name", storeOf(namesake, root), certs(leaf, inter), nil, chain.Trusted, 3},
		{"intermediate of the same name", storeOf(root), certs(leaf, interNamesake), nil, chain.Incomplete, 1},
		{"intermediate of the same name, right one fetched", storeOf(root), certs(leaf, interNamesake), certs(inter), chain.Incomplete, 3},
		{"no store at all", nil, certs(leaf, inter), nil, chain.Untrusted, 2},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := chain.Build(test.store, chain.Query{Served: test.served, Fetched: test.fetched, At: now})
			if r.Verdict != test.want || len(r.Path.Certificates) != test.path {
				t.Errorf("got %s by a path of %d, want %s by %d", r.Verdict, len(r.Path.Certificates), test.want, test.path)
			}
			if len(r.Leaf)+len(r.Path.Problems) > 0 {
				t.Errorf("faults of a sound path: %v %v", kinds(r.Leaf), kinds(r.Path.Problems))
			}
		})
	}
}

func TestFaultsOfIssuers(t *testing.T) {
	must := ok(t)
	root := must(pki.Root("Root", now))
	tests := []struct {
		name   string
		option pki.Option
		want   []chain.Kind
	}{
		{"none", func(*x509.Certificate) {}, nil},
		{"expired", expired, []chain.Kind{chain.Expired}},
		{"not yet valid", pki.Valid(now.Add(time.Hour), now.AddDate(1, 0, 0)), []chain.Kind{chain.NotYetValid}},
		{"its last second", pki.Valid(now.AddDate(-1, 0, 0), now), nil},
		{"its first second", pki.Valid(now, now.AddDate(1, 0, 0)), nil},
		{"no CA", func(c *x509.Certificate) { c.IsCA = false }, []chain.Kind{chain.NotCA}},
		{"no basic constraints", func(c *x509.Certificate) { c.IsCA, c.BasicConstraintsValid = false, false }, []chain.Kind{chain.NotCA}},
		{"may not sign", func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageCRLSign }, []chain.Kind{chain.NoCertSign}},
		{"may do nothing", extra(15, 3, 1, 0), []chain.Kind{chain.NoCertSign}},
		{"ends before it begins", pki.Valid(now.Add(time.Hour), now.Add(-time.Hour)), []chain.Kind{chain.NotYetValid, chain.Expired}},
		{"for email", func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection} }, []chain.Kind{chain.Usage}},
		{"for any use", func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageAny} }, nil},
		{"names permitted", func(c *x509.Certificate) { c.PermittedDNSDomains = []string{"example.org"} }, nil},
		{"names not permitted", func(c *x509.Certificate) { c.PermittedDNSDomains = []string{"example.com"} }, []chain.Kind{chain.NameConstraint}},
		{"names excluded", func(c *x509.Certificate) { c.ExcludedDNSDomains = []string{host} }, []chain.Kind{chain.NameConstraint}},
		{"critical and unknown", critical, []chain.Kind{chain.CriticalExtension}},
		{"several at once", func(c *x509.Certificate) { expired(c); c.IsCA = false }, []chain.Kind{chain.Expired, chain.NotCA}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			inter := must(root.Intermediate("Inter", now, test.option))
			leaf := must(inter.Leaf(now, []string{host}))
			r := chain.Build(storeOf(root), chain.Query{Served: certs(leaf, inter), At: now})
			if r.Verdict != chain.Trusted || !slices.Equal(kinds(r.Path.Problems), test.want) {
				t.Errorf("got %s, %v; want %v", r.Verdict, kinds(r.Path.Problems), test.want)
			}
			if (len(r.Valid) == 1) != (len(test.want) == 0) {
				t.Errorf("%d valid paths", len(r.Valid))
			}
		})
	}
}

func TestFaultOfOneIsNoneBesideAValidPath(t *testing.T) {
	must := ok(t)
	root := must(pki.Root("Root", now))
	old := must(pki.Root("Old Root", now, expired)) // as AddTrust was in 2020
	cross := crossSign(t, root, old)
	inter := must(root.Intermediate("Inter", now))
	lapsed := crossSign(t, inter, root, expired)
	leaf := must(inter.Leaf(now, []string{host}))

	r := chain.Build(storeOf(root, old), chain.Query{Served: certs(leaf, inter, cross, old), At: now})
	if len(r.Valid) != 1 || len(r.Valid[0].Certificates) != 3 {
		t.Errorf("expired cross-sign beside the root: %d valid paths", len(r.Valid))
	}
	r = chain.Build(storeOf(root), chain.Query{Served: certs(leaf, lapsed, inter), At: now})
	if len(r.Valid) != 1 || r.Valid[0].Certificates[1] != inter.Certificate {
		t.Errorf("expired intermediate beside its successor: %d valid paths", len(r.Valid))
	}
	r = chain.Build(storeOf(old), chain.Query{Served: certs(leaf, inter, cross), At: now})
	if r.Verdict != chain.Trusted || !slices.Equal(kinds(r.Path.Problems), []chain.Kind{chain.Expired}) {
		t.Errorf("by the expired cross-sign alone: %s, %v", r.Verdict, kinds(r.Path.Problems))
	}
}

func TestTheClosestPathIsNamed(t *testing.T) {
	must := ok(t)
	root, unknown := must(pki.Root("Root", now)), must(pki.Root("Unknown", now))
	inter := must(root.Intermediate("Inter", now, expired))
	stray := crossSign(t, inter, unknown, func(c *x509.Certificate) { c.IsCA = false })
	leaf := must(inter.Leaf(now, []string{host}))
	for _, served := range [][]*x509.Certificate{certs(leaf, inter, stray, unknown), certs(leaf, unknown, stray, inter)} {
		r := chain.Build(storeOf(root), chain.Query{Served: served, At: now})
		if r.Verdict != chain.Trusted || !slices.Equal(kinds(r.Path.Problems), []chain.Kind{chain.Expired}) {
			t.Errorf("got %s, %v", r.Verdict, kinds(r.Path.Problems))
		}
	}
}

func TestRootConstraint(t *testing.T) {
	must := ok(t)
	root := must(pki.Root("Root", now))
	leaf := must(root.Leaf(now, []string{host}))
	store := chain.NewStore([]chain.Anchor{{Certificate: root.Certificate, Constraint: func(path []*x509.Certificate) error {
		if len(path) != 1 || path[0] != leaf.Certificate {
			t.Errorf("the constraint is given %d certificates", len(path))
		}
		return errors.New("issued too late")
	}}})
	r := chain.Build(store, chain.Query{Served: certs(leaf), At: now})
	if !slices.Equal(kinds(r.Path.Problems), []chain.Kind{chain.RootConstraint}) || r.Path.Problems[0].Detail != "issued too late" {
		t.Errorf("got %v", r.Path.Problems)
	}
}

func TestPathLengthCountsWhatIsNotSelfIssued(t *testing.T) {
	must := ok(t)
	none := func(c *x509.Certificate) { c.MaxPathLen, c.MaxPathLenZero = 0, true }
	root := must(pki.Root("Root", now, none))
	inter := must(root.Intermediate("Inter", now))
	rollover := must(root.Intermediate("new key", now, as(root), none))
	for _, test := range []struct {
		issuer *pki.Pair
		want   []chain.Kind
	}{{root, nil}, {inter, []chain.Kind{chain.PathLength}}, {rollover, nil}} {
		leaf := must(test.issuer.Leaf(now, []string{host}))
		r := chain.Build(storeOf(root), chain.Query{Served: certs(leaf, inter, rollover), At: now})
		if !slices.Equal(kinds(r.Path.Problems), test.want) {
			t.Errorf("under %s: %v, want %v", test.issuer.Certificate.Subject, kinds(r.Path.Problems), test.want)
		}
	}
}

func TestLastingPathIsBest(t *testing.T) {
	must := ok(t)
	short := must(pki.Root("Short", now, pki.Valid(now.AddDate(-1, 0, 0), now.AddDate(0, 0, 3))))
	root := must(pki.Root("Root", now))
	inter := must(root.Intermediate("Inter", now))
	leaf := must(inter.Leaf(now, []string{host}))
	r := chain.Build(storeOf(short, root), chain.Query{Served: certs(leaf, crossSign(t, inter, short), inter), At: now})
	if len(r.Valid) != 2 || r.Path.Anchor.Certificate != root.Certificate {
		t.Errorf("%d valid paths, the best by %s", len(r.Valid), r.Path.Anchor.Certificate.Subject)
	}
}
