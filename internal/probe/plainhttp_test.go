package probe

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/textproto"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"certdrift/internal/certtest"
	"certdrift/internal/observation"
	"certdrift/internal/target"
)

// page is a response in plain HTTP.
func page(status int, body string, headers ...string) string {
	return fmt.Sprintf("HTTP/1.1 %d X\r\nContent-Length: %d\r\n%s\r\n%s", status, len(body), strings.Join(append(headers, ""), "\r\n"), body)
}

// onPlain lets hello have a connection that begins with a TLS record, and answers others with a text.
func onPlain(hello func(net.Conn), answer string) func(net.Conn) {
	return func(c net.Conn) {
		in := bufio.NewReader(c)
		if start, err := in.Peek(1); err != nil || start[0] == recordHandshake {
			hello(c)
			return
		}
		if _, err := http.ReadRequest(in); err == nil {
			_, _ = io.WriteString(c, answer)
		}
	}
}

// lines reads a header line by line, as plain HTTP servers do: a ClientHello has no end of one. It answers requests, and what is
// none by an error.
func lines(request, garbage string) func(net.Conn) {
	return func(c net.Conn) {
		in := textproto.NewReader(bufio.NewReader(c))
		first, err := in.ReadLine()
		for line := first; err == nil && line != ""; line, err = in.ReadLine() {
		}
		switch {
		case err != nil:
		case strings.HasPrefix(first, "GET "):
			_, _ = io.WriteString(c, request)
		default:
			_, _ = io.WriteString(c, garbage)
		}
	}
}

// asksForTLS are what servers answer to plain HTTP at a TLS port.
var asksForTLS = map[string]string{
	"nginx":  "<html><head><title>400 The plain HTTP request was sent to HTTPS port</title></head></html>",
	"Go":     "Client sent an HTTP request to an HTTPS server.\n",
	"Apache": "<p>Reason: You're speaking plain HTTP to an SSL-enabled server port.<br />\n Instead use the HTTPS scheme</p>",
	"Tomcat": "Bad Request\r\nThis combination of host and port requires TLS.\r\n",
}

// TestHangingIsNotPlaintext: a TLS server that hangs in the handshake is silent, also if it answers plain HTTP with an error.
func TestHangingIsNotPlaintext(t *testing.T) {
	servers := map[string]func(net.Conn){
		"400": onPlain(certtest.Silent, page(400, "")), "404 of a proxy": onPlain(certtest.Silent, page(404, "no such page")),
		"503": onPlain(certtest.Silent, page(503, "")), "426": onPlain(certtest.Silent, page(426, "", "Upgrade: TLS/1.2, HTTP/1.1")),
		"a redirect to https":    onPlain(certtest.Silent, page(308, "", "Location: https://site.test/")),
		"an alert to plain HTTP": onPlain(certtest.Silent, "\x15\x03\x01\x00\x02\x02\x46"),
		"nothing to plain HTTP":  certtest.Silent,
		"half a record, then nothing": onPlain(func(c net.Conn) {
			_, _ = io.WriteString(c, "\x16\x03\x03\x00\x7a\x02")
			certtest.Silent(c)
		}, page(200, "ok")),
	}
	for name, text := range asksForTLS {
		servers[name] = onPlain(certtest.Silent, page(400, text))
	}
	for name, serve := range servers {
		for _, kind := range []target.Kind{target.HTTPS, target.TLS} {
			t.Run(name+" "+string(kind), func(t *testing.T) {
				failed(t, observeServer(t, kind, serve, true), observation.PhaseTLS, observation.TimedOut)
			})
		}
	}
}

// TestHangingOnce: the first connection hangs, and whatever is sent over the next ones is answered by an error.
func TestHangingOnce(t *testing.T) {
	var connections atomic.Int32
	serve := func(c net.Conn) {
		if connections.Add(1) == 1 {
			certtest.Silent(c)
			return
		}
		_, _ = c.Read(make([]byte, 4096))
		_, _ = io.WriteString(c, page(400, ""))
	}
	a := observeServer(t, target.HTTPS, serve, true)
	failed(t, a, observation.PhaseTLS, observation.TimedOut)
	if !strings.Contains(a.Failure.Detail, "status 400") {
		t.Errorf("detail %q", a.Failure.Detail)
	}
}

// TestAskingForTLSIsNotPlaintext: the answer to plain HTTP proves that the port speaks TLS, however a handshake fails.
func TestAskingForTLSIsNotPlaintext(t *testing.T) {
	for name, text := range asksForTLS {
		a := observeServer(t, target.HTTPS, onPlain(func(net.Conn) {}, page(400, text)), false)
		failed(t, a, observation.PhaseTLS, observation.Closed)
		if !strings.Contains(a.Failure.Detail, "asking for TLS") {
			t.Errorf("%s: detail %q", name, a.Failure.Detail)
		}
	}
}

// TestStalledPlaintext: a plain HTTP server waits for the end of a header; what it serves or rejects, it is not TLS.
func TestStalledPlaintext(t *testing.T) {
	for name, answer := range map[string]string{
		"200": page(200, "ok"), "a redirect": page(302, "", "Location: /login"), "401": page(401, ""), "403": page(403, ""),
		"404": page(404, ""), "500": page(500, ""), "a redirect to https": page(301, "", "Location: https://site.test/"), "malformed": "HTTP/1.1 x\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			failed(t, observeServer(t, target.HTTPS, lines(answer, page(400, "")), true), observation.PhaseTLS, observation.Plaintext)
		})
	}
}

// TestHangingAfterStartTLS: the handshake of a STARTTLS server that hangs, or answers late by an alert. No HTTP is spoken to it.
func TestHangingAfterStartTLS(t *testing.T) {
	var greeted, asked atomic.Int32
	mail := func(then func(net.Conn)) func(net.Conn) {
		return func(c net.Conn) {
			greeted.Add(1)
			_, _ = io.WriteString(c, "* OK ready\r\n")
			in := bufio.NewReader(c)
			line, _ := in.ReadString('\n')
			if !strings.HasPrefix(line, "a1 STARTTLS") {
				asked.Add(1)
				return
			}
			_, _ = io.WriteString(c, "a1 OK begin\r\n")
			then(c)
		}
	}
	failed(t, observeServer(t, target.IMAP, mail(certtest.Silent), true), observation.PhaseTLS, observation.TimedOut)
	late := func(c net.Conn) {
		time.Sleep(patient / 2)
		_, _ = io.WriteString(c, "\x15\x03\x03\x00\x02\x02\x70")
	}
	failed(t, observeServer(t, target.IMAP, mail(func(c net.Conn) { _, _ = c.Read(make([]byte, 4096)); late(c) }), true), observation.PhaseTLS, observation.Alert)
	failed(t, observeServer(t, target.HTTPS, onPlain(late, page(400, "")), true), observation.PhaseTLS, observation.Alert)
	// The one that hangs is asked again with a small ClientHello.
	if greeted.Load() != 3 || asked.Load() != 0 {
		t.Errorf("%d connections, %d of them with something other than STARTTLS", greeted.Load(), asked.Load())
	}
}
