package chain_test

import (
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"math/big"
	"slices"
	"testing"

	"certdrift/internal/chain"
	"certdrift/internal/sim/pki"
)

func critical(c *x509.Certificate) {
	c.ExtraExtensions = append(c.ExtraExtensions, pkix.Extension{Id: asn1.ObjectIdentifier{1, 2, 3, 4}, Critical: true, Value: []byte{5, 0}})
}

func TestLongChain(t *testing.T) {
	must := ok(t)
	root := must(pki.Root("Root", now))
	issuer, served := root, []*x509.Certificate(nil)
	for i := range 35 {
		issuer = must(issuer.Intermediate(fmt.Sprint("Inter ", i), now))
		served = append(served, issuer.Certificate)
	}
	leaf := must(issuer.Leaf(now, []string{host}))
	r := chain.Build(storeOf(root), chain.Query{Served: append(certs(leaf), served...), At: now})
	if len(r.Valid) != 1 || len(r.Path.Certificates) != 37 {
		t.Errorf("%d valid paths, the best of %d", len(r.Valid), len(r.Path.Certificates))
	}
}

func TestMeshOfCrossSigns(t *testing.T) {
	must := ok(t)
	const size = 16
	var cas []*pki.Pair
	for i := range size {
		cas = append(cas, must(pki.Root(fmt.Sprint("CA ", i), now)))
	}
	var mesh []*x509.Certificate
	for i, a := range cas {
		for j, b := range cas {
			if i != j {
				mesh = append(mesh, crossSign(t, a, b).Certificate)
			}
		}
	}
	leaf := must(cas[0].Leaf(now, []string{host}))
	exit := must(pki.Root("Exit", now))
	served := append(certs(leaf), mesh...)
	if r := chain.Build(nil, chain.Query{Served: served, At: now}); r.Verdict != chain.Untrusted || !r.Limited {
		t.Errorf("without a way out: %s, limited %v", r.Verdict, r.Limited)
	}
	served = append(served, crossSign(t, cas[1], exit).Certificate)
	if r := chain.Build(storeOf(exit), chain.Query{Served: served, At: now}); len(r.Valid) == 0 {
		t.Errorf("with a way out: %s, limited %v", r.Verdict, r.Limited)
	}
}

func TestLoop(t *testing.T) {
	must := ok(t)
	a, b := must(pki.Root("A", now)), must(pki.Root("B", now))
	leaf := must(a.Leaf(now, []string{host}))
	served := append(certs(leaf), certs(crossSign(t, a, b), crossSign(t, b, a))...)
	if r := chain.Build(storeOf(must(pki.Root("C", now))), chain.Query{Served: served, At: now}); r.Verdict != chain.Untrusted || len(r.Path.Certificates) != 3 {
		t.Errorf("%s by a path of %d", r.Verdict, len(r.Path.Certificates))
	}
}

func TestManyIssuersOfOneName(t *testing.T) {
	must := ok(t)
	root := must(pki.Root("Root", now))
	inter := must(root.Intermediate("Inter", now))
	leaf := must(inter.Leaf(now, []string{host}))
	served := certs(leaf)
	for range 400 {
		served = append(served, must(pki.Root("Inter", now, func(c *x509.Certificate) { c.Subject = inter.Certificate.Subject })).Certificate)
	}
	served = append(served, inter.Certificate)
	r := chain.Build(storeOf(root), chain.Query{Served: served, At: now})
	if len(r.Valid) != 1 { // its key identifier leads to the right one first
		t.Errorf("%s, limited %v", r.Verdict, r.Limited)
	}
}

func TestManyNameConstraints(t *testing.T) {
	must := ok(t)
	root := must(pki.Root("Root", now))
	issuer, served := root, []*x509.Certificate(nil)
	for i := range 60 { // each constrains, and each has a name to constrain
		issuer = must(issuer.Intermediate(fmt.Sprint("Inter ", i), now, func(c *x509.Certificate) {
			c.PermittedDNSDomains, c.DNSNames = []string{"example.org"}, []string{fmt.Sprintf("ca%d.example.org", i)}
		}))
		served = append(served, issuer.Certificate)
	}
	leaf := must(issuer.Leaf(now, []string{host}))
	r := chain.Build(storeOf(root), chain.Query{Served: append(certs(leaf), served...), At: now})
	if len(r.Valid) > 0 || !r.Limited {
		t.Errorf("called valid though not all could be checked: %d, limited %v", len(r.Valid), r.Limited)
	}
}

// directoryNames are name constraints that exclude the organizations "Org 0" and so on.
func directoryNames(t *testing.T, n int) []byte {
	t.Helper()
	wrap := func(class, tag int, content []byte) []byte {
		der, err := asn1.Marshal(asn1.RawValue{Class: class, Tag: tag, IsCompound: true, Bytes: content})
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	var all []byte
	for i := range n {
		name, err := asn1.Marshal(pkix.Name{Organization: []string{fmt.Sprint("Org ", i)}}.ToRDNSequence())
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, wrap(asn1.ClassUniversal, asn1.TagSequence, wrap(asn1.ClassContextSpecific, 4, name))...)
	}
	return wrap(asn1.ClassUniversal, asn1.TagSequence, wrap(asn1.ClassContextSpecific, 1, all))
}

// TestManyDirectoryConstraints: thirty CAs in a row, each with hundreds of directory names, a list near the bound on its
// size. The walk still has a result.
func TestManyDirectoryConstraints(t *testing.T) {
	must := ok(t)
	value := directoryNames(t, 300)
	limits := func(c *x509.Certificate) {
		c.ExtraExtensions = append(c.ExtraExtensions, pkix.Extension{Id: asn1.ObjectIdentifier{2, 5, 29, 30}, Value: value})
	}
	root := must(pki.Root("Root", now))
	issuer, served := root, []*x509.Certificate(nil)
	for i := range 30 {
		issuer = must(issuer.Intermediate(fmt.Sprint("Inter ", i), now, limits))
		served = append(served, issuer.Certificate)
	}
	ours := func(c *x509.Certificate) { c.Subject.Organization = []string{"Org 299"} }
	leaf := must(issuer.Leaf(now, []string{host}, ours))
	r := chain.Build(storeOf(root), chain.Query{Served: append(certs(leaf), served...), At: now})
	if r.Verdict != chain.Trusted || !slices.Contains(kinds(r.Path.Problems), chain.NameConstraint) {
		t.Errorf("%s, %v", r.Verdict, kinds(r.Path.Problems))
	}
}

func TestKeyIsTooLargeToWorkWith(t *testing.T) {
	must := ok(t)
	root := must(pki.Root("Root", now))
	huge := *root.Certificate
	huge.PublicKey = &rsa.PublicKey{N: new(big.Int).Lsh(big.NewInt(1), 200_000), E: 1<<31 - 1}
	leaf := must(root.Leaf(now, []string{host}))
	r := chain.Build(trusting(&huge), chain.Query{Served: certs(leaf), At: now})
	if len(r.Valid) > 0 || len(r.Path.Problems) != 1 || r.Path.Problems[0].Kind != chain.Unverifiable {
		t.Errorf("%s, %v", r.Verdict, kinds(r.Path.Problems))
	}
}
