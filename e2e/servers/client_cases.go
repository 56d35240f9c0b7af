package servers

import (
	stdcrypto "crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"time"

	"certdrift/internal/finding"
	"certdrift/internal/sim/pki"
)

// disagreeing are servers that some families of clients refuse, each beside neighbors that all of them accept.
func disagreeing() []Case {
	return concat(sizes(), anyUsages(), serials(), strict(), crossSigns(), keys(), suites())
}

func concat(parts ...[]Case) []Case {
	var all []Case
	for _, p := range parts {
		all = append(all, p...)
	}
	return all
}

// sizes are chains at the limits of Java, rustls, OpenSSL and GnuTLS.
func sizes() []Case {
	sized := func(name string, want []finding.Code, certificates, bytes int) Case {
		return Case{Name: name, Want: want, serve: func(l *Lab) Target {
			p := l.leaf()
			ders := [][]byte{p.Certificate.Raw, l.Sub.Certificate.Raw}
			for len(ders) < certificates {
				ders = append(ders, l.padding(bytes/certificates))
			}
			return l.chain(p, ders...)
		}}
	}
	// deep is a path through a number of intermediates.
	deep := func(intermediates int, want []finding.Code) Case {
		return Case{Name: fmt.Sprintf("a path through %d intermediates", intermediates), Want: want, serve: func(l *Lab) Target {
			p, ders := l.Sub, [][]byte{l.Sub.Certificate.Raw}
			for i := 1; i < intermediates; i++ {
				p = must(p.Intermediate(fmt.Sprintf("Lab Intermediate %d", i+1), l.Now))
				ders = append([][]byte{p.Certificate.Raw}, ders...)
			}
			leaf := must(p.Leaf(l.Now, []string{Host}))
			return l.chain(leaf, append([][]byte{leaf.Certificate.Raw}, ders...)...)
		}}
	}
	oversized := codes(finding.CertChainOversized)
	return []Case{
		deep(6, nil),
		deep(7, oversized),
		deep(9, oversized),
		sized("10 certificates", nil, 10, 0),
		sized("11 certificates", oversized, 11, 0),
		sized("17 certificates", oversized, 17, 0),
		sized("a chain of 25 KiB", nil, 4, 40<<10),
		sized("a chain of 40 KiB", oversized, 4, 70<<10),
		sized("a chain of 70 KiB", oversized, 6, 100<<10),
	}
}

// anyUsages allow any usage and do not, or do, name servers.
func anyUsages() []Case {
	usages := func(u ...x509.ExtKeyUsage) pki.Option { return func(c *x509.Certificate) { c.ExtKeyUsage = u } }
	return []Case{
		{Name: "any usage, and for servers", serve: func(l *Lab) Target {
			return l.serve(l.leaf(usages(x509.ExtKeyUsageAny, x509.ExtKeyUsageServerAuth)))
		}},
		{Name: "any usage, and for clients", Want: codes(finding.CertUsage), serve: func(l *Lab) Target {
			return l.serve(l.leaf(usages(x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageAny)))
		}},
		{Name: "an intermediate for any usage, and for servers", serve: func(l *Lab) Target {
			return l.serve(must(ca(l, "Wide CA", usages(x509.ExtKeyUsageAny, x509.ExtKeyUsageServerAuth)).Leaf(l.Now, []string{Host})))
		}},
	}
}

// serials have serial numbers that a CA should not issue.
func serials() []Case {
	numbered := func(der []byte, issuer *pki.Pair, serial ...byte) []byte {
		return must(pki.Resign(der, issuer.Key, func(t *pki.TBS) { t.Serial = asn1.RawValue{Tag: asn1.TagInteger, Bytes: serial} }))
	}
	leaf := func(name string, want []finding.Code, serial ...byte) Case {
		return Case{Name: name, Want: want, serve: func(l *Lab) Target {
			p := l.leaf()
			return l.chain(p, numbered(p.Certificate.Raw, l.Sub, serial...), l.Sub.Certificate.Raw)
		}}
	}
	return []Case{
		leaf("a negative serial number", codes(finding.CertMalformed), 0x80, 1, 2, 3),
		leaf("the serial number 0", nil, 0),
		leaf("a serial number of 20 bytes", nil, []byte("\x7fabcdefghijklmnopqrs")...),
		{Name: "an intermediate with a negative serial number", Want: codes(finding.CertMalformed), serve: func(l *Lab) Target {
			p := l.leaf()
			return l.chain(p, p.Certificate.Raw, numbered(l.Sub.Certificate.Raw, l.Root, 0x80, 1))
		}},
	}
}

// strict are chains that Python 3.13 alone refuses, because it sets X509_V_FLAG_X509_STRICT.
func strict() []Case {
	malformed := codes(finding.CertMalformed)
	under := func(name string, want []finding.Code, opts ...pki.Option) Case {
		return Case{Name: name, Want: want, serve: func(l *Lab) Target { return l.serve(must(ca(l, "Odd CA", opts...).Leaf(l.Now, []string{Host}))) }}
	}
	leaf := func(name string, want []finding.Code, opts ...pki.Option) Case {
		return Case{Name: name, Want: want, serve: func(l *Lab) Target { return l.serve(l.leaf(opts...)) }}
	}
	rooted := func(name string, want []finding.Code, opts ...pki.Option) Case {
		return Case{Name: name, Want: want, serve: func(l *Lab) Target {
			root := must(pki.Root("Odd Root", l.Now, opts...))
			return l.serve(must(must(root.Intermediate("Odd CA", l.Now)).Leaf(l.Now, []string{Host}))).with(l, root)
		}}
	}
	constraints := func(critical bool) pki.Option { return added(nested(0x30, []byte{1, 1, 0xff}), critical, 2, 5, 29, 19) }
	noKeyUsage := func(c *x509.Certificate) { c.KeyUsage = 0 }
	return []Case{
		{Name: "it does not identify its issuer's key", Want: malformed, serve: func(l *Lab) Target {
			return l.serve(must(unidentified(l.Sub).Leaf(l.Now, []string{Host})))
		}},
		{Name: "an intermediate does not identify its issuer's key", Want: malformed, serve: func(l *Lab) Target {
			return l.serve(must(must(unidentified(l.Root).Intermediate("Odd CA", l.Now)).Leaf(l.Now, []string{Host})))
		}},
		under("an intermediate whose basic constraints are not critical", malformed, constraints(false)),
		under("an intermediate whose basic constraints are critical, in its own words", nil, constraints(true)),
		under("an intermediate without a key usage", malformed, noKeyUsage),
		rooted("a root whose basic constraints are not critical", malformed, constraints(false)),
		rooted("a root without a key usage", malformed, noKeyUsage),
		rooted("a root without an authority key identifier", nil),
		{Name: "the root has no key usage, and is cross-signed by one that has", serve: func(l *Lab) Target {
			root := must(pki.Root("Odd Root", l.Now, noKeyUsage))
			p := must(must(root.Intermediate("Odd CA", l.Now)).Leaf(l.Now, []string{Host}))
			return l.chain(p, p.Certificate.Raw, p.Parents[0].Raw, l.crossed(root, l.Root)).with(l, l.Root)
		}},
		leaf("no CA, and its key usage signs certificates", malformed, func(c *x509.Certificate) { c.KeyUsage |= x509.KeyUsageCertSign }),
		leaf("no subject, and names that are not critical", malformed, unnamed(false)),
		leaf("no subject, and names that are critical", nil, unnamed(true)),
	}
}

// unidentified is a CA whose certificates do not name its key.
func unidentified(p *pki.Pair) *pki.Pair {
	other, certificate := *p, *p.Certificate
	certificate.SubjectKeyId = nil
	other.Certificate = &certificate
	return &other
}

// unnamed removes the subject.
func unnamed(critical bool) pki.Option {
	return func(c *x509.Certificate) {
		c.Subject, c.DNSNames = pkix.Name{}, nil
		added(nested(0x30, nested(0x82, []byte(Host))), critical, 2, 5, 29, 17)(c)
	}
}

// crossSigns are chains with an expired certificate of their intermediate, before or behind the valid one.
func crossSigns() []Case {
	order := func(name string, want []finding.Code, to time.Duration, first bool) Case {
		return Case{Name: name, Want: want, serve: func(l *Lab) Target {
			cross := l.crossed(l.Sub, must(pki.Root("Another Root", l.Now)), pki.Valid(l.Now.AddDate(-4, 0, 0), l.Now.Add(to)))
			p := l.leaf()
			if first {
				return l.chain(p, p.Certificate.Raw, cross, l.Sub.Certificate.Raw)
			}
			return l.chain(p, p.Certificate.Raw, l.Sub.Certificate.Raw, cross)
		}}
	}
	return []Case{
		order("an expired cross-sign before the valid intermediate", codes(finding.CertChainExpired), -day, true),
		order("an expired cross-sign behind the valid intermediate", nil, -day, false),
		order("a cross-sign of an unknown root before the valid intermediate", codes(finding.CertUntrusted), 100*day, true),
		order("a cross-sign of an unknown root behind the valid intermediate", nil, 100*day, false),
		{Name: "a cross-sign of a trusted root before the valid intermediate", serve: func(l *Lab) Target {
			other := must(pki.Root("Another Root", l.Now))
			p := l.leaf()
			return l.chain(p, p.Certificate.Raw, l.crossed(l.Sub, other), l.Sub.Certificate.Raw).with(l, l.Root, other)
		}},
		{Name: "a CA's certificate as the server's own, self-signed and trusted", Want: codes(finding.CertConstraint), serve: func(l *Lab) Target {
			p := must(pki.SelfSigned(l.Now, []string{Host}, func(c *x509.Certificate) { c.IsCA, c.KeyUsage = true, c.KeyUsage|x509.KeyUsageCertSign }))
			return l.serve(p).with(l, p)
		}},
	}
}

// keys are of types that some clients lack.
func keys() []Case {
	edwards := func() ed25519.PrivateKey {
		_, key, err := ed25519.GenerateKey(rand.Reader)
		return must(key, err)
	}
	return []Case{
		{Name: "Ed25519 (Go)", Want: codes(finding.CertKeyWeak), serve: func(l *Lab) Target {
			return l.serve(must(l.Sub.LeafWithKey(l.Now, []string{Host}, edwards())))
		}},
		{Name: "an intermediate with Ed25519", Want: codes(finding.CertKeyWeak), serve: func(l *Lab) Target {
			return l.serve(must(withKey(l.Sub, l.Root, l.Now, edwards()).Leaf(l.Now, []string{Host})))
		}},
		{Name: "an intermediate with P-521", serve: func(l *Lab) Target {
			return l.serve(must(withKey(l.Sub, l.Root, l.Now, must(ecdsa.GenerateKey(elliptic.P521(), rand.Reader))).Leaf(l.Now, []string{Host})))
		}},
	}
}

// withKey is a CA like p under issuer with a key of the case's own.
func withKey(p, issuer *pki.Pair, now time.Time, key stdcrypto.Signer) *pki.Pair {
	return must(issuer.LeafWithKey(now, nil, key, func(c *x509.Certificate) {
		c.Subject, c.SubjectKeyId = p.Certificate.Subject, nil
		c.IsCA, c.KeyUsage, c.ExtKeyUsage = true, x509.KeyUsageCertSign, nil
	}))
}
