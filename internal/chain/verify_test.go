package chain_test

import (
	"crypto/x509"
	"fmt"
	"math/rand/v2"
	"testing"

	"certdrift/internal/chain"
	"certdrift/internal/sim/pki"
)

// TestAgreesWithVerify holds the walk against crypto/x509's over many small PKIs made at random, with cross-signs, expired
// certificates and constraints: both find a valid path, or neither does.
func TestAgreesWithVerify(t *testing.T) {
	valid := 0
	for seed := range uint64(300) {
		rng := rand.New(rand.NewPCG(seed, 1))
		served, roots := randomPKI(t, rng)
		pool, inters := x509.NewCertPool(), x509.NewCertPool()
		for _, r := range roots {
			pool.AddCert(r)
		}
		for _, c := range served[1:] {
			inters.AddCert(c)
		}
		_, err := served[0].Verify(x509.VerifyOptions{Roots: pool, Intermediates: inters, CurrentTime: now})
		r := chain.Build(trusting(roots...), chain.Query{Served: served, At: now})
		if got := len(r.Valid) > 0 && len(r.Leaf) == 0; got != (err == nil) {
			t.Errorf("seed %d: valid %v (%s, %v, %v), but Verify says: %v", seed, got, r.Verdict, kinds(r.Leaf), kinds(r.Path.Problems), err)
		}
		if err == nil {
			valid++
		}
	}
	if valid < 30 || valid > 270 {
		t.Errorf("%d of 300 chains are valid: the generator has become one-sided", valid)
	}
}

func randomPKI(t *testing.T, rng *rand.Rand) (served, roots []*x509.Certificate) {
	must := ok(t)
	var cas []*pki.Pair
	for i := range 2 + rng.IntN(4) {
		name := fmt.Sprint("CA ", i)
		if i == 0 || rng.IntN(4) == 0 {
			cas = append(cas, must(pki.Root(name, now, randomOption(rng))))
			continue
		}
		cas = append(cas, must(cas[rng.IntN(i)].Intermediate(name, now, randomOption(rng))))
	}
	served = certs(must(cas[len(cas)-1].Leaf(now, []string{host}, func(c *x509.Certificate) {
		if rng.IntN(10) == 0 {
			expired(c)
		}
	})))
	for _, ca := range cas {
		if rng.IntN(4) > 0 {
			served = append(served, ca.Certificate)
		}
	}
	for range rng.IntN(3) {
		a, b := cas[rng.IntN(len(cas))], cas[rng.IntN(len(cas))]
		served = append(served, crossSign(t, a, b, randomOption(rng)).Certificate)
	}
	rng.Shuffle(len(served)-1, func(i, j int) { served[i+1], served[j+1] = served[j+1], served[i+1] })
	roots = append(roots, cas[0].Certificate)
	if other := cas[rng.IntN(len(cas))].Certificate; other != cas[0].Certificate && rng.IntN(2) == 0 {
		roots = append(roots, other)
	}
	return served, roots
}

func randomOption(rng *rand.Rand) pki.Option {
	return func(c *x509.Certificate) {
		switch rng.IntN(20) {
		case 0:
			expired(c)
		case 1:
			c.MaxPathLen, c.MaxPathLenZero = 0, true
		case 2:
			c.PermittedDNSDomains = []string{"example.com"}
		case 3:
			c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning}
		case 4:
			c.IsCA = false
		}
	}
}
