package servers

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"strings"
	"time"

	"certdrift/internal/finding"
	"certdrift/internal/sim/pki"
)

// pki90 is a certificate that expired yesterday.
func pki90(l *Lab) []pki.Option {
	return []pki.Option{pki.Valid(l.Now.Add(-90*day), l.Now.Add(-day))}
}

// leads answers with a redirect to everything but /end.
func leads(status int, to func(*http.Request) string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/end" {
			_, _ = w.Write([]byte("ok"))
			return
		}
		w.Header().Set("Location", to(r))
		w.WriteHeader(status)
	})
}

// untilCookie redirects to the same page, with Set-Cookie headers, until a request carries a cookie.
func untilCookie(want string, set ...string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Cookie") == want {
			_, _ = w.Write([]byte("ok"))
			return
		}
		w.Header()["Set-Cookie"] = set
		w.Header().Set("Location", r.URL.Path)
		w.WriteHeader(http.StatusFound)
	})
}

func to(url string) func(*http.Request) string { return func(*http.Request) string { return url } }

func redirects() []Case {
	redirect := func(name string, want []finding.Code, status int, where func(*http.Request) string, expect string) Case {
		return answer(name, want, leads(status, where), expect)
	}
	// onLoopback is requested by its address, so that redirects may lead to other ports there.
	onLoopback := func(name string, want []finding.Code, handler func(l *Lab) http.Handler) Case {
		return Case{Name: name, Want: want, serve: func(l *Lab) Target {
			config := &tls.Config{Certificates: []tls.Certificate{l.leafFor([]string{"127.0.0.1"}).TLS()}} // a server's defaults
			return Target{URL: "https://" + l.web("127.0.0.1", config, handler(l)) + "/"}
		}}
	}
	long := func(r *http.Request) string { return r.URL.Path + "x" }
	loop := redirect("redirects to itself", codes(finding.HTTPRedirectLoop), 302, to("/"), "")
	return []Case{
		redirect("redirects to another page", nil, 302, to("/end"), ""),
		redirect("redirects by 308", nil, 308, to("/end"), ""),
		loop,
		redirect("redirects to and fro", codes(finding.HTTPRedirectLoop), 301, func(r *http.Request) string {
			if r.URL.Path == "/a" {
				return "/"
			}
			return "/a"
		}, ""),
		redirect("redirects on and on", codes(finding.HTTPRedirectLoop), 302, long, ""),
		redirect("a redirect that is expected", nil, 301, to("http://169.254.169.254/"), "expect: {status: [301]}"),
		redirect("a redirect that is expected, of another status", nil, 302, to("/end"), "expect: {status: [200, 301]}"),
		redirect("a redirect where none is expected", codes(finding.HTTPStatus), 302, to("/end"), "expect: {redirects: none}"),
		redirect("a redirect where one is expected", nil, 302, to("/end"), "expect: {redirects: 1}"),
		redirect("one redirect more than expected", codes(finding.HTTPStatus), 302, long, "expect: {redirects: 3}"),
		answer("no redirect, as expected", nil, ok(), "expect: {redirects: none}"),
		answer("redirects to itself until its cookie comes back", nil, untilCookie("seen=1", "seen=1; path=/"), ""),
		answer("redirects to a page that sets a cookie, and back", nil, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch {
			case r.URL.Path == "/login":
				w.Header().Set("Set-Cookie", "session=c29tZXRoaW5n; Path=/; Secure; HttpOnly")
				http.Redirect(w, r, "/", http.StatusFound)
			case r.Header.Get("Cookie") == "":
				http.Redirect(w, r, "/login", http.StatusFound)
			default:
				_, _ = w.Write([]byte("ok"))
			}
		}), ""),
		answer("redirects to itself until a cookie of a name and a value that are no tokens comes back", nil, untilCookie(`a[b]={"c":"d e"}`, `a[b]={"c":"d e"}; Path=/`), ""),
		answer("redirects to itself although its cookie comes back", codes(finding.HTTPRedirectLoop), untilCookie("seen=1", "seen=2"), ""),
		answer("redirects to itself for a cookie of another domain", codes(finding.HTTPRedirectLoop), untilCookie("seen=1", "seen=1; Domain=example.net"), ""),
		answer("redirects to itself for a cookie of a public suffix", codes(finding.HTTPRedirectLoop), untilCookie("seen=1", "seen=1; Domain=org"), ""),
		answer("redirects to itself for a cookie that has expired", codes(finding.HTTPRedirectLoop), untilCookie("seen=1", "seen=1; Expires=Thu, 01-Jan-70 00:00:01 GMT"), ""),
		answer("redirects to itself for a cookie of another path", codes(finding.HTTPRedirectLoop), untilCookie("seen=1", "seen=1; Path=/login"), ""),
		{Name: "redirects to itself over plain http until its cookie comes back", serve: func(l *Lab) Target {
			return Target{URL: "http://" + Host, To: []string{l.plain(untilCookie("seen=1", "seen=1"))}}
		}},
		{Name: "redirects to itself over plain http for a Secure cookie", Want: codes(finding.HTTPRedirectLoop), serve: func(l *Lab) Target {
			return Target{URL: "http://" + Host, To: []string{l.plain(untilCookie("seen=1", "seen=1; Secure"))}}
		}},
		redirect("a redirect without a location", codes(finding.HTTPStatus), 302, to(""), ""),
		redirect("a redirect to no URL", codes(finding.HTTPInvalid), 302, to("http://[::1/"), ""),
		redirect("a redirect to another scheme", codes(finding.HTTPRedirectBlocked), 302, to("ftp://example.org/"), ""),
		redirect("redirects to the metadata service", codes(finding.HTTPRedirectBlocked, finding.HTTPRedirectInsecure), 302, to("http://169.254.169.254/latest/"), ""),
		redirect("redirects to the metadata service in decimal", codes(finding.HTTPRedirectBlocked, finding.HTTPRedirectInsecure), 302, to("http://2852039166/"), ""),
		redirect("redirects to a private address", codes(finding.HTTPRedirectBlocked), 302, to("https://10.0.0.1/"), ""),
		redirect("redirects to loopback", codes(finding.HTTPRedirectBlocked), 302, to("https://127.0.0.1:9/"), ""),
		redirect("redirects to a mapped address", codes(finding.HTTPRedirectBlocked), 302, to("https://[::ffff:169.254.169.254]/"), ""),
		redirect("redirects to a name that does not exist", codes(finding.DNSFailure), 302, to("https://no-such-name.onion/"), ""),
		onLoopback("redirects to plain http", codes(finding.HTTPRedirectInsecure), func(l *Lab) http.Handler {
			return leads(302, to("http://"+l.plain(ok())+"/"))
		}),
		{Name: "redirects to https, and from there back to http", Want: codes(finding.HTTPRedirectInsecure, finding.HTTPRedirectLoop), serve: func(l *Lab) Target {
			var plain, secure string
			config := &tls.Config{Certificates: []tls.Certificate{l.leafFor([]string{"127.0.0.1"}).TLS()}} // a server's defaults
			plain = "http://" + l.plain(leads(301, func(*http.Request) string { return secure })) + "/"
			secure = "https://" + l.web("127.0.0.1", config, leads(302, to(plain))) + "/"
			return Target{URL: plain}
		}},
		onLoopback("redirects to an expired server", codes(finding.CertExpired), func(l *Lab) http.Handler {
			p := l.leafFor([]string{"127.0.0.1"}, pki90(l)...)
			return leads(302, to("https://"+l.web("127.0.0.1", &tls.Config{Certificates: []tls.Certificate{p.TLS()}}, ok())+"/")) // a server's defaults
		}),
		onLoopback("redirects to a server for another name, which is down", codes(finding.CertNameMismatch, finding.HTTPStatus), func(l *Lab) http.Handler {
			return leads(302, to("https://"+l.web("127.0.0.1", l.config(), page(502, ""))+"/"))
		}),
		onLoopback("redirects to where nobody listens", codes(finding.ConnectRefused), func(l *Lab) http.Handler { return leads(302, to("https://"+l.reserve()+"/")) }),
		onLoopback("redirects to another loopback address", codes(finding.HTTPRedirectBlocked), func(*Lab) http.Handler { return leads(302, to("https://127.0.0.2:9/")) }),
		{Name: "http that redirects to https", serve: func(l *Lab) Target {
			config := &tls.Config{Certificates: []tls.Certificate{l.leafFor([]string{"127.0.0.1"}).TLS()}} // a server's defaults
			return Target{URL: "http://" + l.plain(leads(301, to("https://"+l.web("127.0.0.1", config, ok())+"/"))) + "/"}
		}},
	}
}

// nasty is a hostile text that a server may send wherever it controls text.
const nasty = "\x1b[31mred\r\n::error::x\u202e<script>alert(1)</script>"

func hostile() []Case {
	return []Case{
		{Name: "hostile names in the certificate", Want: codes(finding.CertNameMismatch), serve: func(l *Lab) Target {
			return l.serve(l.leafFor([]string{"x.example.net"}, func(c *x509.Certificate) {
				c.Subject.CommonName, c.Subject.Organization = nasty, []string{nasty}
				c.DNSNames = []string{"<script>alert(1)</script>.example.net", "\x1b[31m\r\n::error::x"}
			}))
		}},
		{Name: "hostile names in an unknown CA", Want: codes(finding.CertUntrusted), serve: func(l *Lab) Target {
			sub := must(must(pki.Root(nasty, l.Now)).Intermediate(nasty, l.Now))
			return l.serve(must(sub.Leaf(l.Now, []string{Host})))
		}},
		answer("hostile headers and body", codes(finding.HTTPStatus), page(500, nasty, "Server", "x\x1b[31m<script>", "Content-Type", "::error::x\u202e"), ""),
		{Name: "a hostile SMTP greeting", Want: codes(finding.TLSHandshake), serve: func(l *Lab) Target {
			return l.scripted("smtp://"+Host, nil, "554 "+strings.ReplaceAll(nasty, "\r\n", "\r")+"\r\n")
		}},
		wire("a hostile location", codes(finding.HTTPInvalid), says("HTTP/1.1 302 Found\r\nLocation: https://"+strings.ReplaceAll(nasty, "\r\n", "")+"\r\nContent-Length: 0\r\n\r\n")),
	}
}

func addresses() []Case {
	both := func(name string, want []finding.Code, a, b func(*Lab) *pki.Pair) Case {
		return Case{Name: name, Want: want, serve: func(l *Lab) Target {
			one := l.serve(a(l))
			other := &tls.Config{Certificates: []tls.Certificate{b(l).TLS()}} // a server's defaults
			one.To = append(one.To, l.web("127.0.0.2", other, ok()))
			return one
		}}
	}
	fresh := func(l *Lab) *pki.Pair { return l.leaf() }
	return []Case{
		both("the second address serves an expired certificate", codes(finding.AddressInconsistent, finding.CertExpired), fresh, func(l *Lab) *pki.Pair { return l.leaf(pki90(l)...) }),
		both("the second address serves another name", codes(finding.AddressInconsistent, finding.CertNameMismatch), fresh, func(l *Lab) *pki.Pair { return l.leafFor([]string{"x.example.net"}) }),
		both("two good certificates of the same names", nil, fresh, fresh),
		{Name: "two good certificates, their issuer declared", serve: func(l *Lab) Target {
			t := l.serve(l.leaf())
			t.To = append(t.To, l.web("127.0.0.2", l.config(), ok()))
			t.Endpoint = "certificate: {issuer: Lab Intermediate}"
			return t
		}},
		{Name: "the second address refuses", Want: codes(finding.ConnectRefused), serve: func(l *Lab) Target {
			t := l.serve(l.leaf())
			t.To = append(t.To, l.reserve())
			return t
		}},
		{Name: "the second address answers 503", Want: codes(finding.HTTPStatus), serve: func(l *Lab) Target {
			config := l.config()
			return at(l.web("127.0.0.1", config, ok()), l.web("127.0.0.2", config, page(503, "")))
		}},
		{Name: "both addresses serve an expired certificate", Want: codes(finding.CertExpired), serve: func(l *Lab) Target {
			config := &tls.Config{Certificates: []tls.Certificate{l.leaf(pki90(l)...).TLS()}} // a server's defaults
			return at(l.web("127.0.0.1", config, ok()), l.web("127.0.0.2", config, ok()))
		}},
		{Name: "another certificate than declared", Want: codes(finding.DriftDeclared), serve: func(l *Lab) Target {
			t := l.serve(l.leaf())
			t.Endpoint = "certificate: {issuer: Amazon RSA 2048 M02}"
			return t
		}},
	}
}

func healthy() []Case {
	good := func(name string, serve func(*Lab) Target) Case { return Case{Name: name, serve: serve} }
	return []Case{
		{Name: "healthy", serve: func(l *Lab) Target { return l.serve(l.leaf()) }},
		good("HTTP/1.1 only", func(l *Lab) Target {
			config := l.config()
			return at(l.secured(config, says("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")))
		}),
		good("h2 only", func(l *Lab) Target {
			config := l.config()
			config.NextProtos = []string{"h2"}
			listener := must(tls.Listen("tcp", "127.0.0.1:0", config))
			server := &http.Server{Handler: ok(), ErrorLog: silent(), ReadHeaderTimeout: time.Minute, Protocols: &http.Protocols{}}
			server.Protocols.SetHTTP2(true)
			l.onClose(func() { _ = server.Close() })
			go func() { _ = server.Serve(listener) }()
			return at(listener.Addr().String())
		}),
		good("TLS 1.2 only", func(l *Lab) Target {
			config := l.config()
			config.MaxVersion = tls.VersionTLS12
			return at(l.web("127.0.0.1", config, ok()))
		}),
		good("TLS 1.3 only", func(l *Lab) Target {
			config := l.config()
			config.MinVersion = tls.VersionTLS13
			return at(l.web("127.0.0.1", config, ok()))
		}),
		good("the connection ends without close_notify", func(l *Lab) Target {
			return at(l.secured(l.config(), func(conn net.Conn) {
				_, _ = conn.Read(make([]byte, 4096))
				_, _ = conn.Write([]byte("HTTP/1.0 200 OK\r\n\r\nok"))
				if over, ok := conn.(*tls.Conn); ok {
					_ = over.NetConn().Close()
				}
			}))
		}),
		good("a slow server, within its time", func(l *Lab) Target {
			return at(l.web("127.0.0.1", l.config(), http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				time.Sleep(700 * time.Millisecond)
				_, _ = w.Write([]byte("ok"))
			})))
		}),
	}
}
