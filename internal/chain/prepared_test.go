package chain

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"testing"
	"time"

	"certdrift/internal/sim/pki"
)

// A key is prepared once it was asked for a few signatures, and only its own certificates count as signed then.
func TestAKeyIsPrepared(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	ca := func(curve elliptic.Curve) *pki.Pair {
		key, err := ecdsa.GenerateKey(curve, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		root, err := pki.RootWithKey("Root", now, key)
		if err != nil {
			t.Fatal(err)
		}
		return root
	}
	root, other := ca(elliptic.P384()), ca(elliptic.P384())
	cache := NewCache()
	prepared := func(issuer *pki.Pair) bool {
		leaf, err := issuer.Leaf(now, []string{"example.org"})
		if err != nil {
			t.Fatal(err)
		}
		return cache.signer(root.Certificate, digest{1}).signed(leaf.Certificate)
	}
	for n := range pays {
		if prepared(root) {
			t.Errorf("prepared for signature %d", n+1)
		}
	}
	if !prepared(root) {
		t.Errorf("not prepared after %d signatures", pays)
	}
	if prepared(other) {
		t.Error("another key's signature is accepted")
	}
	if cache.signer(ca(elliptic.P256()).Certificate, digest{2}) != nil {
		t.Error("a key on P-256 is prepared, which pays nothing")
	}
}
