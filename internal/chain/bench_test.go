package chain_test

import (
	"crypto/x509"
	"testing"

	"certdrift/internal/chain"
	"certdrift/internal/sim/pki"
)

// The two benchmarks do the same: leaf, intermediate and root, two signatures to check.

func healthy(b *testing.B) (root, inter, leaf *pki.Pair) {
	must := ok(b)
	root = must(pki.Root("Root", now))
	inter = must(root.Intermediate("Inter", now))
	return root, inter, must(inter.Leaf(now, []string{host}))
}

func BenchmarkBuild(b *testing.B) {
	root, inter, leaf := healthy(b)
	store := storeOf(root)
	b.ReportAllocs()
	for b.Loop() {
		if r := chain.Build(store, chain.Query{Served: certs(leaf, inter), At: now}); len(r.Valid) != 1 {
			b.Fatal(r.Verdict)
		}
	}
}

func BenchmarkVerify(b *testing.B) {
	root, inter, leaf := healthy(b)
	roots, inters := x509.NewCertPool(), x509.NewCertPool()
	roots.AddCert(root.Certificate)
	inters.AddCert(inter.Certificate)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := leaf.Certificate.Verify(x509.VerifyOptions{Roots: roots, Intermediates: inters, CurrentTime: now}); err != nil {
			b.Fatal(err)
		}
	}
}
