package chain_test

import (
	"crypto/x509"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"certdrift/internal/chain"
	"certdrift/internal/sim/pki"
)

// described is everything that a result says, certificates by their content.
func described(r *chain.Result) string {
	var b strings.Builder
	put := func(label string, certs ...*x509.Certificate) {
		fmt.Fprintf(&b, "\n%s", label)
		for _, c := range certs {
			fmt.Fprintf(&b, " %x", c.Signature[:8])
		}
	}
	problems := func(all []chain.Problem) {
		for _, p := range all {
			put(string(p.Kind)+" "+p.Detail, p.Certificate)
		}
	}
	put(fmt.Sprint(r.Verdict, r.Limited, r.Accepted(), r.Public()), r.Served...)
	problems(r.Leaf)
	for _, p := range append([]chain.Path{r.Path}, r.Valid...) {
		put(fmt.Sprint("path ", p.Anchor != nil), p.Certificates...)
		put("fetched", p.Fetched...)
		problems(p.Problems)
	}
	problems(r.Shadows)
	problems(r.StrictFaults())
	if r.Lookalike != nil {
		put(fmt.Sprint("lookalike ", r.Lookalike.Trusted, r.Lookalike.Claimed), r.Lookalike.Certificate)
	}
	return b.String()
}

func TestCacheChangesNoResult(t *testing.T) {
	cache := chain.NewCache()
	for seed := range uint64(60) {
		rng := rand.New(rand.NewPCG(seed, 2))
		served, roots := randomPKI(t, rng)
		plain := trusting(roots...)
		cached := plain.Caching(cache)
		var times []time.Time
		for _, c := range served {
			times = append(times, now, c.NotBefore, c.NotBefore.Add(-1), c.NotAfter, c.NotAfter.Add(1), c.NotAfter.AddDate(20, 0, 0))
		}
		rng.Shuffle(len(times), func(i, j int) { times[i], times[j] = times[j], times[i] })
		for _, at := range slices.Concat(times, times) {
			cut := 1 + rng.IntN(len(served))
			q := chain.Query{Served: served[:cut], Fetched: served[cut:], At: at}
			if got, want := described(chain.Build(cached, q)), described(chain.Build(plain, q)); got != want {
				t.Fatalf("seed %d at %v: with a cache%s\nwithout%s", seed, at, got, want)
			}
		}
	}
}

func TestCacheAnswersUntilADatePasses(t *testing.T) {
	must := ok(t)
	short := func(from, to int) pki.Option { return pki.Valid(now.AddDate(0, 0, from), now.AddDate(0, 0, to)) }
	root := must(pki.Root("Root", now, short(-40, 40)))
	inter := must(root.Intermediate("Inter", now, short(-30, 30)))
	leaf := must(inter.Leaf(now, []string{host}, short(-20, 20)))
	store := storeOf(root).Caching(chain.NewCache())
	build := func(at time.Time) *chain.Result {
		return chain.Build(store, chain.Query{Served: certs(leaf, inter), At: at})
	}

	first := build(now)
	if build(now.Add(time.Hour)) != first || build(leaf.Certificate.NotAfter) != first || build(leaf.Certificate.NotBefore) != first {
		t.Error("a chain was built again although nothing had changed")
	}
	for _, test := range []struct {
		at            time.Time
		leaf, issuers []chain.Kind
	}{
		{leaf.Certificate.NotAfter.Add(1), []chain.Kind{chain.Expired}, nil},
		{inter.Certificate.NotAfter, []chain.Kind{chain.Expired}, nil},
		{inter.Certificate.NotAfter.Add(1), []chain.Kind{chain.Expired}, []chain.Kind{chain.Expired}},
		{root.Certificate.NotAfter.Add(1), []chain.Kind{chain.Expired}, []chain.Kind{chain.Expired, chain.Expired}},
		{leaf.Certificate.NotBefore.Add(-1), []chain.Kind{chain.NotYetValid}, nil},
		{inter.Certificate.NotBefore.Add(-1), []chain.Kind{chain.NotYetValid}, []chain.Kind{chain.NotYetValid}},
		{now, nil, nil},
	} {
		for range 2 {
			r := build(test.at)
			if !slices.Equal(kinds(r.Leaf), test.leaf) || !slices.Equal(kinds(r.Path.Problems), test.issuers) {
				t.Errorf("at %v: %v, %v", test.at, kinds(r.Leaf), kinds(r.Path.Problems))
			}
		}
	}
}

func TestCacheNoticesAnIssuerIssuedAnew(t *testing.T) {
	must := ok(t)
	root := must(pki.Root("Root", now))
	inter := must(root.Intermediate("Inter", now))
	leaf := must(inter.Leaf(now, []string{host}))
	store := storeOf(root).Caching(chain.NewCache())
	again := func(opts ...pki.Option) *pki.Pair {
		return must(root.IntermediateWithKey("Inter", now, inter.Key, opts...))
	}
	for _, test := range []struct {
		inter *pki.Pair
		want  []chain.Kind
	}{
		{inter, nil},
		{again(), nil},
		{again(pki.Valid(now.AddDate(-2, 0, 0), now.AddDate(-1, 0, 0))), []chain.Kind{chain.Expired}},
		{again(func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageCRLSign }), []chain.Kind{chain.NoCertSign}},
		{inter, nil},
	} {
		if r := chain.Build(store, chain.Query{Served: certs(leaf, test.inter), At: now}); !slices.Equal(kinds(r.Path.Problems), test.want) {
			t.Errorf("got %v, want %v", kinds(r.Path.Problems), test.want)
		}
	}
	foreign := must(must(pki.Root("Root", now)).IntermediateWithKey("Inter", now, inter.Key)) // the same names and key, signed by another root
	if r := chain.Build(store, chain.Query{Served: certs(leaf, foreign), At: now}); len(r.Valid) > 0 {
		t.Error("the signature of one certificate was taken for that of another")
	}
}

func TestCacheNoticesOtherRoots(t *testing.T) {
	must := ok(t)
	root, other := must(pki.Root("Root", now)), must(pki.Root("Other", now))
	leaf := must(root.Leaf(now, []string{host}))
	cache := chain.NewCache()
	q := chain.Query{Served: certs(leaf), At: now}
	base := storeOf(other).Caching(cache)
	for range 2 {
		for _, test := range []struct {
			store *chain.Store
			valid bool
		}{
			{base, false},
			{base.With(ders(root)), true},
			{base.With(ders(other)), false},
			{storeOf(root).Caching(cache), true}, // the root was added
			{storeOf().Caching(cache), false},    // and removed
		} {
			if r := chain.Build(test.store, q); len(r.Valid) > 0 != test.valid {
				t.Errorf("%s", r.Verdict)
			}
		}
	}
	if first, second := base.With(ders(root)), base.With(ders(root)); first != second {
		t.Error("a store with the same CAs was made again, and knows nothing")
	}
}

// A signature that is wrong stays wrong, and one that is right stays right, in whichever order they are seen.
func TestCacheKeepsSignaturesApart(t *testing.T) {
	must := ok(t)
	root := must(pki.Root("Root", now))
	inter := must(root.Intermediate("Inter", now))
	leaf := must(inter.Leaf(now, []string{host}))
	der := slices.Clone(leaf.Certificate.Raw)
	der[len(der)-1] ^= 1
	forged, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	for _, order := range [][]*x509.Certificate{{forged, leaf.Certificate, forged}, {leaf.Certificate, forged, leaf.Certificate}} {
		cache := chain.NewCache()
		for i, cert := range order {
			// Each in a store of its own, so that only signatures are remembered.
			r := chain.Build(storeOf(root).Caching(cache), chain.Query{Served: []*x509.Certificate{cert, inter.Certificate}, At: now})
			if got := len(r.Valid) > 0; got != (cert == leaf.Certificate) {
				t.Errorf("step %d: valid %v", i, got)
			}
		}
	}
}

func TestCacheIsSafeForConcurrentUse(t *testing.T) {
	must := ok(t)
	root := must(pki.Root("Root", now))
	inter := must(root.Intermediate("Inter", now))
	store := trusting().Caching(chain.NewCache())
	var leaves []*pki.Pair
	for range 4 {
		leaves = append(leaves, must(inter.Leaf(now, []string{host})))
	}
	var group sync.WaitGroup
	for i := range 16 {
		group.Go(func() {
			r := chain.Build(store.With(ders(root)), chain.Query{Served: certs(leaves[i%4], inter), At: now})
			if !r.Accepted() {
				t.Errorf("%s", r.Verdict)
			}
		})
	}
	group.Wait()
}
