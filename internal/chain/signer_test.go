package chain_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"slices"
	"sync"
	"testing"

	"certdrift/internal/chain"
	"certdrift/internal/sim/pki"
)

// A key that signed many certificates is prepared after the first ones. None of it shows: not in which certificates it accepts, not in those
// that it did not sign.
func TestASignerOfManyCertificates(t *testing.T) {
	t.Parallel()
	must := ok(t)
	p384 := func() crypto.Signer {
		key, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		return key
	}
	root := must(pki.RootWithKey("Root", now, p384()))
	inter := must(root.IntermediateWithKey("Inter", now, p384()))
	namesake := must(root.IntermediateWithKey("Inter", now, p384()))
	store := storeOf(root).Caching(chain.NewCache())
	accepted := func(cert *x509.Certificate) bool {
		return len(chain.Build(store, chain.Query{Served: []*x509.Certificate{cert, inter.Certificate}, At: now}).Valid) > 0
	}
	var group sync.WaitGroup
	for range 12 {
		group.Go(func() {
			leaf := must(inter.Leaf(now, []string{host})).Certificate
			der := slices.Clone(leaf.Raw)
			der[len(der)-1] ^= 1
			forged, err := x509.ParseCertificate(der)
			if err != nil {
				t.Error(err)
				return
			}
			if accepted(forged) {
				t.Error("a forged certificate is accepted")
			}
			if !accepted(leaf) {
				t.Error("a certificate is refused")
			}
			if accepted(must(namesake.Leaf(now, []string{host})).Certificate) {
				t.Error("a certificate of another CA of the same name is accepted")
			}
		})
	}
	group.Wait()
}
