package judge

import (
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"certdrift/internal/chain"
	"certdrift/internal/observation"
	"certdrift/internal/sim/pki"
)

func TestCertSelfSigned(t *testing.T) {
	self := must(t)(pki.SelfSigned(certNow, []string{certHost}))
	srv := server{chain: self.Served(), roots: []*pki.Pair{newShop(t).root}}
	says(t, srv.expect(t, "cert-self-signed critical"), `"api.example.org" is self-signed`)

	srv.cas = []*pki.Pair{self} // named in ca_files: trusted as it stands
	srv.expect(t)

	again := must(t)(pki.SelfSigned(certNow, []string{certHost})) // the same name, another key
	srv.chain = again.Served()
	srv.expect(t, "cert-self-signed critical")

	all := must(t)(pki.SelfSigned(certNow, []string{"other.example.org"}, lasting(90*dayLong, -dayLong)))
	server{chain: all.Served()}.expect(t, "cert-self-signed critical", "cert-expired critical", "cert-name-mismatch critical")
}

func TestCertSelfIssuedIsNotSelfSigned(t *testing.T) {
	// A leaf that bears its CA's name, as hasty scripts make it.
	ca := must(t)(pki.Root("localhost", certNow))
	leaf := must(t)(ca.Leaf(certNow, []string{certHost}, subjectOfPair(ca)))
	server{chain: leaf.Served(), roots: []*pki.Pair{newShop(t).root}}.expect(t, "cert-chain-incomplete critical")
	server{chain: leaf.Served(), roots: []*pki.Pair{ca}}.expect(t)
}

func TestCertUntrusted(t *testing.T) {
	s, other := newShop(t), newShop(t)
	srv := s.serve(t)
	srv.roots = []*pki.Pair{must(t)(pki.Root("Another Root", certNow))}
	says(t, srv.expect(t, "cert-untrusted critical"), `"Test Intermediate"`, `"Test Root" is not trusted`)

	sent := srv
	sent.chain = append(slices.Clone(srv.chain), s.root.Certificate.Raw)
	says(t, sent.expect(t, "cert-untrusted critical"), `the chain ends in the root "Test Root", which is not trusted`)

	srv.cas = []*pki.Pair{s.root} // a private CA, named in ca_files
	srv.expect(t)

	srv.cas, srv.roots = nil, []*pki.Pair{other.root} // a root of the same name, with another key
	says(t, srv.expect(t, "cert-untrusted critical"), `"Test Root"`, "in the trust store did not sign it")
}

func TestCertChainIncompleteWithAnIntermediateOfTheSameName(t *testing.T) {
	s := newShop(t)
	srv := s.serve(t)
	srv.chain[1] = must(t)(s.root.Intermediate("Test Intermediate", certNow)).Certificate.Raw
	says(t, srv.expect(t, "cert-chain-incomplete critical"), "the one of that name that it sends has another key")
}

func TestCertUntrustedBySignature(t *testing.T) {
	srv := newShop(t).serve(t)
	srv.chain[0][len(srv.chain[0])-1] ^= 1
	says(t, srv.expect(t, "cert-untrusted critical"), "did not sign it")
}

func TestCertUntrustedByTheRootsLimit(t *testing.T) {
	s := newShop(t)
	srv := s.serve(t)
	srv.roots = nil
	srv.anchors = []chain.Anchor{{Certificate: s.root.Certificate, Public: true, Constraint: func([]*x509.Certificate) error {
		return errors.New("issued after its distrust date")
	}}}
	says(t, srv.expect(t, "cert-untrusted critical"), `the root "Test Root" is trusted within limits only`, "issued after its distrust date")
}

func TestCertUntrustedAndItsIssuerExpired(t *testing.T) {
	srv := newShop(t, lasting(900*dayLong, -dayLong)).serve(t)
	srv.roots = nil
	srv.expect(t, "cert-untrusted critical", "cert-chain-expired critical")
}

func TestCertChainIncomplete(t *testing.T) {
	s := newShop(t)
	const url = "http://ca.example.net/inter.der"
	srv := s.serve(t, aia(url))
	srv.chain = srv.chain[:1]
	fs := srv.expect(t, "cert-chain-incomplete critical")
	says(t, fs, `does not send "Test Intermediate", the issuer of "api.example.org"`)
	if got := fmt.Sprint(fs[0].Evidence["aia"], fs[0].Evidence["missing_issuer"]); !strings.Contains(got, url) || !strings.Contains(got, "CN=Test Intermediate") {
		t.Errorf("evidence %v", fs[0].Evidence)
	}

	fetched := srv
	fetched.issuers = []observation.FetchedIssuer{{URL: url, DER: s.inter.Certificate.Raw}}
	fs = fetched.expect(t, "cert-chain-incomplete critical")
	says(t, fs, "with it the chain would be trusted")
	if !strings.Contains(fs[0].Remedy, "curl -s "+url) || !strings.Contains(fmt.Sprint(fs[0].Evidence["append"]), url) {
		t.Errorf("what to append is not said: %s; %v", fs[0].Remedy, fs[0].Evidence["append"])
	}

	failed := srv
	failed.issuers = []observation.FetchedIssuer{{URL: url, Failure: "404 Not Found"}}
	fs = failed.expect(t, "cert-chain-incomplete critical")
	if !strings.Contains(fmt.Sprint(fs[0].Evidence["aia_result"]), "404") {
		t.Errorf("evidence %v", fs[0].Evidence)
	}
}

func TestCertChainIncompleteAboveAnIntermediate(t *testing.T) {
	s := newShop(t)
	issuing := must(t)(s.inter.Intermediate("Test Issuing", certNow))
	srv := server{chain: must(t)(issuing.Leaf(certNow, []string{certHost})).Served()[:2], roots: []*pki.Pair{s.root}}
	srv.expect(t, "cert-untrusted critical") // nobody knows better
	srv.issuers = []observation.FetchedIssuer{{URL: "http://ca.example.net/", DER: s.inter.Certificate.Raw}}
	says(t, srv.expect(t, "cert-chain-incomplete critical"), `does not send "Test Intermediate", the issuer of "Test Issuing"`)
}

func TestCertChainOrderAndExtrasAreNoFault(t *testing.T) {
	s, stranger := newShop(t), newShop(t)
	issuing := must(t)(s.inter.Intermediate("Test Issuing", certNow))
	leaf := must(t)(issuing.Leaf(certNow, []string{certHost}))
	expired := must(t)(pki.SelfSigned(certNow, []string{"old.example.org"}, lasting(900*dayLong, -dayLong)))
	srv := server{roots: []*pki.Pair{s.root}}
	for _, p := range []*pki.Pair{leaf, expired, s.root, stranger.inter, s.inter, issuing, leaf} {
		srv.chain = append(srv.chain, p.Certificate.Raw)
	}
	srv.expect(t)
}

func TestRemedyKnowsACM(t *testing.T) {
	srv := newShop(t).serve(t, lasting(90*dayLong, -dayLong))
	srv.declared = "arn:aws:acm:us-west-2:111122223333:certificate/1234"
	fs := srv.expect(t, "cert-expired critical")
	if !strings.Contains(fs[0].Remedy, "aws acm describe-certificate --region us-west-2 --certificate-arn "+srv.declared) {
		t.Errorf("remedy %q", fs[0].Remedy)
	}
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
