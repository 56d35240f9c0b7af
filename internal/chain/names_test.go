package chain_test

import (
	"testing"
	"time"

	"certdrift/internal/chain"
	"certdrift/internal/sim/pki"
)

func TestCovers(t *testing.T) {
	for _, c := range []struct {
		name, host string
		want       bool
	}{
		{"api.example.org", "API.example.org.", true},
		{"api.example.org", "example.org", false},
		{"*.example.org", "a.example.org", true},
		{"*.example.org", "a.b.example.org", false},
		{"*.example.org", "example.org", false},
		{"*.org", "example.org", false},
		{"192.0.2.7", "192.0.2.7", true},
		{"2001:db8::7", "[2001:db8:0::7]", true},
		{"192.0.2.7", "192.0.2.8", false},
		{"api.example.org", "", false},
	} {
		p, err := pki.SelfSigned(time.Now(), []string{c.name})
		if err != nil {
			t.Fatal(err)
		}
		if got := chain.Covers(p.Certificate, c.host); got != c.want {
			t.Errorf("%q covers %q: %v", c.name, c.host, got)
		}
	}
}

func TestAccepted(t *testing.T) {
	now := time.Now()
	root, err := pki.Root("Root", now)
	if err != nil {
		t.Fatal(err)
	}
	good, err := root.Leaf(now, []string{"a.example.org"})
	if err != nil {
		t.Fatal(err)
	}
	store := storeOf(root)
	for name, c := range map[string]struct {
		store *chain.Store
		at    time.Time
		want  bool
	}{
		"good":          {store, now, true},
		"expired":       {store, now.AddDate(1, 0, 0), false},
		"not yet valid": {store, now.AddDate(-1, 0, 0), false},
		"untrusted":     {storeOf(), now, false},
		"no store":      {nil, now, false},
	} {
		if got := chain.Build(c.store, chain.Query{Served: certs(good), At: c.at}).Accepted(); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
