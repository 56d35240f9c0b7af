package servers

import (
	"crypto/x509"
	"encoding/asn1"

	"certdrift/internal/finding"
	"certdrift/internal/sim/pki"
)

// clients are servers that some families of clients refuse, each beside neighbors that all of them accept.
func clients() []Case {
	return concat(sizes(), anyUsages(), serials())
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
	oversized := codes(finding.CertChainOversized)
	return []Case{
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
