package probe

import (
	"bufio"
	"context"
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

	"certdrift/internal/observation"
	"certdrift/internal/target"
)

// pipes is a network within the process, for tests by a clock of their own. A port without a server takes connections and
// never says anything.
type pipes map[string]func(net.Conn)

func (p pipes) dial(_ context.Context, _, address string) (net.Conn, error) {
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	here, there := net.Pipe()
	serve := p[port]
	if serve == nil {
		serve = func(c net.Conn) { _, _ = io.Copy(io.Discard, c) }
	}
	go func() {
		defer there.Close()
		serve(there)
	}()
	return here, nil
}

// answering speaks TLS and answers one request.
func answering(config *tls.Config, answer string) func(net.Conn) {
	return func(c net.Conn) {
		secured := tls.Server(c, config)
		if _, err := http.ReadRequest(bufio.NewReader(secured)); err == nil {
			_, _ = io.WriteString(secured, answer)
			_ = secured.Close()
		}
	}
}

// listed serves a certificate of its own, with a distribution point at which nobody answers.
func listed(t testing.TB) *tls.Config {
	t.Helper()
	_, ca := authority(t)
	leaf := must(t)(ca.Leaf(time.Now(), []string{"127.0.0.1"}, func(c *x509.Certificate) {
		c.CRLDistributionPoints = []string{"http://127.0.0.1:80/crl"}
	}))
	return &tls.Config{Certificates: []tls.Certificate{leaf.TLS()}}
}

// TestRevocationIsNotTheRedirects: what certdrift asks elsewhere about the chains on the way is no time of the redirects.
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
		a := one(t, look(t, at(t, target.HTTPS, "127.0.0.1:1000"), full, func(o *Options) { o.Dialer = network.dial }))
		healthy(t, a)
		if len(a.HTTP.Hops) != hops {
			t.Fatalf("%d hops, not %d", len(a.HTTP.Hops), hops)
		}
		for _, h := range a.HTTP.Hops {
			healthy(t, h.Addresses[0])
			if r := h.Addresses[0].TLS.Revocation; len(r) != 1 || r[0].Status != observation.NoAnswer {
				t.Errorf("%s: asked of revocation: %+v", h.URL, r)
			}
		}
	})
}

// TestWaitForRefusalIsNotTheServers: a server that asks for a client certificate and lets those without in gets time to
// refuse; that it does not take it is no slowness of its own.
func TestWaitForRefusalIsNotTheServers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		config := serving(t)
		config.ClientAuth = tls.RequestClientCert
		network := pipes{"1000": func(c net.Conn) { _, _ = io.Copy(io.Discard, tls.Server(c, config)) }}
		a := one(t, look(t, at(t, target.TLS, "127.0.0.1:1000"), func(o *Options) { o.Dialer = network.dial }))
		healthy(t, a)
		if a.Phases.Total >= refusalWait {
			t.Errorf("phases %+v: the wait is told as the server's", a.Phases)
		}
	})
}

// TestRevokedBehindASilentList: the responder is asked although nobody answers at the list's address.
func TestRevokedBehindASilentList(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, ca := authority(t)
		leaf := must(t)(ca.Leaf(time.Now(), []string{"127.0.0.1"}, func(c *x509.Certificate) {
			c.CRLDistributionPoints, c.OCSPServer = []string{"http://127.0.0.1:80/crl"}, []string{"http://127.0.0.1:81/ocsp"}
		}))
		answer := string(ocspAnswer(t, ca, leaf.Certificate, ca, ocsp.Revoked))
		network := pipes{
			"1000": func(c net.Conn) {
				_, _ = io.Copy(io.Discard, tls.Server(c, &tls.Config{Certificates: []tls.Certificate{leaf.TLS()}}))
			},
			"81": func(c net.Conn) {
				if r, err := http.ReadRequest(bufio.NewReader(c)); err == nil && strings.HasPrefix(r.URL.Path, "/ocsp") {
					_, _ = io.Copy(io.Discard, r.Body)
					_, _ = fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(answer), answer)
				}
			},
		}
		a := one(t, look(t, at(t, target.TLS, "127.0.0.1:1000"), full, func(o *Options) { o.Dialer = network.dial }))
		r := a.TLS.Revocation
		if len(r) != 2 || r[0].Source != observation.CRL || r[0].Status != observation.NoAnswer ||
			r[1].Source != observation.OCSP || r[1].Status != observation.Revoked {
			t.Errorf("got %+v", r)
		}
	})
}
