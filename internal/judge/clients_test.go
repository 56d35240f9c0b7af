package judge

import (
	"crypto/x509"
	"slices"
	"testing"

	"certdrift/internal/chain"
	"certdrift/internal/clients"
	"certdrift/internal/finding"
	"certdrift/internal/sim/pki"
)

// TestCertUntrustedBySomeStores: a chain to a public root that some stores lack is a warning with their names, whether the root is new or
// old, and none where a cross-sign that is sent leads to a root of theirs.
func TestCertUntrustedBySomeStores(t *testing.T) {
	s, other := newShop(t), must(t)(pki.Root("Old Root", certNow))
	public := func(srv server, stores ...clients.Store) server {
		srv.roots, srv.anchors = nil, []chain.Anchor{{Certificate: s.root.Certificate, Public: true}}
		srv.stores = stores
		return srv
	}
	root, old := s.root.Certificate, other.Certificate
	holding := func(name string, held ...*x509.Certificate) clients.Store {
		return clients.NewStore(name, "2026-05-01", held...)
	}
	cross := crossSigned(t, s.root, other)
	crossed := s.serve(t)
	crossed.chain = append(crossed.chain, cross.Raw)
	for _, test := range []struct {
		name                        string
		server                      server
		refused, accepted, notKnown []string
	}{
		{"all have it", public(s.serve(t), holding("A", root), holding("B", old, root)), nil, nil, nil},
		{"one lacks it", public(s.serve(t), holding("A", root), holding("B", old)), []string{"B (roots of 2026-05-01)"}, []string{"A (roots of 2026-05-01)"}, nil},
		{"no store has it: it is of another kind", public(s.serve(t), holding("B", old)), nil, nil, nil},
		{"it has the intermediate as a root", public(s.serve(t), holding("A", root), holding("B", s.inter.Certificate)), nil, nil, nil},
		{"a cross-sign leads to a root by its name", public(crossed, holding("A", root), holding("B", old), holding("C")), []string{"C (roots of 2026-05-01)"}, []string{"A (roots of 2026-05-01)"}, []string{"B (roots of 2026-05-01)"}},
		{"a private root is no store's matter", func() server { srv := s.serve(t); srv.stores = []clients.Store{holding("B", old)}; return srv }(), nil, nil, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			if test.refused == nil {
				test.server.expect(t)
				return
			}
			f := test.server.expect(t, warning(finding.CertUntrusted))[0]
			want := finding.Clients{RefusedBy: test.refused, AcceptedBy: test.accepted, NotKnown: test.notKnown}
			if !slices.Equal(f.Clients.RefusedBy, want.RefusedBy) || !slices.Equal(f.Clients.AcceptedBy, want.AcceptedBy) || !slices.Equal(f.Clients.NotKnown, want.NotKnown) {
				t.Errorf("%+v, want %+v", f.Clients, want)
			}
			says(t, []finding.Finding{f}, `the root "Test Root" is not in the trust stores of some clients. Refused by: `)
		})
	}
}

// TestCertUntrustedButBySome: a chain to a root that Mozilla does not have stays critical, and says which stores have the root.
func TestCertUntrustedButBySome(t *testing.T) {
	s := newShop(t)
	removed := s.serve(t)
	removed.roots = nil
	removed.stores = []clients.Store{clients.NewStore("A", "2026-05-01", s.root.Certificate), clients.NewStore("B", "2026-05-01")}
	f := removed.expect(t, critical(finding.CertUntrusted))[0]
	if want := []string{"A (roots of 2026-05-01)"}; !slices.Equal(f.Clients.NotKnown, want) { // nobody sent it: there is no key to verify with
		t.Errorf("%+v", f.Clients)
	}
	removed.chain = append(removed.chain, s.root.Certificate.Raw)
	f = removed.expect(t, critical(finding.CertUntrusted))[0]
	if want := []string{"A (roots of 2026-05-01)"}; !slices.Equal(f.Clients.AcceptedBy, want) {
		t.Errorf("%+v", f.Clients)
	}
	removed.stores = []clients.Store{clients.NewStore("B", "2026-05-01")}
	says(t, removed.expect(t, critical(finding.CertUntrusted)), "Refused by: all clients")
}

// TestCertNameMismatchClients: names that some clients take for the host.
func TestCertNameMismatchClients(t *testing.T) {
	for name, want := range map[string]clients.Problem{
		"other.example.org": clients.NameMismatch, "*.org": clients.NameMismatch, "api.*.org": clients.NameInnerStar, "a*.example.org": clients.NamePartialStar,
		"*i.example.org": clients.NamePartialStar, "x*.example.org": clients.NameMismatch, "*.*.org": clients.NameMismatch,
	} {
		if got := mismatch(&x509.Certificate{DNSNames: []string{name}}, certHost); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	if got := mismatch(&x509.Certificate{DNSNames: []string{"*.org"}}, "example.org"); got != clients.NameTopWildcard {
		t.Errorf("a wildcard under a top-level domain: %s", got)
	}
	srv := newShop(t).serve(t, withoutNames, commonName("API.example.org"))
	says(t, srv.expect(t, critical(finding.CertNameMismatch)), "Refused by: Chromium, Firefox (NSS), Go, rustls, Android, Apple. Accepted by: OpenSSL, curl, Python, Node, Java, GnuTLS")
}
