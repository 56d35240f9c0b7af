package servers

import (
	stdcrypto "crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"slices"
	"time"

	"certdrift/internal/finding"
)

// suites are servers with legacy cipher suites, groups and key types, alone and beside what every client has.
func suites() []Case {
	return concat(weakSuites(), rareHandshakes())
}

// rsaConfig serves a leaf with an RSA key over TLS 1.2 with some cipher suites.
func (l *Lab) rsaConfig(ids ...uint16) *tls.Config {
	var key stdcrypto.Signer = must(rsa.GenerateKey(rand.Reader, 2048))
	leaf := must(l.Sub.LeafWithKey(l.Now, []string{Host}, key, func(c *x509.Certificate) {
		c.KeyUsage |= x509.KeyUsageKeyEncipherment
	})).TLS()
	return &tls.Config{Certificates: []tls.Certificate{leaf}, CipherSuites: ids, MaxVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"}}
}

// webHTTP1 serves HTTP/1.1: net/http serves nothing over TLS that lacks HTTP/2's cipher suites otherwise.
func (l *Lab) webHTTP1(config *tls.Config) string {
	listener := must(net.Listen("tcp", "127.0.0.1:0"))
	server := &http.Server{Handler: ok(), ReadHeaderTimeout: time.Minute, ErrorLog: silent()}
	l.onClose(func() { _ = server.Close() })
	go func() { _ = server.Serve(tls.NewListener(listener, config)) }()
	return listener.Addr().String()
}

func weakSuites() []Case {
	const gcm, cbc, rare, static = tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA, tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256, tls.TLS_RSA_WITH_AES_128_GCM_SHA256
	const triple, rc4 = tls.TLS_RSA_WITH_3DES_EDE_CBC_SHA, tls.TLS_RSA_WITH_RC4_128_SHA
	weak := codes(finding.TLSCipherWeak)
	with := func(name string, want []finding.Code, ids ...uint16) Case {
		return Case{Name: name, Want: want, serve: func(l *Lab) Target {
			return at(l.webHTTP1(l.rsaConfig(ids...)))
		}}
	}
	on := func(name string, want []finding.Code, groups ...tls.CurveID) Case {
		return Case{Name: name, Want: want, serve: func(l *Lab) Target {
			config := l.rsaConfig(gcm)
			config.CurvePreferences = groups
			return at(l.webHTTP1(config))
		}}
	}
	// prefers has a server choose one suite of all clients that offer it, and another of the rest.
	prefers := func(name string, want []finding.Code, first, second uint16) Case {
		return Case{Name: name, Want: want, serve: func(l *Lab) Target {
			config := l.rsaConfig(second)
			preferred := config.Clone()
			preferred.CipherSuites = []uint16{first}
			config.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
				if slices.Contains(hello.CipherSuites, first) {
					return preferred, nil
				}
				return nil, nil //nolint:nilnil // the configuration as it stands
			}
			return at(l.webHTTP1(config))
		}}
	}
	return []Case{
		with("3DES only", weak, triple),
		with("RC4 only", weak, rc4),
		with("3DES beside ECDHE", nil, triple, gcm),
		prefers("3DES preferred to RSA key exchange", weak, triple, static),
		with("RSA key exchange only", weak, static),
		with("RSA key exchange only, with CBC", weak, tls.TLS_RSA_WITH_AES_128_CBC_SHA, tls.TLS_RSA_WITH_AES_256_CBC_SHA),
		prefers("RSA key exchange preferred to ECDHE", nil, static, gcm),
		with("ECDHE with CBC only", weak, cbc),
		with("ECDHE with CBC and SHA-256 only", weak, rare),
		with("RSA key exchange with CBC and SHA-256 only", weak, tls.TLS_RSA_WITH_AES_128_CBC_SHA256),
		with("ECDHE with CBC beside GCM", nil, cbc, rare, gcm),
		on("P-521 only, TLS 1.2", weak, tls.CurveP521),
		on("P-384 only", nil, tls.CurveP384),
		on("P-521 beside P-256", nil, tls.CurveP521, tls.CurveP256),
		{Name: "TLS 1.0 and 3DES only", Want: codes(finding.TLSVersionOld), serve: func(l *Lab) Target {
			config := l.rsaConfig(triple)
			config.MinVersion, config.MaxVersion = tls.VersionTLS10, tls.VersionTLS10
			return at(l.webHTTP1(config))
		}},
		{Name: "smtp: RSA key exchange only", Want: weak, serve: func(l *Lab) Target {
			return l.scripted("smtp://"+Host+":25", l.rsaConfig(static), "220 mail.example.org ESMTP\r\n", "EHLO", "250-mail.example.org\r\n250 STARTTLS\r\n", "STARTTLS", "220 go ahead\r\n")
		}},
	}
}

// rareHandshakes need what Go does not have.
func rareHandshakes() []Case {
	fails := codes(finding.TLSHandshake)
	pss := func(name string, want []finding.Code, key []string, args ...string) Case {
		return weakCase(name, want, weak{key: key}, args...)
	}
	rsaPSS := []string{"-algorithm", "RSA-PSS", "-pkeyopt", "rsa_keygen_bits:2048"}
	return []Case{
		protocol("DHE only", fails, "-tls1_2", "-cipher", "DHE-RSA-AES128-GCM-SHA256"),
		protocol("DHE with CBC only", fails, "-tls1_2", "-cipher", "DHE-RSA-AES256-SHA"),
		protocol("DHE beside ECDHE", nil, "-tls1_2", "-cipher", "DHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256", "-serverpref"),
		protocol("ECDHE with CBC and SHA-384 only", fails, "-tls1_2", "-cipher", "ECDHE-RSA-AES256-SHA384"),
		protocol("CCM only", fails, "-tls1_2", "-cipher", "AES128-CCM"),
		pss("a key for RSASSA-PSS only", fails, rsaPSS),
		pss("a key for RSASSA-PSS only, TLS 1.2", fails, rsaPSS, "-tls1_2"),
	}
}
