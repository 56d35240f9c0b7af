package probe

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"certdrift/internal/certtest"
	"certdrift/internal/observation"
	"certdrift/internal/target"
)

// Addresses of the networks that the tests imagine.
const (
	public  = "93.184.215.14"
	private = "10.0.0.9"
)

// lan maps the addresses of imagined networks, HOST:PORT, to servers on loopback; nothing listens elsewhere. It records every
// address that is dialed.
type lan struct {
	servers map[string]string
	mu      sync.Mutex
	dialed  []string
}

func (l *lan) dialing(o *Options) {
	o.Dialer = func(ctx context.Context, network, address string) (net.Conn, error) {
		l.mu.Lock()
		l.dialed = append(l.dialed, address)
		l.mu.Unlock()
		to, ok := l.servers[address]
		if !ok {
			return nil, &net.OpError{Op: "dial", Net: network, Err: syscall.ECONNREFUSED}
		}
		var d net.Dialer
		return d.DialContext(ctx, network, to)
	}
}

// dialedAt reports whether an address was dialed, at a port or at any if port is 0.
func (l *lan) dialedAt(host string, port int) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.ContainsFunc(l.dialed, func(address string) bool {
		h, p, _ := net.SplitHostPort(address)
		return h == host && (port == 0 || p == fmt.Sprint(port))
	})
}

// site is https://site.test/ by DNS.
func site(change ...func(*target.Endpoint)) target.Endpoint {
	e := target.Endpoint{Environment: "test", Name: "e", URL: "https://site.test/", Kind: target.HTTPS, Host: "site.test", Port: 443, Timeout: patient}
	for _, c := range change {
		c(&e)
	}
	return e
}

// handshakes is an endpoint's handshake without a request.
func handshakes(e target.Endpoint) target.Endpoint {
	e.Kind, e.URL = target.TLS, "tls://site.test:443"
	return e
}

func networks(allow ...string) func(*target.Endpoint) {
	return func(e *target.Endpoint) { e.Networks = allow }
}

// redirecting serves redirects from each path to a URL, and "ok" at others.
func redirecting(to map[string]string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if location := to[r.URL.Path]; location != "" {
			w.Header().Set("Location", location)
			w.WriteHeader(http.StatusFound)
			return
		}
		ok(w, r)
	}
}

// TestMixedAnswer: a name with a public and a private address is probed at both, and opens the private one for nothing else:
// no other port, no redirect by name or by address, no URL in a certificate.
func TestMixedAnswer(t *testing.T) {
	locations := map[string]string{
		"/address": "https://" + private + "/", "/port": "http://" + private + ":9001/2018-06-01/runtime/invocation/next", "/name": "https://site.test:8443/",
		"/plain": "http://site.test/", "/mapped": "http://[::ffff:" + private + "]/", "/decimal": "http://167772169/",
		"/loopback": "http://127.0.0.1:9001/", "/nat64": "http://[64:ff9b::a00:9]/", "/other": "http://other.test/",
	}
	page := web(t, serving(t), redirecting(locations))
	z := zone{"site.test": {public, private}, "other.test": {private, "127.0.0.1"}}
	for p := range locations {
		t.Run(p, func(t *testing.T) {
			network := &lan{servers: map[string]string{public + ":443": page, private + ":443": page}}
			seen := observe(t, site(path(p)), resolving(z), network.dialing)
			if len(seen.Addresses) != 2 {
				t.Fatalf("got %+v", seen)
			}
			for _, a := range seen.Addresses {
				healthy(t, a)
				hop := a.HTTP.Hops[0]
				blocked := hop.Blocked != ""
				for _, at := range hop.Addresses {
					blocked = blocked || strings.HasPrefix(at.Address, private) && at.Failure != nil && at.Failure.Kind == observation.Blocked
				}
				if !blocked {
					t.Errorf("not blocked: %+v", hop)
				}
			}
			network.mu.Lock()
			defer network.mu.Unlock()
			for _, address := range network.dialed {
				if address != public+":443" && address != private+":443" && !strings.HasPrefix(address, public) {
					t.Errorf("dialed %s", address)
				}
			}
			if n := len(slices.DeleteFunc(slices.Clone(network.dialed), func(a string) bool { return a != private+":443" })); n != 2 {
				t.Errorf("the private address was dialed %d times, want the endpoint's own probe and its other certificate only", n)
			}
		})
	}
}

// TestPartialAnswer: a private address opens nothing while those of the other family are not known: they may be public. The endpoint
// itself is probed.
func TestPartialAnswer(t *testing.T) {
	locations := map[string]string{"/port": "https://" + private + ":8443/", "/name": "https://site.test:8443/"}
	page := web(t, serving(t), redirecting(locations))
	servfail := map[string]error{"ip6": &net.DNSError{Err: "server misbehaving", IsTemporary: true}}
	for what, c := range map[string]struct {
		resolver families
		blocked  bool
	}{
		"private addresses only":            {families{v4: private}, false},
		"a private one, IPv6 fails":         {families{v4: private, fails: servfail}, true},
		"a private one beside a public":     {families{v4: private, v6: "2606:2800:21f:cb07:6820:80da:af6b:8b2c"}, true},
		"a private one, a public one fails": {families{v4: private, v6: "2606:2800:21f:cb07:6820:80da:af6b:8b2c", fails: servfail}, true},
	} {
		for p := range locations {
			network := &lan{servers: map[string]string{private + ":443": page, private + ":8443": page}}
			given := site(path(p), func(e *target.Endpoint) { e.ConnectTo = []string{"backend.test:443"} })
			for _, e := range []target.Endpoint{site(path(p)), given} {
				seen := observe(t, e, func(o *Options) { o.Resolver = c.resolver }, network.dialing)
				if len(seen.Addresses) == 0 || !network.dialedAt(private, 443) {
					t.Fatalf("%s: got %+v", what, seen)
				}
				if (seen.DNS.Partial != nil) != (c.resolver.fails != nil) {
					t.Errorf("%s: partial %+v", what, seen.DNS.Partial)
				}
				if followed := network.dialedAt(private, 8443); len(e.ConnectTo) == 0 && followed == c.blocked || len(e.ConnectTo) > 0 && followed {
					t.Errorf("%s%s: the redirect was followed: %v", what, p, followed)
				}
				network.dialed = nil
			}
		}
	}
}

// TestNeverByDNS: no name leads to this machine, to link-local addresses or to metadata, in any notation.
func TestNeverByDNS(t *testing.T) {
	for _, a := range []string{
		"127.0.0.1", "127.9.9.9", "::1", "0.0.0.0", "::", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "::7f00:1", "2002:7f00:1::1",
		"169.254.169.254", "169.254.100.1", "fe80::1", "fe80::1%eth0", "fd00:ec2::254", "100.100.100.200", "64:ff9b::a9fe:a9fe",
		"255.255.255.255", "224.0.0.1", "ff02::1",
	} {
		network := &lan{}
		failed(t, one(t, observe(t, site(networks("10.0.0.0/8", "fc00::/7")), resolving(zone{"site.test": {a}}), network.dialing)), observation.PhaseConnect, observation.Blocked)
		given := site(func(e *target.Endpoint) { e.ConnectTo = []string{"backend.test:443"} })
		failed(t, one(t, observe(t, given, resolving(zone{"backend.test": {a}}), network.dialing)), observation.PhaseConnect, observation.Blocked)
		if len(network.dialed) > 0 {
			t.Errorf("%s: dialed %v", a, network.dialed)
		}
	}
}

// TestRuntimeAPI: whatever the configuration, a server or a certificate names, a function never calls its own Runtime API.
func TestRuntimeAPI(t *testing.T) {
	const api = "127.0.0.1:9001"
	_, ca := authority(t)
	leaf := must(t)(ca.Leaf(time.Now(), []string{"127.0.0.1"}, func(c *x509.Certificate) {
		c.CRLDistributionPoints, c.IssuingCertificateURL = []string{"http://" + api + "/crl"}, []string{"http://localhost:9001/ca"}
	}))
	page := web(t, &tls.Config{Certificates: []tls.Certificate{leaf.TLS()}}, redirecting(map[string]string{
		"/": "http://127.0.0.1:9001/2018-06-01/runtime/invocation/next", "/name": "http://localhost:9001/",
	}))
	_, port, _ := net.SplitHostPort(page)
	inLambda := func(o *Options) { o.RuntimeAPI = api }
	z := zone{"localhost": {"127.0.0.1", "::1"}, "api.test": {"127.0.0.1"}}
	for what, e := range map[string]target.Endpoint{
		"as a literal address":  at(t, target.HTTP, api),
		"as localhost":          at(t, target.HTTP, "localhost:9001"),
		"by connect_to":         site(func(e *target.Endpoint) { e.ConnectTo = []string{api} }),
		"by connect_to's name":  site(func(e *target.Endpoint) { e.ConnectTo = []string{"localhost:9001", "api.test:9001"} }),
		"by DNS":                at(t, target.HTTP, "api.test:9001"),
		"elsewhere on loopback": at(t, target.HTTP, "127.0.0.2:9001"),
		"by redirect":           at(t, target.HTTPS, page),
		"by redirect to a name": at(t, target.HTTPS, "localhost:"+port, path("/name")),
	} {
		network := &lan{servers: map[string]string{page: page}}
		seen := observe(t, e, resolving(z), network.dialing, inLambda, full, incomplete)
		if !seen.Probed || len(seen.Addresses) == 0 {
			t.Errorf("%s: got %+v", what, seen)
		}
		if slices.ContainsFunc(network.dialed, func(a string) bool { return strings.HasSuffix(a, ":9001") }) {
			t.Errorf("%s: dialed %v", what, network.dialed)
		}
	}
}

// flips is a lying resolver: it answers each query differently, in turn.
type flips struct {
	zone
	mu      sync.Mutex
	answers [][]string
	queries int
}

func (f *flips) LookupNetIP(_ context.Context, network, _ string) ([]netip.Addr, error) {
	if network != "ip" { // the other family: it is asked for, and has no say in what is dialed
		return nil, &net.DNSError{IsNotFound: true}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	var all []netip.Addr
	for _, a := range f.answers[f.queries%len(f.answers)] {
		all = append(all, netip.MustParseAddr(a))
	}
	f.queries++
	return all, nil
}

// TestRebinding: a name that is public when it is checked and private when it is used. Names are dialed by the address that was
// judged, never looked up again; whichever answer a probe gets, it dials no address that this answer does not permit.
func TestRebinding(t *testing.T) {
	_, ca := authority(t)
	leaf := must(t)(ca.Leaf(time.Now(), []string{"site.test"}, func(c *x509.Certificate) {
		c.IssuingCertificateURL, c.CRLDistributionPoints = []string{"http://pki.test/ca.der"}, []string{"http://crl.test/ca.crl"}
	}))
	page := web(t, &tls.Config{Certificates: []tls.Certificate{leaf.TLS()}}, redirecting(map[string]string{"/": "https://hop.test:8443/a", "/a": "http://site.test:9001/"}))
	for _, answers := range [][][]string{
		{{public}, {"127.0.0.1"}, {private}, {"169.254.169.254"}},
		{{public}, {public, private}, {private, "127.0.0.1"}},
		{{public}, {public}, {"127.0.0.1"}, {"::1"}, {"169.254.169.254"}, {private}},
	} {
		for first := range answers {
			resolver := &flips{answers: slices.Concat(answers[first:], answers[:first])}
			network := &lan{servers: map[string]string{public + ":443": page, public + ":8443": page, private + ":443": page}}
			o := Options{Now: time.Now, Resolver: resolver, Revocation: "full", RuntimeAPI: "127.0.0.1:9001"}
			network.dialing(&o)
			p := New(o)
			for range len(answers) {
				p.Probe(t.Context(), []target.Endpoint{site()})
			}
			for _, address := range network.dialed {
				to, err := netip.ParseAddrPort(address)
				if err != nil {
					t.Fatalf("dialed %s: a name, which is looked up again", address)
				}
				if a := to.Addr(); a.IsLoopback() || a.IsLinkLocalUnicast() || a.String() == private && to.Port() != 443 && to.Port() != 9001 {
					t.Errorf("%v: dialed %s", answers, address)
				}
			}
		}
	}
}

// TestControlOfSockets: without a dialer of the tests, the socket's own address is checked.
func TestControlOfSockets(t *testing.T) {
	server := certtest.Serve(t, "127.0.0.1", certtest.HangUp)
	e := at(t, target.TLS, server)
	v := New(Options{Now: time.Now, RuntimeAPI: server})
	seen := v.Probe(t.Context(), []target.Endpoint{e})
	failed(t, one(t, seen[0]), observation.PhaseConnect, observation.Blocked)
}

// TestInternalLoadBalancer: an endpoint whose name has private addresses only is probed and its redirects to itself are followed,
// at any port.
func TestInternalLoadBalancer(t *testing.T) {
	page := web(t, serving(t), redirecting(map[string]string{"/": "https://site.test:8443/login", "/address": "https://10.0.1.9:8443/end"}))
	network := &lan{servers: map[string]string{"10.0.0.9:443": page, "10.0.1.9:443": page, "10.0.0.9:8443": page, "10.0.1.9:8443": page}}
	z := zone{"site.test": {"10.0.0.9", "10.0.1.9"}}
	for _, p := range []string{"/", "/address"} {
		for _, a := range observe(t, site(path(p)), resolving(z), network.dialing).Addresses {
			healthy(t, a)
			if len(a.HTTP.Hops) != 1 || a.HTTP.Hops[0].Blocked != "" || len(a.HTTP.Hops[0].Addresses) == 0 {
				t.Fatalf("%s: got %+v", p, a.HTTP.Hops)
			}
			for _, at := range a.HTTP.Hops[0].Addresses {
				healthy(t, at)
			}
		}
	}
}

// TestInternalSingleSignOn: a redirect into another private network is followed only if the configuration allows the network.
func TestInternalSingleSignOn(t *testing.T) {
	page := web(t, serving(t), redirecting(map[string]string{"/": "https://login.intranet.test/authorize?client_id=x"}))
	login := web(t, serving(t), ok)
	for _, own := range []string{public, private} {
		for _, c := range []struct {
			allow []string
			want  bool
		}{
			{nil, false}, {[]string{"10.2.0.0/16"}, true}, {[]string{"10.0.0.0/8"}, true}, {[]string{"10.3.0.0/16"}, false},
		} {
			network := &lan{servers: map[string]string{own + ":443": page, "10.2.0.1:443": login}}
			a := one(t, observe(t, site(networks(c.allow...)), resolving(zone{"site.test": {own}, "login.intranet.test": {"10.2.0.1"}}), network.dialing))
			hop := a.HTTP.Hops[0]
			followed := hop.Blocked == "" && len(hop.Addresses) == 1 && hop.Addresses[0].HTTP != nil && hop.Addresses[0].HTTP.Status == 200
			if followed != c.want || network.dialedAt("10.2.0.1", 0) != c.want {
				t.Errorf("from %s with %v: got %+v, want it followed: %v", own, c.allow, hop, c.want)
			}
		}
	}
}

// TestPrivateAuthority: the issuer, the list and the responder of a private CA on a private network, by name, and after a
// redirect there.
func TestPrivateAuthority(t *testing.T) {
	_, ca := authority(t)
	leaf := must(t)(ca.Leaf(time.Now(), []string{"site.test"}, func(c *x509.Certificate) {
		c.IssuingCertificateURL = []string{"http://pki.intranet.test/moved"}
		c.CRLDistributionPoints, c.OCSPServer = []string{"http://pki.intranet.test/ca.crl"}, []string{"http://pki.intranet.test/ocsp"}
	}))
	l := newLibrary(t)
	l.put("/ca.der", ca.Certificate.Raw)
	l.put("/ca.crl", certtest.CRL(t, ca, nil, big.NewInt(5)))
	answer := certtest.OCSPResponse(t, ca, leaf.Certificate, ca, ocsp.Good)
	l.pages["/ocsp"] = func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = w.Write(answer)
	}
	l.pages["/moved"] = func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "http://mirror.intranet.test/ca.der", http.StatusFound)
	}
	server := certtest.ServeTLS(t, "127.0.0.1", &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{leaf.Certificate.Raw}, PrivateKey: leaf.Key}}}, nil)
	z := zone{"site.test": {public}, "pki.intranet.test": {"10.3.0.9"}, "mirror.intranet.test": {"10.4.0.9"}}
	// One prober for all: what it fetched where a network is allowed is not reused where it is not.
	network := &lan{servers: map[string]string{public + ":443": server, "10.3.0.9:80": l.address, "10.4.0.9:80": l.address}}
	o := Options{Now: time.Now}
	for _, change := range []func(*Options){resolving(z), network.dialing, incomplete, full} {
		change(&o)
	}
	p := New(o)
	for _, c := range []struct {
		allow              []string
		issuer, revocation bool
	}{
		{[]string{"10.3.0.0/16", "10.4.0.0/16"}, true, true}, {nil, false, false}, {[]string{"10.4.0.0/16"}, false, false},
	} {
		e := handshakes(site(networks(c.allow...)))
		e.Trust.CAs = [][]byte{ca.Certificate.Raw} // so that the list's and the response's signature can be checked
		a := one(t, p.Probe(t.Context(), []target.Endpoint{e})[0])
		healthy(t, a)
		if len(a.TLS.Issuers) == 0 || (a.TLS.Issuers[0].DER != nil) != c.issuer || a.TLS.Issuers[0].Blocked == c.issuer {
			t.Errorf("%v: issuers %+v", c.allow, a.TLS.Issuers)
		}
		if len(a.TLS.Revocation) != 2 {
			t.Fatalf("%v: revocation %+v", c.allow, a.TLS.Revocation)
		}
		for _, r := range a.TLS.Revocation {
			if (r.Status == observation.Good) != c.revocation || r.Blocked == c.revocation {
				t.Errorf("%v: got %+v", c.allow, r)
			}
		}
	}
	// One network of the two: the redirect to the other is blocked.
	network = &lan{servers: network.servers}
	a := one(t, observe(t, handshakes(site(networks("10.3.0.0/16"))), resolving(z), network.dialing, incomplete))
	if len(a.TLS.Issuers) == 0 || !a.TLS.Issuers[0].Blocked || network.dialedAt("10.4.0.9", 0) {
		t.Errorf("after a redirect: %+v, dialed %v", a.TLS.Issuers, network.dialed)
	}
}

// TestConnectTo: what connect_to leads to may be named by the certificate, and not by a redirect.
func TestConnectTo(t *testing.T) {
	_, ca := authority(t)
	leaf := must(t)(ca.Leaf(time.Now(), []string{"site.test"}, func(c *x509.Certificate) { c.IssuingCertificateURL = []string{"http://10.0.0.7/ca.der"} }))
	page := web(t, &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{leaf.Certificate.Raw}, PrivateKey: leaf.Key}}},
		redirecting(map[string]string{"/": "https://10.0.0.7:8443/"}))
	l := newLibrary(t)
	l.put("/ca.der", ca.Certificate.Raw)
	network := &lan{servers: map[string]string{"10.0.0.7:443": page, "10.0.0.7:80": l.address}}
	for _, to := range []string{"10.0.0.7:443", "backend.test:443"} {
		e := site(func(e *target.Endpoint) { e.ConnectTo = []string{to} })
		a := one(t, observe(t, e, resolving(zone{"backend.test": {"10.0.0.7"}}), network.dialing, incomplete))
		healthy(t, a)
		if len(a.HTTP.Hops) != 1 || a.HTTP.Hops[0].Blocked == "" || network.dialedAt("10.0.0.7", 8443) {
			t.Errorf("%s: hops %+v, want the redirect blocked", to, a.HTTP.Hops)
		}
		if len(a.TLS.Issuers) != 1 || a.TLS.Issuers[0].DER == nil {
			t.Errorf("%s: issuers %+v, want one", to, a.TLS.Issuers)
		}
	}
}

// TestOmittedAddresses: an answer of which a part is not dialed opens nothing: the part may be public.
func TestOmittedAddresses(t *testing.T) {
	page := web(t, serving(t), redirecting(map[string]string{"/": "https://10.0.0.1:8443/"}))
	network := &lan{servers: map[string]string{}}
	var all []string
	for i := range maxAddresses + 1 {
		all = append(all, fmt.Sprintf("10.0.0.%d", i+1))
		network.servers[all[i]+":443"] = page
	}
	for _, addresses := range [][]string{all, all[:maxAddresses]} {
		seen := observe(t, site(), resolving(zone{"site.test": addresses}), network.dialing)
		whole := len(addresses) == maxAddresses
		if (seen.DNS.Omitted == 0) != whole || (seen.Addresses[0].HTTP.Hops[0].Blocked == "") != whole {
			t.Errorf("%d addresses: %d omitted, redirected to %+v", len(addresses), seen.DNS.Omitted, seen.Addresses[0].HTTP.Hops)
		}
	}
}

// TestFetchRedirects: a redirect of a document is followed a few times, and over http only.
func TestFetchRedirects(t *testing.T) {
	_, ca := authority(t)
	l := newLibrary(t)
	secure := web(t, serving(t), ok)
	for path, to := range map[string]string{"/loop": "/loop", "/secure": "https://" + secure + "/"} {
		l.pages[path] = func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, to, http.StatusFound) }
	}
	for path, requests := range map[string]int32{"/loop": maxFetchRedirects + 1, "/secure": 1} {
		l.asked.Store(0)
		leaf := must(t)(ca.Leaf(time.Now(), []string{"site.test"}, func(c *x509.Certificate) { c.IssuingCertificateURL = []string{l.url(path)} }))
		server := certtest.ServeTLS(t, "127.0.0.1", &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{leaf.Certificate.Raw}, PrivateKey: leaf.Key}}}, nil)
		a := one(t, observe(t, at(t, target.TLS, server), incomplete))
		if len(a.TLS.Issuers) != 1 || !strings.Contains(a.TLS.Issuers[0].Failure, "not followed") || l.asked.Load() != requests {
			t.Errorf("%s: got %+v after %d requests, want %d", path, a.TLS.Issuers, l.asked.Load(), requests)
		}
	}
}
