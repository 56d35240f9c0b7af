package chain_test

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"slices"
	"strings"
	"testing"

	"certdrift/internal/chain"
	"certdrift/internal/sim/pki"
)

// policies puts policies on a certificate; anyPolicy is 2.5.29.32.0.
func policies(t *testing.T, ids ...[]uint64) pki.Option {
	return func(c *x509.Certificate) {
		for _, id := range ids {
			p, err := x509.OIDFromInts(id)
			if err != nil {
				t.Fatal(err)
			}
			c.Policies = append(c.Policies, p)
		}
	}
}

// extra adds a critical extension of id-ce (2.5.29).
func extra(id int, value ...byte) pki.Option {
	return func(c *x509.Certificate) {
		c.ExtraExtensions = append(c.ExtraExtensions, pkix.Extension{Id: asn1.ObjectIdentifier{2, 5, 29, id}, Critical: true, Value: value})
	}
}

func all(opts ...pki.Option) pki.Option {
	return func(c *x509.Certificate) {
		for _, o := range opts {
			o(c)
		}
	}
}

// TestPolicies holds the walk against crypto/x509's over real chains: an issuer that demands a policy (requireExplicitPolicy,
// RFC 5280 §4.2.1.11) gets one that holds all the way down, or the chain is refused.
func TestPolicies(t *testing.T) {
	must := ok(t)
	one, two, anyPolicy := []uint64{1, 2, 3}, []uint64{1, 2, 4}, []uint64{2, 5, 29, 32, 0}
	none := func(*x509.Certificate) {}
	demand, later := extra(36, 0x30, 3, 0x80, 1, 0), extra(36, 0x30, 3, 0x80, 1, 5)
	noMapping := extra(36, 0x30, 3, 0x81, 1, 0)
	noAny := extra(54, 2, 1, 0)
	oneIsTwo := extra(33, 0x30, 10, 0x30, 8, 6, 2, 0x2a, 3, 6, 2, 0x2a, 4) // 1.2.3 is 1.2.4 below
	for _, test := range []struct {
		name               string
		upper, lower, leaf pki.Option
		want               bool
	}{
		{"nothing is demanded", policies(t, one), policies(t, one), policies(t, two), true},
		{"only mapping is forbidden", noMapping, none, none, true},
		{"the leaf has it", policies(t, one), all(demand, policies(t, one)), policies(t, two, one), true},
		{"the leaf has none", policies(t, one), all(demand, policies(t, one)), none, false},
		{"the leaf has another", policies(t, one), all(demand, policies(t, one)), policies(t, two), false},
		{"nobody has any", demand, none, none, false},
		{"an issuer between has none", all(demand, policies(t, one)), none, policies(t, one), false},
		{"any above", policies(t, anyPolicy), all(demand, policies(t, anyPolicy)), policies(t, two), true},
		{"any is inhibited", all(noAny, policies(t, one)), all(demand, policies(t, one)), policies(t, anyPolicy), false},
		{"mapped", all(demand, policies(t, one)), all(oneIsTwo, policies(t, one)), policies(t, two), true},
		{"mapped away", all(demand, policies(t, one)), all(oneIsTwo, policies(t, one)), policies(t, one), false},
		{"mapping is forbidden", all(noMapping, policies(t, one)), all(oneIsTwo, policies(t, one)), all(demand, policies(t, two)), false},
		{"demanded further down than the chain goes", later, none, none, true},
		{"the leaf demands", none, none, demand, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			root := must(pki.Root("Root", now))
			upper := must(root.Intermediate("Upper", now, test.upper))
			lower := must(upper.Intermediate("Lower", now, test.lower))
			leaf := must(lower.Leaf(now, []string{host}, test.leaf))
			r := chain.Build(storeOf(root), chain.Query{Served: certs(leaf, lower, upper), At: now})
			var want []chain.Kind
			if !test.want {
				want = []chain.Kind{chain.PolicyConstraint}
			}
			if r.Verdict != chain.Trusted || !slices.Equal(kinds(r.Path.Problems), want) {
				t.Errorf("got %s, %v; want %v", r.Verdict, kinds(r.Path.Problems), want)
			}
			pool, inters := x509.NewCertPool(), x509.NewCertPool()
			pool.AddCert(root.Certificate)
			inters.AddCert(lower.Certificate)
			inters.AddCert(upper.Certificate)
			if _, err := leaf.Certificate.Verify(x509.VerifyOptions{Roots: pool, Intermediates: inters, CurrentTime: now}); (err == nil) != test.want {
				t.Errorf("Verify says: %v", err)
			}
		})
	}
}

// TestManyPolicyPaths: a mesh of cross-signs below a CA that demands a policy costs no more than the bound.
func TestManyPolicyPaths(t *testing.T) {
	must := ok(t)
	root := must(pki.Root("Root", now))
	p := must(root.Intermediate("Demanding", now, extra(36, 0x30, 3, 0x80, 1, 0)))
	served := certs(p)
	for i := range 60 {
		upper := p
		p = must(upper.Intermediate(fmt.Sprint("CA ", i), now))
		served = append(served, p.Certificate)
		if i < 6 {
			served = append(served, crossSign(t, p, upper).Certificate)
		}
	}
	leaf := must(p.Leaf(now, []string{host}))
	r := chain.Build(storeOf(root), chain.Query{Served: append(certs(leaf), served...), At: now})
	if !r.Limited || len(r.Valid) > 0 || !slices.Equal(kinds(r.Path.Problems), []chain.Kind{chain.PolicyConstraint}) {
		t.Errorf("limited %v, %d valid, %v", r.Limited, len(r.Valid), kinds(r.Path.Problems))
	}
	if detail := r.Path.Problems[0].Detail; strings.Contains(detail, "too many") {
		t.Errorf("the best path says %q", detail)
	}
}

// TestSelfIssuedCountsForLessInPolicies: a CA's new key under its old one is no further step down (RFC 5280 §6.1.4 (h)).
func TestSelfIssuedCountsForLessInPolicies(t *testing.T) {
	must := ok(t)
	root := must(pki.Root("Root", now))
	upper := must(root.Intermediate("Upper", now, extra(36, 0x30, 3, 0x80, 1, 2)))
	rollover := must(upper.Intermediate("new key", now, as(upper)))
	leaf := must(rollover.Leaf(now, []string{host}))
	if r := chain.Build(storeOf(root), chain.Query{Served: certs(leaf, rollover, upper), At: now}); len(r.Valid) != 1 {
		t.Errorf("self-issued: %s, %v", r.Verdict, kinds(r.Path.Problems))
	}
	lower := must(upper.Intermediate("Lower", now))
	again := must(lower.Intermediate("Again", now))
	leaf = must(again.Leaf(now, []string{host}))
	if r := chain.Build(storeOf(root), chain.Query{Served: certs(leaf, again, lower, upper), At: now}); len(r.Valid) != 0 {
		t.Errorf("three steps down: %s, %v", r.Verdict, kinds(r.Path.Problems))
	}
}
