package judge

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"certdrift/internal/observation"
	"certdrift/internal/sim/pki"
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
		{"staple", []observation.Revocation{revoked}, []string{"cert-revoked critical"}},
		{"stale", []observation.Revocation{stale}, []string{"cert-revoked critical"}},
		{"list", []observation.Revocation{crl}, []string{"cert-revoked critical"}},
		{"responder", []observation.Revocation{ocsp}, []string{"cert-revoked critical"}},
		{"all three say so", []observation.Revocation{revoked, crl, ocsp}, []string{"cert-revoked critical"}},
		{"one says good", []observation.Revocation{answer(observation.OCSP, observation.Good), crl}, []string{"cert-revoked critical"}},
		{"unsigned", []observation.Revocation{unsigned}, nil},
		{"not yet, as seen from then", []observation.Revocation{later}, nil},
		{"of no certificate sent", []observation.Revocation{ofNobody}, nil},
		{"no answer", []observation.Revocation{{Source: observation.CRL, Status: observation.NoAnswer, Detail: "timeout"}}, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			srv := s.serve(t)
			srv.revocation = test.answers
			srv.expect(t, test.want...)
			srv.policy = DefaultPolicy()
			srv.policy.Revocation = RevocationOff
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
	says(t, srv.expect(t, "cert-revoked critical"), `the issuer "Test Intermediate"`)

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

func TestCertStapleBad(t *testing.T) {
	s := newShop(t)
	stale, future := answer(observation.Staple, observation.Good), answer(observation.Staple, observation.Good)
	stale.NextUpdate = certNow.Add(-time.Hour)
	future.ThisUpdate = certNow.Add(time.Hour)
	endless := answer(observation.Staple, observation.Good)
	endless.NextUpdate = time.Time{}
	broken := observation.Revocation{Source: observation.Staple, Status: observation.NoAnswer, Detail: "cannot be parsed: \x1b"}
	responder := stale
	responder.Source = observation.OCSP
	for _, test := range []struct {
		name       string
		answers    []observation.Revocation
		plain, mst string
	}{
		{"good", []observation.Revocation{answer(observation.Staple, observation.Good)}, "", ""},
		{"none", nil, "", "cert-staple-bad critical"},
		{"expired", []observation.Revocation{stale}, "cert-staple-bad warning", "cert-staple-bad critical"},
		{"from the future", []observation.Revocation{future}, "cert-staple-bad warning", "cert-staple-bad critical"},
		{"without an end", []observation.Revocation{endless}, "", ""},
		{"unknown", []observation.Revocation{answer(observation.Staple, observation.Unknown)}, "cert-staple-bad warning", "cert-staple-bad critical"},
		{"unparsable", []observation.Revocation{broken}, "cert-staple-bad warning", "cert-staple-bad critical"},
		{"revoked is a finding of its own", []observation.Revocation{answer(observation.Staple, observation.Revoked)}, "cert-revoked critical", "cert-revoked critical"},
		{"a stale answer of the responder is none", []observation.Revocation{responder}, "", "cert-staple-bad critical"},
	} {
		t.Run(test.name, func(t *testing.T) {
			for want, srv := range map[string]server{"plain " + test.plain: s.serve(t), "must " + test.mst: s.serve(t, mustStapleExt())} {
				srv.revocation = test.answers
				want = strings.TrimPrefix(strings.TrimPrefix(want, "plain "), "must ")
				fs := srv.expect(t, slices.DeleteFunc([]string{want}, func(w string) bool { return w == "" })...)
				if strings.Contains(fmt.Sprint(summaries(fs)), "\x1b") {
					t.Error("a control character in the summary")
				}
				srv.policy = DefaultPolicy()
				srv.policy.Revocation = RevocationOff
				srv.expect(t)
			}
		})
	}
}
