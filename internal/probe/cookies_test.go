package probe

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/http/httpguts"

	"certdrift/internal/observation"
	"certdrift/internal/target"
)

// untilCookie redirects to itself with a Set-Cookie header until a request carries a cookie.
func untilCookie(want string, set ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains("; "+r.Header.Get("Cookie")+";", "; "+want+";") {
			ok(w, r)
			return
		}
		for _, line := range set {
			w.Header().Add("Set-Cookie", line)
		}
		w.Header().Set("Location", r.URL.Path)
		w.WriteHeader(http.StatusFound)
	}
}

// TestCookieEndsRedirects: an application that redirects until its cookie comes back.
func TestCookieEndsRedirects(t *testing.T) {
	counting := func(w http.ResponseWriter, r *http.Request) {
		n := strings.TrimPrefix(r.Header.Get("Cookie"), "mine=1; ")
		if n != "n=111" {
			w.Header().Set("Set-Cookie", "n=1"+strings.TrimPrefix(strings.TrimPrefix(n, "mine=1"), "n="))
			http.Redirect(w, r, "/", http.StatusFound)
			return
		}
		ok(w, r)
	}
	for name, handler := range map[string]http.HandlerFunc{
		"for every path":                        untilCookie("seen=1", "seen=1; path=/"),
		"for the default path":                  untilCookie("seen=1", "seen=1"),
		"Secure, HttpOnly, SameSite":            untilCookie("seen=1", "seen=1; Secure; HttpOnly; SameSite=Strict; Max-Age=60"),
		"with a date":                           untilCookie("seen=1", "seen=1; expires=Fri, 31-Dec-9998 23:59:59 GMT"),
		"with a date that is none":              untilCookie("seen=1", "seen=1; expires=tomorrow"),
		"with its prefix":                       untilCookie("__Host-seen=1", "__Host-seen=1; Secure; Path=/"),
		"Domain is the address":                 untilCookie("seen=1", "seen=1; Domain=127.0.0.1"),
		"a Domain that is a dot":                untilCookie("seen=1", "seen=1; Domain=."),
		"an empty Domain":                       untilCookie("seen=1", "seen=1; Domain="),
		"a name as PHP sends it":                untilCookie("a[b]=1", "a[b]=1"),
		"a value in JSON":                       untilCookie(`seen={"a":"b c",1}`, `seen={"a":"b c",1}; Path=/`),
		"an empty value":                        untilCookie("seen=", "seen="),
		"another one is refused":                untilCookie("seen=1", "x=1; Domain=example.org", "seen=1"),
		"replaced by the same response":         untilCookie("seen=2", "seen=1", "seen=2"),
		"whose value counts":                    counting,
		"besides the configured ones":           untilCookie("mine=1; seen=1", "seen=1"),
		"that replaces a configured one":        untilCookie("mine=2", "mine=2"),
		"after an earlier one has been removed": untilCookie("b=1", "a=1; Max-Age=0", "b=1"),
	} {
		t.Run(name, func(t *testing.T) {
			e := at(t, target.HTTPS, web(t, serving(t), handler), func(e *target.Endpoint) {
				e.Request.Headers = []target.Header{{Name: "Cookie", Value: "mine=1"}}
			})
			a := one(t, observe(t, e, verifying))
			healthy(t, a)
			if a.HTTP.Loop || len(a.HTTP.Hops) == 0 || a.HTTP.Cookies != nil {
				t.Fatalf("got %+v", a.HTTP)
			}
			if last := a.HTTP.Hops[len(a.HTTP.Hops)-1]; last.Addresses[0].HTTP.Status != 200 {
				t.Errorf("got %+v", last)
			}
		})
	}
}

// TestCookieUnsent: a loop says which cookies clients do not send back, and why.
func TestCookieUnsent(t *testing.T) {
	for name, c := range map[string]struct {
		kind target.Kind
		set  string
		want observation.CookieFault
	}{
		"Secure over plain HTTP":         {target.HTTP, "seen=1; Secure", observation.CookieInsecure},
		"of another host":                {target.HTTPS, "seen=1; Domain=example.org", observation.CookieDomain},
		"of a part of an address":        {target.HTTPS, "seen=1; Domain=0.0.1", observation.CookieDomain},
		"__Host- with a path":            {target.HTTPS, "__Host-seen=1; Secure; Path=/a", observation.CookiePrefix},
		"__Secure- without Secure":       {target.HTTPS, "__secure-seen=1", observation.CookiePrefix},
		"expired":                        {target.HTTPS, "seen=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT", observation.CookieExpired},
		"expired, as old servers say it": {target.HTTPS, "seen=1; Expires=Thu, 01-Jan-70 00:00:10 GMT", observation.CookieExpired},
		"ended":                          {target.HTTPS, "seen=1; Max-Age=-5", observation.CookieExpired},
		"too large":                      {target.HTTPS, "seen=" + strings.Repeat("x", maxCookie), observation.CookieTooLarge},
		"for another path":               {target.HTTPS, "seen=1; Path=/login", observation.CookiePath},
		"that the server does not know":  {target.HTTPS, "seen=0", ""},
	} {
		t.Run(name, func(t *testing.T) {
			handler, address := untilCookie("seen=1", c.set), ""
			if c.kind == target.HTTP {
				address = plainWeb(t, "127.0.0.1", handler)
			} else {
				address = web(t, serving(t), handler)
			}
			e := at(t, c.kind, address)
			if c.want == observation.CookieInsecure { // this machine counts as secure
				e.Host, e.ConnectTo = "site.test", []string{address}
				e.URL = fmt.Sprintf("http://site.test:%d/", e.Port)
			}
			h := one(t, observe(t, e, verifying)).HTTP
			if !h.Loop || len(h.Cookies) != 1 || !strings.HasSuffix(h.Cookies[0].Name, "seen") || h.Cookies[0].Unsent != c.want {
				t.Errorf("got %v %+v", h.Loop, h.Cookies)
			}
		})
	}
}

// TestSecureCookie: a cookie that came over https with Secure does not go over plain HTTP.
func TestSecureCookie(t *testing.T) {
	secure, plain := &origin{kind: target.HTTPS, host: "site.test", port: 443}, &origin{kind: target.HTTP, host: "site.test", port: 80}
	secure.setURL(&url.URL{Scheme: "https"})
	plain.setURL(&url.URL{Scheme: "http"})
	var held cookies
	held.receive(secure, []*http.Cookie{parseCookie("a=1; Secure"), parseCookie("b=2")}, true)
	if to := held.sendTo(plain); to.cookies != "b=2" || !to.guarded {
		t.Errorf("got %q", to.cookies)
	}
	v := &endpointProbe{}
	if shown := v.shown(&held, plain); len(shown) != 2 || shown[0] != (observation.Cookie{Name: "a", Unsent: observation.CookieSecureOnly}) {
		t.Errorf("got %+v", shown)
	}
	if to := held.sendTo(secure); to.cookies != "a=1; b=2" {
		t.Errorf("got %q", to.cookies)
	}
}

// TestCookiesStayWithTheirHosts: who receives which cookies, along one chain through several hosts.
func TestCookiesStayWithTheirHosts(t *testing.T) {
	_, ca := authority(t)
	names := []string{"www.site.test", "app.site.test", "site.test", "www.other.test"}
	leaf := must(t)(ca.Leaf(time.Now(), append(names, "bad.site.test")))
	z, network, got := zone{}, pipes{}, make(chan string, 20)
	serve := func(host, address, location string, set ...string) {
		z[host] = []string{address}
		network[address+":443"] = func(raw net.Conn) {
			conn := tls.Server(raw, &tls.Config{Certificates: []tls.Certificate{leaf.TLS()}})
			r, err := http.ReadRequest(bufio.NewReader(conn))
			if err != nil {
				return
			}
			got <- host + ": " + r.Header.Get("Cookie")
			answer := "HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: " + location + "\r\n"
			if location == "" {
				answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n"
			}
			for _, line := range set {
				answer += "Set-Cookie: " + line + "\r\n"
			}
			_, _ = conn.Write([]byte(answer + "\r\n"))
			_ = conn.Close()
		}
	}
	serve("www.site.test", "93.184.215.1", "https://app.site.test/a/b", "own=1", "all=2; Domain=.site.test; Path=/", "test=3; Domain=test")
	serve("app.site.test", "93.184.215.2", "https://www.other.test/", "all=4; Domain=site.test; Path=/", "deep=5")
	serve("www.other.test", "93.184.215.3", "https://site.test/", "own=6; Domain=site.test", "all=7")
	serve("site.test", "93.184.215.4", "https://bad.site.test/")
	serve("bad.site.test", "93.184.215.5", "")
	e := at(t, target.HTTPS, "www.site.test:443", func(e *target.Endpoint) {
		e.URL = "https://www.site.test/"
		e.Request.Headers = []target.Header{{Name: "Cookie", Value: "mine=secret"}}
	})
	accepts := func(o *Options) {
		o.Verified = func(e target.Endpoint, _ []*x509.Certificate, _ time.Time) bool { return e.Host != "bad.site.test" }
	}
	a := one(t, observe(t, e, resolving(z), network.dialing, accepts))
	close(got)
	want := []string{
		"www.site.test: mine=secret", "app.site.test: all=2", "www.other.test: ", "site.test: all=4",
	}
	if seen := slices.Collect(func(yield func(string) bool) {
		for s := range got {
			if !yield(s) {
				return
			}
		}
	}); !slices.Equal(seen, want) {
		t.Errorf("got %q, want %q", seen, want)
	}
	last := a.HTTP.Hops[len(a.HTTP.Hops)-1]
	if last.Host != "bad.site.test" || last.Addresses[0].Withheld == "" {
		t.Errorf("the server whose certificate does not verify: %+v", last)
	}
}

// TestCookieValuesStaySecret: nothing of a value is in an observation, wherever the server repeats it.
func TestCookieValuesStaySecret(t *testing.T) {
	var requests atomic.Int32
	address := web(t, serving(t), func(w http.ResponseWriter, r *http.Request) {
		value := fmt.Sprintf("S3ss10n-%d", requests.Add(1))
		w.Header().Set("Set-Cookie", "sid="+value+"; Path=/")
		w.Header().Set("Server", value)
		http.Redirect(w, r, "/login;sid="+value+"?sid="+value+"#"+value, http.StatusFound)
	})
	final := web(t, serving(t), func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Set-Cookie", "sid=S3ss10n-0; Path=/")
		w.WriteHeader(http.StatusInternalServerError)
		_, _ = w.Write([]byte("your session is S3ss10n-0 or " + r.Header.Get("Cookie")))
	})
	for _, at := range []target.Endpoint{at(t, target.HTTPS, address), at(t, target.HTTPS, final)} {
		at.Expect.Headers = []target.HeaderValue{{Name: "Set-Cookie", Contains: "x"}}
		seen, err := json.Marshal(observe(t, at, verifying))
		if err != nil || strings.Contains(string(seen), "S3ss10n") {
			t.Errorf("%v %s", err, seen)
		}
	}
	if requests.Load() != maxHops+1 {
		t.Errorf("%d requests", requests.Load())
	}
}

// TestCookiesBounded: a server cannot make certdrift keep or send any number of cookies.
func TestCookiesBounded(t *testing.T) {
	var most atomic.Int64
	address := web(t, serving(t), func(w http.ResponseWriter, r *http.Request) {
		most.Store(max(most.Load(), int64(strings.Count(r.Header.Get("Cookie"), "="))))
		for i := range 300 {
			w.Header().Add("Set-Cookie", fmt.Sprintf("%s%d=value-%d", strings.ReplaceAll(r.URL.Path, "/", "p"), i, i))
		}
		http.Redirect(w, r, r.URL.Path+"x", http.StatusFound)
	})
	h := one(t, observe(t, at(t, target.HTTPS, address), verifying)).HTTP
	if !h.Loop || most.Load() != maxCookies || len(h.Cookies) != maxShownCookies {
		t.Errorf("loop %v, at most %d cookies sent, %d shown", h.Loop, most.Load(), len(h.Cookies))
	}
}

// TestHopsWithCookies: a shared target that is visited with other cookies for each address is probed at all of its addresses once.
func TestHopsWithCookies(t *testing.T) {
	v := &endpointProbe{}
	first := &origin{kind: target.HTTPS, method: "GET", url: &url.URL{Scheme: "https", Host: "site.test", Path: "/"}, cookies: "a=1"}
	if v.hops.visited(first) {
		t.Error("visited before the first")
	}
	v.hops.seen = map[string]*hop{first.key(): {}}
	for path, want := range map[string]bool{"/": true, "/a": false} {
		other := &origin{kind: target.HTTPS, method: "GET", url: &url.URL{Scheme: "https", Host: "site.test", Path: path}, cookies: "a=2"}
		if v.hops.visited(other) != want {
			t.Errorf("%s: visited is not %v", path, want)
		}
	}
}

// FuzzParseCookie: whatever a server sets can be sent back as one header, in which it is one pair.
func FuzzParseCookie(f *testing.F) {
	for _, line := range []string{"a=1", "a[b]={\"c\":1}; Path=/; Domain=.x", "__Host-a=\xff; Secure", "=x", "a", "a=b\x00c", " a = b ; Max-Age=0; Expires=Thu, 01-Jan-70 00:00:00 GMT", ";;;", "a=\"b;c\""} {
		f.Add(line)
	}
	from := &origin{kind: target.HTTPS, host: "www.site.test", port: 443}
	from.setURL(&url.URL{Scheme: "https"})
	f.Fuzz(func(t *testing.T, line string) {
		c := parseCookie(line)
		if c == nil {
			return
		}
		var held cookies
		held.receive(from, []*http.Cookie{c}, true)
		header := held.header(from)
		if !httpguts.ValidHeaderFieldValue(header) || strings.Contains(header, ";") || header != "" && !strings.HasPrefix(header, c.Name+"=") {
			t.Errorf("%q is sent back as %q", line, header)
		}
		if kept := held.jar != nil && len(held.jar.Cookies(from.url)) > 0; kept && held.set[0].unsent != "" {
			t.Errorf("%q is kept, although %s", line, held.set[0].unsent)
		}
		if why := held.set[0].unsent; why == "" && header == "" && c.Path == "" {
			t.Errorf("%q is not kept, and nothing says why", line)
		}
	})
}
