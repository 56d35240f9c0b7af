package probe

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/crypto/ocsp"

	"certdrift/internal/certtest"
	"certdrift/internal/observation"
	"certdrift/internal/target"
)

// answering answers one request over TLS.
func answering(config *tls.Config, answer string) func(net.Conn) {
	return func(c net.Conn) {
		secured := tls.Server(c, config)
		if _, err := http.ReadRequest(bufio.NewReader(secured)); err == nil {
			_, _ = io.WriteString(secured, answer)
			_ = secured.Close()
		}
	}
}

// listed returns a configuration with a new certificate, whose distribution point does not answer.
func listed(t testing.TB) *tls.Config {
	t.Helper()
	_, ca := authority(t)
	leaf := must(t)(ca.Leaf(time.Now(), []string{"127.0.0.1"}, func(c *x509.Certificate) {
		c.CRLDistributionPoints = []string{"http://127.0.0.1:80/crl"}
	}))
	return &tls.Config{Certificates: []tls.Certificate{leaf.TLS()}}
}

// TestRevocationIsNotTheRedirects: time that revocation checks of the chains take is not charged to the redirects.
func TestRevocationIsNotTheRedirects(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const hops = 8
		network := pipes{}
		for i := range hops + 1 {
			answer := "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
			if i < hops {
				answer = fmt.Sprintf("HTTP/1.1 302 Found\r\nLocation: https://127.0.0.1:%d/\r\nContent-Length: 0\r\n\r\n", 1000+i+1)
			}
			network[fmt.Sprint(1000+i)] = answering(listed(t), answer)
		}
		a := one(t, observe(t, at(t, target.HTTPS, "127.0.0.1:1000"), full, network.dialing))
		healthy(t, a)
		if len(a.HTTP.Hops) != hops {
			t.Fatalf("%d hops, not %d", len(a.HTTP.Hops), hops)
		}
		for _, h := range a.HTTP.Hops {
			healthy(t, h.Addresses[0])
			if r := h.Addresses[0].TLS.Revocation; len(r) != 1 || r[0].Status != observation.NoAnswer {
				t.Errorf("%s: revocation: %+v", h.URL, r)
			}
		}
	})
}

// TestWaitForRefusalIsNotTheServers: a server that asks for a client certificate but does not require one gets time to
// refuse. That time is not charged to the server.
func TestWaitForRefusalIsNotTheServers(t *testing.T) {
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		synctest.Test(t, func(t *testing.T) {
			config := serving(t)
			config.MinVersion, config.MaxVersion = version, version
			config.ClientAuth = tls.VerifyClientCertIfGiven
			a := one(t, observe(t, at(t, target.TLS, "127.0.0.1:1000"), pipes{"1000": secured(config)}.dialing))
			healthy(t, a)
			if a.TLS == nil || !a.TLS.ClientCertificateRequested || a.TLS.ClientCertificateSent || len(a.TLS.Chain) == 0 {
				t.Errorf("%s: got %+v", tls.VersionName(version), a.TLS)
			}
			if a.Phases.Total != 0 {
				t.Errorf("%s: phases %+v include the wait", tls.VersionName(version), a.Phases)
			}
		})
	}
}

// TestRevokedBehindASilentList: the responder is queried although the list's server does not answer.
func TestRevokedBehindASilentList(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, ca := authority(t)
		leaf := must(t)(ca.Leaf(time.Now(), []string{"127.0.0.1"}, func(c *x509.Certificate) {
			c.CRLDistributionPoints, c.OCSPServer = []string{"http://127.0.0.1:80/crl"}, []string{"http://127.0.0.1:81/ocsp"}
		}))
		answer := string(certtest.OCSPResponse(t, ca, leaf.Certificate, ca, ocsp.Revoked))
		network := pipes{
			"1000": secured(&tls.Config{Certificates: []tls.Certificate{leaf.TLS()}}),
			"81": func(c net.Conn) {
				if r, err := http.ReadRequest(bufio.NewReader(c)); err == nil && strings.HasPrefix(r.URL.Path, "/ocsp") {
					_, _ = io.Copy(io.Discard, r.Body)
					_, _ = fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(answer), answer)
				}
			},
		}
		a := one(t, observe(t, at(t, target.TLS, "127.0.0.1:1000"), full, network.dialing))
		r := a.TLS.Revocation
		if len(r) != 2 || r[0].Source != observation.CRL || r[0].Status != observation.NoAnswer ||
			r[1].Source != observation.OCSP || r[1].Status != observation.Revoked {
			t.Errorf("got %+v", r)
		}
	})
}
