package judge

import (
	"testing"
	"time"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
	"certdrift/internal/policy"
	"certdrift/internal/sim/pki"
	"certdrift/internal/topology"
)

// answer is a signed answer about the leaf that is good until tomorrow.
func answer(source observation.RevocationSource, status observation.RevocationStatus) observation.Revocation {
	return observation.Revocation{
		Source: source, Status: status, Signed: true,
		ThisUpdate: certNow.Add(-dayLong), NextUpdate: certNow.Add(dayLong),
	}
}

func TestCertRevoked(t *testing.T) {
	s := newShop(t)
	revoked := answer(observation.Staple, observation.Revoked)
	revoked.RevokedAt, revoked.Reason = certNow.Add(-5*dayLong), "keyCompromise"
	stale, unsigned, later, ofNobody := revoked, revoked, revoked, revoked
	stale.NextUpdate = certNow.Add(-3 * dayLong)
	unsigned.Signed, unsigned.Source = false, observation.CRL
	later.RevokedAt = certNow.Add(time.Hour)
	ofNobody.Index = 17
	crl, ocsp := revoked, revoked
	crl.Source, crl.URL, ocsp.Source = observation.CRL, "http://crl.example.net/", observation.OCSP

	for _, test := range []struct {
		name    string
		answers []observation.Revocation
		want    []string
	}{
		{"good", []observation.Revocation{answer(observation.Staple, observation.Good)}, nil},
		{"staple", []observation.Revocation{revoked}, []string{critical(finding.CertRevoked)}},
		{"stale", []observation.Revocation{stale}, []string{critical(finding.CertRevoked)}},
		{"list", []observation.Revocation{crl}, []string{critical(finding.CertRevoked)}},
		{"responder", []observation.Revocation{ocsp}, []string{critical(finding.CertRevoked)}},
		{"all three say so", []observation.Revocation{revoked, crl, ocsp}, []string{critical(finding.CertRevoked)}},
		{"one says good", []observation.Revocation{answer(observation.OCSP, observation.Good), crl}, []string{critical(finding.CertRevoked)}},
		{"unsigned", []observation.Revocation{unsigned}, nil},
		{"not yet, as seen from then", []observation.Revocation{later}, nil},
		{"of no certificate sent", []observation.Revocation{ofNobody}, nil},
		{"no answer", []observation.Revocation{{Source: observation.CRL, Status: observation.NoAnswer, Detail: "timeout"}}, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			srv := s.serve(t)
			srv.revocation = test.answers
			srv.expect(t, test.want...)
			srv.policy = policy.DefaultThresholds()
			srv.policy.Revocation = policy.RevocationOff
			srv.expect(t)
		})
	}
	srv := s.serve(t)
	srv.revocation = []observation.Revocation{revoked}
	says(t, srv.judge(), "2026-05-27 12:00 UTC", "keyCompromise", "stapled OCSP response")
}

func TestCertRevokedIssuer(t *testing.T) {
	s := newShop(t)
	srv := s.serve(t)
	revoked := answer(observation.CRL, observation.Revoked)
	revoked.Index = 1
	srv.revocation = []observation.Revocation{revoked}
	says(t, srv.expect(t, critical(finding.CertRevoked)), `the issuer "Test Intermediate"`)

	other := must(t)(pki.Root("Other Root", certNow)) // a cross-sign goes round the revoked certificate
	srv.chain = append(srv.chain, crossSigned(t, s.inter, other).Raw)
	srv.roots = append(srv.roots, other)
	srv.expect(t)

	stray := s.serve(t) // a revoked certificate that is merely sent along
	stray.chain = append(stray.chain, newShop(t).inter.Certificate.Raw)
	revoked.Index = 2
	stray.revocation = []observation.Revocation{revoked}
	stray.expect(t)
}

func TestCertRevokedByACMsWord(t *testing.T) {
	s := newScene(t)
	leaf := s.Leaf(host)
	s.ALB("web", s.ACM("a", leaf), s.ACM("b", s.Leaf("other.example.org")))
	behind(s.HTTPS("api", host, ok("10.0.0.1", leaf)), "web", arnOf("a"))
	s.only()
	s.Round.Certificates[0].Status = "REVOKED"
	if f := s.one(finding.CertRevoked, finding.Critical); f.Endpoint != "api" || f.Listener != "web:443" || f.Cause != "certificate:"+topology.Fingerprint(leaf.Certificate) {
		t.Errorf("%+v", f)
	}
	s.Round.Certificates[0].Status, s.Round.Certificates[1].Status = "ISSUED", "REVOKED"
	s.one(finding.CertRevoked, finding.Warning) // nobody would get it
	s.policy.Revocation = policy.RevocationOff
	s.none(finding.CertRevoked)
}
