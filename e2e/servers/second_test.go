package servers

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"certdrift/internal/finding"
	"certdrift/internal/target"
)

// TestOpenSSLAgrees holds the exchanges before TLS against a second client: openssl s_client, which reads the same answers in its own
// way, gets through to the servers of the catalogue that are healthy, and to their certificates where one has expired.
func TestOpenSSLAgrees(t *testing.T) {
	built(t)
	if (Case{Needs: "openssl"}).Missing() {
		t.Skip("openssl is not installed")
	}
	seen := map[target.Kind]bool{}
	for _, g := range Groups() {
		if !strings.Contains(g.Title, "STARTTLS") {
			continue
		}
		for _, c := range g.Cases {
			if c.Missing() || len(c.Want) > 0 && !slices.Equal(c.Want, codes(finding.CertExpired)) {
				continue
			}
			at := started(t, c)
			u, err := url.Parse(at.URL)
			if err != nil {
				t.Fatal(err)
			}
			seen[target.Kind(u.Scheme)] = true
			answer, err := askOpenSSL(t.Context(), asking{Case: c, Target: at})
			if err != nil {
				t.Fatal(err)
			}
			if bad := len(c.Want) > 0; !answer.Asked || answer.Detected != bad || answer.Named != bad {
				t.Errorf("%s: openssl's answer is %+v, want %q", c.Name, answer, c.Want)
			}
		}
	}
	for _, scheme := range target.Schemes() {
		if kind := target.Kind(scheme); kind.StartTLS() && !seen[kind] {
			t.Errorf("no server of %s was asked", kind)
		}
	}
}
