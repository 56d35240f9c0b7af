package chain_test

import (
	"crypto/x509"
	"errors"
	"testing"

	"golang.org/x/crypto/x509roots/fallback/bundle"

	"certdrift/internal/chain"
	"certdrift/internal/sim/pki"
)

func TestLazyStoreFindsWhatAStoreFinds(t *testing.T) {
	var raw []chain.RawAnchor
	var parsed []chain.Anchor
	for root := range bundle.Roots() {
		cert, err := x509.ParseCertificate(root.Certificate)
		if err != nil {
			t.Fatal(err)
		}
		raw = append(raw, chain.RawAnchor{DER: root.Certificate, Public: true})
		parsed = append(parsed, chain.Anchor{Certificate: cert, Public: true})
	}
	lazy, store := chain.NewLazyStore(raw), chain.NewStore(parsed)
	if lazy.Len() != store.Len() || lazy.Len() != len(raw) {
		t.Fatalf("%d lazy, %d parsed, of %d", lazy.Len(), store.Len(), len(raw))
	}
	for _, a := range parsed {
		if got := lazy.Issuers(a.Certificate); len(got) != len(store.Issuers(a.Certificate)) || len(got) == 0 {
			t.Errorf("%s: issued by %d", a.Certificate.Subject, len(got))
		}
	}
}

func TestLazyStoreLeavesOutWhatIsNoCertificate(t *testing.T) {
	root := ok(t)(pki.Root("Root", now))
	broken := append([]byte(nil), root.Certificate.Raw...)
	for i := len(broken) - 200; i < len(broken)-100; i++ {
		broken[i] ^= 0xff // past the subject: it fails when it is parsed
	}
	store := chain.NewLazyStore([]chain.RawAnchor{{DER: []byte("text")}, {}, {DER: broken}, {DER: root.Certificate.Raw}})
	leaf := ok(t)(root.Leaf(now, []string{host}))
	if r := chain.Build(store, chain.Query{Served: certs(leaf), At: now}); len(r.Valid) != 1 {
		t.Errorf("%s", r.Verdict)
	}
}

func TestWithLeavesTheStoreAsItIs(t *testing.T) {
	must := ok(t)
	public, ours := must(pki.Root("Public", now)), must(pki.Root("Ours", now))
	store := storeOf(public)
	with := store.With(ders(ours))
	if store.Len() != 1 || with.Len() != 2 || store.With(nil) != store {
		t.Errorf("%d and %d anchors", store.Len(), with.Len())
	}
	for issuer, public := range map[*pki.Pair]bool{public: true, ours: false} {
		leaf := must(issuer.Leaf(now, []string{host}))
		r := chain.Build(with, chain.Query{Served: certs(leaf), At: now})
		if len(r.Valid) != 1 || r.Public() != public {
			t.Errorf("%s: %s, public %v", issuer.Certificate.Subject, r.Verdict, r.Public())
		}
	}
	if chain.Build(store, chain.Query{Served: certs(must(ours.Leaf(now, []string{host}))), At: now}).Verdict == chain.Trusted {
		t.Error("a private CA got into the public store")
	}
}

func TestPublicRootThatIsNamedToo(t *testing.T) {
	root := ok(t)(pki.Root("Root", now))
	leaf := ok(t)(root.Leaf(now, []string{host}))
	limited := chain.NewStore([]chain.Anchor{{Certificate: root.Certificate, Public: true, Constraint: func([]*x509.Certificate) error { return errors.New("too late") }}})
	if r := chain.Build(limited, chain.Query{Served: certs(leaf), At: now}); len(r.Valid) != 0 {
		t.Error("the limit is not applied")
	}
	r := chain.Build(limited.With(ders(root)), chain.Query{Served: certs(leaf), At: now})
	if len(r.Valid) != 1 || !r.Public() {
		t.Errorf("named by the operator: %d valid, public %v", len(r.Valid), r.Public())
	}
}
