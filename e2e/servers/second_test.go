package servers

import (
	"bytes"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

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
			t.Run(c.Name, func(t *testing.T) {
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
					t.Errorf("openssl's answer is %+v, want %q", answer, c.Want)
				}
			})
		}
	}
	for _, scheme := range target.Schemes() {
		if kind := target.Kind(scheme); kind.StartTLS() && !seen[kind] {
			t.Errorf("no server of %s was asked", kind)
		}
	}
}

// TestMariaDBSeesALogin: a session with a real server ends with a login, as its log shows, since the server blocks hosts whose
// connections end without one.
func TestMariaDBSeesALogin(t *testing.T) {
	binary := built(t)
	i := slices.IndexFunc(realServers(), func(c Case) bool { return c.Name == "MariaDB: healthy" })
	c := realServers()[i]
	if c.Missing() {
		t.Skipf("%s is not installed", c.Needs)
	}
	l, err := NewLab()
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	at, err := c.Start(l)
	if err != nil {
		t.Fatal(err)
	}
	if r, _, status := check(t, binary, t.TempDir(), at.Configuration()); status != 0 {
		t.Errorf("%s", brief(r))
	}
	log := filepath.Join(l.Dir, "mariadbd.log")
	var said []byte
	for range 100 { // the server writes after it noticed that the connection is closed
		if said, err = os.ReadFile(log); err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(said, []byte("user: 'certdrift'")) {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Errorf("no login in the log:\n%s", said)
}
