package judge

import (
	"crypto/ed25519"
	"crypto/rand"
	"slices"
	"strings"
	"testing"

	"certdrift/internal/certtest"
	"certdrift/internal/finding"
	"certdrift/internal/observation"
	"certdrift/internal/sim/pki"
	"certdrift/internal/target"
	"certdrift/internal/topology"
)

// rsaLeaf issues a certificate with an RSA key and 60 of its 90 days left.
func (s *scene) rsaLeaf(names ...string) *pki.Pair {
	s.t.Helper()
	leaf, err := s.Root().LeafWithKey(noon, names, certtest.RSAKey(s.t, 2048), pki.Valid(noon.AddDate(0, 0, -30), noon.AddDate(0, 0, 60)))
	if err != nil {
		s.t.Fatal(err)
	}
	return leaf
}

// paired is an address that serves one certificate first and another one to clients of the other type of key.
func paired(ip string, first, second *pki.Pair) observation.Address {
	a := ok(ip, first)
	a.Other = &observation.OtherCertificate{KeyType: keyType(second.Certificate), TLS: &observation.TLS{Version: "TLS 1.3", Cipher: "TLS_AES_128_GCM_SHA256", Chain: second.Served()}}
	return a
}

// olderTLS is an address that was seen with TLS 1.2, where a server may go by the client's cipher suites.
func olderTLS(a observation.Address) observation.Address {
	a.TLS.Version, a.TLS.Cipher = "TLS 1.2", "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"
	a.Other.TLS.Version, a.Other.TLS.Cipher = "TLS 1.2", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"
	return a
}

// alone is an address without another certificate, unknown one that did not answer the question for it.
func alone(ip string, first *pki.Pair) observation.Address {
	a := ok(ip, first)
	a.Other = &observation.OtherCertificate{KeyType: otherType(first), Absent: true}
	return a
}

func unknown(ip string, first *pki.Pair) observation.Address {
	a := alone(ip, first)
	a.Other.Absent, a.Other.Failure = false, &observation.Failure{Phase: observation.PhaseTLS, Kind: observation.TimedOut, Detail: "the phase took longer than the timeout"}
	return a
}

func otherType(p *pki.Pair) observation.KeyType {
	if keyType(p.Certificate) == observation.RSA {
		return observation.ECDSA
	}
	return observation.RSA
}

// TestOther: each certificate of a pair is judged, and a finding about one of them says which, and which clients get it.
func TestOther(t *testing.T) {
	s := newScene(t)
	ec, rsa := s.Leaf(host), s.rsaLeaf(host)
	expired, foreign := s.LeafUntil(noon.AddDate(0, 0, -1), host), s.Leaf("www.example.net")
	selfSigned, err := pki.SelfSigned(noon, []string{host})
	if err != nil {
		t.Fatal(err)
	}
	expiredRSA, err := s.Root().LeafWithKey(noon, []string{host}, certtest.RSAKey(t, 2048), pki.Valid(noon.AddDate(0, 0, -91), noon.AddDate(0, 0, -1)))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name    string
		address observation.Address
		want    finding.Code
		key     string
		other   bool
		clients string
	}{
		{"both good", paired("10.0.0.1", rsa, ec), "", "", false, ""},
		{"both good, ECDSA first", paired("10.0.0.1", ec, rsa), "", "", false, ""},
		{"the other one expired", paired("10.0.0.1", rsa, expired), finding.CertExpired, "ECDSA", true, "browsers"},
		{"the first one expired", paired("10.0.0.1", expired, rsa), finding.CertExpired, "ECDSA", false, "all clients that support ECDSA"},
		{"the first one expired, TLS 1.2", olderTLS(paired("10.0.0.1", expired, rsa)), finding.CertExpired, "ECDSA", false, "such as Node, get the other one"},
		{"the other one of RSA", paired("10.0.0.1", ec, expiredRSA), finding.CertExpired, "RSA", true, "only clients that do not support ECDSA"},
		{"the other one of RSA, TLS 1.2", olderTLS(paired("10.0.0.1", ec, expiredRSA)), finding.CertExpired, "RSA", true, "those that list RSA first, such as Node"},
		{"the other one foreign", paired("10.0.0.1", rsa, foreign), finding.CertNameMismatch, "ECDSA", true, "browsers"},
		{"the other one self-signed", paired("10.0.0.1", rsa, selfSigned), finding.CertSelfSigned, "ECDSA", true, "browsers"},
		{"no other one", alone("10.0.0.1", rsa), "", "", false, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newScene(t)
			s.HTTPS("api", host, c.address)
			if c.want == "" {
				s.only()
				return
			}
			s.only(c.want)
			f := s.one(c.want, finding.Critical)
			if f.Subject.KeyType != c.key || f.Subject.Other != c.other || !strings.Contains(f.Summary, "this is the "+c.key+" one") || !strings.Contains(f.Summary, c.clients) {
				t.Errorf("%+v: %s", f.Subject, f.Summary)
			}
			if strings.Contains(f.Remedy, "-sigalgs") != c.other {
				t.Errorf("remedy %s", f.Remedy)
			}
			want := finding.Fact{Kind: finding.FactHandshake, Endpoint: "production/api", Resource: "10.0.0.1:443"}
			if c.other {
				want.Kind, want.Object = finding.FactOther, c.key
			}
			if !slices.Contains(f.RestsOn, want) {
				t.Errorf("rests on %+v", f.RestsOn)
			}
		})
	}
}

// provingForeign is what the probe reports of a server that signed with another key.
func provingForeign() *observation.Failure {
	return &observation.Failure{Phase: observation.PhaseTLS, Kind: observation.HandshakeFailed, Detail: "tls: invalid signature by the server certificate: the scheme 0x0403 does not verify with the certificate's key, ECDSA"}
}

// TestOtherKey: a second certificate whose private key the server does not have is critical like a first one, with its remedy; where the key
// was not checked, that is said, and recordings from before it was checked say nothing.
func TestOtherKey(t *testing.T) {
	s := newScene(t)
	ec, rsa := s.Leaf(host), s.rsaLeaf(host)
	with := func(first, second *pki.Pair, change func(*observation.Address)) observation.Address {
		a := paired("10.0.0.1", first, second)
		change(&a)
		return a
	}
	foreign := func(a *observation.Address) { a.Other.Failure = provingForeign() }
	for _, c := range []struct {
		name    string
		address observation.Address
		want    finding.Code
		key     string
		other   bool
	}{
		{"proven", with(rsa, ec, func(a *observation.Address) { a.Other.KeyProven = true }), "", "", false},
		{"not asked, in an older recording", with(rsa, ec, func(*observation.Address) {}), "", "", false},
		{"another key for ECDSA", with(rsa, ec, foreign), finding.TLSHandshake, "ECDSA", true},
		{"another key for RSA", with(ec, rsa, foreign), finding.TLSHandshake, "RSA", true},
		{"another key for the first one", with(rsa, ec, func(a *observation.Address) {
			a.Failure, a.HTTP, a.Other.KeyProven = provingForeign(), nil, true
		}), finding.TLSHandshake, "RSA", false},
		{"closed before the proof", with(rsa, ec, func(a *observation.Address) {
			a.Other.Failure = &observation.Failure{Phase: observation.PhaseTLS, Kind: observation.Closed, Detail: "EOF"}
		}), finding.ObserveIncomplete, "", false},
		{"closed before the proof, for any name", with(rsa, ec, func(a *observation.Address) {
			a.Other.Fallback, a.Other.Failure = true, &observation.Failure{Phase: observation.PhaseTLS, Kind: observation.Closed, Detail: "EOF"}
		}), "", "", false},
		{"another key for any name", with(rsa, ec, func(a *observation.Address) { foreign(a); a.Other.Fallback = true }), "", "", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newScene(t)
			s.HTTPS("api", host, c.address)
			switch c.want {
			case "":
				s.only()
			case finding.ObserveIncomplete:
				s.only(c.want)
				if f := s.one(c.want, finding.Info); !strings.Contains(f.Summary, "not checked") || !strings.Contains(f.Summary, "private key") || f.Evidence["operation"] != "other-certificate-key" {
					t.Errorf("%s, %v", f.Summary, f.Evidence)
				}
			default:
				s.only(c.want)
				f := s.one(c.want, finding.Critical)
				if f.Subject.KeyType != c.key || f.Subject.Other != c.other || !strings.Contains(f.Summary, "this is the "+c.key+" one") ||
					!strings.Contains(f.Remedy, "openssl pkey -pubout") || strings.Contains(f.Remedy, "-sigalgs") != c.other {
					t.Errorf("%+v: %s. %s", f.Subject, f.Summary, f.Remedy)
				}
				want := finding.Fact{Kind: finding.FactHandshake, Endpoint: "production/api", Resource: "10.0.0.1:443"}
				if c.other {
					want.Kind, want.Object = finding.FactOther, c.key+" private key"
				}
				if !slices.Contains(f.RestsOn, want) {
					t.Errorf("rests on %+v", f.RestsOn)
				}
			}
		})
	}
}

// TestOtherEd25519: a pair's Ed25519 certificate is not called ECDSA, and neither are the clients that get it.
func TestOtherEd25519(t *testing.T) {
	s := newScene(t)
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	expired := pki.Valid(noon.AddDate(0, 0, -90), noon.AddDate(0, 0, -1))
	edwards, err := s.Root().LeafWithKey(noon, []string{host}, key, expired)
	if err != nil {
		t.Fatal(err)
	}
	oldRSA, err := s.Root().LeafWithKey(noon, []string{host}, certtest.RSAKey(t, 2048), expired)
	if err != nil {
		t.Fatal(err)
	}
	for name, a := range map[string]observation.Address{
		"the other one is Ed25519":     paired("10.0.0.1", s.rsaLeaf(host), edwards),
		"the first one is Ed25519":     paired("10.0.0.1", edwards, s.rsaLeaf(host)),
		"the RSA one beside it":        paired("10.0.0.1", edwards, oldRSA),
		"the RSA one, as the first":    paired("10.0.0.1", oldRSA, edwards),
		"at one address, not at 0.0.2": paired("10.0.0.1", s.rsaLeaf(host), edwards),
	} {
		s := newScene(t)
		s.HTTPS("api", host, a, alone("10.0.0.2", s.rsaLeaf(host)))
		for _, f := range s.judge().Findings {
			if text := f.Summary + f.Remedy; strings.Contains(text, "ECDSA") || strings.Contains(text, "ecdsa") {
				t.Errorf("%s: %s. %s", name, f.Summary, f.Remedy)
			}
			served, _ := f.Evidence["served_to"].(string)
			if strings.Contains(f.Remedy, "-sigalgs") && strings.Contains(f.Summary, "the Ed25519 one") && !strings.Contains(f.Remedy, "-sigalgs ed25519`") {
				t.Errorf("%s: %s", name, f.Remedy)
			}
			if f.Code == finding.CertExpired && (!strings.Contains(f.Summary, "Ed25519") || strings.Contains(served, "ECDSA")) {
				t.Errorf("%s: %s %v", name, f.Summary, f.Evidence)
			}
		}
	}
}

// TestOtherIsNoSecondCertificate: what a server sends for any name is judged for none.
func TestOtherIsNoSecondCertificate(t *testing.T) {
	s := newScene(t)
	a := paired("10.0.0.1", s.rsaLeaf(host), s.LeafUntil(noon.AddDate(0, 0, -1), "www.example.net"))
	a.Other.Fallback = true
	s.HTTPS("api", host, a)
	s.only()
}

// TestOtherOnlyItsCertificateIsJudged: the ClientHello that asks for it offers more than clients do.
func TestOtherOnlyItsCertificateIsJudged(t *testing.T) {
	s := newScene(t)
	a := paired("10.0.0.1", s.rsaLeaf(host), s.Leaf(host))
	a.Other.TLS.Version, a.Other.TLS.Cipher = "TLS 1.2", "TLS_ECDHE_ECDSA_WITH_RC4_128_SHA"
	s.HTTPS("api", host, a)
	s.only()
}

// TestOtherWithTheSameIssuer: an issuer that is bad for both certificates is one finding, about both.
func TestOtherWithTheSameIssuer(t *testing.T) {
	s := newScene(t)
	issuer, err := s.Root().Intermediate("Old issuer", noon, pki.Valid(noon.AddDate(-2, 0, 0), noon.AddDate(0, 0, -1)))
	if err != nil {
		t.Fatal(err)
	}
	made := func(p *pki.Pair, err error) *pki.Pair {
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	rsa := made(issuer.LeafWithKey(noon, []string{host}, certtest.RSAKey(t, 2048)))
	s.HTTPS("api", host, paired("10.0.0.1", rsa, made(issuer.Leaf(noon, []string{host}))))
	f := s.one(finding.CertChainExpired, finding.Critical)
	if f.Subject.KeyType != "" || strings.Contains(f.Summary, "two certificates") || !strings.Contains(f.Evidence["served_to"].(string), "both") {
		t.Errorf("%+v: %s, %v", f.Subject, f.Summary, f.Evidence)
	}
}

// TestOtherUnknown: a question that got no answer is no defect, and says so.
func TestOtherUnknown(t *testing.T) {
	s := newScene(t)
	s.HTTPS("api", host, unknown("10.0.0.1", s.rsaLeaf(host)), alone("10.0.0.2", s.rsaLeaf(host)))
	s.Round.Endpoints[0].Addresses[1].TLS = s.Round.Endpoints[0].Addresses[0].TLS
	s.only(finding.ObserveIncomplete)
	f := s.one(finding.ObserveIncomplete, finding.Info)
	if !strings.Contains(f.Summary, "10.0.0.1:443") || strings.Contains(f.Summary, "10.0.0.2") {
		t.Error(f.Summary)
	}
	if !s.judge().Complete {
		t.Error("the round counts as incomplete")
	}
}

// TestOtherKeysThatSomeClientsLack: clients that lack Ed25519 get the other certificate.
func TestOtherKeysThatSomeClientsLack(t *testing.T) {
	s := newScene(t)
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	edwards, err := s.Root().LeafWithKey(noon, []string{host}, key)
	if err != nil {
		t.Fatal(err)
	}
	s.HTTPS("api", host, alone("10.0.0.1", edwards))
	s.one(finding.CertKeyWeak, finding.Warning)
	s.Round.Endpoints[0].Addresses[0] = paired("10.0.0.1", s.rsaLeaf(host), edwards)
	s.only()
}

// TestOtherAddresses: pairs are the same whichever certificate an address shows first. Addresses without one, or with another other one,
// are named.
func TestOtherAddresses(t *testing.T) {
	s := newScene(t)
	ec, second, rsa := s.Leaf(host), s.Leaf(host), s.rsaLeaf(host)
	expired := s.LeafUntil(noon.AddDate(0, 0, -1), host)
	for _, c := range []struct {
		name      string
		addresses []observation.Address
		want      finding.Severity
		text      string
	}{
		{"the same pair", []observation.Address{paired("10.0.0.1", rsa, ec), paired("10.0.0.2", rsa, ec)}, finding.None, ""},
		{"the same pair, the other way round", []observation.Address{paired("10.0.0.1", rsa, ec), paired("10.0.0.2", ec, rsa)}, finding.None, ""},
		{"one lacks ECDSA", []observation.Address{paired("10.0.0.1", rsa, ec), alone("10.0.0.2", rsa)}, finding.Info, "no ECDSA one: 10.0.0.2:443"},
		{"one lacks RSA", []observation.Address{paired("10.0.0.1", ec, rsa), alone("10.0.0.2", ec)}, finding.Info, "no RSA one: 10.0.0.2:443"},
		{"one has another ECDSA one", []observation.Address{paired("10.0.0.1", rsa, ec), paired("10.0.0.2", rsa, second)}, finding.Info, "2 different ECDSA certificates"},
		{"one has a bad ECDSA one", []observation.Address{paired("10.0.0.1", rsa, ec), paired("10.0.0.2", rsa, expired)}, finding.Warning, "2 different ECDSA certificates"},
		{"the other way round, and another one", []observation.Address{paired("10.0.0.1", rsa, ec), paired("10.0.0.2", second, rsa)}, finding.Info, "2 different ECDSA certificates"},
		{"one of each alone", []observation.Address{alone("10.0.0.1", rsa), alone("10.0.0.2", ec)}, finding.Info, "2 different certificates"},
		{"one is not known", []observation.Address{paired("10.0.0.1", rsa, ec), unknown("10.0.0.2", rsa)}, finding.None, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newScene(t)
			s.HTTPS("api", host, c.addresses...)
			if c.want == finding.None {
				s.none(finding.AddressInconsistent)
				return
			}
			if f := s.one(finding.AddressInconsistent, c.want); !strings.Contains(f.Summary, c.text) {
				t.Error(f.Summary)
			}
		})
	}
}

// TestOtherCollapses: what holds of the other certificate of all addresses is one finding; what holds of some is one for each.
func TestOtherCollapses(t *testing.T) {
	s := newScene(t)
	rsa, expired := s.rsaLeaf(host), s.LeafUntil(noon.AddDate(0, 0, -1), host)
	s.HTTPS("api", host, paired("10.0.0.1", rsa, expired), paired("10.0.0.2", rsa, expired))
	if f := s.one(finding.CertExpired, finding.Critical); f.Address != "" || !slices.Contains(f.RestsOn, finding.Fact{Kind: finding.FactOther, Endpoint: "production/api", Object: "ECDSA"}) {
		t.Errorf("%q %+v", f.Address, f.RestsOn)
	}
	s.Round.Endpoints[0].Addresses[1] = alone("10.0.0.2", rsa)
	if f := s.one(finding.CertExpired, finding.Critical); f.Address != "10.0.0.1:443" {
		t.Errorf("%q", f.Address)
	}
}

// TestOtherBehindAListener: a pair of a listener is compared as a whole. A certificate that it does not have is a drift, whichever clients
// get it.
func TestOtherBehindAListener(t *testing.T) {
	ec := newScene(t).Leaf(host)
	rsa, strange := newScene(t).rsaLeaf(host), newScene(t).Leaf(host)
	for _, c := range []struct {
		name     string
		attached []string // the default first
		address  observation.Address
		declared string
		want     []finding.Code
	}{
		{"ECDSA first", []string{"fallback", "ec", "rsa"}, paired("10.0.0.1", ec, rsa), "", nil},
		{"RSA first", []string{"fallback", "ec", "rsa"}, paired("10.0.0.1", rsa, ec), "", nil},
		{"the declared one is the other one", []string{"fallback", "ec", "rsa"}, paired("10.0.0.1", ec, rsa), "rsa", nil},
		{"the declared one is the first one", []string{"fallback", "ec", "rsa"}, paired("10.0.0.1", ec, rsa), "ec", nil},
		{"one as the default, one in the list", []string{"rsa", "ec"}, paired("10.0.0.1", ec, rsa), "ec", nil},
		{"a strange other one", []string{"fallback", "ec", "rsa"}, paired("10.0.0.1", rsa, strange), "", []finding.Code{finding.DriftServed}},
		{"a strange first one", []string{"fallback", "ec", "rsa"}, paired("10.0.0.1", strange, rsa), "", []finding.Code{finding.DriftServed}},
		{"an other one though one is attached", []string{"rsa"}, paired("10.0.0.1", rsa, strange), "rsa", []finding.Code{finding.DriftServed}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newScene(t)
			arns := map[string]string{"fallback": s.ACM("fallback", s.Leaf("www.example.net")), "ec": s.ACM("ec", ec), "rsa": s.ACM("rsa", rsa)}
			var attached []string
			for _, name := range c.attached {
				attached = append(attached, arns[name])
			}
			s.ALB("web", attached...)
			behind(s.HTTPS("api", host, c.address), "web", arns[c.declared])
			s.only(c.want...)
			for _, f := range s.has(finding.DriftServed) {
				if f.Severity != finding.Critical || f.Subject.KeyType != "ECDSA" || !strings.Contains(f.Summary, "this is the ECDSA one") {
					t.Errorf("%s: %+v", f.Summary, f.Subject)
				}
			}
		})
	}
}

// TestOtherBeforeItsRenewal: the other certificate with the key and names of an attached one is a warning, like a first one.
func TestOtherBeforeItsRenewal(t *testing.T) {
	s := newScene(t)
	rsa, renewed := s.rsaLeaf(host), s.Leaf(host)
	before, err := s.Root().LeafWithKey(noon, []string{host}, renewed.Key)
	if err != nil {
		t.Fatal(err)
	}
	s.ALB("web", s.ACM("fallback", s.Leaf("www.example.net")), s.ACM("ec", renewed), s.ACM("rsa", rsa))
	behind(s.HTTPS("api", host, paired("10.0.0.1", rsa, before)), "web", "")
	s.one(finding.DriftServed, finding.Warning)
}

// TestOtherAndUnreadCertificates: a certificate that may be one of those that could not be read is no drift.
func TestOtherAndUnreadCertificates(t *testing.T) {
	s := newScene(t)
	rsa := s.rsaLeaf(host)
	s.ALB("web", s.ACM("rsa", rsa), arnOf("unread"))
	behind(s.HTTPS("api", host, paired("10.0.0.1", rsa, s.Leaf(host))), "web", "")
	s.none(finding.DriftServed)
}

// TestOtherDeclared: what is declared without a listener to read is the certificate of its own type of key; an issuer is declared of both.
func TestOtherDeclared(t *testing.T) {
	s := newScene(t)
	ec, rsa := s.Leaf(host), s.rsaLeaf(host)
	another, err := s.Root().Intermediate("Another issuer", noon)
	if err != nil {
		t.Fatal(err)
	}
	strange, err := another.Leaf(noon, []string{host})
	if err != nil {
		t.Fatal(err)
	}
	fingerprint := func(p *pki.Pair) *target.Declared {
		return &target.Declared{FingerprintSHA256: topology.Fingerprint(p.Certificate)}
	}
	file := observation.Certificate{ARN: arnOf("ec"), Chain: ec.Served()}
	for _, c := range []struct {
		name     string
		address  observation.Address
		declared *target.Declared
		want     []finding.Code
		other    bool
	}{
		{"the first one", paired("10.0.0.1", rsa, ec), fingerprint(rsa), nil, false},
		{"the other one", paired("10.0.0.1", rsa, ec), fingerprint(ec), nil, false},
		{"none of them", paired("10.0.0.1", rsa, strange), fingerprint(ec), []finding.Code{finding.DriftDeclared}, false},
		{"the issuer of both", paired("10.0.0.1", rsa, ec), &target.Declared{Issuer: "Scene Root"}, nil, false},
		{"not the issuer of the other one", paired("10.0.0.1", rsa, strange), &target.Declared{Issuer: "Scene Root"}, []finding.Code{finding.DriftDeclared}, true},
		{"a file's, the other one", paired("10.0.0.1", rsa, ec), &target.Declared{ARN: arnOf("ec")}, nil, false},
		{"a file's, and there is none", alone("10.0.0.1", rsa), &target.Declared{ARN: arnOf("ec")}, []finding.Code{finding.DriftDeclared}, false},
		{"a file's, and it may be the other one", unknown("10.0.0.1", rsa), &target.Declared{ARN: arnOf("ec")}, []finding.Code{finding.ObserveIncomplete}, false},
		{"a fingerprint, and the other one is not known", unknown("10.0.0.1", rsa), fingerprint(strange), []finding.Code{finding.DriftDeclared, finding.ObserveIncomplete}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newScene(t)
			s.Round.CertificateFiles = []observation.Certificate{file}
			s.HTTPS("api", host, c.address).Target.Declared = c.declared
			got := s.judge().Findings
			if !slices.Equal(codes(got), c.want) && len(got)+len(c.want) > 0 {
				t.Errorf("got %v, want %v", codes(got), c.want)
			}
			for _, f := range got {
				if f.Code == finding.DriftDeclared && f.Subject.Other != c.other {
					t.Errorf("%+v: %s", f.Subject, f.Summary)
				}
				if f.Code == finding.ObserveIncomplete && (f.Severity == finding.Warning) != (len(c.want) == 1) {
					t.Errorf("%s: %s", f.Severity, f.Summary)
				}
			}
		})
	}
}
