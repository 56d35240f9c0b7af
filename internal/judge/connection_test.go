package judge

import (
	"testing"

	"certdrift/internal/observation"
	"certdrift/internal/sim/pki"
)

func TestCertChainOrderAndExtrasAreNoFault(t *testing.T) {
	s, unrelated := newShop(t), newShop(t)
	issuing := must(t)(s.inter.Intermediate("Test Issuing", certNow))
	leaf := must(t)(issuing.Leaf(certNow, []string{certHost}))
	expired := must(t)(pki.SelfSigned(certNow, []string{"old.example.org"}, lasting(900*dayLong, -dayLong)))
	srv := server{roots: []*pki.Pair{s.root}}
	for _, p := range []*pki.Pair{leaf, expired, s.root, unrelated.inter, s.inter, issuing, leaf} {
		srv.chain = append(srv.chain, p.Certificate.Raw)
	}
	srv.expect(t)
}

func TestOneChainAtManyAddresses(t *testing.T) {
	s := newShop(t)
	srv := s.serve(t, lasting(90*dayLong, -dayLong))
	srv.host = "other.example.org"
	in := srv.input()
	e := &in.Round.Endpoints[0]
	e.Addresses = append(e.Addresses, e.Addresses[0])
	e.Addresses[1].Address = "192.0.2.2:443"
	lone := *e.Addresses[0].TLS
	lone.Chain = lone.Chain[:1]
	e.Addresses = append(e.Addresses, observation.Address{Address: "192.0.2.3:443", TLS: &lone})
	count := map[string]int{}
	for _, f := range Judge(in).Findings {
		count[string(f.Code)+" "+f.Address]++
	}
	for _, want := range []string{"cert-expired ", "cert-name-mismatch ", "cert-chain-incomplete 192.0.2.3:443"} {
		if count[want] != 1 {
			t.Errorf("%q: %d findings of %v", want, count[want], count)
		}
	}
}
