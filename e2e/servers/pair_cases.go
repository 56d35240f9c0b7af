package servers

import (
	stdcrypto "crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"strings"
	"syscall"

	"certdrift/internal/finding"
	"certdrift/internal/sim/pki"
)

// rsaLeaf returns a certificate with an RSA key.
func (l *Lab) rsaLeaf(names []string, opts ...pki.Option) *pki.Pair {
	var key stdcrypto.Signer = must(rsa.GenerateKey(rand.Reader, 2048))
	opts = append(opts, func(c *x509.Certificate) { c.KeyUsage |= x509.KeyUsageKeyEncipherment })
	return must(l.Sub.LeafWithKey(l.Now, names, key, opts...))
}

// pairs are servers with an ECDSA and an RSA certificate for one name, of which a handshake shows one.
func pairs() []Case { return concat(goPairs(), notPairs(), programPairs()) }

// byClientsOrder has a server choose between two certificates by what the client prefers, as OpenSSL and nginx do.
func byClientsOrder(ec, rsa tls.Certificate) *tls.Config {
	return &tls.Config{GetCertificate: func(asked *tls.ClientHelloInfo) (*tls.Certificate, error) {
		hello := *asked
		hello.ServerName = "" // whatever the names of the certificates
		for _, algorithm := range hello.SignatureSchemes {
			switch {
			case algorithm == tls.ECDSAWithP256AndSHA256 && hello.SupportsCertificate(&ec) == nil:
				return &ec, nil
			case slices.Contains([]tls.SignatureScheme{tls.PSSWithSHA256, tls.PKCS1WithSHA256}, algorithm) && hello.SupportsCertificate(&rsa) == nil:
				return &rsa, nil
			}
		}
		return nil, errors.New("no certificate for this client")
	}}
}

// byServersOrder has a server give the ECDSA certificate to all clients that support it.
func byServersOrder(ec, rsa tls.Certificate) *tls.Config {
	return &tls.Config{Certificates: []tls.Certificate{ec, rsa}} // a server's defaults
}

// goPairs are served by Go, which chooses as the case says.
func goPairs() []Case {
	type choice func(ec, rsa tls.Certificate) *tls.Config
	web := func(name string, want []finding.Code, choose choice, version uint16, make func(l *Lab) (ec, rsa tls.Certificate)) Case {
		return Case{Name: "a pair: " + name, Want: want, serve: func(l *Lab) Target {
			config := choose(make(l))
			config.MinVersion, config.MaxVersion = version, version
			return at(l.web("127.0.0.1", config, ok()))
		}}
	}
	good := func(l *Lab) (ec, rsa tls.Certificate) { return l.leaf().TLS(), l.rsaLeaf([]string{Host}).TLS() }
	expiredECDSA := func(l *Lab) (ec, rsa tls.Certificate) {
		return l.leaf(pki90(l)...).TLS(), l.rsaLeaf([]string{Host}).TLS()
	}
	expiredRSA := func(l *Lab) (ec, rsa tls.Certificate) {
		return l.leaf().TLS(), l.rsaLeaf([]string{Host}, pki90(l)...).TLS()
	}
	// mismatched has one certificate, or both, with the key of another.
	mismatched := func(badECDSA, badRSA bool) func(l *Lab) (ec, rsa tls.Certificate) {
		return func(l *Lab) (ec, rsa tls.Certificate) {
			ec, rsa = good(l)
			if badECDSA {
				ec.PrivateKey = l.leaf().Key
			}
			if badRSA {
				rsa.PrivateKey = l.rsaLeaf([]string{Host}).Key
			}
			return ec, rsa
		}
	}
	edwards := func(l *Lab, opts ...pki.Option) tls.Certificate {
		_, key, err := ed25519.GenerateKey(rand.Reader)
		if err != nil {
			panic(labError{err})
		}
		return must(l.Sub.LeafWithKey(l.Now, []string{Host}, key, opts...)).TLS()
	}
	expired, any := codes(finding.CertExpired), uint16(0)
	badKey := codes(finding.TLSHandshake)
	return []Case{
		web("both good", nil, byClientsOrder, any, good),
		web("both good, the server prefers ECDSA", nil, byServersOrder, any, good),
		web("both good, TLS 1.2", nil, byServersOrder, tls.VersionTLS12, good),
		web("ECDSA expired", expired, byClientsOrder, any, expiredECDSA),
		web("ECDSA expired, TLS 1.2", expired, byClientsOrder, tls.VersionTLS12, expiredECDSA),
		web("ECDSA expired, TLS 1.3", expired, byClientsOrder, tls.VersionTLS13, expiredECDSA),
		web("RSA expired", expired, byClientsOrder, any, expiredRSA),
		web("RSA expired, the server prefers ECDSA", expired, byServersOrder, any, expiredRSA),
		web("RSA expired, the server prefers ECDSA, TLS 1.2", expired, byServersOrder, tls.VersionTLS12, expiredRSA),
		web("both expired", expired, byClientsOrder, any, func(l *Lab) (ec, rsa tls.Certificate) {
			return l.leaf(pki90(l)...).TLS(), l.rsaLeaf([]string{Host}, pki90(l)...).TLS()
		}),
		web("ECDSA expiring", codes(finding.CertExpiring), byClientsOrder, any, func(l *Lab) (ec, rsa tls.Certificate) {
			return l.leaf(pki.Valid(l.Now.Add(-88*day), l.Now.Add(2*day))).TLS(), l.rsaLeaf([]string{Host}).TLS()
		}),
		web("ECDSA for another name", codes(finding.CertNameMismatch), byClientsOrder, any, func(l *Lab) (ec, rsa tls.Certificate) {
			return l.leafFor([]string{"www.example.net"}).TLS(), l.rsaLeaf([]string{Host}).TLS()
		}),
		web("ECDSA without its intermediate", codes(finding.CertChainIncomplete), byClientsOrder, any, func(l *Lab) (ec, rsa tls.Certificate) {
			ec, rsa = good(l)
			ec.Certificate = ec.Certificate[:1]
			return ec, rsa
		}),
		web("ECDSA self-signed", codes(finding.CertSelfSigned), byClientsOrder, any, func(l *Lab) (ec, rsa tls.Certificate) {
			return must(pki.SelfSigned(l.Now, []string{Host})).TLS(), l.rsaLeaf([]string{Host}).TLS()
		}),
		web("ECDSA with another key", badKey, byClientsOrder, any, mismatched(true, false)),
		web("ECDSA with another key, TLS 1.2", badKey, byClientsOrder, tls.VersionTLS12, mismatched(true, false)),
		web("RSA with another key, the server prefers ECDSA", badKey, byServersOrder, any, mismatched(false, true)),
		web("RSA with another key, the server prefers ECDSA, TLS 1.2", badKey, byServersOrder, tls.VersionTLS12, mismatched(false, true)),
		web("RSA with another key", badKey, byClientsOrder, any, mismatched(false, true)),
		web("both with another key", badKey, byClientsOrder, any, mismatched(true, true)),
		web("Ed25519 with another key", badKey, byServersOrder, any, func(l *Lab) (first, second tls.Certificate) {
			first, second = l.rsaLeaf([]string{Host}).TLS(), edwards(l)
			second.PrivateKey = edwards(l).PrivateKey
			return first, second
		}),
		web("Ed25519 expired", expired, byServersOrder, any, func(l *Lab) (first, second tls.Certificate) {
			return l.rsaLeaf([]string{Host}).TLS(), edwards(l, pki90(l)...)
		}),
		web("Ed25519 and RSA, both good", nil, byServersOrder, any, func(l *Lab) (first, second tls.Certificate) {
			return l.rsaLeaf([]string{Host}).TLS(), edwards(l)
		}),
		{Name: "a pair: RSA for the key exchange by RSA alone", serve: func(l *Lab) Target { // certdrift says that it did not check the key
			config := byServersOrder(good(l))
			config.MaxVersion = tls.VersionTLS12
			config.CipherSuites = []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, tls.TLS_RSA_WITH_AES_128_CBC_SHA}
			return at(l.web("127.0.0.1", config, ok()))
		}},
		{Name: "smtp: a pair, ECDSA with another key", Want: badKey, serve: func(l *Lab) Target {
			return l.scripted("smtp://"+Host, byClientsOrder(mismatched(true, false)(l)), "220 mail\r\n", "EHLO", "250-mail\r\n250 STARTTLS\r\n", "STARTTLS", "220 go\r\n")
		}},
		{Name: "a pair: ECDSA expired, a client certificate is demanded", Want: codes(finding.CertExpired, finding.TLSClientCertificateRequired), serve: func(l *Lab) Target {
			config := byClientsOrder(expiredECDSA(l))
			config.ClientAuth = tls.RequireAnyClientCert
			return at(l.web("127.0.0.1", config, ok()))
		}},
		{Name: "smtp: a pair, ECDSA expired", Want: expired, serve: func(l *Lab) Target {
			return l.scripted("smtp://"+Host, byClientsOrder(expiredECDSA(l)), "220 mail\r\n", "EHLO", "250-mail\r\n250 STARTTLS\r\n", "STARTTLS", "220 go\r\n")
		}},
		{Name: "a pair at one address, one certificate at the other", serve: func(l *Lab) Target {
			ec, rsa := good(l)
			alone := &tls.Config{Certificates: []tls.Certificate{rsa}} // a server's defaults
			return at(l.web("127.0.0.1", byClientsOrder(ec, rsa), ok()), l.web("127.0.0.2", alone, ok()))
		}},
		{Name: "the same pair at two addresses, which prefer one each", serve: func(l *Lab) Target {
			ec, rsa := good(l)
			return at(l.web("127.0.0.1", byServersOrder(ec, rsa), ok()), l.web("127.0.0.2", byServersOrder(rsa, ec), ok()))
		}},
	}
}

// notPairs have one certificate for the name, whatever a client that supports another type of key alone meets.
func notPairs() []Case {
	// meeting has a server with an RSA certificate do something else with clients that lack RSA.
	meeting := func(name string, meet func(*tls.ClientHelloInfo) (*tls.Config, error)) Case {
		return Case{Name: name, serve: func(l *Lab) Target {
			leaf := l.rsaLeaf([]string{Host}).TLS()
			return at(l.web("127.0.0.1", &tls.Config{Certificates: []tls.Certificate{leaf}, GetConfigForClient: func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
				if hello.SupportsCertificate(&leaf) == nil {
					return nil, nil //nolint:nilnil // the configuration as it stands
				}
				return meet(hello)
			}}, ok()))
		}}
	}
	return []Case{
		{Name: "RSA only", serve: func(l *Lab) Target { return l.serve(l.rsaLeaf([]string{Host})) }},
		{Name: "RSA only, TLS 1.2", serve: func(l *Lab) Target {
			return at(l.web("127.0.0.1", &tls.Config{Certificates: []tls.Certificate{l.rsaLeaf([]string{Host}).TLS()}, MaxVersion: tls.VersionTLS12}, ok()))
		}},
		waits(meeting("clients without RSA are never answered", func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
			hangs(hello.Conn)
			return nil, errors.New("nobody waited")
		})),
		meeting("clients without RSA are reset", func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
			abort(hello.Conn)
			_ = hello.Conn.Close()
			return nil, errors.New("reset")
		}),
		meeting("clients without RSA meet an internal error", func(*tls.ClientHelloInfo) (*tls.Config, error) { return nil, errors.New("out of order") }),
		{Name: "ECDSA for the name, and an RSA default for others", serve: func(l *Lab) Target {
			foreign := l.rsaLeaf([]string{"www.example.net"}, pki90(l)...).TLS()
			return at(l.web("127.0.0.1", &tls.Config{Certificates: []tls.Certificate{foreign, l.leaf().TLS()}}, ok())) // a server's defaults
		}},
	}
}

// programPairs are served by openssl s_server, nginx, haproxy and Apache.
func programPairs() []Case {
	expired := codes(finding.CertExpired)
	type files struct{ cert, key, both, dcert, dkey, dboth string }
	const good, badECDSA, badRSA = "both good", "ECDSA expired", "RSA expired"
	pair := func(l *Lab, name string) files {
		var optsRSA, optsECDSA []pki.Option
		switch {
		case strings.HasPrefix(name, badECDSA):
			optsECDSA = pki90(l)
		case strings.HasPrefix(name, badRSA):
			optsRSA = pki90(l)
		}
		rsa, ec := l.rsaLeaf([]string{Host}, optsRSA...), l.leaf(optsECDSA...)
		var f files
		f.cert, f.key = l.files(rsa)
		f.both = l.write("rsa.pem", append(rsa.PEM(), must(rsa.KeyPEM())...))
		f.dcert, f.dkey = l.files(ec)
		f.dboth = l.write("ecdsa.pem", append(ec.PEM(), must(ec.KeyPEM())...))
		return f
	}
	sServer := func(name string, want []finding.Code, args ...string) Case {
		return Case{Name: "s_server with a pair: " + name, Needs: "openssl", Want: want, serve: func(l *Lab) Target {
			f := pair(l, name)
			chain := l.write("sub.pem", certPEM(l.Sub.Certificate.Raw))
			return l.sServer(append([]string{"-cert", f.cert, "-key", f.key, "-cert_chain", chain, "-dcert", f.dcert, "-dkey", f.dkey, "-dcert_chain", chain}, args...)...)
		}}
	}
	nginx := func(name string, want []finding.Code, more string) Case {
		return Case{Name: "nginx with a pair: " + name, Needs: "nginx", Want: want, serve: func(l *Lab) Target {
			f, address := pair(l, name), l.reserve()
			config := fmt.Sprintf("daemon off;\nmaster_process off;\npid %[1]s/nginx.pid;\nerror_log stderr;\nevents {}\nhttp {\naccess_log off;\n"+
				"client_body_temp_path %[1]s/a;\nproxy_temp_path %[1]s/b;\nfastcgi_temp_path %[1]s/c;\nuwsgi_temp_path %[1]s/d;\nscgi_temp_path %[1]s/e;\n"+
				"server { listen %[2]s ssl; ssl_certificate %[3]s; ssl_certificate_key %[4]s; ssl_certificate %[5]s; ssl_certificate_key %[6]s; %[7]s location / { return 200 ok; } }\n}\n",
				l.Dir, address, f.cert, f.key, f.dcert, f.dkey, more)
			l.run(address, "nginx", "-c", l.write("nginx.conf", []byte(config)), "-p", l.Dir)
			return at(address)
		}}
	}
	haproxy := func(name string, want []finding.Code) Case {
		return Case{Name: "haproxy with a pair: " + name, Needs: "haproxy", Want: want, serve: func(l *Lab) Target {
			f, address := pair(l, name), l.reserve()
			config := fmt.Sprintf("global\ndefaults\n  mode http\n  timeout connect 2s\n  timeout client 5s\n  timeout server 5s\nfrontend f\n"+
				"  bind %s ssl crt %s crt %s\n  http-request return status 200 content-type text/plain string ok\n", address, f.both, f.dboth)
			l.run(address, "haproxy", "-db", "-f", l.write("haproxy.cfg", []byte(config)))
			return at(address)
		}}
	}
	apache := func(name string, want []finding.Code) Case {
		return Case{Name: "apache with a pair: " + name, Needs: "apache2", Want: want, serve: func(l *Lab) Target {
			f, address := pair(l, name), l.reserve()
			var b strings.Builder
			for _, module := range []string{"mpm_event", "authz_core", "ssl", "rewrite"} {
				fmt.Fprintf(&b, "LoadModule %s_module /usr/lib/apache2/modules/mod_%s.so\n", module, module)
			}
			if syscall.Getuid() == 0 {
				b.WriteString("User #65534\nGroup #65534\n")
			}
			fmt.Fprintf(&b, "ServerRoot %[1]s\nServerName %[2]s\nPidFile %[1]s/apache.pid\nErrorLog /dev/stderr\nMutex posixsem\nListen %[3]s\nSSLEngine on\n"+
				"SSLCertificateFile %[4]s\nSSLCertificateKeyFile %[5]s\nSSLCertificateFile %[6]s\nSSLCertificateKeyFile %[7]s\n"+
				"<Location />\nRewriteEngine on\nRewriteRule ^ - [R=204]\n</Location>\n", l.Dir, Host, address, f.cert, f.key, f.dcert, f.dkey)
			l.run(address, "apache2", "-X", "-f", l.write("apache.conf", []byte(b.String())))
			return at(address)
		}}
	}
	return []Case{
		sServer(good, nil),
		sServer(badECDSA, expired),
		sServer(badRSA, expired),
		sServer(badECDSA+", TLS 1.2", expired, "-tls1_2"),
		sServer(badRSA+", TLS 1.2", expired, "-tls1_2"),
		sServer(badECDSA+", TLS 1.3", expired, "-tls1_3"),
		sServer(badECDSA+", TLS 1.3 on P-521", codes(finding.CertExpired, finding.TLSCipherWeak), "-tls1_3", "-groups", "P-521"),
		sServer(badECDSA+", the server's order", expired, "-serverpref"),
		sServer(badRSA+", the server's order", expired, "-serverpref"),
		sServer(good+", ChaCha20 only", nil, "-tls1_3", "-ciphersuites", "TLS_CHACHA20_POLY1305_SHA256"),
		nginx(good, nil, ""),
		nginx(badECDSA, expired, ""),
		nginx(badRSA, expired, ""),
		nginx(badECDSA+", TLS 1.3", expired, "ssl_protocols TLSv1.3;"),
		nginx(badRSA+", the server's order", expired, "ssl_protocols TLSv1.3; ssl_prefer_server_ciphers on;"),
		haproxy(good, nil),
		haproxy(badECDSA, expired),
		haproxy(badRSA, expired),
		apache(good, nil),
		apache(badECDSA, expired),
		apache(badRSA, expired),
	}
}
