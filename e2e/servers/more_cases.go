package servers

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/net/http2"

	"certdrift/internal/finding"
	"certdrift/internal/sim/pki"
)

// combined are servers with several problems at once, and problems hidden behind others.
func combined() []Case {
	return []Case{
		{Name: "self-signed, expired, weak, for another name", Want: codes(finding.CertExpired, finding.CertKeyWeak, finding.CertNameMismatch, finding.CertSelfSigned),
			serve: func(l *Lab) Target {
				key := must(rsa.GenerateKey(rand.Reader, 1024)) // too weak on purpose
				self := must(pki.SelfSigned(l.Now, []string{"x.example.net"}))
				template := *self.Certificate
				template.NotBefore, template.NotAfter = l.Now.Add(-90*day), l.Now.Add(-day)
				template.SignatureAlgorithm, template.PublicKeyAlgorithm, template.PublicKey = 0, 0, nil
				der := must(x509.CreateCertificate(rand.Reader, &template, &template, key.Public(), key))
				return l.chain(&pki.Pair{Key: key}, der)
			}},
		{Name: "for clients, for another name, incomplete", Want: codes(finding.CertChainIncomplete, finding.CertNameMismatch, finding.CertUsage), serve: func(l *Lab) Target {
			p := l.leafFor([]string{"x.example.net"}, func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} })
			return l.chain(p, p.Certificate.Raw)
		}},
		{Name: "must-staple, expiring, and answers 500", Want: codes(finding.CertExpiring, finding.CertStapleBad, finding.HTTPStatus), serve: func(l *Lab) Target {
			p := l.leaf(mustStaple, pki.Valid(l.Now.Add(-89*day), l.Now.Add(day)))
			return at(l.web("127.0.0.1", &tls.Config{Certificates: []tls.Certificate{p.TLS()}}, page(500, ""))) // a server's defaults
		}},
		{Name: "ends before it begins", Want: codes(finding.CertExpired), serve: func(l *Lab) Target {
			return l.serve(l.leaf(pki.Valid(l.Now.Add(-day), l.Now.Add(-2*day))))
		}},
		{Name: "an expired leaf under an expired intermediate", Want: codes(finding.CertChainExpired, finding.CertExpired), serve: func(l *Lab) Target {
			old := pki.Valid(l.Now.AddDate(-3, 0, 0), l.Now.Add(-day))
			return l.serve(must(ca(l, "Old CA", old).Leaf(l.Now, []string{Host}, old)))
		}},
		{Name: "an expired intermediate of an unknown CA", Want: codes(finding.CertChainExpired, finding.CertUntrusted), serve: func(l *Lab) Target {
			sub := must(must(pki.Root("Unknown Root", l.Now)).Intermediate("Unknown CA", l.Now, pki.Valid(l.Now.AddDate(-3, 0, 0), l.Now.Add(-day))))
			return l.serve(must(sub.Leaf(l.Now, []string{Host})))
		}},
		{Name: "the expired intermediate beside its renewal of the same key", Want: codes(finding.CertChainExpired), serve: func(l *Lab) Target {
			p := l.leaf()
			old := l.crossed(l.Sub, l.Root, pki.Valid(l.Now.AddDate(-4, 0, 0), l.Now.Add(-day)))
			return l.chain(p, p.Certificate.Raw, old, l.Sub.Certificate.Raw)
		}},
		{Name: "the right root is trusted, and one of its name with another key", serve: func(l *Lab) Target {
			other := must(pki.Root("Lab Root", l.Now, l.own))
			return l.serve(l.leaf()).with(l, other, l.Root)
		}},
		{Name: "an intermediate is trusted, its root is not", serve: func(l *Lab) Target { return l.serve(l.leaf()).with(l, l.Sub) }},
		{Name: "the leaf itself is trusted", serve: func(l *Lab) Target {
			p := l.leaf()
			return l.chain(p, p.Certificate.Raw).with(l, p)
		}},
		{Name: "a mesh of cross-signs", Want: codes(finding.CertChainOversized), serve: func(l *Lab) Target {
			roots := make([]*pki.Pair, 0, 6)
			for i := range 6 {
				roots = append(roots, must(pki.Root(fmt.Sprintf("Mesh %d", i), l.Now)))
			}
			p := l.leaf()
			ders := [][]byte{p.Certificate.Raw}
			for _, a := range roots {
				for _, b := range roots {
					if a != b {
						ders = append(ders, l.crossed(a, b))
					}
				}
			}
			return l.chain(p, append(ders, l.Sub.Certificate.Raw)...)
		}},
		{Name: "AIA points at the metadata service", Want: codes(finding.CertChainIncomplete), serve: func(l *Lab) Target {
			p := l.leaf(func(c *x509.Certificate) { c.IssuingCertificateURL = []string{"http://169.254.169.254/sub.der"} })
			return l.chain(p, p.Certificate.Raw)
		}},
		{Name: "the CRL is at the metadata service", serve: func(l *Lab) Target {
			t := l.serve(l.leaf(func(c *x509.Certificate) { c.CRLDistributionPoints = []string{"http://169.254.169.254/c.crl"} }))
			t.Policy = "revocation: full"
			return t
		}},
		waits(Case{Name: "an endless CRL", serve: func(l *Lab) Target {
			from := l.plain(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				for {
					if _, err := w.Write(make([]byte, 1<<20)); err != nil {
						return
					}
				}
			}))
			t := l.serve(l.leaf(func(c *x509.Certificate) { c.CRLDistributionPoints = []string{"http://" + from + "/c.crl"} }))
			t.Policy = "revocation: full"
			return t
		}}),
		{Name: "the CRL says good and OCSP says revoked", Want: codes(finding.CertRevoked), serve: func(l *Lab) Target {
			serial := big.NewInt(99)
			list := l.list(l.Sub, l.Now.Add(day), big.NewInt(1))
			answer := l.staple(&pki.Pair{Certificate: &x509.Certificate{SerialNumber: serial}}, 1, -day, day)
			crl := l.plain(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(list) }))
			responder := l.plain(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "application/ocsp-response")
				_, _ = w.Write(answer)
			}))
			t := l.serve(l.leaf(func(c *x509.Certificate) {
				c.SerialNumber, c.CRLDistributionPoints, c.OCSPServer = serial, []string{"http://" + crl + "/c.crl"}, []string{"http://" + responder}
			}))
			t.Policy = "revocation: full"
			return t
		}},
		{Name: "plain HTTP is asked for at a port that speaks TLS", Want: codes(finding.HTTPInvalid), serve: func(l *Lab) Target {
			return Target{URL: "http://" + Host + "/", To: []string{l.secured(l.config(), hangs)}}
		}},
		{Name: "plain HTTP is asked for at a port that speaks TLS, and says so", Want: codes(finding.HTTPStatus), serve: func(l *Lab) Target {
			return Target{URL: "http://" + Host + "/", To: []string{l.web("127.0.0.1", l.config(), ok())}}
		}},
		{Name: "a redirect to the own name in other letters", serve: func(l *Lab) Target {
			return at(l.web("127.0.0.1", l.config(), leads(302, to("https://API.example.org.:443/end"))))
		}},
		{Name: "five redirects", serve: func(l *Lab) Target {
			return at(l.web("127.0.0.1", l.config(), leads(302, func(r *http.Request) string {
				if len(r.URL.Path) > 4 {
					return "/end"
				}
				return r.URL.Path + "x"
			})))
		}},
		waits(Case{Name: "timeouts are for each phase, not for all", serve: func(l *Lab) Target {
			config := l.config()
			base := config.Certificates[0]
			config.Certificates = nil
			config.GetCertificate = func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
				time.Sleep(limit * 2 / 5)
				return &base, nil
			}
			return at(l.web("127.0.0.1", config, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				time.Sleep(limit * 2 / 5)
				_, _ = io.WriteString(w, "begin")
				_ = http.NewResponseController(w).Flush()
				time.Sleep(limit * 2 / 5)
			})))
		}}),
	}
}

// framed speaks HTTP/2 frame by frame.
func framed(name string, want []finding.Code, speak func(*http2.Framer)) Case {
	return Case{Name: "h2: " + name, Want: want, serve: func(l *Lab) Target {
		return l.framing(nil, func(f *http2.Framer, conn net.Conn) {
			speak(f)
			hangs(conn)
		})
	}}
}

// framing speaks HTTP/2 frame by frame: greet, if not nil, follows the server's settings, speak the request's headers.
func (l *Lab) framing(greet func(*http2.Framer), speak func(*http2.Framer, net.Conn)) Target {
	config := l.config()
	config.NextProtos = []string{"h2"}
	return at(l.secured(config, func(conn net.Conn) {
		_, _ = io.ReadFull(conn, make([]byte, len(http2.ClientPreface)))
		f := http2.NewFramer(conn, bufio.NewReader(conn))
		_ = f.WriteSettings()
		if greet != nil {
			greet(f)
		}
		for {
			frame, err := f.ReadFrame()
			if err != nil {
				return
			}
			if _, ok := frame.(*http2.HeadersFrame); ok {
				break
			}
		}
		speak(f, conn)
	}))
}

// refusing does not process the requests of its first connection, as a server that is being drained, and answers later ones.
func refusing(name string, greet, refuse func(*http2.Framer)) Case {
	return Case{Name: "h2: not processed, then 200: " + name, serve: func(l *Lab) Target {
		var refused atomic.Bool
		return l.framing(func(f *http2.Framer) {
			if greet != nil && refused.CompareAndSwap(false, true) {
				greet(f)
			}
		}, func(f *http2.Framer, conn net.Conn) {
			if refuse != nil && refused.CompareAndSwap(false, true) {
				refuse(f)
				if half, ok := conn.(*tls.Conn); ok {
					_ = half.CloseWrite()
				}
				hangs(conn) // what is left unread would make the end a reset
				return
			}
			_ = f.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: []byte("\x88"), EndHeaders: true, EndStream: true})
			hangs(conn)
		})
	}}
}

// literal is a header in HPACK, never indexed and not compressed (RFC 7541 §6.2.2).
func literal(name, value string) string {
	return "\x00" + string(rune(len(name))) + name + string(rune(len(value))) + value
}

// oddHTTP are answers at the edge of what HTTP allows, and beyond.
func oddHTTP() []Case {
	// 0x88 is ":status: 200", 0x8e ":status: 500" (RFC 7541, appendix A).
	headers := func(f *http2.Framer, block string, end bool) {
		_ = f.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: []byte(block), EndHeaders: true, EndStream: end})
	}
	again := func(line string) func(net.Conn) {
		return func(conn net.Conn) {
			_, _ = conn.Read(make([]byte, 4096))
			for {
				if _, err := io.WriteString(conn, line); err != nil {
					return
				}
			}
		}
	}
	return []Case{
		framed("200", nil, func(f *http2.Framer) { headers(f, "\x88", true) }),
		framed("500", codes(finding.HTTPStatus), func(f *http2.Framer) { headers(f, "\x8e", true) }),
		framed("the stream is reset", codes(finding.HTTPInvalid), func(f *http2.Framer) { _ = f.WriteRSTStream(1, http2.ErrCodeInternal) }),
		framed("the stream is refused", codes(finding.HTTPInvalid), func(f *http2.Framer) { _ = f.WriteRSTStream(1, http2.ErrCodeRefusedStream) }),
		framed("GOAWAY", codes(finding.HTTPInvalid), func(f *http2.Framer) { _ = f.WriteGoAway(0, http2.ErrCodeEnhanceYourCalm, nil) }),
		refusing("GOAWAY after the request", nil, func(f *http2.Framer) { _ = f.WriteGoAway(0, http2.ErrCodeNo, nil) }),
		refusing("GOAWAY before the request", func(f *http2.Framer) { _ = f.WriteGoAway(0, http2.ErrCodeNo, nil) }, nil),
		refusing("GOAWAY with an error", nil, func(f *http2.Framer) { _ = f.WriteGoAway(0, http2.ErrCodeEnhanceYourCalm, nil) }),
		refusing("REFUSED_STREAM", nil, func(f *http2.Framer) { _ = f.WriteRSTStream(1, http2.ErrCodeRefusedStream) }),
		framed("GOAWAY without an error, always", codes(finding.HTTPInvalid), func(f *http2.Framer) { _ = f.WriteGoAway(0, http2.ErrCodeNo, nil) }),
		framed("GOAWAY that includes the request", codes(finding.HTTPTimeout), func(f *http2.Framer) { _ = f.WriteGoAway(1, http2.ErrCodeNo, nil) }),
		framed("the body is reset", codes(finding.HTTPInvalid), func(f *http2.Framer) {
			headers(f, "\x88", false)
			_ = f.WriteData(1, false, []byte("begin"))
			_ = f.WriteRSTStream(1, http2.ErrCodeInternal)
		}),
		framed("silence", codes(finding.HTTPTimeout), func(*http2.Framer) {}),
		framed("pings without end", codes(finding.HTTPTimeout), func(f *http2.Framer) {
			for f.WritePing(false, [8]byte{}) == nil {
				time.Sleep(time.Millisecond)
			}
		}),
		framed("settings without end", codes(finding.HTTPTooLarge), func(f *http2.Framer) {
			for f.WriteSettings() == nil {
			}
		}),
		framed("a body of empty frames without end", codes(finding.HTTPTooLarge), func(f *http2.Framer) {
			headers(f, "\x88", false)
			for f.WriteData(1, false, nil) == nil {
			}
		}),
		framed("continuations without end", codes(finding.HTTPTooLarge), func(f *http2.Framer) {
			_ = f.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: []byte("\x88")})
			for f.WriteContinuation(1, false, bytes.Repeat([]byte("\x00\x01a\x7f\x81\x01"+strings.Repeat("b", 256)), 8)) == nil {
			}
		}),
		framed("a status of 000", codes(finding.HTTPInvalid), func(f *http2.Framer) { headers(f, "\x08\x03000", true) }),
		framed("the header Upgrade, as Apache has it", codes(finding.HTTPInvalid), func(f *http2.Framer) {
			headers(f, "\x88"+literal("upgrade", "h2,h2c"), true)
		}),
		framed("the header Connection", codes(finding.HTTPInvalid), func(f *http2.Framer) { headers(f, "\x88"+literal("connection", "close"), true) }),
		framed("two lengths", codes(finding.HTTPInvalid), func(f *http2.Framer) {
			headers(f, "\x88"+literal("content-length", "2")+literal("content-length", "3"), false)
			_ = f.WriteData(1, true, []byte("ok"))
		}),
		framed("content with 204", codes(finding.HTTPInvalid), func(f *http2.Framer) {
			headers(f, "\x89", false)
			_ = f.WriteData(1, true, []byte("ok"))
		}),
		framed("204", nil, func(f *http2.Framer) { headers(f, "\x89", true) }),
		framed("a value of 1 MiB", codes(finding.HTTPTooLarge), func(f *http2.Framer) {
			const size = 16 << 10 // of a frame; the value's length is an integer of RFC 7541 §5.1
			_ = f.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: []byte("\x88\x00\x01x\x7f\x81\xff\x3f" + strings.Repeat("x", size-8))})
			for range (1 << 20) / size {
				_ = f.WriteContinuation(1, false, bytes.Repeat([]byte("x"), size))
			}
		}),
		wire("h1: status 000", codes(finding.HTTPInvalid), says("HTTP/1.1 000 Odd\r\nContent-Length: 0\r\n\r\n")),
		wire("h1: interim answers without end", codes(finding.HTTPTooLarge), again("HTTP/1.1 100 Continue\r\n\r\n")),
		wire("h1: a header of 1 MiB", codes(finding.HTTPTooLarge), says("HTTP/1.1 200 OK\r\nX: "+strings.Repeat("x", 1<<20)+"\r\n\r\n")),
		wire("h1: ten thousand headers", codes(finding.HTTPTooLarge), says("HTTP/1.1 200 OK\r\n"+strings.Repeat("X: y\r\n", 20000)+"\r\n")),
		wire("h1: a status line without end", codes(finding.HTTPTooLarge), again("HTTP/1.1 200 OK ")),
		wire("h1: chunk extensions without end", codes(finding.HTTPTooLarge), says("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;"+strings.Repeat("x", 1<<20)+"\r\na\r\n0\r\n\r\n")),
		wire("h1: status 999", codes(finding.HTTPStatus), says("HTTP/1.1 999 Odd\r\nContent-Length: 0\r\n\r\n")),
		wire("h1: a folded header", nil, says("HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 0\r\n\r\n")),
		wire("h1: lines end in LF", nil, says("HTTP/1.1 200 OK\nContent-Length: 2\n\nok")),
		wire("h1: no reason phrase", nil, says("HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok")),
		wire("h1: HTTP/0.9", codes(finding.HTTPInvalid), says("<html>hello</html>")),
		wire("h1: brotli unasked", codes(finding.HTTPInvalid), says("HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 2\r\n\r\nok")),
		wire("h1: switches protocols", codes(finding.HTTPStatus), says("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n")),
		wire("h1: a wrong length that is too short", nil, says("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok and more")),
		wire("h1: truncated gzip", codes(finding.HTTPInvalid), says("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n"+zipped([]byte("healthy"))[:15])),
		bomb("a gzip bomb in a gzip bomb", "gzip", "gzip"),
		answer("HEAD", nil, page(200, ""), "request: {method: HEAD}"),
		answer("11 MiB", codes(finding.HTTPTooLarge), page(200, strings.Repeat("x", 11<<20)), ""),
		answer("11 MiB, and allowed", nil, page(200, strings.Repeat("x", 11<<20)), "expect: {max_size: 20MiB}"),
		answer("a name in the body's other half", nil, page(200, strings.Repeat("x", 5<<20)+"needle"+strings.Repeat("x", 1<<20)), "expect: {body_contains: needle}"),
	}
}
