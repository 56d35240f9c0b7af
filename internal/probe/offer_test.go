package probe

import (
	"crypto/tls"
	"net"
	"net/http"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"certdrift/internal/certtest"
	"certdrift/internal/observation"
	"certdrift/internal/target"
)

// counted serves a page over TLS and counts connections and requests.
func counted(t *testing.T, config *tls.Config) (address string, connections, requests *atomic.Int32) {
	t.Helper()
	connections, requests = new(atomic.Int32), new(atomic.Int32)
	choose := config.GetConfigForClient
	config.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		connections.Add(1)
		if choose == nil {
			return nil, nil //nolint:nilnil // the configuration as it stands
		}
		return choose(hello)
	}
	return web(t, config, func(http.ResponseWriter, *http.Request) { requests.Add(1) }), connections, requests
}

// TestOffers: a server gets the ClientHello of a current client first, and one that offers more only if it has nothing in common
// with that. What is observed is the best that it has; it gets one request.
func TestOffers(t *testing.T) {
	_, ca := authority(t)
	leaf := must(t)(ca.LeafWithKey(time.Now(), []string{"site.test"}, certtest.RSAKey(t, 2048)))
	const aead, cbc, rsa, rare = tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA, tls.TLS_RSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256
	const triple, rc4 = tls.TLS_RSA_WITH_3DES_EDE_CBC_SHA, tls.TLS_ECDHE_RSA_WITH_RC4_128_SHA
	for name, c := range map[string]struct {
		suites      []uint16
		version     uint16
		group       tls.CurveID
		cipher      uint16
		connections int32 // one of them with a small ClientHello, where the alert says nothing; and one for another certificate
	}{
		"TLS 1.3":              {nil, tls.VersionTLS13, 0, tls.TLS_AES_128_GCM_SHA256, 1},
		"AEAD":                 {[]uint16{aead}, 0, 0, aead, 1},
		"AEAD beside worse":    {[]uint16{rc4, triple, rsa, cbc, aead}, 0, 0, aead, 1},
		"P-384 only":           {[]uint16{aead}, 0, tls.CurveP384, aead, 1},
		"CBC":                  {[]uint16{cbc}, 0, 0, cbc, 4},
		"CBC, and worse":       {[]uint16{rc4, triple, rsa, rare, cbc}, 0, 0, cbc, 4},
		"P-521 only":           {[]uint16{aead}, 0, tls.CurveP521, aead, 4},
		"P-521 only, TLS 1.3":  {nil, tls.VersionTLS13, tls.CurveP521, tls.TLS_AES_128_GCM_SHA256, 4},
		"RSA key exchange":     {[]uint16{rsa}, 0, 0, rsa, 5},
		"CBC with SHA-256":     {[]uint16{rare}, 0, 0, rare, 5},
		"3DES":                 {[]uint16{triple}, 0, 0, triple, 5},
		"RC4":                  {[]uint16{rc4}, 0, 0, rc4, 5},
		"RC4, and better":      {[]uint16{rc4, rsa}, 0, 0, rsa, 5},
		"TLS 1.1":              {[]uint16{cbc}, tls.VersionTLS11, 0, cbc, 4},
		"TLS 1.0 and RC4 only": {[]uint16{rc4}, tls.VersionTLS10, 0, rc4, 4},
	} {
		t.Run(name, func(t *testing.T) {
			config := &tls.Config{Certificates: []tls.Certificate{leaf.TLS()}, CipherSuites: c.suites, MinVersion: c.version, MaxVersion: c.version}
			if c.version == 0 {
				config.MinVersion, config.MaxVersion = tls.VersionTLS12, tls.VersionTLS12
			}
			config.NextProtos = []string{"http/1.1"}
			if c.group != 0 {
				config.CurvePreferences = []tls.CurveID{c.group}
			}
			address, connections, requests := counted(t, config)
			a := one(t, observe(t, at(t, target.HTTPS, address, func(e *target.Endpoint) {
				e.Host, e.URL, e.ConnectTo = "site.test", "https://site.test/", []string{address}
			})))
			healthy(t, a)
			if a.TLS.Cipher != tls.CipherSuiteName(c.cipher) || c.group != 0 && a.TLS.Group != c.group.String() {
				t.Errorf("got %s on %s", a.TLS.Cipher, a.TLS.Group)
			}
			if connections.Load() != c.connections+1 || requests.Load() != 1 {
				t.Errorf("%d connections, want %d; %d requests", connections.Load(), c.connections+1, requests.Load())
			}
			if a.Other == nil || !a.Other.Absent || a.Other.KeyType != observation.ECDSA {
				t.Errorf("other certificate %+v", a.Other)
			}
		})
	}
}

// TestOffersToAServerThatPrefersTheWorst: a server that chooses RC4 if it can has RSA key exchange for clients without.
func TestOffersToAServerThatPrefersTheWorst(t *testing.T) {
	_, ca := authority(t)
	leaf := must(t)(ca.LeafWithKey(time.Now(), []string{"site.test"}, certtest.RSAKey(t, 2048))).TLS()
	only := func(suite uint16) *tls.Config {
		return &tls.Config{Certificates: []tls.Certificate{leaf}, CipherSuites: []uint16{suite}, MaxVersion: tls.VersionTLS12}
	}
	config := only(tls.TLS_RSA_WITH_AES_256_CBC_SHA)
	config.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		if slices.Contains(hello.CipherSuites, tls.TLS_RSA_WITH_RC4_128_SHA) {
			return only(tls.TLS_RSA_WITH_RC4_128_SHA), nil
		}
		return nil, nil //nolint:nilnil // the configuration as it stands
	}
	address, connections, _ := counted(t, config)
	a := one(t, observe(t, at(t, target.TLS, address)))
	healthy(t, a)
	if a.TLS.Cipher != "TLS_RSA_WITH_AES_256_CBC_SHA" || connections.Load() != 7 {
		t.Errorf("got %s in %d connections", a.TLS.Cipher, connections.Load())
	}
}

// TestOffersDoNotHideAServerThatFailsNowAndThen: a wider look that needs nothing wider is no answer to the first.
func TestOffersDoNotHideAServerThatFailsNowAndThen(t *testing.T) {
	var met atomic.Int32
	config := serving(t)
	address := certtest.Serve(t, "127.0.0.1", func(conn net.Conn) {
		if met.Add(1) == 1 {
			_, _ = conn.Read(make([]byte, 4096))
			_, _ = conn.Write([]byte{21, 3, 3, 0, 2, 2, 40})
			return
		}
		_ = tls.Server(conn, config).Handshake()
	})
	failed(t, one(t, observe(t, at(t, target.TLS, address))), observation.PhaseTLS, observation.Alert)
}

// TestOffersAndClientCertificates: a server that wants a client certificate over a legacy suite is seen to do so.
func TestOffersAndClientCertificates(t *testing.T) {
	_, ca := authority(t)
	leaf := must(t)(ca.LeafWithKey(time.Now(), []string{"site.test"}, certtest.RSAKey(t, 2048))).TLS()
	config := &tls.Config{Certificates: []tls.Certificate{leaf}, CipherSuites: []uint16{tls.TLS_RSA_WITH_AES_128_GCM_SHA256},
		MaxVersion: tls.VersionTLS12, ClientAuth: tls.RequireAnyClientCert}
	a := one(t, observe(t, at(t, target.TLS, certtest.ServeTLS(t, "127.0.0.1", config, nil))))
	failed(t, a, observation.PhaseTLS, observation.ClientCertNeeded)
	if a.TLS == nil || a.TLS.Cipher != "TLS_RSA_WITH_AES_128_GCM_SHA256" {
		t.Errorf("got %+v", a.TLS)
	}
}

// TestOffersAndHTTP2: some servers choose HTTP/2 with a legacy suite, and then close the connection as RFC 9113 §9.2.2 allows. They are
// asked over HTTP/1.1, with the offer that they took.
func TestOffersAndHTTP2(t *testing.T) {
	_, ca := authority(t)
	leaf := must(t)(ca.LeafWithKey(time.Now(), []string{"site.test"}, certtest.RSAKey(t, 2048))).TLS()
	config := &tls.Config{Certificates: []tls.Certificate{leaf}, CipherSuites: []uint16{tls.TLS_RSA_WITH_AES_128_GCM_SHA256},
		MaxVersion: tls.VersionTLS12, NextProtos: []string{protocolH2, "http/1.1"}}
	address, connections, requests := counted(t, config)
	a := one(t, observe(t, at(t, target.HTTPS, address)))
	healthy(t, a)
	if a.HTTP == nil || a.HTTP.Proto != "HTTP/1.1" || connections.Load() != 7 || requests.Load() != 1 {
		t.Errorf("got %+v in %d connections and %d requests", a.HTTP, connections.Load(), requests.Load())
	}
}

// TestCurrentSuites: the list of the first offer is what the names of crypto/tls's suites say, and so is each name of suiteName.
func TestCurrentSuites(t *testing.T) {
	if got, want := slices.Sorted(slices.Values(currentSuites())), slices.Sorted(slices.Values(offerCurrent.suitesByName())); !slices.Equal(got, want) {
		t.Errorf("got %x, want %x", got, want)
	}
	for _, s := range slices.Concat(tls.CipherSuites(), tls.InsecureCipherSuites()) {
		if got := suiteName(s.ID); got != s.Name {
			t.Errorf("suite %x is %q, want %q", s.ID, got, s.Name)
		}
	}
}
