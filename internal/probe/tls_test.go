package probe

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"math/big"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"certdrift/internal/certtest"
	"certdrift/internal/observation"
	"certdrift/internal/sim/pki"
	"certdrift/internal/target"
)

func TestVersions(t *testing.T) {
	for _, version := range []uint16{tls.VersionTLS10, tls.VersionTLS11, tls.VersionTLS12, tls.VersionTLS13} {
		t.Run(tls.VersionName(version), func(t *testing.T) {
			config := serving(t)
			config.MinVersion, config.MaxVersion = version, version
			a := one(t, observe(t, at(t, target.TLS, certtest.ServeTLS(t, "127.0.0.1", config, nil))))
			healthy(t, a)
			if a.TLS.Version != tls.VersionName(version) || len(a.TLS.Chain) != 2 || a.TLS.ServerName != "" || a.TLS.ALPN != "" {
				t.Errorf("got %s with %d certificates, SNI %q and ALPN %q", a.TLS.Version, len(a.TLS.Chain), a.TLS.ServerName, a.TLS.ALPN)
			}
			if a.Phases.Connect <= 0 || a.Phases.TLS <= 0 || a.Phases.Total < a.Phases.Connect+a.Phases.TLS {
				t.Errorf("phases: %+v", a.Phases)
			}
		})
	}
}

// TestOldVersionWithHTTP2: Go's servers choose h2 with TLS 1.0 and 1.1, and then reject it as RFC 9113 §9.2 requires.
func TestOldVersionWithHTTP2(t *testing.T) {
	for _, version := range []uint16{tls.VersionTLS10, tls.VersionTLS11} {
		config := serving(t)
		config.MinVersion, config.MaxVersion = version, version
		a := one(t, observe(t, at(t, target.HTTPS, web(t, config, func(http.ResponseWriter, *http.Request) {}))))
		healthy(t, a)
		if a.TLS.Version != tls.VersionName(version) || a.HTTP == nil || a.HTTP.Proto != "HTTP/1.1" || a.HTTP.Status != http.StatusOK {
			t.Errorf("got %s and %+v", a.TLS.Version, a.HTTP)
		}
	}
}

// TestStapleBeforeRefusal: the staple of a server that requires a client certificate is observed.
func TestStapleBeforeRefusal(t *testing.T) {
	config := serving(t)
	config.MaxVersion, config.ClientAuth = tls.VersionTLS12, tls.RequireAnyClientCert
	config.Certificates[0].OCSPStaple = []byte("no OCSP response, but a staple")
	a := one(t, observe(t, at(t, target.TLS, certtest.ServeTLS(t, "127.0.0.1", config, nil))))
	failed(t, a, observation.PhaseTLS, observation.ClientCertNeeded)
	if r := a.TLS.Revocation; len(r) != 1 || r[0].Source != observation.Staple {
		t.Errorf("want the staple, got %+v", r)
	}
}

func TestOldSuites(t *testing.T) {
	key := certtest.RSAKey(t, 2048)
	_, ca := authority(t)
	leaf := must(t)(ca.LeafWithKey(time.Now(), []string{"site.test"}, key))
	for _, suite := range []uint16{
		tls.TLS_RSA_WITH_AES_128_CBC_SHA, tls.TLS_RSA_WITH_3DES_EDE_CBC_SHA, tls.TLS_RSA_WITH_RC4_128_SHA,
		tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA,
	} {
		config := &tls.Config{
			Certificates: []tls.Certificate{leaf.TLS()}, CipherSuites: []uint16{suite},
			MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS12,
		}
		a := one(t, observe(t, at(t, target.TLS, certtest.ServeTLS(t, "127.0.0.1", config, nil))))
		healthy(t, a)
		if want := tls.CipherSuiteName(suite); a.TLS.Cipher != want {
			t.Errorf("got %s, want %s", a.TLS.Cipher, want)
		}
	}
}

// TestBeyondDefaults: what Go's client rejects by default is observed, thanks to the godebug block of go.mod.
func TestBeyondDefaults(t *testing.T) {
	_, ca := authority(t)
	weak, err := rsa.GenerateKey(rand.Reader, 768)
	if err != nil {
		t.Fatalf("rsa1024min is not 0: %v", err)
	}
	small := must(t)(ca.LeafWithKey(time.Now(), []string{"site.test"}, weak)).TLS()
	key := certtest.RSAKey(t, 2048)
	sha1 := must(t)(ca.LeafWithKey(time.Now(), []string{"site.test"}, key)).TLS()
	sha1.SupportedSignatureAlgorithms = []tls.SignatureScheme{tls.PKCS1WithSHA1}
	negative := must(t)(ca.Leaf(time.Now(), []string{"site.test"})).TLS()
	negative.Certificate[0] = certtest.Renumber(t, negative.Certificate[0], ca.Key, 0x80)
	for name, certificate := range map[string]tls.Certificate{"RSA-768": small, "SHA-1 in the handshake": sha1, "a negative serial number": negative} {
		config := &tls.Config{Certificates: []tls.Certificate{certificate}, MaxVersion: tls.VersionTLS12}
		a := one(t, observe(t, at(t, target.TLS, certtest.ServeTLS(t, "127.0.0.1", config, nil))))
		if a.Failure != nil || a.TLS == nil || len(a.TLS.Chain) != 2 {
			t.Errorf("%s: got %+v, %+v", name, a.Failure, a.TLS)
		}
	}
}

// TestHugeKey: a key that crypto/tls rejects by default (more than 8,192 bits) is observed. The test server does not have it, so
// the handshake fails after the chain was sent.
func TestHugeKey(t *testing.T) {
	modulus := new(big.Int).Add(new(big.Int).Lsh(big.NewInt(1), 9215), big.NewInt(1))
	_, ca := authority(t)
	template := &x509.Certificate{SerialNumber: big.NewInt(7), NotAfter: time.Now().Add(time.Hour), DNSNames: []string{"site.test"}}
	der, err := x509.CreateCertificate(rand.Reader, template, ca.Certificate, &rsa.PublicKey{N: modulus, E: 65537}, ca.Key)
	if err != nil {
		t.Fatal(err)
	}
	key := certtest.RSAKey(t, 2048)
	config := &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, MaxVersion: tls.VersionTLS12}
	a := one(t, observe(t, at(t, target.TLS, certtest.ServeTLS(t, "127.0.0.1", config, nil))))
	failed(t, a, observation.PhaseTLS, observation.HandshakeFailed)
	if a.TLS == nil || len(a.TLS.Chain) != 1 || strings.Contains(a.Failure.Detail, "larger than") {
		t.Errorf("the chain was not seen: %+v, %+v", a.Failure, a.TLS)
	}
}

func TestHandshakeFaults(t *testing.T) {
	// An alert is a record of type 21: version, length 2, level fatal, number.
	alert := func(n byte) string { return string([]byte{21, 3, 3, 0, 2, 2, n}) }
	// A ServerHello that chooses SSL 3.0.
	ssl3 := append([]byte{22, 3, 0, 0, 42, 2, 0, 0, 38, 3, 0}, make([]byte, 32)...)
	ssl3 = append(ssl3, 0, 0, 0x0a, 0)
	for name, c := range map[string]struct {
		serve  func(net.Conn)
		kind   observation.FailureKind
		alert  string
		detail string
	}{
		"handshake_failure":                     {certtest.Say(alert(40)), observation.Alert, "handshake_failure", ""},
		"unrecognized_name":                     {certtest.Say(alert(112)), observation.Alert, "unrecognized_name", ""},
		"an unknown alert":                      {certtest.Say(alert(200)), observation.Alert, "alert_200", ""},
		"protocol_version":                      {certtest.Say(alert(70)), observation.VersionOld, "protocol_version", ""},
		"SSL 3.0":                               {certtest.Say(string(ssl3)), observation.VersionOld, "", "300"},
		"close_notify":                          {certtest.Say(alert(0)), observation.Closed, "", ""},
		"a closed connection":                   {certtest.HangUp, observation.Closed, "", ""},
		"a reset":                               {certtest.Reset, observation.Reset, "", ""},
		"silence":                               {certtest.Silent, observation.TimedOut, "", "longer than"},
		"plain HTTP":                            {certtest.Say("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"), observation.Plaintext, "", ""},
		"a bare page":                           {certtest.Say("<!DOCTYPE HTML><h1>Error 400"), observation.Plaintext, "", ""},
		"a banner":                              {certtest.Say("SSH-2.0-OpenSSH_9.9\r\n"), observation.NotTLS, "", "first record"},
		"garbage":                               {certtest.Say("\x00\x01\x02\x03\x04\x05\x06\x07\x08"), observation.NotTLS, "", ""},
		"a huge message that is no certificate": {certtest.Say("\x16\x03\x03\x00\x05\xff\xff\xff\xff\xff"), observation.HandshakeFailed, "", "16777215"},
		"a byte at a time": {func(c net.Conn) {
			certtest.Trickle(c, []byte{22, 3, 3, 0x20, 0, 2, 0, 0x1f, 0}, 20*time.Millisecond)
		}, observation.TimedOut, "", ""},
		"an endless record of nothing": {func(c net.Conn) {
			certtest.Flood(c, []byte{22, 3, 3, 0, 0})
		}, observation.HandshakeFailed, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			a := observeServer(t, target.HTTPS, c.serve, c.kind == observation.TimedOut)
			failed(t, a, observation.PhaseTLS, c.kind)
			if a.Failure.Alert != c.alert || !strings.Contains(a.Failure.Detail, c.detail) {
				t.Errorf("got alert %q, detail %q", a.Failure.Alert, a.Failure.Detail)
			}
		})
	}
}

// TestPlainHTTPBehindHangUp: a plain HTTP server that closes the connection on a ClientHello is detected by an HTTP request.
func TestPlainHTTPBehindHangUp(t *testing.T) {
	address := certtest.Serve(t, "127.0.0.1", func(conn net.Conn) {
		start := make([]byte, 4096)
		if n, _ := conn.Read(start); strings.HasPrefix(string(start[:n]), "GET ") {
			_, _ = conn.Write([]byte("HTTP/1.0 200 OK\r\n\r\n"))
		}
	})
	failed(t, one(t, observe(t, at(t, target.HTTPS, address))), observation.PhaseTLS, observation.Plaintext)
	failed(t, one(t, observe(t, at(t, target.TLS, address))), observation.PhaseTLS, observation.Plaintext)
}

// TestTLSBehindPlainHTTP: a server that closes the connection on a plain request, or answers it with an alert, is detected by a
// ClientHello. The failure of a server of neither protocol does not change.
func TestTLSBehindPlainHTTP(t *testing.T) {
	hangsUp := certtest.ServeTLS(t, "127.0.0.1", serving(t), nil)
	alerts := certtest.Serve(t, "127.0.0.1", func(conn net.Conn) {
		_, _ = conn.Read(make([]byte, 4096))
		_, _ = conn.Write([]byte("\x15\x03\x01\x00\x02\x02\x46"))
	})
	for _, address := range []string{hangsUp, alerts} {
		failed(t, one(t, observe(t, at(t, target.HTTP, address))), observation.PhaseHeaders, observation.SpeaksTLS)
	}
	failed(t, one(t, observe(t, at(t, target.HTTP, certtest.Serve(t, "127.0.0.1", certtest.Say("SSH-2.0-x\r\n"))))), observation.PhaseHeaders, observation.Invalid)
	failed(t, one(t, observe(t, at(t, target.HTTP, certtest.Serve(t, "127.0.0.1", certtest.Say(""))))), observation.PhaseHeaders, observation.Closed)
}

// TestPlainHTTPBehindSilence: so is one that waits for the end of a header, which a ClientHello does not have.
func TestPlainHTTPBehindSilence(t *testing.T) {
	a := observeServer(t, target.HTTPS, func(conn net.Conn) {
		header := bufio.NewReader(conn)
		for {
			line, err := header.ReadString('\n')
			if err != nil {
				return
			}
			if line == "\r\n" {
				_, _ = conn.Write([]byte("HTTP/1.0 200 OK\r\n\r\n"))
				return
			}
		}
	}, true)
	failed(t, a, observation.PhaseTLS, observation.Plaintext)
}

// TestFollowUpProbesTakeNoTime: follow-up probes after the timeout are not charged to the endpoint.
func TestFollowUpProbesTakeNoTime(t *testing.T) {
	got := observeServer(t, target.HTTPS, certtest.Silent, true)
	failed(t, got, observation.PhaseTLS, observation.TimedOut)
	if got.Phases.TLS != patient || got.Phases.Total != patient {
		t.Errorf("phases %+v: want %s in all, for TLS", got.Phases, patient)
	}
}

// TestHangsUpAtOnce: such a server is recorded as closing, whether its system sent a reset or not.
func TestHangsUpAtOnce(t *testing.T) {
	var met atomic.Int32
	address := certtest.Serve(t, "127.0.0.1", func(net.Conn) {
		if met.Add(1) == 1 {
			time.Sleep(100 * time.Millisecond) // the ClientHello is there by now, and unread: closing becomes a reset
		}
	})
	failed(t, one(t, observe(t, at(t, target.TLS, address))), observation.PhaseTLS, observation.Closed)
	if met.Load() != 6 { // once more with a small ClientHello, with a wider offer, behind two versions of a PROXY header, and with nothing
		t.Errorf("connected %d times, not six times", met.Load())
	}
}

func TestChains(t *testing.T) {
	_, ca := authority(t)
	leaf := must(t)(ca.Leaf(time.Now(), []string{"site.test"}))
	many := func(n int) tls.Certificate {
		c := leaf.TLS()
		for range n {
			c.Certificate = append(c.Certificate, ca.Certificate.Raw)
		}
		return c
	}
	broken := func(der []byte) tls.Certificate {
		c := leaf.TLS()
		c.Certificate = append(slices.Clone(c.Certificate[:1]), der)
		return c
	}
	for name, c := range map[string]struct {
		certificate tls.Certificate
		version     uint16
		kind        observation.FailureKind
	}{
		"a chain of 300 KiB":                {many(300 << 10 / len(ca.Certificate.Raw)), tls.VersionTLS13, observation.ChainOversized},
		"a chain of 300 KiB, TLS 1.2":       {many(300 << 10 / len(ca.Certificate.Raw)), tls.VersionTLS12, observation.ChainOversized},
		"a chain of 1 MiB":                  {many(1 << 20 / len(ca.Certificate.Raw)), tls.VersionTLS13, observation.ChainOversized},
		"a chain of 100 certificates":       {many(99), tls.VersionTLS13, ""},
		"an intermediate that is no DER":    {broken([]byte("no certificate")), tls.VersionTLS13, observation.ChainMalformed},
		"a truncated intermediate, TLS 1.2": {broken(ca.Certificate.Raw[:200]), tls.VersionTLS12, observation.ChainMalformed},
	} {
		t.Run(name, func(t *testing.T) {
			config := &tls.Config{Certificates: []tls.Certificate{c.certificate}, MinVersion: c.version, MaxVersion: c.version}
			a := one(t, observe(t, at(t, target.TLS, certtest.ServeTLS(t, "127.0.0.1", config, nil))))
			if c.kind == "" {
				healthy(t, a)
				return
			}
			failed(t, a, observation.PhaseTLS, c.kind)
			if c.kind == observation.ChainMalformed && !strings.Contains(a.Failure.Detail, "x509") {
				t.Errorf("the detail does not say what is wrong: %q", a.Failure.Detail)
			}
			// TLS 1.2 shows the chain to who reads it by hand; TLS 1.3 encrypts it.
			shown := a.TLS != nil && len(a.TLS.Chain) == 2 && !strings.Contains(a.Failure.Detail, chainHidden)
			if c.kind == observation.ChainMalformed && shown != (c.version == tls.VersionTLS12) {
				t.Errorf("shown %v: %+v, %q", shown, a.TLS, a.Failure.Detail)
			}
		})
	}
}

// TestNoCertificate: a server in TLS 1.3 that sends an empty Certificate message cannot be made with crypto/tls, so the
// test writes the messages of a TLS 1.2 server.
func TestNoCertificate(t *testing.T) {
	hello := append([]byte{3, 3}, make([]byte, 32)...)
	hello = append(hello, 0, 0xc0, 0x2f, 0, 0, 5, 0xff, 1, 0, 1, 0) // ECDHE_RSA_AES128_GCM, renegotiation_info
	message := func(kind byte, body []byte) []byte {
		m := append([]byte{kind, 0, 0, byte(len(body))}, body...)
		return append(binary.BigEndian.AppendUint16([]byte{22, 3, 3}, uint16(len(m))), m...)
	}
	answer := append(message(2, hello), message(11, []byte{0, 0, 0})...)
	a := one(t, observe(t, at(t, target.TLS, certtest.Serve(t, "127.0.0.1", certtest.Say(string(answer))))))
	failed(t, a, observation.PhaseTLS, observation.NoCertificate)
}

func TestSNI(t *testing.T) {
	config := serving(t)
	var asked string
	config.GetConfigForClient = func(h *tls.ClientHelloInfo) (*tls.Config, error) {
		asked = h.ServerName
		return nil, nil
	}
	address := certtest.ServeTLS(t, "127.0.0.1", config, nil)
	e := at(t, target.TLS, address, func(e *target.Endpoint) {
		e.Host, e.ConnectTo = "site.test", []string{address}
	})
	seen := observe(t, e)
	a := one(t, seen)
	healthy(t, a)
	if asked != "site.test" || a.TLS.ServerName != "site.test" || !seen.DNS.Skipped || a.Address != address {
		t.Errorf("asked %q, noted %q, at %s, dns %+v", asked, a.TLS.ServerName, a.Address, seen.DNS)
	}
}

func TestClientCertificate(t *testing.T) {
	_, ca := authority(t)
	client := must(t)(ca.Leaf(time.Now(), []string{"monitor"}, func(c *x509.Certificate) {
		c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	}))
	_, other := authority(t)
	unknown := must(t)(other.Leaf(time.Now(), []string{"unknown"}))
	pool := x509.NewCertPool()
	pool.AddCert(ca.Certificate)
	page := func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok")) }
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		config := serving(t)
		config.MinVersion, config.MaxVersion = version, version
		config.ClientAuth, config.ClientCAs = tls.RequireAndVerifyClientCert, pool
		optional := config.Clone()
		optional.ClientAuth = tls.VerifyClientCertIfGiven // over bare TLS: see TestWaitForRefusalIsNotTheServers
		for name, c := range map[string]struct {
			kind    target.Kind
			address string
			shown   *pki.Pair
			needed  bool
		}{
			"required, none, https":      {target.HTTPS, web(t, config, page), nil, true},
			"required, none, tls":        {target.TLS, certtest.ServeTLS(t, "127.0.0.1", config, nil), nil, true},
			"required, shown, https":     {target.HTTPS, web(t, config, page), client, false},
			"required, shown, tls":       {target.TLS, certtest.ServeTLS(t, "127.0.0.1", config, nil), client, false},
			"required, a wrong one, tls": {target.TLS, certtest.ServeTLS(t, "127.0.0.1", config, nil), unknown, true},
			"optional, none, https":      {target.HTTPS, web(t, optional, page), nil, false},
		} {
			t.Run(tls.VersionName(version)+" "+name, func(t *testing.T) {
				a := one(t, observe(t, at(t, c.kind, c.address, func(e *target.Endpoint) {
					if c.shown != nil {
						key, err := c.shown.KeyPEM()
						if err != nil {
							t.Fatal(err)
						}
						e.Request.ClientCertificate = &target.ClientCertificate{CertificatePEM: c.shown.PEM(), KeyPEM: target.Secret(key)}
					}
				})))
				if a.TLS == nil || !a.TLS.ClientCertificateRequested || a.TLS.ClientCertificateSent != (c.shown != nil) || len(a.TLS.Chain) == 0 {
					t.Fatalf("not noted: %+v, failure %+v", a.TLS, a.Failure)
				}
				switch {
				case !c.needed:
					healthy(t, a)
				case a.Failure == nil || a.Failure.Kind != observation.ClientCertNeeded:
					t.Errorf("got %+v, want %s", a.Failure, observation.ClientCertNeeded)
				}
			})
		}
	}
}

// lastWords is a connection that breaks when the request is written, after the two flights of a TLS 1.3 handshake. Data
// that the other end has sent can still be read.
type lastWords struct {
	net.Conn
	writes int
}

func (l *lastWords) Write(p []byte) (int, error) {
	if l.writes++; l.writes > 2 {
		return 0, syscall.EPIPE
	}
	return l.Conn.Write(p)
}

// TestRefusalBehindABrokenPipe: a server that requires a client certificate closes at once, so that the request cannot
// be written; its alert has the reason.
func TestRefusalBehindABrokenPipe(t *testing.T) {
	for _, protocols := range [][]string{{"http/1.1"}, {"h2"}} {
		config := serving(t)
		config.ClientAuth, config.NextProtos = tls.RequireAnyClientCert, protocols
		address := certtest.ServeTLS(t, "127.0.0.1", config, nil)
		dialing := func(o *Options) {
			o.Dialer = func(ctx context.Context, network, address string) (net.Conn, error) {
				conn, err := new(net.Dialer).DialContext(ctx, network, address)
				return &lastWords{Conn: conn}, err
			}
		}
		a := one(t, observe(t, at(t, target.HTTPS, address), dialing))
		failed(t, a, observation.PhaseHeaders, observation.ClientCertNeeded)
	}
}

// TestNginxClientCertificate: nginx completes the handshake and requires the certificate in its response.
func TestNginxClientCertificate(t *testing.T) {
	config := serving(t)
	config.ClientAuth = tls.RequestClientCert
	address := web(t, config, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = w.Write([]byte("<html><head><title>400 No required SSL certificate was sent</title></head>"))
	})
	a := one(t, observe(t, at(t, target.HTTPS, address)))
	failed(t, a, observation.PhaseHeaders, observation.ClientCertNeeded)
	if a.HTTP == nil || a.HTTP.Status != http.StatusBadRequest {
		t.Errorf("the answer is lost: %+v", a.HTTP)
	}
}

// TestFreshHandshake: a certificate replaced between two rounds of one Prober is observed despite keep-alive and tickets.
func TestFreshHandshake(t *testing.T) {
	_, ca := authority(t)
	var current *pki.Pair
	config := serving(t)
	config.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) {
		return &tls.Config{Certificates: []tls.Certificate{current.TLS()}, NextProtos: config.NextProtos}, nil
	}
	address := web(t, config, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok")) })
	p := New(Options{Now: time.Now})
	for range 3 {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		current = must(t)(ca.LeafWithKey(time.Now(), []string{"site.test"}, key))
		a := one(t, p.Probe(t.Context(), []target.Endpoint{at(t, target.HTTPS, address)})[0])
		healthy(t, a)
		if !slices.Equal(a.TLS.Chain[0], current.Certificate.Raw) {
			t.Fatal("an older certificate was seen")
		}
	}
}
