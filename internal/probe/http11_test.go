package probe

import (
	"bufio"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"io"
	"net/http"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"certdrift/internal/certtest"
	"certdrift/internal/observation"
	"certdrift/internal/target"
)

// Frames of HTTP/2 (RFC 9113 §6) and the error code by which a server asks for HTTP/1.1 (§7).
const (
	frameHeaders, frameReset, frameSettings, frameGoAway = 0x1, 0x3, 0x4, 0x7
	http11Required                                       = 0xd
)

// frame is one frame of HTTP/2.
func frame(kind byte, stream uint32, payload ...byte) []byte {
	b := []byte{0, 0, byte(len(payload)), kind, 0}
	return append(binary.BigEndian.AppendUint32(b, stream), payload...)
}

// asksForHTTP11 rejects HTTP/2 requests, and answers those over HTTP/1.1 with a page.
func asksForHTTP11(refusal []byte) func(*tls.Conn) {
	return func(conn *tls.Conn) {
		if conn.Handshake() != nil {
			return
		}
		in := bufio.NewReader(conn)
		if conn.ConnectionState().NegotiatedProtocol != protocolH2 {
			if _, err := http.ReadRequest(in); err == nil {
				_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nok\n")
			}
			return
		}
		_, _ = in.Discard(len("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"))
		_, _ = conn.Write(frame(frameSettings, 0))
		for {
			var header [9]byte
			if _, err := io.ReadFull(in, header[:]); err != nil {
				return
			}
			_, _ = in.Discard(int(header[0])<<16 | int(header[1])<<8 | int(header[2]))
			if header[3] == frameHeaders {
				_, _ = conn.Write(refusal)
			}
		}
	}
}

// TestServerThatAsksForHTTP11: it gets an HTTP/1.1 request, as from browsers.
func TestServerThatAsksForHTTP11(t *testing.T) {
	for name, refusal := range map[string][]byte{
		"of the stream":     frame(frameReset, 1, 0, 0, 0, http11Required),
		"of the connection": frame(frameGoAway, 0, 0, 0, 0, 0, 0, 0, 0, http11Required),
	} {
		t.Run(name, func(t *testing.T) {
			config := serving(t)
			config.NextProtos = []string{protocolH2, "http/1.1"}
			got := one(t, observe(t, at(t, target.HTTPS, certtest.ServeTLS(t, "127.0.0.1", config, asksForHTTP11(refusal)))))
			if got.Failure != nil || got.HTTP == nil || got.HTTP.Status != http.StatusOK || got.TLS.ALPN != "http/1.1" {
				t.Errorf("got failure %+v, HTTP %+v, TLS %+v", got.Failure, got.HTTP, got.TLS)
			}
		})
	}
	t.Run("nobody is asked twice who answers", func(t *testing.T) {
		config := serving(t)
		config.MaxVersion, config.NextProtos = tls.VersionTLS11, []string{protocolH2, "http/1.1"}
		var asked atomic.Int32 // once for the look at what it has, once with a request
		address := certtest.ServeTLS(t, "127.0.0.1", config, func(conn *tls.Conn) {
			asked.Add(1)
			// :status 200 of HPACK's static table (RFC 7541 appendix A), END_STREAM and END_HEADERS.
			answer := frame(frameHeaders, 1, 0x88)
			answer[4] = 0x5
			asksForHTTP11(answer)(conn)
		})
		got := one(t, observe(t, at(t, target.HTTPS, address)))
		for wait := 0; asked.Load() < 2 && wait < 3000; wait++ { // the server counts when it has read
			time.Sleep(10 * time.Millisecond)
		}
		if got.Failure != nil || got.HTTP == nil || got.HTTP.Status != http.StatusOK || asked.Load() != 2 {
			t.Errorf("%d handshakes, failure %+v, HTTP %+v", asked.Load(), got.Failure, got.HTTP)
		}
	})
	t.Run("over HTTP/2 alone", func(t *testing.T) {
		config := serving(t)
		config.NextProtos = []string{protocolH2}
		config.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
			if !slices.Contains(hello.SupportedProtos, protocolH2) { // crypto/tls itself lets HTTP/1.1 in
				return nil, errors.New("HTTP/2 only")
			}
			return nil, nil //nolint:nilnil // the configuration as it stands
		}
		address := certtest.ServeTLS(t, "127.0.0.1", config, asksForHTTP11(frame(frameReset, 1, 0, 0, 0, http11Required)))
		failed(t, one(t, observe(t, at(t, target.HTTPS, address))), observation.PhaseHeaders, observation.Invalid)
	})
}
