package servers

import (
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"

	"certdrift/internal/finding"
	"certdrift/internal/sim/pki"
)

// disputed are chains that some clients accept and others reject.
func disputed() []Case {
	ours := func(c *x509.Certificate) { c.Subject.Organization = []string{"Example"} }
	under := func(name string, want []finding.Code, opt pki.Option) Case {
		return Case{Name: name, Want: want, serve: func(l *Lab) Target {
			return l.serve(must(ca(l, "Odd CA", opt).Leaf(l.Now, []string{Host}, ours)))
		}}
	}
	return []Case{
		{Name: "it names its issuer by another key identifier", Want: codes(finding.CertChainIncomplete), serve: func(l *Lab) Target {
			return l.serve(l.leaf(added(authorityKey(0x80, 1, 2, 3, 4), false, 2, 5, 29, 35)))
		}},
		{Name: "it names its issuer by another number, as after a renewal", Want: codes(finding.CertChainIncomplete, finding.CertMalformed), serve: func(l *Lab) Target {
			return l.serve(l.leaf(added(authorityKey(0x82, 1, 2, 3, 4), false, 2, 5, 29, 35)))
		}},
		{Name: "it names its issuer's twin, which is sent, too", serve: func(l *Lab) Target {
			p := l.leaf(added(authorityKey(0x80, 1, 2, 3, 4), false, 2, 5, 29, 35))
			equivalent := l.crossed(l.Sub, l.Root, func(c *x509.Certificate) { c.SubjectKeyId = []byte{1, 2, 3, 4} })
			return l.chain(p, p.Certificate.Raw, l.Sub.Certificate.Raw, equivalent)
		}},
		under("an intermediate for any usage", codes(finding.CertUsage), func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageAny} }),
		under("directory names within the issuer's limits, critical", codes(finding.CertConstraint), directoryLimit(true, "Example")),
		under("directory names within the issuer's limits", codes(finding.CertConstraint), directoryLimit(false, "Example")),
		under("directory names outside of the issuer's limits", codes(finding.CertConstraint), directoryLimit(false, "Another")),
		{Name: "expired, and the intermediate is cut off", Want: codes(finding.CertExpired, finding.CertMalformed), serve: func(l *Lab) Target {
			p := l.leaf(pki.Valid(l.Now.Add(-90*day), l.Now.Add(-day)))
			cut := l.Sub.Certificate.Raw
			return l.chain(p, p.Certificate.Raw, cut[:len(cut)-7])
		}},
		{Name: "expired, and the intermediate is cut off, TLS 1.3 alone", Want: codes(finding.CertMalformed), serve: func(l *Lab) Target {
			p := l.leaf(pki.Valid(l.Now.Add(-90*day), l.Now.Add(-day)))
			chain := [][]byte{p.Certificate.Raw, l.Sub.Certificate.Raw[:200]}
			config := &tls.Config{Certificates: []tls.Certificate{{Certificate: chain, PrivateKey: p.Key}}, MinVersion: tls.VersionTLS13}
			return at(l.web("127.0.0.1", config, ok()))
		}},
	}
}

// added adds an extension.
func added(value []byte, critical bool, id ...int) pki.Option {
	return func(c *x509.Certificate) {
		c.ExtraExtensions = append(c.ExtraExtensions, pkix.Extension{Id: id, Critical: critical, Value: value})
	}
}

// authorityKey is an authority key identifier with one field: a key identifier (0x80), or a serial number (0x82).
func authorityKey(field byte, value ...byte) []byte { return nested(0x30, nested(field, value)) }

// directoryLimit permits a CA only subjects of one organization.
func directoryLimit(critical bool, organization string) pki.Option {
	name := must(asn1.Marshal(pkix.Name{Organization: []string{organization}}.ToRDNSequence()))
	return added(nested(0x30, nested(0xa0, nested(0x30, nested(0xa4, name)))), critical, 2, 5, 29, 30)
}

// nested is a DER element of fewer than 128 bytes.
func nested(tag byte, content []byte) []byte {
	return append([]byte{tag, byte(len(content))}, content...)
}
