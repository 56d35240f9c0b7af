package incident

import (
	"crypto/sha256"
	"encoding/hex"
	"testing"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
)

// TestRevokedWhileNobodyAnswers: an incident about a revoked certificate lasts while that is served and its CA says
// nothing of it; another certificate ends it, and so does a signed "good".
func TestRevokedWhileNobodyAnswers(t *testing.T) {
	sum := sha256.Sum256([]byte("leaf"))
	revoked := []finding.Finding{found(finding.CertRevoked, finding.Critical, "api", "certificate:"+hex.EncodeToString(sum[:]))}
	serving := func(der string, r ...observation.Revocation) Coverage {
		e := endpoint("api", nil)
		e.Addresses[0].TLS = &observation.TLS{Chain: [][]byte{[]byte(der), []byte("ca")}, Revocation: r}
		return Cover(observation.Round{Endpoints: []observation.Endpoint{e}}, []string{"production/api"}, false, false)
	}
	none := observation.Revocation{Source: observation.CRL, Status: observation.NoAnswer}
	good := observation.Revocation{Source: observation.OCSP, Status: observation.Good, Signed: true}
	said := observation.Revocation{Source: observation.CRL, Status: observation.Revoked, Signed: true}
	for name, end := range map[string]Coverage{
		"another certificate": serving("new leaf", none),
		"a signed answer":     serving("leaf", none, good),
	} {
		t.Run(name, func(t *testing.T) {
			s := newScript(t)
			s.round(serving("leaf", said), revoked, Opened)
			for range 5 {
				s.round(serving("leaf", none), nil)
			}
			s.round(end, nil)
			s.round(end, nil, Recovered)
		})
	}
}
