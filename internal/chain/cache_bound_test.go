package chain

import (
	"crypto/x509"
	"testing"
	"time"

	"certdrift/internal/sim/pki"
)

func TestGenerationsAreBounded(t *testing.T) {
	g := generations[int, string]{most: 20}
	for i := range 1000 {
		g.put(i, "x", 2)
		if _, ok := g.get(0); !ok {
			t.Fatalf("the entry in use was forgotten after %d others", i)
		}
		if held := len(g.young) + len(g.old); held > 10 {
			t.Fatalf("%d entries of weight 2 are held, over the bound of 20", held)
		}
	}
	if _, ok := g.get(500); ok {
		t.Error("an entry that nobody asked for is still held")
	}
	if g.put(-1, "too heavy", 11); len(g.young) == 0 {
		t.Error("one entry displaced all others")
	}
	if _, ok := g.get(-1); ok {
		t.Error("an entry was taken that would fill half of it")
	}
}

// A signature is checked once for each pair of certificates, however many chains it is part of.
func TestLinksAreShared(t *testing.T) {
	now := time.Now()
	root, err := pki.Root("Root", now)
	if err != nil {
		t.Fatal(err)
	}
	inter, err := root.Intermediate("Inter", now)
	if err != nil {
		t.Fatal(err)
	}
	cache := NewCache()
	store := NewStore([]Anchor{{Certificate: root.Certificate}}).Caching(cache)
	for n := range 3 {
		leaf, err := inter.Leaf(now, []string{"a.test"})
		if err != nil {
			t.Fatal(err)
		}
		if r := Build(store, Query{Served: []*x509.Certificate{leaf.Certificate, inter.Certificate}, At: now}); !r.Accepted() {
			t.Fatal(r.Verdict)
		}
		if links := len(cache.links.young); links != n+2 {
			t.Errorf("%d signatures were checked for %d leaves under one intermediate and one root", links, n+1)
		}
	}
}
