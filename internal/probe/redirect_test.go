package probe

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"certdrift/internal/observation"
	"certdrift/internal/target"
)

// plainWeb serves a handler over HTTP on an address of loopback.
func plainWeb(t testing.TB, host string, handler http.HandlerFunc) string {
	t.Helper()
	l, err := net.Listen("tcp", host+":0")
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewUnstartedServer(handler)
	_ = s.Listener.Close()
	s.Listener = l
	s.Start()
	t.Cleanup(s.Close)
	return l.Addr().String()
}

func ok(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok")) }

func TestRedirects(t *testing.T) {
	var elsewhere, credentials atomic.Int32
	other := plainWeb(t, "127.0.0.1", func(w http.ResponseWriter, r *http.Request) {
		elsewhere.Add(1)
		if r.Header.Get("Authorization") != "" || r.Header.Get("X-Token") != "" {
			credentials.Add(1)
		}
		ok(w, r)
	})
	blocked := plainWeb(t, "127.0.0.9", ok)
	var address string
	address = web(t, serving(t), func(w http.ResponseWriter, r *http.Request) {
		to := map[string]string{
			"/once": "/end", "/self": "/self", "/ping": "/pong", "/pong": "/ping",
			"/plain": "http://" + other + "/x", "/blocked": "http://" + blocked + "/",
			"/metadata": "http://169.254.169.254/latest/meta-data/", "/decimal": "http://2852039166/",
			"/private": "https://10.0.0.1/", "/mapped": "http://[::ffff:169.254.169.254]/", "/nat64": "http://[64:ff9b::a9fe:a9fe]/",
			"/named": "http://metadata.test/", "/nowhere": "https://nowhere.test/", "/down": "http://127.0.0.1:1/",
			"/user": "https://user:pass@" + address + "/end", "/ftp": "ftp://user:pass@" + address + "/x", "/mail": "mailto:a@b",
		}[r.URL.Path]
		var n int
		if _, err := fmt.Sscanf(r.URL.Path, "/count/%d", &n); err == nil {
			to = fmt.Sprintf("/count/%d", n+1)
		}
		if to == "" {
			ok(w, r)
			return
		}
		w.Header().Set("Location", to)
		w.WriteHeader(http.StatusFound)
	})
	z := zone{"metadata.test": {"169.254.169.254"}}
	visitPage := func(t *testing.T, p string, change ...func(*target.Endpoint)) observation.Address {
		t.Helper()
		change = append(change, path(p), func(e *target.Endpoint) {
			e.Request.Username, e.Request.Password = "user", "password"
			e.Request.Headers = []target.Header{{Name: "X-Token", Value: "token"}}
		})
		return one(t, observe(t, at(t, target.HTTPS, address, change...), resolving(z), verifying))
	}

	t.Run("followed", func(t *testing.T) {
		a := visitPage(t, "/once")
		healthy(t, a)
		if a.HTTP.Status != 302 || len(a.HTTP.Hops) != 1 || a.HTTP.Location != "" {
			t.Fatalf("got %+v", a.HTTP)
		}
		hop := a.HTTP.Hops[0]
		if !strings.HasSuffix(hop.URL, "/end") || hop.Insecure || len(hop.Addresses) != 1 || hop.Addresses[0].HTTP.Status != 200 || hop.Addresses[0].TLS == nil {
			t.Errorf("got %+v", hop)
		}
	})
	t.Run("expected", func(t *testing.T) {
		a := visitPage(t, "/once", expecting(target.Expect{Status: []int{302}}))
		healthy(t, a)
		if a.HTTP.Status != 302 || len(a.HTTP.Hops) != 0 || a.HTTP.Location != "/end" {
			t.Errorf("got %+v", a.HTTP)
		}
	})
	for _, c := range []struct {
		path       string
		limit      int
		hops       int
		unfollowed bool
	}{{"/end", 0, 0, false}, {"/once", 0, 0, true}, {"/once", 1, 1, false}, {"/count/0", 3, 3, true}, {"/self", 0, 0, true}, {"/self", 1, 0, false}} {
		t.Run(fmt.Sprintf("at most %d from %s", c.limit, c.path), func(t *testing.T) {
			h := visitPage(t, c.path, expecting(target.Expect{MaxRedirects: &c.limit})).HTTP
			if len(h.Hops) != c.hops || h.Unfollowed != c.unfollowed || h.Unfollowed == (h.Location == "") && !h.Loop || h.Loop && h.Unfollowed {
				t.Errorf("got %+v", h)
			}
		})
	}
	for p, hops := range map[string]int{"/self": 0, "/ping": 1, "/count/0": maxHops} {
		t.Run("loop "+p, func(t *testing.T) {
			a := visitPage(t, p)
			if !a.HTTP.Loop || len(a.HTTP.Hops) != hops {
				t.Errorf("got loop %v after %d hops, want %d", a.HTTP.Loop, len(a.HTTP.Hops), hops)
			}
		})
	}
	t.Run("to plain HTTP elsewhere, without credentials", func(t *testing.T) {
		a := visitPage(t, "/plain")
		if len(a.HTTP.Hops) != 1 || !a.HTTP.Hops[0].Insecure || a.HTTP.Hops[0].Addresses[0].HTTP.Status != 200 {
			t.Fatalf("got %+v", a.HTTP)
		}
		if elsewhere.Load() == 0 || credentials.Load() != 0 {
			t.Errorf("asked %d times, with credentials %d times", elsewhere.Load(), credentials.Load())
		}
	})
	for _, p := range []string{"/blocked", "/metadata", "/decimal", "/private", "/mapped", "/nat64", "/named", "/ftp", "/mail"} {
		t.Run("blocked "+p, func(t *testing.T) {
			a := visitPage(t, p)
			if len(a.HTTP.Hops) != 1 || a.HTTP.Hops[0].Blocked == "" || len(a.HTTP.Hops[0].Addresses) != 0 || strings.Contains(a.HTTP.Hops[0].URL, "pass") {
				t.Errorf("got %+v", a.HTTP.Hops)
			}
		})
	}
	t.Run("to a name that is none", func(t *testing.T) {
		a := visitPage(t, "/nowhere")
		if f := a.HTTP.Hops[0].DNS.Failure; f == nil || f.Kind != observation.NotFound {
			t.Errorf("got %+v", a.HTTP.Hops[0])
		}
	})
	t.Run("to a closed port", func(t *testing.T) {
		a := visitPage(t, "/down")
		failed(t, a.HTTP.Hops[0].Addresses[0], observation.PhaseConnect, observation.Refused)
	})
	t.Run("with credentials in the location", func(t *testing.T) {
		a := visitPage(t, "/user")
		if u := a.HTTP.Hops[0].URL; strings.Contains(u, "pass") || strings.Contains(a.HTTP.Hops[0].Addresses[0].Address, "@") {
			t.Errorf("shown as %q", u)
		}
	})
}

// TestRedirectConnectTo: connect_to applies to the URL's own origin only.
func TestRedirectConnectTo(t *testing.T) {
	other := plainWeb(t, "127.0.0.1", ok)
	var port string
	address := web(t, serving(t), func(w http.ResponseWriter, r *http.Request) {
		to := map[string]string{"/own": "https://site.test:" + port + "/end", "/other": "http://" + other + "/", "/name": "https://other.test:" + port + "/"}[r.URL.Path]
		if to == "" {
			ok(w, r)
			return
		}
		http.Redirect(w, r, to, http.StatusMovedPermanently)
	})
	_, port, _ = net.SplitHostPort(address)
	e := at(t, target.HTTPS, address, func(e *target.Endpoint) {
		e.Host, e.ConnectTo, e.URL = "site.test", []string{address}, "https://site.test:"+port
	})
	a := one(t, observe(t, with(e, path("/own")), resolving(zone{})))
	if len(a.HTTP.Hops) != 1 || a.HTTP.Hops[0].Addresses[0].Address != address || a.HTTP.Hops[0].Addresses[0].HTTP.Status != 200 {
		t.Errorf("the own origin is not reached by connect_to: %+v", a.HTTP.Hops)
	}
	a = one(t, observe(t, with(e, path("/other")), resolving(zone{})))
	if len(a.HTTP.Hops) != 1 || a.HTTP.Hops[0].Blocked == "" {
		t.Errorf("connect_to licensed another hop: %+v", a.HTTP.Hops)
	}
	a = one(t, observe(t, with(e, path("/name")), resolving(zone{})))
	if len(a.HTTP.Hops) != 1 || a.HTTP.Hops[0].DNS.Failure == nil {
		t.Errorf("connect_to stood in for another name: %+v", a.HTTP.Hops)
	}
}

// TestRedirectShared: a shared target is visited once, a page of the endpoint's own origin at each address.
func TestRedirectShared(t *testing.T) {
	var visits atomic.Int32
	shared := plainWeb(t, "127.0.0.1", func(w http.ResponseWriter, r *http.Request) { visits.Add(1); ok(w, r) })
	handler := func(broken bool) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			switch {
			case r.URL.Path == "/shared":
				http.Redirect(w, r, "http://"+shared+"/", http.StatusFound)
			case r.URL.Path == "/":
				http.Redirect(w, r, "/login", http.StatusFound)
			case broken:
				w.WriteHeader(http.StatusBadGateway)
			default:
				ok(w, r)
			}
		}
	}
	good, bad := plainWeb(t, "127.0.0.1", handler(false)), plainWeb(t, "127.0.0.2", handler(true))
	e := at(t, target.HTTP, good, func(e *target.Endpoint) {
		e.Host, e.URL, e.ConnectTo = "localhost", "http://localhost:"+good[strings.LastIndex(good, ":")+1:]+"/", []string{good, bad}
	})
	seen := observe(t, e, resolving(zone{}))
	var statuses []int
	for _, a := range seen.Addresses {
		statuses = append(statuses, a.HTTP.Hops[0].Addresses[0].HTTP.Status)
	}
	if fmt.Sprint(statuses) != "[200 502]" {
		t.Errorf("each address' own page: got %v", statuses)
	}
	seen = observe(t, with(e, path("/shared")), resolving(zone{}))
	if len(seen.Addresses) != 2 || len(seen.Addresses[1].HTTP.Hops) != 1 || visits.Load() != 1 {
		t.Errorf("the shared page was visited %d times", visits.Load())
	}
}

func TestRedirectBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		config := serving(t)
		slow := func(c net.Conn) {
			secured := tls.Server(c, config)
			r, err := http.ReadRequest(bufio.NewReader(secured))
			if err != nil {
				return
			}
			var n int
			_, _ = fmt.Sscanf(r.URL.Path, "/%d", &n)
			if n > 0 {
				time.Sleep(patient * 9 / 10)
			}
			_, _ = fmt.Fprintf(secured, "HTTP/1.1 302 Found\r\nLocation: /%d\r\nContent-Length: 0\r\n\r\n", n+1)
			_ = secured.Close()
		}
		hops := one(t, observe(t, at(t, target.HTTPS, "127.0.0.1:1000"), pipes{"1000": slow}.dialing)).HTTP.Hops
		time.Sleep(patient) // fake time: the last server wakes up and ends
		if len(hops) != redirectPhases+1 {
			t.Fatalf("%d hops in the time of %d phases", len(hops), redirectPhases)
		}
		last := hops[len(hops)-1].Addresses[0].Failure
		if last == nil || last.Kind != observation.TimedOut || !last.Hurried {
			t.Errorf("the last hop: %+v", last)
		}
	})
}

func TestRedirected(t *testing.T) {
	v := &endpointProbe{target: target.Endpoint{Kind: target.HTTPS, Host: "site.test", Port: 443, URL: "https://site.test/a/b?c"}}
	from, err := v.origin()
	if err != nil {
		t.Fatal(err)
	}
	for location, want := range map[string]string{
		"c": "https://site.test/a/c", "/c#x": "https://site.test/c", "//other.test:8443/": "https://other.test:8443/",
		"HTTP://Other.TEST./": "http://other.test/", "https://bücher.test/": "https://xn--bcher-kva.test/",
		"https://site.test#x": "https://site.test/", "http://0x7f.1:80/": "http://127.0.0.1/", "https://[::1]:443/": "https://[::1]/",
		"http:///x": "", "//.": "", "//..": "", "https://。/": "", "https://１２７.0.0.1/": "https://127.0.0.1/", "ftp://site.test/": "ftp://site.test/", "mailto:a@site.test": "mailto:a@site.test", "javascript:x()": "javascript:x()", "https://a b/": "", "https://site.test:0/": "", "https://site.test:99999/": "",
	} {
		next, err := v.redirected(from, http.StatusFound, location)
		switch {
		case err != nil && want != "":
			t.Errorf("%q: %v", location, err)
		case err == nil && next.url.String() != want:
			t.Errorf("%q leads to %q, want %q", location, next.url, want)
		case err == nil && next.own != (next.host == "site.test" && next.port == 443):
			t.Errorf("%q: own is %v", location, next.own)
		}
	}
}

// FuzzRedirected: wherever a server redirects to, the next request goes to a web URL with a host and a port that can be judged, or nowhere.
func FuzzRedirected(f *testing.F) {
	for _, location := range []string{
		"c", "/c#x", "//other.test:8443/", "HTTP://Other.TEST./", "https://bücher.test/", "http://0x7f.1:80/", "https://[::1%25eth0]:443/", "https://user:pass@x/", "mailto:a@site.test",
		"https://site.test:99999/", "http:///x", "\\\\x\\y", "https:site.test", "https://a%00b/",
	} {
		f.Add(location, http.StatusFound)
	}
	f.Fuzz(func(t *testing.T, location string, status int) {
		v := &endpointProbe{target: target.Endpoint{Kind: target.HTTPS, Host: "site.test", Port: 443, URL: "https://site.test/a/b?c"}}
		from, err := v.origin()
		if err != nil {
			t.Fatal(err)
		}
		next, err := v.redirected(from, status, location)
		if err != nil || !next.kind.Web() {
			return
		}
		if next.host == "" || next.port < 1 || next.port > 65535 || next.url.Host == "" || next.url.User != nil && !next.own {
			t.Fatalf("%q leads to %+v", location, next)
		}
		if next.own != (next.kind == target.HTTPS && next.host == "site.test" && next.port == 443) {
			t.Fatalf("%q is the endpoint's own: %v", location, next.own)
		}
	})
}

// TestRedirectedMethod: RFC 9110 §15.4.2 to §15.4.4, and what browsers do (WHATWG Fetch, HTTP-redirect fetch).
func TestRedirectedMethod(t *testing.T) {
	v := &endpointProbe{target: target.Endpoint{Kind: target.HTTPS, Host: "site.test", Port: 443, URL: "https://site.test/"}}
	for method, want := range map[string]map[int]string{
		"GET":     {301: "GET", 302: "GET", 303: "GET", 307: "GET", 308: "GET"},
		"HEAD":    {301: "HEAD", 302: "HEAD", 303: "HEAD", 307: "HEAD", 308: "HEAD"},
		"OPTIONS": {301: "OPTIONS", 302: "OPTIONS", 303: "GET", 307: "OPTIONS", 308: "OPTIONS"},
		"POST":    {301: "GET", 302: "GET", 303: "GET", 307: "POST", 308: "POST"},
	} {
		v.target.Request.Method = method
		from, err := v.origin()
		if err != nil {
			t.Fatal(err)
		}
		for status, w := range want {
			if next, err := v.redirected(from, status, "/b"); err != nil || next.method != w {
				t.Errorf("%s after %d becomes %s, want %s (%v)", method, status, next.method, w, err)
			}
		}
	}
}

// TestLoopThatDowngrades: a load balancer that redirects to https and an application that redirects back to http.
func TestLoopThatDowngrades(t *testing.T) {
	var plain, secure string
	bounce := func(to *string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, *to, http.StatusFound) }
	}
	server := httptest.NewServer(bounce(&secure))
	t.Cleanup(server.Close)
	plain, secure = server.URL+"/", "https://"+web(t, serving(t), bounce(&plain))+"/"
	for begin, want := range map[string]bool{plain: true, secure: false} {
		scheme, address, _ := strings.Cut(strings.TrimSuffix(begin, "/"), "://")
		a := one(t, observe(t, at(t, target.Kind(scheme), address)))
		if !a.HTTP.Loop || a.HTTP.LoopInsecure != want || len(a.HTTP.Hops) != 1 || a.HTTP.Hops[0].Insecure == want {
			t.Errorf("from %s: %+v", begin, a.HTTP)
		}
	}
}
