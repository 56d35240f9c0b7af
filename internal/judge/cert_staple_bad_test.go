package judge

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
	"certdrift/internal/policy"
)

func TestCertStapleBad(t *testing.T) {
	s := newShop(t)
	stale, future := answer(observation.Staple, observation.Good), answer(observation.Staple, observation.Good)
	stale.NextUpdate = certNow.Add(-time.Hour)
	future.ThisUpdate = certNow.Add(time.Hour)
	ahead := answer(observation.Staple, observation.Good)
	ahead.ThisUpdate = certNow.Add(2 * time.Minute)
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
		{"none", nil, "", critical(finding.CertStapleBad)},
		{"expired", []observation.Revocation{stale}, warning(finding.CertStapleBad), critical(finding.CertStapleBad)},
		{"from the future", []observation.Revocation{future}, warning(finding.CertStapleBad), critical(finding.CertStapleBad)},
		{"from a clock a little ahead", []observation.Revocation{ahead}, "", ""},
		{"without an end", []observation.Revocation{endless}, "", ""},
		{"unknown", []observation.Revocation{answer(observation.Staple, observation.Unknown)}, warning(finding.CertStapleBad), critical(finding.CertStapleBad)},
		{"unparsable", []observation.Revocation{broken}, warning(finding.CertStapleBad), critical(finding.CertStapleBad)},
		{"revoked is a finding of its own", []observation.Revocation{answer(observation.Staple, observation.Revoked)}, critical(finding.CertRevoked), critical(finding.CertRevoked)},
		{"a stale answer of the responder is none", []observation.Revocation{responder}, "", critical(finding.CertStapleBad)},
	} {
		t.Run(test.name, func(t *testing.T) {
			for want, srv := range map[string]server{"plain " + test.plain: s.serve(t), "must " + test.mst: s.serve(t, mustStapleExt())} {
				srv.revocation = test.answers
				want = strings.TrimPrefix(strings.TrimPrefix(want, "plain "), "must ")
				fs := srv.expect(t, slices.DeleteFunc([]string{want}, func(w string) bool { return w == "" })...)
				if strings.Contains(fmt.Sprint(summaries(fs)), "\x1b") {
					t.Error("a control character in the summary")
				}
				srv.policy = policy.DefaultThresholds()
				srv.policy.Revocation = policy.RevocationOff
				srv.expect(t)
			}
		})
	}
}

func TestCertStapleBadNeedsAnIssuer(t *testing.T) {
	srv := newShop(t).serve(t)
	srv.chain = srv.chain[:1]
	srv.revocation = []observation.Revocation{{Source: observation.Staple, Status: observation.NoAnswer, Detail: "the issuer is not known"}}
	srv.expect(t, critical(finding.CertChainIncomplete))
}

// TestCertStapleBadIsNotFixedWithoutAStaple: a must-staple certificate is refused without one, too.
func TestCertStapleBadIsNotFixedWithoutAStaple(t *testing.T) {
	s := newShop(t)
	stale := answer(observation.Staple, observation.Good)
	stale.NextUpdate = certNow.Add(-time.Hour)
	for must, srv := range map[bool]server{true: s.serve(t, mustStapleExt()), false: s.serve(t)} {
		srv.revocation = []observation.Revocation{stale}
		fs := srv.judge()
		if len(fs) != 1 || strings.Contains(fs[0].Remedy, "disable stapling") == must {
			t.Errorf("must-staple %v: %v", must, fs)
		}
	}
}
