package servers

import (
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"time"

	"certdrift/internal/finding"
	"certdrift/internal/sim/pki"
)

const day = 24 * time.Hour

func codes(all ...finding.Code) []finding.Code { return all }

func certPEM(ders ...[]byte) []byte {
	var out []byte
	for _, der := range ders {
		out = append(out, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...)
	}
	return out
}

// ok answers like a healthy application.
func ok() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok\n")) })
}

// serve serves a pair's chain to every client.
func (l *Lab) serve(p *pki.Pair) Target { return l.chain(p, p.Served()...) }

// chain serves a chain of the case's own, leaf first, under the pair's key.
func (l *Lab) chain(p *pki.Pair, ders ...[]byte) Target {
	config := &tls.Config{Certificates: []tls.Certificate{{Certificate: ders, PrivateKey: p.Key}}} // a server's defaults
	return at(l.web("127.0.0.1", config, ok()))
}

func at(addresses ...string) Target { return Target{URL: "https://" + Host + "/", To: addresses} }

// named requests another host.
func (t Target) named(host string) Target {
	t.URL = "https://" + host + "/"
	return t
}

// with trusts other roots than the lab's.
func (t Target) with(l *Lab, roots ...*pki.Pair) Target {
	var ders [][]byte
	for _, r := range roots {
		ders = append(ders, r.Certificate.Raw)
	}
	t.CAs = []string{l.write("roots.pem", certPEM(ders...))}
	return t
}

func leafCase(name string, want []finding.Code, opts func(now time.Time) []pki.Option) Case {
	return Case{Name: name, Want: want, serve: func(l *Lab) Target { return l.serve(l.leaf(opts(l.Now)...)) }}
}

func lasting(past, left time.Duration) func(time.Time) []pki.Option {
	return func(now time.Time) []pki.Option {
		return []pki.Option{pki.Valid(now.Add(-past), now.Add(left))}
	}
}

func somePolicy(c *x509.Certificate) {
	c.Policies = []x509.OID{must(x509.OIDFromInts([]uint64{1, 2, 3}))}
}

// demandPolicy makes a CA require a policy at once (requireExplicitPolicy 0).
func demandPolicy(c *x509.Certificate) {
	somePolicy(c)
	c.ExtraExtensions = []pkix.Extension{{Id: []int{2, 5, 29, 36}, Critical: true, Value: []byte{0x30, 3, 0x80, 1, 0}}}
}

func dates() []Case {
	return []Case{
		leafCase("expired yesterday", codes(finding.CertExpired), lasting(90*day, -day)),
		leafCase("expired a minute ago", codes(finding.CertExpired), lasting(90*day, -time.Minute)),
		leafCase("not valid before tomorrow", codes(finding.CertNotYetValid), lasting(-day, 89*day)),
		leafCase("an end before its beginning", codes(finding.CertExpired, finding.CertNotYetValid), lasting(-day, -day)),
		leafCase("6 days long, 3 left", nil, lasting(3*day, 3*day)),
		leafCase("90 days long, 6 hours left", codes(finding.CertExpiring), lasting(90*day-6*time.Hour, 6*time.Hour)),
		leafCase("90 days long, 20 left", codes(finding.CertExpiring), lasting(70*day, 20*day)),
		leafCase("90 days long, 25 left", nil, lasting(65*day, 25*day)),
		leafCase("47 days long, 12 left", nil, lasting(35*day, 12*day)),
		leafCase("398 days long, 20 left", codes(finding.CertExpiring), lasting(378*day, 20*day)),
		leafCase("10 years long, from a private CA", nil, lasting(365*day, 3285*day)),
		{Name: "an expiry in days, as the policy says", Want: codes(finding.CertExpiring), serve: func(l *Lab) Target {
			t := l.serve(l.leaf(pki.Valid(l.Now.Add(-10*day), l.Now.Add(20*day))))
			t.Policy = "expiry: {warning: 21d, critical: 7d}"
			return t
		}},
		{Name: "an intermediate that ends before the leaf", Want: codes(finding.CertExpiring), serve: func(l *Lab) Target {
			sub := must(l.Root.Intermediate("Ending CA", l.Now, pki.Valid(l.Now.AddDate(-3, 0, 0), l.Now.Add(5*day))))
			return l.serve(must(sub.Leaf(l.Now, []string{Host})))
		}},
		{Name: "an intermediate that ends soon, but after the leaf", serve: func(l *Lab) Target {
			sub := must(l.Root.Intermediate("Ending CA", l.Now, pki.Valid(l.Now.AddDate(-10, 0, 0), l.Now.Add(61*day))))
			return l.serve(must(sub.Leaf(l.Now, []string{Host})))
		}},
		{Name: "expired, for another name, unknown CA", Want: codes(finding.CertExpired, finding.CertNameMismatch, finding.CertUntrusted),
			serve: func(l *Lab) Target {
				root := must(pki.Root("Unknown Root", l.Now))
				sub := must(root.Intermediate("Unknown CA", l.Now))
				return l.serve(must(sub.Leaf(l.Now, []string{"other.example.net"}, pki.Valid(l.Now.Add(-90*day), l.Now.Add(-day)))))
			}},
	}
}

func nameCase(name, host string, good bool, names ...string) Case {
	c := Case{Name: name, serve: func(l *Lab) Target {
		return l.serve(l.leafFor(names)).named(host)
	}}
	if !good {
		c.Want = codes(finding.CertNameMismatch)
	}
	return c
}

func names() []Case {
	return []Case{
		nameCase("for another name", Host, false, "www.example.net"),
		nameCase("a wildcard for a name two labels down", "a.b.example.org", false, "*.example.org"),
		nameCase("a wildcard for the name itself", "example.org", false, "*.example.org"),
		nameCase("a wildcard that fits", "a.example.org", true, "*.example.org"),
		nameCase("a wildcard right under a top-level name", "example.org", false, "*.org"),
		nameCase("a wildcard in the middle", "api.staging.example.org", false, "api.*.example.org"),
		nameCase("a wildcard for a part of a label", "api1.example.org", false, "api*.example.org"),
		nameCase("upper case in the certificate", "api.example.org", true, "API.Example.ORG"),
		nameCase("upper case in the URL", "API.example.ORG", true, "api.example.org"),
		nameCase("a trailing dot in the URL", "api.example.org.", true, "api.example.org"),
		nameCase("an IDN in its own letters", "bücher.example.org", true, "xn--bcher-kva.example.org"),
		nameCase("an IDN under a wildcard", "bücher.example.org", true, "*.example.org"),
		nameCase("an underscore", "my_api.example.org", true, "my_api.example.org"),
		{Name: "a common name and no SAN", Want: codes(finding.CertNameMismatch), serve: func(l *Lab) Target {
			return l.serve(l.leafFor(nil, func(c *x509.Certificate) { c.Subject.CommonName = Host }))
		}},
		{Name: "a SAN and no common name", serve: func(l *Lab) Target {
			return l.serve(l.leaf(func(c *x509.Certificate) { c.Subject = pkix.Name{} }))
		}},
		{Name: "an IP address with its SAN", serve: func(l *Lab) Target {
			t := l.serve(l.leafFor([]string{"127.0.0.1"}))
			t.URL, t.To = "https://"+t.To[0]+"/", nil
			return t
		}},
		{Name: "an IP address without SAN", Want: codes(finding.CertNameMismatch), serve: func(l *Lab) Target {
			t := l.serve(l.leaf())
			t.URL, t.To = "https://"+t.To[0]+"/", nil
			return t
		}},
		{Name: "an IP address as a DNS name", Want: codes(finding.CertNameMismatch), serve: func(l *Lab) Target {
			t := l.serve(l.leafFor(nil, func(c *x509.Certificate) { c.DNSNames = []string{"127.0.0.1"} }))
			t.URL, t.To = "https://"+t.To[0]+"/", nil
			return t
		}},
		{Name: "an IPv6 address with its SAN", serve: func(l *Lab) Target {
			p := l.leafFor([]string{"::1"})
			return Target{URL: "https://" + l.web("::1", &tls.Config{Certificates: []tls.Certificate{p.TLS()}}, ok()) + "/"} // a server's defaults
		}},
		{Name: "a URI and an email address beside the name", serve: func(l *Lab) Target {
			return l.serve(l.leaf(func(c *x509.Certificate) {
				c.URIs, c.EmailAddresses = []*url.URL{{Scheme: "spiffe", Host: "example.org", Path: "/x"}}, []string{"a@example.org"}
			}))
		}},
		{Name: "thousands of names, one of them right", Want: codes(finding.CertChainOversized), serve: func(l *Lab) Target {
			all := make([]string, 0, 4001)
			for i := range 4000 {
				all = append(all, fmt.Sprintf("name%d.example.net", i))
			}
			return l.serve(l.leafFor(append(all, Host)))
		}},
	}
}

func ca(l *Lab, name string, opts ...pki.Option) *pki.Pair {
	return must(l.Root.Intermediate(name, l.Now, opts...))
}

// crossed issues another certificate for a pair's key and name under another issuer.
func (l *Lab) crossed(p, issuer *pki.Pair, opts ...pki.Option) []byte {
	again := func(c *x509.Certificate) {
		c.RawSubject, c.Subject, c.SubjectKeyId = p.Certificate.RawSubject, p.Certificate.Subject, p.Certificate.SubjectKeyId
		c.IsCA, c.KeyUsage, c.ExtKeyUsage, c.DNSNames = true, x509.KeyUsageCertSign, nil, nil
		c.NotBefore, c.NotAfter = l.Now.AddDate(-4, 0, 0), l.Now.AddDate(4, 0, 0)
		c.MaxPathLen = -1
	}
	return must(issuer.LeafWithKey(l.Now, nil, p.Key, append([]pki.Option{again}, opts...)...)).Certificate.Raw
}

func chains() []Case {
	bad := func(name string, code finding.Code, serve func(*Lab) Target) Case {
		return Case{Name: name, Want: codes(code), serve: serve}
	}
	good := func(name string, serve func(*Lab) Target) Case { return Case{Name: name, serve: serve} }
	return []Case{
		bad("self-signed", finding.CertSelfSigned, func(l *Lab) Target {
			return l.serve(must(pki.SelfSigned(l.Now, []string{Host})))
		}),
		good("self-signed, and trusted by the configuration", func(l *Lab) Target {
			p := must(pki.SelfSigned(l.Now, []string{Host}))
			return l.serve(p).with(l, p)
		}),
		bad("an unknown CA, intermediate sent", finding.CertUntrusted, func(l *Lab) Target {
			sub := must(must(pki.Root("Unknown Root", l.Now)).Intermediate("Unknown CA", l.Now))
			return l.serve(must(sub.Leaf(l.Now, []string{Host})))
		}),
		bad("an unknown CA, root sent", finding.CertUntrusted, func(l *Lab) Target {
			root := must(pki.Root("Unknown Root", l.Now))
			p := must(root.Leaf(l.Now, []string{Host}))
			return l.chain(p, p.Certificate.Raw, root.Certificate.Raw)
		}),
		bad("an unknown CA with the name of a trusted one", finding.CertUntrusted, func(l *Lab) Target {
			root := must(pki.Root("Lab Root", l.Now, l.own))
			p := must(root.Leaf(l.Now, []string{Host}))
			return l.chain(p, p.Certificate.Raw, root.Certificate.Raw)
		}),
		bad("the intermediate is left out", finding.CertChainIncomplete, func(l *Lab) Target {
			p := l.leaf()
			return l.chain(p, p.Certificate.Raw)
		}),
		bad("one of two intermediates is left out", finding.CertUntrusted, func(l *Lab) Target {
			p := must(must(l.Sub.Intermediate("Lower CA", l.Now)).Leaf(l.Now, []string{Host}))
			return l.chain(p, p.Certificate.Raw, p.Parents[0].Raw)
		}),
		bad("another CA's intermediate is sent", finding.CertChainIncomplete, func(l *Lab) Target {
			p := l.leaf()
			return l.chain(p, p.Certificate.Raw, ca(l, "Another CA").Certificate.Raw)
		}),
		bad("the intermediate is left out, AIA has it", finding.CertChainIncomplete, func(l *Lab) Target {
			from := l.plain(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(l.Sub.Certificate.Raw) }))
			p := l.leaf(func(c *x509.Certificate) { c.IssuingCertificateURL = []string{"http://" + from + "/sub.der"} })
			return l.chain(p, p.Certificate.Raw)
		}),
		bad("one of two intermediates is left out, AIA has it", finding.CertChainIncomplete, func(l *Lab) Target {
			from := l.plain(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(l.Sub.Certificate.Raw) }))
			lower := must(l.Sub.Intermediate("Lower CA", l.Now, func(c *x509.Certificate) { c.IssuingCertificateURL = []string{"http://" + from + "/sub.der"} }))
			p := must(lower.Leaf(l.Now, []string{Host}))
			return l.chain(p, p.Certificate.Raw, p.Parents[0].Raw)
		}),
		bad("the intermediate of an unknown root is sent, AIA has that of a trusted one", finding.CertChainIncomplete, func(l *Lab) Target {
			from := l.plain(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(l.Sub.Certificate.Raw) }))
			other := must(pki.Root("Unknown Root", l.Now))
			p := l.leaf(func(c *x509.Certificate) { c.IssuingCertificateURL = []string{"http://" + from + "/sub.der"} })
			return l.chain(p, p.Certificate.Raw, l.crossed(l.Sub, other), other.Certificate.Raw)
		}),
		good("root sent too", func(l *Lab) Target {
			p := l.leaf()
			return l.chain(p, p.Certificate.Raw, l.Sub.Certificate.Raw, l.Root.Certificate.Raw)
		}),
		good("wrong order", func(l *Lab) Target {
			p := must(must(l.Sub.Intermediate("Lower CA", l.Now)).Leaf(l.Now, []string{Host}))
			return l.chain(p, p.Certificate.Raw, l.Root.Certificate.Raw, p.Parents[1].Raw, p.Parents[0].Raw)
		}),
		good("extra certificates, expired ones among them", func(l *Lab) Target {
			p := l.leaf()
			old := must(pki.Root("Old", l.Now, pki.Valid(l.Now.AddDate(-9, 0, 0), l.Now.AddDate(-1, 0, 0))))
			return l.chain(p, p.Certificate.Raw, old.Certificate.Raw, l.Sub.Certificate.Raw, l.leaf(pki.Valid(l.Now.AddDate(-2, 0, 0), l.Now.AddDate(-1, 0, 0))).Certificate.Raw)
		}),
		good("the leaf sent twice", func(l *Lab) Target {
			p := l.leaf()
			return l.chain(p, p.Certificate.Raw, p.Certificate.Raw, l.Sub.Certificate.Raw, l.Sub.Certificate.Raw)
		}),
		bad("an expired intermediate", finding.CertChainExpired, func(l *Lab) Target {
			return l.serve(must(ca(l, "Old CA", pki.Valid(l.Now.AddDate(-3, 0, 0), l.Now.Add(-day))).Leaf(l.Now, []string{Host})))
		}),
		bad("an intermediate that is not valid yet", finding.CertNotYetValid, func(l *Lab) Target {
			return l.serve(must(ca(l, "New CA", pki.Valid(l.Now.Add(day), l.Now.AddDate(3, 0, 0))).Leaf(l.Now, []string{Host})))
		}),
		bad("an expired root", finding.CertChainExpired, func(l *Lab) Target {
			root := must(pki.Root("Old Root", l.Now, pki.Valid(l.Now.AddDate(-9, 0, 0), l.Now.Add(-day))))
			return l.serve(must(root.Leaf(l.Now, []string{Host}))).with(l, root)
		}),
		good("an expired cross-sign beside a valid path", func(l *Lab) Target {
			gone := must(pki.Root("AddTrust", l.Now, pki.Valid(l.Now.AddDate(-20, 0, 0), l.Now.Add(-day))))
			cross := l.crossed(l.Root, gone, pki.Valid(l.Now.AddDate(-20, 0, 0), l.Now.Add(-day)))
			p := l.leaf()
			return l.chain(p, p.Certificate.Raw, l.Sub.Certificate.Raw, cross).with(l, l.Root, gone)
		}),
		bad("an expired cross-sign and no other path", finding.CertChainExpired, func(l *Lab) Target {
			gone := must(pki.Root("AddTrust", l.Now))
			cross := l.crossed(l.Root, gone, pki.Valid(l.Now.AddDate(-4, 0, 0), l.Now.Add(-day)))
			p := l.leaf()
			return l.chain(p, p.Certificate.Raw, l.Sub.Certificate.Raw, cross).with(l, gone)
		}),
		bad("an expired root's cross-sign and no other path", finding.CertChainExpired, func(l *Lab) Target {
			gone := must(pki.Root("AddTrust", l.Now, pki.Valid(l.Now.AddDate(-20, 0, 0), l.Now.Add(-day))))
			p := l.leaf()
			return l.chain(p, p.Certificate.Raw, l.Sub.Certificate.Raw, l.crossed(l.Root, gone)).with(l, gone)
		}),
		bad("a cross-sign of an unknown root beside a valid path", finding.CertUntrusted, func(l *Lab) Target {
			other := must(pki.Root("Unknown", l.Now))
			p := l.leaf()
			return l.chain(p, p.Certificate.Raw, l.crossed(l.Sub, other), l.Sub.Certificate.Raw)
		}),
		good("only the cross-sign leads to a trusted root", func(l *Lab) Target {
			other := must(pki.Root("Known", l.Now))
			p := l.leaf()
			return l.chain(p, p.Certificate.Raw, l.Sub.Certificate.Raw, l.crossed(l.Root, other)).with(l, other)
		}),
		bad("36 certificates", finding.CertChainOversized, func(l *Lab) Target {
			p := must(pki.Root("Deep Root", l.Now))
			root := p
			for range 34 {
				p = must(p.Intermediate("Deep CA", l.Now, func(c *x509.Certificate) { c.Subject.SerialNumber = time.Now().String() }))
			}
			return l.serve(must(p.Leaf(l.Now, []string{Host}))).with(l, root)
		}),
		bad("the issuer is no CA", finding.CertConstraint, func(l *Lab) Target {
			return l.serve(must(l.leaf().Leaf(l.Now, []string{Host})))
		}),
		bad("the issuer may not sign certificates", finding.CertConstraint, func(l *Lab) Target {
			return l.serve(must(ca(l, "Mute CA", func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageCRLSign }).Leaf(l.Now, []string{Host})))
		}),
		bad("a path length that is too short", finding.CertConstraint, func(l *Lab) Target {
			upper := ca(l, "Upper CA", func(c *x509.Certificate) { c.MaxPathLen, c.MaxPathLenZero = 0, true })
			return l.serve(must(must(upper.Intermediate("Lower CA", l.Now)).Leaf(l.Now, []string{Host})))
		}),
		bad("outside the issuer's permitted names", finding.CertConstraint, func(l *Lab) Target {
			return l.serve(must(ca(l, "Narrow CA", func(c *x509.Certificate) {
				c.PermittedDNSDomains, c.PermittedDNSDomainsCritical = []string{"example.net"}, true
			}).Leaf(l.Now, []string{Host})))
		}),
		bad("within the issuer's excluded names", finding.CertConstraint, func(l *Lab) Target {
			return l.serve(must(ca(l, "Narrow CA", func(c *x509.Certificate) { c.ExcludedDNSDomains = []string{"example.org"} }).Leaf(l.Now, []string{Host})))
		}),
		good("within the issuer's permitted names", func(l *Lab) Target {
			return l.serve(must(ca(l, "Narrow CA", func(c *x509.Certificate) {
				c.PermittedDNSDomains, c.PermittedDNSDomainsCritical = []string{"example.org"}, true
				c.ExcludedIPRanges = []*net.IPNet{{IP: net.IP{10, 0, 0, 0}, Mask: net.CIDRMask(8, 32)}}
			}).Leaf(l.Now, []string{Host})))
		}),
		bad("an unknown critical extension", finding.CertConstraint, func(l *Lab) Target {
			return l.serve(l.leaf(func(c *x509.Certificate) {
				c.ExtraExtensions = []pkix.Extension{{Id: []int{1, 3, 6, 1, 4, 1, 99999, 1}, Critical: true, Value: []byte{5, 0}}}
			}))
		}),
		bad("an issuer demands a policy that the certificate does not have", finding.CertConstraint, func(l *Lab) Target {
			return l.serve(must(ca(l, "Policy CA", demandPolicy).Leaf(l.Now, []string{Host})))
		}),
		bad("an issuer demands a policy, and the certificate has it", finding.CertConstraint, func(l *Lab) Target {
			return l.serve(must(ca(l, "Policy CA", demandPolicy).Leaf(l.Now, []string{Host}, somePolicy)))
		}),
		bad("a key usage that allows nothing", finding.CertUsage, func(l *Lab) Target {
			return l.serve(l.leaf(func(c *x509.Certificate) {
				c.ExtraExtensions = []pkix.Extension{{Id: []int{2, 5, 29, 15}, Critical: true, Value: []byte{3, 1, 0}}}
			}))
		}),
		bad("for clients, not for servers", finding.CertUsage, func(l *Lab) Target {
			return l.serve(l.leaf(func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} }))
		}),
		bad("an intermediate for clients only", finding.CertUsage, func(l *Lab) Target {
			return l.serve(must(ca(l, "Client CA", func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} }).Leaf(l.Now, []string{Host})))
		}),
		bad("any usage", finding.CertUsage, func(l *Lab) Target {
			return l.serve(l.leaf(func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageAny} }))
		}),
		good("no extended key usage at all", func(l *Lab) Target {
			return l.serve(l.leaf(func(c *x509.Certificate) { c.ExtKeyUsage = nil }))
		}),
		bad("a CA certificate as the server's own", finding.CertConstraint, func(l *Lab) Target {
			return l.serve(l.leaf(func(c *x509.Certificate) { c.IsCA, c.KeyUsage = true, c.KeyUsage|x509.KeyUsageCertSign }))
		}),
	}
}
