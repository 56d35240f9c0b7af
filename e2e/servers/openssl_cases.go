package servers

import (
	"crypto/tls"
	"encoding/pem"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"certdrift/internal/finding"
	"certdrift/internal/sim/pki"
)

// openssl runs openssl once.
func (l *Lab) openssl(args ...string) {
	out, err := exec.Command("openssl", args...).CombinedOutput() // arguments are this package's own
	if err != nil {
		panic(labError{fmt.Errorf("running openssl %q: %w: %s", args, err, out)})
	}
}

// made is a certificate that openssl made, with its files.
type made struct{ cert, key, chain string }

// weak describes what is weak.
type weak struct {
	key    []string // arguments of genpkey
	digest string
	ca     []string // arguments of genpkey for the CA's key
}

// make has openssl create a CA and a leaf under it that Go would not create.
func (l *Lab) make(w weak) (leaf, root made) {
	rsa := []string{"-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"}
	if w.key == nil {
		w.key = rsa
	}
	if w.ca == nil {
		w.ca = rsa
	}
	if w.digest == "" {
		w.digest = "-sha256"
	}
	root = made{cert: l.write("ca.pem", nil), key: l.write("ca.key", nil)}
	leaf = made{cert: l.write("leaf.pem", nil), key: l.write("leaf.key", nil), chain: root.cert}
	csr := l.write("leaf.csr", nil)
	ext := l.write("leaf.ext", []byte("subjectAltName=DNS:"+Host+"\nbasicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature,keyEncipherment\nextendedKeyUsage=serverAuth\n"))
	l.openssl(append([]string{"genpkey", "-out", root.key}, w.ca...)...)
	l.openssl("req", "-x509", "-new", "-key", root.key, "-out", root.cert, "-days", "3650", "-subj", "/CN=OpenSSL Lab Root",
		"-addext", "keyUsage=critical,keyCertSign,cRLSign")
	l.openssl(append([]string{"genpkey", "-out", leaf.key}, w.key...)...)
	l.openssl("req", "-new", "-key", leaf.key, "-out", csr, "-subj", "/CN="+Host)
	l.openssl("x509", "-req", "-in", csr, "-CA", root.cert, "-CAkey", root.key, "-CAcreateserial", "-out", leaf.cert, "-days", "90",
		"-extfile", ext, w.digest)
	return leaf, root
}

// sServer starts openssl s_server with a small web server, whose page shows the arguments. Files of the lab have names relative
// to its directory, so that saved observations contain no local paths.
func (l *Lab) sServer(args ...string) Target {
	address := l.reserve()
	for i, arg := range args {
		args[i] = strings.TrimPrefix(arg, l.Dir+string(filepath.Separator))
	}
	l.run(address, "openssl", append([]string{"s_server", "-accept", address, "-www", "-quiet"}, args...)...)
	return at(address)
}

// files writes a pair's chain and key for a real server.
func (l *Lab) files(p *pki.Pair) (cert, key string) {
	return l.write("chain.pem", p.PEM()), l.write("chain.key", must(p.KeyPEM()))
}

// large is a server with an ECDSA leaf that a CA with a large RSA key issued. More than two primes make it in a second.
func large(name string, want []finding.Code, bits string, sent bool) Case {
	return Case{Name: name, Needs: "openssl", Want: want, serve: func(l *Lab) Target {
		leaf, root := l.make(weak{
			key: []string{"-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-pkeyopt", "ec_param_enc:named_curve"},
			ca:  []string{"-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:" + bits, "-pkeyopt", "rsa_keygen_primes:5"},
		})
		pair := must(tls.LoadX509KeyPair(leaf.cert, leaf.key))
		if sent {
			block, _ := pem.Decode(must(os.ReadFile(root.cert)))
			pair.Certificate = append(pair.Certificate, block.Bytes)
		}
		t := at(l.web("127.0.0.1", &tls.Config{Certificates: []tls.Certificate{pair}}, ok())) // a server's defaults
		t.CAs = []string{root.cert}
		return t
	}}
}

// weakCase has s_server send a certificate with a weakness.
func weakCase(name string, want []finding.Code, w weak, args ...string) Case {
	return Case{Name: name, Needs: "openssl", Want: want, serve: func(l *Lab) Target {
		leaf, root := l.make(w)
		t := l.sServer(append([]string{"-cert", leaf.cert, "-key", leaf.key, "-cipher", "ALL:@SECLEVEL=0"}, args...)...)
		t.CAs = []string{root.cert}
		return t
	}}
}

func crypto() []Case {
	rsaBits := func(bits string) []string {
		return []string{"-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:" + bits}
	}
	curve := func(name string) []string {
		return []string{"-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:" + name, "-pkeyopt", "ec_param_enc:named_curve"}
	}
	return []Case{
		weakCase("RSA 512", codes(finding.CertKeyWeak), weak{key: rsaBits("512")}, "-tls1_2"),
		weakCase("RSA 1024", codes(finding.CertKeyWeak), weak{key: rsaBits("1024")}),
		weakCase("RSA 2048", nil, weak{}),
		weakCase("RSA 4096", nil, weak{key: rsaBits("4096")}),
		large("an issuer with RSA 8704, sent", codes(finding.CertKeyWeak), "8704", true),
		large("a root with RSA 8704, not sent", codes(finding.CertKeyWeak), "8704", false),
		large("an issuer with RSA 8192, sent", nil, "8192", true),
		weakCase("a root with RSA 1024", codes(finding.CertKeyWeak), weak{ca: rsaBits("1024")}),
		weakCase("signed with SHA-1", codes(finding.CertSignatureWeak), weak{digest: "-sha1"}),
		// s_server refuses to send MD5, since no client offers it.
		{Name: "signed with MD5", Needs: "openssl", Want: codes(finding.CertSignatureWeak), serve: func(l *Lab) Target {
			leaf, root := l.make(weak{digest: "-md5"})
			pair := must(tls.LoadX509KeyPair(leaf.cert, leaf.key))
			t := at(l.web("127.0.0.1", &tls.Config{Certificates: []tls.Certificate{pair}}, ok())) // a server's defaults
			t.CAs = []string{root.cert}
			return t
		}},
		weakCase("signed with SHA-512", nil, weak{digest: "-sha512"}),
		weakCase("RSA 1024, signed with SHA-1", codes(finding.CertKeyWeak, finding.CertSignatureWeak), weak{key: rsaBits("1024"), digest: "-sha1"}),
		weakCase("P-256", nil, weak{key: curve("P-256")}),
		weakCase("P-384", nil, weak{key: curve("P-384")}),
		weakCase("P-521", codes(finding.CertKeyWeak), weak{key: curve("P-521")}),
		weakCase("Ed25519", codes(finding.CertKeyWeak), weak{key: []string{"-algorithm", "ED25519"}}),
		weakCase("P-192", codes(finding.CertKeyWeak), weak{key: curve("P-192")}),
		weakCase("P-224", codes(finding.CertKeyWeak), weak{key: curve("P-224")}),
		weakCase("P-224, TLS 1.2 only", codes(finding.CertKeyWeak), weak{key: curve("P-224")}, "-tls1_2"),
		weakCase("a curve that clients lack", codes(finding.TLSHandshake), weak{key: curve("secp256k1")}, "-tls1_2", "-named_curve", "secp256k1"),
	}
}

// protocol runs s_server with args and a healthy certificate.
func protocol(name string, want []finding.Code, args ...string) Case {
	return Case{Name: name, Needs: "openssl", Want: want, serve: func(l *Lab) Target {
		leaf, root := l.make(weak{})
		t := l.sServer(append([]string{"-cert", leaf.cert, "-key", leaf.key, "-chainCAfile", leaf.chain}, args...)...)
		t.CAs = []string{root.cert}
		return t
	}}
}

func openssl() []Case {
	old := "ALL:@SECLEVEL=0"
	return []Case{
		protocol("s_server as it is", nil),
		protocol("TLS 1.0 only", codes(finding.TLSVersionOld), "-tls1", "-cipher", old),
		protocol("TLS 1.1 only, at the default security level", codes(finding.TLSVersionOld), "-tls1_1"),
		protocol("TLS 1.1 only", codes(finding.TLSVersionOld), "-tls1_1", "-cipher", old),
		protocol("s_server, TLS 1.2 only", nil, "-tls1_2"),
		protocol("s_server, TLS 1.3 only", nil, "-tls1_3"),
		protocol("TLS 1.2 with static RSA key exchange", codes(finding.TLSCipherWeak), "-tls1_2", "-cipher", "AES128-SHA"),
		protocol("TLS 1.3 with ChaCha20", nil, "-tls1_3", "-ciphersuites", "TLS_CHACHA20_POLY1305_SHA256"),
		protocol("X25519 only", nil, "-groups", "X25519"),
		protocol("P-521 only (a HelloRetryRequest)", codes(finding.TLSCipherWeak), "-tls1_3", "-groups", "P-521"),
		protocol("no cipher in common", codes(finding.TLSHandshake), "-tls1_2", "-cipher", "CAMELLIA128-SHA"),
		protocol("a client certificate is demanded, TLS 1.3", codes(finding.TLSClientCertificateRequired), "-Verify", "1", "-verify_return_error"),
		protocol("a client certificate is demanded, TLS 1.2", codes(finding.TLSClientCertificateRequired), "-tls1_2", "-Verify", "1", "-verify_return_error"),
		protocol("a client certificate is asked for", nil, "-verify", "1"),
		{Name: "a name that the server does not know is fatal", Needs: "openssl", Want: codes(finding.TLSHandshake), serve: func(l *Lab) Target {
			cert, key := l.files(l.leaf())
			return l.sServer("-cert", cert, "-key", key, "-cert2", cert, "-key2", key, "-servername", "www.example.net", "-servername_fatal")
		}},
		{Name: "certificates by SNI, the right one", Needs: "openssl", serve: func(l *Lab) Target {
			other, otherKey := l.files(l.leafFor([]string{"www.example.net"}))
			cert, key := l.files(l.leaf())
			return l.sServer("-cert", other, "-key", otherKey, "-cert_chain", other, "-servername", Host, "-cert2", cert, "-key2", key, "-cert_chain", cert)
		}, Want: codes(finding.CertChainIncomplete)}, // s_server sends no chain with -cert2
		{Name: "anonymous: no certificate at all", Needs: "openssl", Want: codes(finding.TLSHandshake), serve: func(l *Lab) Target {
			return l.sServer("-nocert", "-tls1_2", "-cipher", "aNULL:@SECLEVEL=0")
		}},
		{Name: "DSA", Needs: "openssl", Want: codes(finding.CertKeyWeak), serve: func(l *Lab) Target {
			parameters := l.write("dsa.pem", nil)
			l.openssl("genpkey", "-genparam", "-algorithm", "DSA", "-pkeyopt", "dsa_paramgen_bits:2048", "-out", parameters)
			leaf, root := l.make(weak{key: []string{"-paramfile", parameters}})
			t := l.sServer("-cert", leaf.cert, "-key", leaf.key, "-tls1_2", "-cipher", "ALL:@SECLEVEL=0")
			t.CAs = []string{root.cert}
			return t
		}},
		{Name: "the chain in the wrong order", Needs: "openssl", serve: func(l *Lab) Target {
			p := must(must(l.Sub.Intermediate("Lower CA", l.Now)).Leaf(l.Now, []string{Host}))
			cert := l.write("leaf.pem", certPEM(p.Certificate.Raw))
			above := l.write("above.pem", certPEM(l.Root.Certificate.Raw, p.Parents[1].Raw, p.Parents[0].Raw))
			return l.sServer("-cert", cert, "-key", l.write("leaf.key", must(p.KeyPEM())), "-cert_chain", above)
		}},
		{Name: "smtp: a TLS port, which waits to be spoken to", Needs: "openssl", Want: codes(finding.TLSTimeout), serve: func(l *Lab) Target {
			t := l.sServer("-nocert", "-cipher", "aNULL")
			t.URL = "smtp://" + Host
			return t
		}},
	}
}
