package round_test

import (
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"net/netip"
	"syscall"
	"testing"
	"time"

	acmtypes "github.com/aws/aws-sdk-go-v2/service/acm/types"
	"golang.org/x/crypto/ocsp"

	"certdrift/internal/certtest"
	"certdrift/internal/finding"
	"certdrift/internal/observation"
	"certdrift/internal/sim/account"
	"certdrift/internal/sim/pki"
	"certdrift/internal/target"
)

// scenario makes a fault of one code, in an environment of its own, and returns what fixes it.
type scenario struct {
	code finding.Code
	// name tells the scenarios of one code apart.
	name string
	// aws: its facts come from AWS too; any other rests on probes alone.
	aws bool
	// global: it belongs to no environment.
	global bool
	build  func(w *world, environment string) (fix func())
}

func (s scenario) environment() string {
	if s.global {
		return ""
	}
	if s.name == "" {
		return string(s.code)
	}
	return string(s.code) + "_" + s.name
}

// unobservable are the codes without a scenario, each with the reason.
var unobservable = map[finding.Code]string{
	finding.ListenerUnmanaged: "it is info at most, which opens no incident",
}

// elsewhere are the codes whose facts are taken away by a test of their own.
var elsewhere = map[finding.Code]string{
	finding.ConfigInvalid:     "TestBlackoutOfItself",
	finding.ObserveDenied:     "TestBlackoutOfItself",
	finding.ObserveThrottled:  "TestBlackoutOfItself",
	finding.ObserveIncomplete: "TestBlackoutOfItself",
	finding.AlertPathBroken:   "TestBlackoutOfItself",
}

// certificate is a scenario of a served certificate made with options.
func certificate(code finding.Code, opts ...pki.Option) scenario {
	return scenario{code: code, build: func(w *world, environment string) func() {
		s := w.site(environment, "site")
		s.pair = w.leaf([]string{s.host}, opts...)
		return s.heal
	}}
}

// other is a scenario of a server's other certificate, at both addresses of a name or, with a suffix to its name, at one of them.
func other(code finding.Code, suffix string, opts ...pki.Option) scenario {
	return scenario{code: code, name: "other" + suffix, build: func(w *world, environment string) func() {
		s := w.site(environment, "site")
		key := certtest.RSAKey(w.t, 2048)
		both := func(opts ...pki.Option) func(*tls.Config) {
			rsa := w.made(w.issuer.LeafWithKey(time.Now(), []string{s.host}, key, opts...)).TLS()
			ecdsa := s.good.TLS()
			return func(c *tls.Config) {
				c.Certificates, c.GetCertificate = nil, func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
					if hello.SupportsCertificate(&ecdsa) == nil {
						return &ecdsa, nil
					}
					return &rsa, nil
				}
			}
		}
		second := s.address(s.good)
		s.config, second.config = both(opts...), both(opts...)
		if suffix != "" {
			second.config = both()
		}
		return func() { s.config, second.config = both(), both() }
	}}
}

// answering is a scenario of what a server answers to a request.
func answering(code finding.Code, answer func(*http.Request) string, expect target.Expect) scenario {
	return scenario{code: code, build: func(w *world, environment string) func() {
		s := w.site(environment, "site")
		s.answer, s.target.Expect = answer, expect
		return s.heal
	}}
}

// broken is a scenario of a server that is broken in its own way.
func broken(code finding.Code, how func(s *site)) scenario {
	return scenario{code: code, build: func(w *world, environment string) func() {
		s := w.site(environment, "site")
		how(s)
		return s.heal
	}}
}

func days(from, to int) pki.Option {
	return func(c *x509.Certificate) {
		now := time.Now()
		c.NotBefore, c.NotAfter = now.AddDate(0, 0, from), now.AddDate(0, 0, to)
	}
}

// served are the scenarios that rest on probes.
func served(t *testing.T) []scenario {
	weak := certtest.RSAKey(t, 1024)
	return []scenario{
		{code: finding.DNSFailure, build: func(w *world, environment string) func() {
			s := w.site(environment, "site")
			ips := w.names[s.host]
			delete(w.names, s.host)
			return func() { w.names[s.host] = ips }
		}},
		broken(finding.ConnectRefused, func(s *site) { s.refused = dialError(syscall.ECONNREFUSED) }),
		broken(finding.ConnectTimeout, func(s *site) { s.hole = true }),
		broken(finding.ConnectReset, func(s *site) { s.refused = dialError(syscall.ECONNRESET) }),
		{code: finding.AddressBlocked, build: func(w *world, environment string) func() {
			s := w.site(environment, "site")
			w.serial++
			ip := netip.AddrFrom4([4]byte{169, 254, byte(w.serial >> 8), byte(w.serial)})
			w.names[s.host] = []netip.Addr{ip}
			w.serve(netip.AddrPortFrom(ip, 443), s.server)
			return func() { s.target.ConnectTo = []string{ip.String() + ":443"} } // what the configuration writes down is dialed
		}},
		broken(finding.TLSHandshake, func(s *site) {
			s.config = func(c *tls.Config) {
				c.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) { return nil, fmt.Errorf("out of order") }
			}
		}),
		broken(finding.TLSTimeout, func(s *site) { s.raw = certtest.Silent }),
		broken(finding.TLSPlaintext, func(s *site) { s.raw = certtest.Say(reply(200, "ok")) }),
		broken(finding.TLSVersionOld, func(s *site) { s.config = func(c *tls.Config) { c.MaxVersion = tls.VersionTLS11 } }),
		broken(finding.TLSCipherWeak, func(s *site) {
			s.config = func(c *tls.Config) {
				c.CipherSuites, c.MaxVersion = []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA}, tls.VersionTLS12
				c.NextProtos = []string{"http/1.1"}
			}
		}),
		broken(finding.TLSClientCertificateRequired, func(s *site) {
			s.config = func(c *tls.Config) { c.ClientAuth, c.MaxVersion = tls.RequireAnyClientCert, tls.VersionTLS12 }
		}),
		certificate(finding.CertExpired, days(-90, -1)),
		other(finding.CertExpired, "", days(-90, -1)),
		other(finding.CertNameMismatch, "", func(c *x509.Certificate) { c.DNSNames = []string{"other.example.org"} }),
		other(finding.CertExpired, "_address", days(-90, -1)),
		certificate(finding.CertNotYetValid, days(10, 90)),
		certificate(finding.CertExpiring, days(-85, 5)),
		certificate(finding.CertNameMismatch, func(c *x509.Certificate) { c.DNSNames = []string{"other.example.org"} }),
		broken(finding.CertUntrusted, func(s *site) {
			root := s.w.made(pki.Root("Another root", time.Now()))
			issuer := s.w.made(root.Intermediate("Another issuer", time.Now()))
			s.pair = s.w.made(issuer.Leaf(time.Now(), []string{s.host}))
		}),
		broken(finding.CertSelfSigned, func(s *site) { s.pair = s.w.made(pki.SelfSigned(time.Now(), []string{s.host})) }),
		broken(finding.CertChainIncomplete, func(s *site) { s.chain = [][]byte{s.pair.Certificate.Raw} }),
		broken(finding.CertChainExpired, func(s *site) {
			issuer := s.w.made(s.w.root.Intermediate("Old issuer", time.Now(), days(-900, -1)))
			s.pair = s.w.made(issuer.Leaf(time.Now(), []string{s.host}))
		}),
		broken(finding.CertKeyWeak, func(s *site) { s.pair = s.w.made(s.w.issuer.LeafWithKey(time.Now(), []string{s.host}, weak)) }),
		broken(finding.CertSignatureWeak, func(s *site) {
			root, key := certtest.RSARoot(s.w.t, "RSA root", time.Now(), 1024)
			s.target.Trust.CAs = append(s.target.Trust.CAs, root.Certificate.Raw)
			s.pair = s.w.made(root.Leaf(time.Now(), []string{s.host}))
			s.chain = [][]byte{certtest.Resign(s.w.t, s.pair.Certificate.Raw, key, crypto.SHA1)}
		}),
		certificate(finding.CertUsage, func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} }),
		broken(finding.CertConstraint, func(s *site) {
			issuer := s.w.made(s.w.root.Intermediate("No issuer", time.Now(), func(c *x509.Certificate) { c.IsCA, c.KeyUsage = false, x509.KeyUsageDigitalSignature }))
			s.pair = s.w.made(issuer.Leaf(time.Now(), []string{s.host}))
		}),
		broken(finding.CertLifetimeLong, func(s *site) { // issued when a lifetime was bound already, by the bubble's clock or not
			issued := time.Date(2018, 3, 2, 0, 0, 0, 0, time.UTC)
			s.pair = s.w.made(s.w.public.Leaf(time.Now(), []string{s.host}, pki.Valid(issued, issued.AddDate(3, 0, 0))))
		}),
		{code: finding.CertRevoked, build: func(w *world, environment string) func() {
			s := w.site(environment, "site")
			status := ocsp.Revoked
			s.stapled(func() int { return status })
			return func() { status = ocsp.Good }
		}},
		broken(finding.CertStapleBad, func(s *site) {
			s.config = func(c *tls.Config) { c.Certificates[0].OCSPStaple = []byte("no response") }
		}),
		broken(finding.CertChainOversized, func(s *site) {
			s.chain = s.pair.Served()
			for range 300 {
				s.chain = append(s.chain, s.w.issuer.Certificate.Raw)
			}
		}),
		broken(finding.CertRootRemoval, func(s *site) { s.pair = s.w.made(s.w.leaving.Leaf(time.Now(), []string{s.host})) }),
		broken(finding.CertMalformed, func(s *site) { s.chain = append(s.pair.Served(), []byte{0x30, 0x03, 0x02, 0x01, 0x01}) }),
		answering(finding.HTTPTimeout, func(*http.Request) string { time.Sleep(3 * time.Second); return reply(200, "ok") }, target.Expect{}),
		answering(finding.HTTPInvalid, func(*http.Request) string { return "what?\r\n\r\n" }, target.Expect{}),
		answering(finding.HTTPStatus, func(*http.Request) string { return reply(503, "down") }, target.Expect{}),
		answering(finding.HTTPBody, func(*http.Request) string { return reply(200, "nothing") }, target.Expect{BodyContains: "ok"}),
		answering(finding.HTTPTooLarge, func(*http.Request) string { return reply(200, string(make([]byte, 2000))) }, target.Expect{MaxSize: 1000}),
		answering(finding.HTTPRedirectLoop, func(r *http.Request) string { return reply(302, "", "Location: https://"+r.Host+"/") }, target.Expect{}),
		{code: finding.HTTPRedirectInsecure, build: func(w *world, environment string) func() {
			s := w.site(environment, "site")
			w.serve(netip.AddrPortFrom(w.names[s.host][0], 80), &server{plain: true})
			s.answer = func(r *http.Request) string { return reply(302, "", "Location: http://"+r.Host+"/") }
			return s.heal
		}},
		answering(finding.HTTPRedirectBlocked, func(*http.Request) string { return reply(302, "", "Location: https://169.254.169.254/") }, target.Expect{}),
		answering(finding.HTTPSlow, func(*http.Request) string { time.Sleep(1500 * time.Millisecond); return reply(200, "ok") }, target.Expect{MaxLatency: time.Second}),
		{code: finding.AddressInconsistent, build: func(w *world, environment string) func() {
			s := w.site(environment, "site")
			second := s.address(w.leaf([]string{s.host}, days(-90, -1)))
			return func() { second.pair = s.good }
		}},
		sixth(finding.CertExpired, func(s *site, second *server) { second.pair = s.w.leaf([]string{s.host}, days(-90, -1)) }),
		sixth(finding.ConnectRefused, func(_ *site, second *server) { second.refused = dialError(syscall.ECONNREFUSED) }),
		sixth(finding.HTTPStatus, func(_ *site, second *server) {
			second.answer = func(*http.Request) string { return reply(503, "down") }
		}),
		sixth(finding.AddressInconsistent, func(s *site, second *server) { second.pair = s.w.leaf([]string{s.host}, days(-90, -1)) }),
		{code: finding.CertExpired, name: "address", build: func(w *world, environment string) func() {
			s := w.site(environment, "site")
			second := s.address(w.leaf([]string{s.host}, days(-90, -1)))
			return func() { second.pair = s.good }
		}},
		{code: finding.ConnectRefused, name: "address", build: func(w *world, environment string) func() {
			s := w.site(environment, "site")
			second := s.address(s.good)
			second.refused = dialError(syscall.ECONNREFUSED)
			return func() { second.refused = nil }
		}},
		hopped(finding.CertExpired, func(hop *site) { hop.pair = hop.w.leaf([]string{hop.host}, days(-90, -1)) }),
		hopped(finding.ConnectRefused, func(hop *site) { hop.refused = dialError(syscall.ECONNREFUSED) }),
		hopped(finding.TLSTimeout, func(hop *site) { hop.raw = certtest.Silent }),
		hopped(finding.HTTPStatus, func(hop *site) { hop.answer = func(*http.Request) string { return reply(500, "down") } }),
		hopped(finding.DNSFailure, func(hop *site) { delete(hop.w.names, hop.host) }),
		{code: finding.DriftDeclared, name: "fingerprint", build: func(w *world, environment string) func() {
			s := w.site(environment, "site")
			s.target.Declared = &target.Declared{FingerprintSHA256: fingerprint(s.good)}
			s.pair = w.leaf([]string{s.host})
			return s.heal
		}},
		{code: finding.DriftDeclared, name: "issuer", build: func(w *world, environment string) func() {
			s := w.site(environment, "site")
			s.target.Declared = &target.Declared{Issuer: "Blackout issuer"}
			issuer := w.made(w.root.Intermediate("Some other issuer", time.Now()))
			s.pair = w.made(issuer.Leaf(time.Now(), []string{s.host}))
			return s.heal
		}},
	}
}

// sixth is a scenario of what is broken at an IPv6 address alone.
func sixth(code finding.Code, how func(s *site, second *server)) scenario {
	return scenario{code: code, name: "ipv6", build: func(w *world, environment string) func() {
		s := w.site(environment, "site")
		w.serial++
		ip := netip.MustParseAddr(fmt.Sprintf("2600:1f14::%x", w.serial))
		w.names[s.host] = append(w.names[s.host], ip)
		second := w.serve(netip.AddrPortFrom(ip, 443), &server{pair: s.good})
		how(s, second)
		return func() { *second = server{pair: s.good} }
	}}
}

// hopped is a scenario of a redirect's target.
func hopped(code finding.Code, how func(hop *site)) scenario {
	return scenario{code: code, name: "hop", build: func(w *world, environment string) func() {
		s := w.site(environment, "site")
		hop := w.site(environment, "hop")
		w.endpoints = w.endpoints[:len(w.endpoints)-1] // nobody probes it but for the redirect
		ips := w.names[hop.host]
		s.answer = func(*http.Request) string { return reply(302, "", "Location: https://"+hop.host+"/") }
		how(hop)
		return func() { hop.heal(); w.names[hop.host] = ips }
	}}
}

// stapled makes the server staple an OCSP response of its own time.
func (s *site) stapled(status func() int) {
	s.config = func(c *tls.Config) {
		c.Certificates[0].OCSPStaple = certtest.OCSPResponse(s.w.t, s.w.issuer, s.pair.Certificate, s.w.issuer, status())
	}
}

// attached are the scenarios that rest on what AWS says.
func attached() []scenario {
	return []scenario{
		{code: finding.ListenerMissing, aws: true, build: func(w *world, environment string) func() {
			s := w.site(environment, "site")
			s.target.LoadBalancer = &target.LoadBalancerRef{Name: "missing", Port: 443}
			return func() {
				w.account.AddLoadBalancer(account.LoadBalancer{Kind: observation.Network, Name: "missing", Listeners: []account.Listener{
					{Port: 443, Protocol: "TLS", Certificates: []string{w.acm(s.good)}, Policy: "ELBSecurityPolicy-TLS13-1-2-2021-06"}}})
			}
		}},
		{code: finding.ListenerCertMissing, aws: true, build: func(w *world, environment string) func() {
			s := w.site(environment, "site")
			arn := w.acm(s.good)
			s.balancer(observation.Classic, arn)
			w.account.RemoveCertificate(arn)
			return func() { w.account.AddCertificate(arn[len(arn)-36:], s.good) }
		}},
		{code: finding.ListenerCertMissing, name: "iam", aws: true, build: func(w *world, environment string) func() {
			s := w.site(environment, "site")
			arn := w.account.AddServerCertificate("gone-"+environment, s.good)
			s.balancer(observation.Classic, arn)
			w.account.RemoveCertificate(arn)
			return func() { w.account.AddServerCertificate("gone-"+environment, s.good) }
		}},
		expiredOn(observation.Classic, "", days(-90, -1), finding.ListenerCertExpired),
		expiredOn(observation.Application, "alb", days(-90, -1), finding.ListenerCertExpired),
		expiredOn(observation.Network, "", days(-85, 5), finding.ListenerCertExpiring),
		{code: finding.ListenerCertExpired, name: "iam", aws: true, build: func(w *world, environment string) func() {
			s := w.site(environment, "site")
			name := "old-" + environment
			s.pair = w.leaf([]string{s.host}, days(-90, -1))
			s.balancer(observation.Classic, w.account.AddServerCertificate(name, s.pair))
			return func() { s.heal(); w.account.AddServerCertificate(name, s.good) }
		}},
		{code: finding.ListenerNameUncovered, aws: true, build: func(w *world, environment string) func() {
			s := w.site(environment, "site")
			s.pair = w.leaf([]string{"other.example.org"})
			arn := w.acm(s.pair)
			s.balancer(observation.Application, arn, w.acm(w.leaf([]string{"third.example.org"})))
			return func() { s.heal(); w.account.AddCertificate(arn[len(arn)-36:], s.good) }
		}},
		policyOld(observation.Application, "alb"),
		policyOld(observation.Classic, ""),
		{code: finding.ListenerPlaintext, aws: true, build: func(w *world, environment string) func() {
			s := w.site(environment, "site")
			arn := w.acm(s.good)
			add := func(redirect bool) {
				w.account.AddLoadBalancer(account.LoadBalancer{Kind: observation.Application, Name: "plain", Listeners: []account.Listener{
					{Port: 443, Protocol: "HTTPS", Certificates: []string{arn}, Policy: "ELBSecurityPolicy-TLS13-1-2-2021-06"},
					{Port: 80, Protocol: "HTTP", Redirect: redirect},
				}})
			}
			add(false)
			s.target.LoadBalancer = &target.LoadBalancerRef{Name: "plain", Port: 443}
			s.plainSite("plain")
			return func() { w.account.RemoveLoadBalancer("plain"); add(true) }
		}},
		{code: finding.ListenerPlaintext, name: "probed", aws: true, build: func(w *world, environment string) func() {
			s := w.site(environment, "site")
			w.account.AddLoadBalancer(account.LoadBalancer{Kind: observation.Classic, Name: "probed", Listeners: []account.Listener{
				{Port: 443, Protocol: "HTTPS", Certificates: []string{w.acm(s.good)}, Policy: "ELBSecurityPolicy-TLS-1-2-2017-01"}, {Port: 80, Protocol: "HTTP"},
			}})
			s.target.LoadBalancer = &target.LoadBalancerRef{Name: "probed", Port: 443}
			plain := s.plainSite("probed")
			return func() {
				plain.answer = func(r *http.Request) string { return reply(301, "", "Location: https://"+s.host+"/") }
			}
		}},
		{code: finding.ACMRenewalFailing, aws: true, build: func(w *world, environment string) func() {
			s := w.site(environment, "site")
			arn := w.acm(s.good)
			s.balancer(observation.Network, arn)
			w.account.EditCertificate(arn, func(d *acmtypes.CertificateDetail) {
				d.RenewalSummary = &acmtypes.RenewalSummary{RenewalStatus: acmtypes.RenewalStatusFailed}
			})
			return func() { w.account.EditCertificate(arn, func(d *acmtypes.CertificateDetail) { d.RenewalSummary = nil }) }
		}},
		{code: finding.ACMRenewalIneligible, aws: true, build: func(w *world, environment string) func() {
			s := w.site(environment, "site")
			arn := w.acm(s.good)
			s.balancer(observation.Network, arn)
			edit := func(to acmtypes.RenewalEligibility) {
				w.account.EditCertificate(arn, func(d *acmtypes.CertificateDetail) { d.RenewalEligibility = to })
			}
			edit(acmtypes.RenewalEligibilityIneligible)
			return func() { edit(acmtypes.RenewalEligibilityEligible) }
		}},
		{code: finding.CertRevoked, name: "acm", aws: true, build: func(w *world, environment string) func() {
			s := w.site(environment, "site")
			arn := w.acm(s.good)
			s.balancer(observation.Network, arn)
			edit := func(to acmtypes.CertificateStatus) {
				w.account.EditCertificate(arn, func(d *acmtypes.CertificateDetail) { d.Status = to })
			}
			edit(acmtypes.CertificateStatusRevoked)
			return func() { edit(acmtypes.CertificateStatusIssued) }
		}},
	}
}

func expiredOn(kind observation.LoadBalancerKind, name string, validity pki.Option, code finding.Code) scenario {
	return scenario{code: code, name: name, aws: true, build: func(w *world, environment string) func() {
		s := w.site(environment, "site")
		s.pair = w.leaf([]string{s.host}, validity)
		arn := w.acm(s.pair)
		s.balancer(kind, arn)
		return func() { s.heal(); w.account.AddCertificate(arn[len(arn)-36:], s.good) }
	}}
}

func policyOld(kind observation.LoadBalancerKind, name string) scenario {
	return scenario{code: finding.ListenerPolicyOld, name: name, aws: true, build: func(w *world, environment string) func() {
		s := w.site(environment, "site")
		arn, balancer := w.acm(s.good), "policy-"+name
		add := func(policy string) {
			w.account.RemoveLoadBalancer(balancer)
			w.account.AddLoadBalancer(account.LoadBalancer{Kind: kind, Name: balancer, Listeners: []account.Listener{
				{Port: 443, Protocol: "HTTPS", Certificates: []string{arn}, Policy: policy}}})
		}
		add("ELBSecurityPolicy-TLS-1-1-2017-01")
		s.target.LoadBalancer = &target.LoadBalancerRef{Name: balancer, Port: 443}
		return func() { add("ELBSecurityPolicy-TLS-1-2-2017-01") }
	}}
}

// plainSite adds an http endpoint for the site's host.
func (s *site) plainSite(balancer string) *server {
	e := *s.target
	e.Name, e.URL, e.Kind, e.Port, e.LoadBalancer = "plain", "http://"+s.host+"/", target.HTTP, 80, &target.LoadBalancerRef{Name: balancer, Port: 80}
	s.w.endpoints = append(s.w.endpoints, &e)
	return s.w.serve(netip.AddrPortFrom(s.w.names[s.host][0], 80), &server{plain: true})
}

// drifting are the scenarios of drift that rest on AWS.
func drifting() []scenario {
	drifted := func(name string, kind observation.LoadBalancerKind, declare func(w *world, s *site, right string) target.Declared, place func(w *world, s *site, balancer string)) scenario {
		return scenario{code: finding.DriftAttached, name: name, aws: true, build: func(w *world, environment string) func() {
			s := w.site(environment, "site")
			wrong := w.made(w.made(w.root.Intermediate("Wrong issuer", time.Now())).Leaf(time.Now(), []string{s.host}))
			right, attached := w.acm(s.good), w.acm(wrong)
			s.pair = wrong
			balancer := s.balancer(kind, attached)
			d := declare(w, s, right)
			s.target.Declared = &d
			if place != nil {
				place(w, s, balancer)
			}
			return func() { s.heal(); w.attach(kind, balancer, right) }
		}}
	}
	byARN := func(_ *world, _ *site, right string) target.Declared { return target.Declared{ARN: right} }
	byFingerprint := func(_ *world, s *site, _ string) target.Declared {
		return target.Declared{FingerprintSHA256: fingerprint(s.good)}
	}
	byIssuer := func(*world, *site, string) target.Declared { return target.Declared{Issuer: "Blackout issuer"} }
	// The endpoint names no load balancer; its name leads to one.
	byAlias := func(w *world, s *site, balancer string) {
		s.target.LoadBalancer = nil
		w.names[w.account.DNSName(balancer)] = w.names[s.host]
	}
	byCNAME := func(w *world, s *site, balancer string) {
		byAlias(w, s, balancer)
		w.aliases[s.host] = w.account.DNSName(balancer)
	}
	return []scenario{
		drifted("", observation.Classic, byARN, nil),
		drifted("alb", observation.Application, byARN, nil),
		drifted("nlb", observation.Network, byARN, nil),
		drifted("fingerprint", observation.Classic, byFingerprint, nil),
		drifted("issuer", observation.Network, byIssuer, nil),
		drifted("alias", observation.Classic, byARN, byAlias),
		drifted("cname", observation.Application, byFingerprint, byCNAME),
		{code: finding.DriftServed, aws: true, build: func(w *world, environment string) func() {
			s := w.site(environment, "site")
			s.balancer(observation.Classic, w.acm(s.good))
			s.pair = w.leaf([]string{s.host})
			return s.heal
		}},
		{code: finding.DriftServed, name: "sni", aws: true, build: func(w *world, environment string) func() {
			s := w.site(environment, "site")
			s.balancer(observation.Application, w.acm(w.leaf([]string{"default.example.org"})), w.acm(s.good))
			s.pair = w.leaf([]string{s.host})
			return s.heal
		}},
		{code: finding.DriftServed, name: "iam", aws: true, build: func(w *world, environment string) func() {
			s := w.site(environment, "site")
			s.balancer(observation.Classic, w.account.AddServerCertificate("served-"+environment, s.good))
			s.pair = w.leaf([]string{s.host})
			return s.heal
		}},
		{code: finding.DriftDeclared, aws: true, build: func(w *world, environment string) func() {
			s := w.site(environment, "site")
			s.target.Declared = &target.Declared{ARN: w.acm(s.good)}
			s.pair = w.leaf([]string{s.host})
			return s.heal
		}},
		{code: finding.DriftDeclared, name: "iam", aws: true, build: func(w *world, environment string) func() {
			s := w.site(environment, "site")
			s.target.Declared = &target.Declared{ARN: w.account.AddServerCertificate("declared-"+environment, s.good)}
			s.pair = w.leaf([]string{s.host})
			return s.heal
		}},
		{code: finding.DriftManifest, aws: true, build: func(w *world, environment string) func() {
			s := w.site(environment, "site")
			right, stale := w.acm(s.good), w.acm(w.leaf([]string{"stale.example.org"}))
			s.balancer(observation.Classic, right)
			s.target.Service = environment + "/site"
			key := "k8s/" + environment + ".yaml"
			w.files[key] = service(environment, stale)
			return func() { w.files[key] = service(environment, right) }
		}},
	}
}

// service is a Service that declares a certificate.
func service(namespace, arn string) string {
	return fmt.Sprintf(`apiVersion: v1
kind: Service
metadata:
  name: site
  namespace: %s
  annotations:
    service.beta.kubernetes.io/aws-load-balancer-ssl-ports: https
    service.beta.kubernetes.io/aws-load-balancer-ssl-cert: %s
spec:
  type: LoadBalancer
  ports:
    - {name: https, port: 443, targetPort: 3000}
`, namespace, arn)
}
