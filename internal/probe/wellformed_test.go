package probe

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"certdrift/internal/certtest"
	"certdrift/internal/observation"
	"certdrift/internal/target"
)

// framed serves HTTP/2 with the test's answer to the first request.
func framed(t testing.TB, answer func(*http2.Framer)) target.Endpoint {
	t.Helper()
	config := serving(t)
	config.NextProtos = []string{protocolH2}
	return at(t, target.HTTPS, certtest.ServeTLS(t, "127.0.0.1", config, func(conn *tls.Conn) {
		_, _ = io.ReadFull(conn, make([]byte, len(http2.ClientPreface)))
		f := http2.NewFramer(conn, bufio.NewReader(conn))
		f.AllowIllegalWrites = true
		_ = f.WriteSettings()
		for {
			got, err := f.ReadFrame()
			if err != nil {
				return
			}
			if _, ok := got.(*http2.HeadersFrame); ok {
				answer(f)
			}
		}
	}))
}

// sends writes a response: its header as name and value in turn, then its body.
func sends(body string, header ...string) func(*http2.Framer) {
	return func(f *http2.Framer) {
		var block bytes.Buffer
		encoder := hpack.NewEncoder(&block)
		for pair := range slices.Chunk(header, 2) {
			_ = encoder.WriteField(hpack.HeaderField{Name: pair[0], Value: pair[1]})
		}
		const size = 16 << 10
		first, rest := block.Next(size), block.Bytes()
		_ = f.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: first, EndHeaders: len(rest) == 0, EndStream: body == ""})
		for len(rest) > 0 {
			n := min(size, len(rest))
			_ = f.WriteContinuation(1, n == len(rest), rest[:n])
			rest = rest[n:]
		}
		if body != "" {
			_ = f.WriteData(1, true, []byte(body))
		}
	}
}

// TestMalformedOverHTTP2: responses that net/http accepts, but curl and others reject.
func TestMalformedOverHTTP2(t *testing.T) {
	for name, header := range map[string][]string{
		"Connection":                {"connection", "keep-alive"},
		"Keep-Alive":                {"keep-alive", "timeout=5"},
		"Upgrade, as Apache has it": {"upgrade", "h2,h2c"},
		"Transfer-Encoding":         {"transfer-encoding", "chunked"},
		"two lengths":               {"content-length", "4", "content-length", "5"},
		"a length of words":         {"content-length", "abc"},
		"a negative length":         {"content-length", "-4"},
	} {
		got := one(t, observe(t, framed(t, sends("page", append([]string{":status", "200"}, header...)...))))
		if got.Failure == nil || got.Failure.Phase != observation.PhaseHeaders || got.Failure.Kind != observation.Invalid {
			t.Errorf("%s: got %+v", name, got.Failure)
		}
	}
	for _, status := range []string{"000", "099", "2000", "-20"} {
		failed(t, one(t, observe(t, framed(t, sends("page", ":status", status)))), observation.PhaseHeaders, observation.Invalid)
	}
	failed(t, one(t, observe(t, framed(t, sends("page", ":status", "204")))), observation.PhaseBody, observation.Invalid)
	for _, header := range [][]string{
		{":status", "204"}, {":status", "200", "content-length", "0"}, {":status", "200", "te", "trailers"},
	} {
		healthy(t, one(t, observe(t, framed(t, sends("", header...)))))
	}
	healthy(t, one(t, observe(t, framed(t, sends("page", ":status", "200", "content-length", "4", "content-length", "4")))))
}

// TestLongValueOverHTTP2: HPACK rejects such a value at its start, as a compression error.
func TestLongValueOverHTTP2(t *testing.T) {
	answer := sends("page", ":status", "200", "x-long", strings.Repeat("long", 256<<10))
	failed(t, one(t, observe(t, framed(t, answer))), observation.PhaseHeaders, observation.TooLarge)
	broken := func(f *http2.Framer) {
		_ = f.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: []byte{0xff, 0x80, 0x80, 1}, EndHeaders: true, EndStream: true})
	}
	failed(t, one(t, observe(t, framed(t, broken))), observation.PhaseHeaders, observation.Invalid)
}

// TestInvalidStatus: 000 could be mistaken for "no request".
func TestInvalidStatus(t *testing.T) {
	for _, status := range []string{"000", "099", "+20"} {
		got := one(t, observe(t, raw(t, "HTTP/1.1 "+status+" Odd\r\nContent-Length: 0\r\n\r\n")))
		failed(t, got, observation.PhaseHeaders, observation.Invalid)
	}
	if got := one(t, observe(t, raw(t, "HTTP/1.1 999 Odd\r\nContent-Length: 0\r\n\r\n"))); got.HTTP == nil || got.HTTP.Status != 999 {
		t.Errorf("999: %+v", got)
	}
}

// TestHopByHopHeaders: headers that net/http removes can be expected.
func TestHopByHopHeaders(t *testing.T) {
	chunked := "HTTP/1.1 200 OK\r\nConnection: close\r\nTrailer: X-B, X-A\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nX-A: 1\r\n\r\n"
	expect := func(name, text string) func(*target.Endpoint) {
		return expecting(target.Expect{Headers: []target.HeaderValue{{Name: name, Contains: text}}})
	}
	for name, text := range map[string]string{"Connection": "close", "Transfer-Encoding": "chunked", "Trailer": "X-A"} {
		got := one(t, observe(t, with(raw(t, chunked), expect(name, text))))
		if got.Failure != nil || len(got.HTTP.Unmet) != 0 {
			t.Errorf("%s: %+v %+v", name, got.Failure, got.HTTP)
		}
		got = one(t, observe(t, with(raw(t, "HTTP/1.0 200 OK\r\n\r\nx"), expect(name, text))))
		if got.Failure != nil || len(got.HTTP.Unmet) != 1 {
			t.Errorf("%s, which was not sent: %+v %+v", name, got.Failure, got.HTTP)
		}
	}
}

// torn is a connection that was reset: the write gets the error, the read sees an orderly end.
type torn struct{ net.Conn }

func (torn) Write([]byte) (int, error) { return 0, &net.OpError{Op: "write", Err: syscall.ECONNRESET} }

// TestResetReportedToWrite: the end of the connection after it is the reset, not an orderly close.
func TestResetReportedToWrite(t *testing.T) {
	v := &endpointProbe{}
	for _, ended := range []error{io.EOF, io.ErrUnexpectedEOF} {
		m := &countingConn{}
		m.Conn = torn{}
		got := &answer{auth: &clientAuth{}}
		if f := v.requestFailed(t.Context(), observation.PhaseHeaders, ended, m, got); f.Kind != observation.Closed {
			t.Errorf("before any write %v is %s", ended, f.Kind)
		}
		if _, err := m.Write([]byte("x")); !errors.Is(err, syscall.ECONNRESET) {
			t.Fatal(err)
		}
		for _, phase := range []observation.Phase{observation.PhaseHeaders, observation.PhaseBody} {
			if f := v.requestFailed(t.Context(), phase, ended, m, got); f.Kind != observation.Reset {
				t.Errorf("%s after a reset, in phase %s, is %s", ended, phase, f.Kind)
			}
		}
	}
}

// TestCloseIsNoTimeout: net/http closes a connection after a write failed; a read beside that sees a deadline, which is no timeout of the server's.
func TestCloseIsNoTimeout(t *testing.T) {
	v := &endpointProbe{}
	near, far := net.Pipe()
	defer far.Close()
	m := &countingConn{Conn: near}
	defer m.end()
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	_, err := m.Read(make([]byte, 1))
	got := &answer{auth: &clientAuth{}}
	if f := v.requestFailed(t.Context(), observation.PhaseHeaders, err, m, got); f.Kind != observation.Closed {
		t.Errorf("%v is %s", err, f.Kind)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errPhase)
	if f := v.requestFailed(ctx, observation.PhaseHeaders, err, m, got); f.Kind != observation.TimedOut {
		t.Errorf("%v, after the timeout, is %s", err, f.Kind)
	}
}

// TestFlood: a flood of frames without content ends before the timeout.
func TestFlood(t *testing.T) {
	flood := func(write func(*http2.Framer) error) func(*http2.Framer) {
		return func(f *http2.Framer) {
			for write(f) == nil {
			}
		}
	}
	for name, c := range map[string]struct {
		answer func(*http2.Framer)
		phase  observation.Phase
	}{
		"pings":    {flood(func(f *http2.Framer) error { return f.WritePing(false, [8]byte{}) }), observation.PhaseHeaders},
		"settings": {flood(func(f *http2.Framer) error { return f.WriteSettings() }), observation.PhaseHeaders},
		"empty DATA": {func(f *http2.Framer) {
			_ = f.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: []byte{0x88}, EndHeaders: true})
			flood(func(f *http2.Framer) error { return f.WriteData(1, false, nil) })(f)
		}, observation.PhaseBody},
	} {
		t.Run(name, func(t *testing.T) {
			failed(t, one(t, observe(t, framed(t, c.answer))), c.phase, observation.TooLarge)
		})
	}
	t.Run("a page byte by byte", func(t *testing.T) {
		const size = 50_000
		got := one(t, observe(t, framed(t, func(f *http2.Framer) {
			_ = f.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: []byte{0x88}, EndHeaders: true})
			for i := range size {
				_ = f.WriteData(1, i == size-1, []byte("x"))
			}
		})))
		if got.Failure != nil || got.HTTP.Size != size {
			t.Errorf("%+v %+v", got.Failure, got.HTTP)
		}
	})
}
