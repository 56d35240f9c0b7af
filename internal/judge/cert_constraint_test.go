package judge

import (
	"crypto/x509"
	"fmt"
	"net"
	"testing"

	"certdrift/internal/observation"
	"certdrift/internal/sim/pki"
)

func TestCertConstraint(t *testing.T) {
	_, ten, err := net.ParseCIDR("10.0.0.0/8")
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name string
		opt  pki.Option
		says string
	}{
		{"no CA", func(c *x509.Certificate) { c.IsCA, c.KeyUsage = false, x509.KeyUsageDigitalSignature }, "is no CA"},
		{"may not sign", keyUsage(x509.KeyUsageCRLSign), "keyCertSign"},
		{"name not permitted", func(c *x509.Certificate) { c.PermittedDNSDomains = []string{"example.com"} }, `"api.example.org" is not permitted`},
		{"name excluded", func(c *x509.Certificate) { c.ExcludedDNSDomains = []string{"example.org"} }, "is excluded"},
		{"critical extension", extension(true, []byte{5, 0}, 1, 2, 3, 4), "1.2.3.4"},
		{"name permitted", func(c *x509.Certificate) {
			c.PermittedDNSDomains, c.PermittedDNSDomainsCritical = []string{".org"}, true
		}, ""},
		{"addresses permitted, no address", func(c *x509.Certificate) { c.PermittedIPRanges = []*net.IPNet{ten} }, ""},
		{"not critical", extension(false, []byte{5, 0}, 1, 2, 3, 4), ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			srv := newShop(t, test.opt).serve(t)
			if test.says == "" {
				srv.expect(t)
				return
			}
			says(t, srv.expect(t, "cert-constraint critical"), `the issuer "Test Intermediate"`, test.says)
		})
	}
}

func TestCertConstraintPathLength(t *testing.T) {
	s := newShop(t, func(c *x509.Certificate) { c.MaxPathLen, c.MaxPathLenZero = 0, true })
	s.serve(t).expect(t)
	issuing := must(t)(s.inter.Intermediate("Test Issuing", certNow))
	srv := server{chain: must(t)(issuing.Leaf(certNow, []string{certHost})).Served(), roots: []*pki.Pair{s.root}}
	says(t, srv.expect(t, "cert-constraint critical"), `"Test Intermediate" has too many CAs below it: it allows 0`)
}

func TestCertConstraintOnTheLeaf(t *testing.T) {
	says(t, newShop(t).serve(t, extension(true, []byte{5, 0}, 1, 2, 3, 4)).expect(t, "cert-constraint critical"), `the certificate "api.example.org" has a critical extension`)
}

func TestCertConstraintLeafThatIssues(t *testing.T) {
	s := newShop(t)
	mallory := must(t)(s.inter.Leaf(certNow, []string{"mallory.example.net"}))
	srv := server{chain: must(t)(mallory.Leaf(certNow, []string{certHost})).Served(), roots: []*pki.Pair{s.root}}
	says(t, srv.expect(t, "cert-constraint critical"), `the issuer "mallory.example.net" is no CA`)
}

func TestCertConstraintWithOtherFaults(t *testing.T) {
	s := newShop(t, func(c *x509.Certificate) {
		c.PermittedDNSDomains = []string{"example.com"}
		c.NotBefore, c.NotAfter = certNow.AddDate(-2, 0, 0), certNow.AddDate(0, 0, -1)
	})
	srv := s.serve(t)
	srv.host = "other.example.org"
	srv.expect(t, "cert-constraint critical", "cert-chain-expired critical", "cert-name-mismatch critical")
}

func TestCertChainOversized(t *testing.T) {
	s := newShop(t)
	srv := s.serve(t)
	for i := 0; len(srv.chain) < 400; i++ {
		srv.chain = append(srv.chain, s.inter.Certificate.Raw)
	}
	size := 0
	for i, der := range srv.chain {
		if size += len(der) + 3; size > oversized {
			over, under := srv, srv
			over.chain, under.chain = srv.chain[:i+1], srv.chain[:i]
			says(t, over.expect(t, "cert-chain-oversized warning"), fmt.Sprintf("%d KiB", size>>10))
			under.expect(t)
			break
		}
	}
	server{failure: &observation.Failure{Phase: observation.PhaseTLS, Kind: observation.ChainOversized, Detail: "handshake message of length 300000"}}.
		expect(t, "cert-chain-oversized critical")
}

func TestCertMalformed(t *testing.T) {
	failure := &observation.Failure{Phase: observation.PhaseTLS, Kind: observation.ChainMalformed, Detail: "x509: malformed \x1b tbs certificate"}
	says(t, server{failure: failure}.expect(t, "cert-malformed critical"), "malformed")

	srv := newShop(t).serve(t)
	srv.chain = append(srv.chain, []byte("no certificate"))
	says(t, srv.expect(t, "cert-malformed critical"), "certificate 3 of the chain")
	srv.chain = [][]byte{[]byte("no leaf"), srv.chain[1]} // what follows a broken leaf says nothing about the server
	says(t, srv.expect(t, "cert-malformed critical"), "certificate 1 of the chain")
}
