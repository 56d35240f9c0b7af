package probe

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"syscall"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"certdrift/internal/observation"
)

func TestConnectionFaults(t *testing.T) {
	for _, phase := range []observation.Phase{observation.PhaseStartTLS, observation.PhaseTLS, observation.PhaseHeaders} {
		for _, c := range []struct {
			err  error
			kind observation.FailureKind
		}{
			{&net.OpError{Op: "read", Err: syscall.ECONNRESET}, observation.Reset},
			{&net.OpError{Op: "write", Err: syscall.EPIPE}, observation.Reset},
			{fmt.Errorf("reading: %w", io.EOF), observation.Closed},
			{io.ErrUnexpectedEOF, observation.Closed},
			{errPhase, observation.TimedOut},
		} {
			if f := fail(phase, c.err); f.Kind != c.kind || f.Phase != phase {
				t.Errorf("%v in phase %s: got %+v", c.err, phase, f)
			}
		}
	}
	if f := fail(observation.PhaseTLS, errors.New("tls: something new")); f.Kind != observation.HandshakeFailed {
		t.Errorf("got %+v", f)
	}
}

// FuzzHandshakeAnswer: whatever a server answers to a ClientHello, the failure has a kind of the TLS phase, and its
// detail is clean.
func FuzzHandshakeAnswer(f *testing.F) {
	for _, s := range []string{"HTTP/1.1 400", "<html>", "SSH-2.0", "\x15\x03\x03\x00\x02\x02\x28", "\x16\x03\x03\xff\xff", "\x80\x00", ""} {
		f.Add([]byte(s))
	}
	known := []observation.FailureKind{
		observation.TimedOut, observation.Reset, observation.Closed, observation.Alert, observation.Plaintext,
		observation.NotTLS, observation.VersionOld, observation.ChainOversized, observation.ChainMalformed,
		observation.NoCertificate, observation.HandshakeFailed,
	}
	f.Fuzz(func(t *testing.T, answer []byte) {
		conn := &canned{Reader: bytes.NewReader(answer)}
		err := tls.Client(conn, &tls.Config{InsecureSkipVerify: true}).Handshake() // the prober's way
		if err == nil {
			t.Fatal("a handshake without a key")
		}
		got := fail(observation.PhaseTLS, err)
		if !slices.Contains(known, got.Kind) || (got.Kind == observation.Alert && got.Alert == "") {
			t.Fatalf("got %+v", got)
		}
		if plainHTTP(answer) && len(answer) >= 5 && got.Kind != observation.Plaintext {
			t.Fatalf("plain HTTP counts as %s", got.Kind)
		}
		if !utf8.ValidString(got.Detail) || bytes.ContainsFunc([]byte(got.Detail), unicode.IsControl) {
			t.Fatalf("not fit to be shown: %q", got.Detail)
		}
	})
}

// canned is a connection with fixed data to read.
type canned struct {
	io.Reader
}

func (*canned) Write(p []byte) (int, error)      { return len(p), nil }
func (*canned) Close() error                     { return nil }
func (*canned) LocalAddr() net.Addr              { return &net.TCPAddr{} }
func (*canned) RemoteAddr() net.Addr             { return &net.TCPAddr{} }
func (*canned) SetDeadline(time.Time) error      { return nil }
func (*canned) SetReadDeadline(time.Time) error  { return nil }
func (*canned) SetWriteDeadline(time.Time) error { return nil }

// FuzzPath: a path never panics and has the same result twice; an index or a key that exists is found.
func FuzzPath(f *testing.F) {
	for _, s := range []string{"$.a[0].b", "$", "a", `$["x"]`, "$['x'][1]", "$..", "$[", "$[]", `$["`, "$.a.[0]"} {
		f.Add(s)
	}
	document, err := parseJSON([]byte(`{"a": [{"b": 1}, [2]], "x": [true, null], "": {"": 3}}`))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, p string) {
		a, there := atPath(document, p)
		b, again := atPath(document, p)
		if there != again || jsonText(a) != jsonText(b) {
			t.Fatalf("%q gives two answers", p)
		}
		if !there && a != nil {
			t.Fatalf("%q gives a value that is not there", p)
		}
	})
}

// TestDetailIsStable: the same error has the same text in each round, whatever local port the connection had.
func TestDetailIsStable(t *testing.T) {
	for want, err := range map[string]error{
		"read: connection reset by peer": &net.OpError{
			Op: "read", Net: "tcp", Source: &net.TCPAddr{IP: net.IPv4(10, 0, 0, 1), Port: 40001},
			Addr: &net.TCPAddr{IP: net.IPv4(10, 0, 0, 2), Port: 443}, Err: syscall.ECONNRESET,
		},
		`looking up "site.test": i/o timeout`:     &net.DNSError{Name: "site.test", Err: "read udp 10.0.0.1:40001->10.0.0.2:53: i/o timeout"},
		`looking up "site.test": no such host`:    &net.DNSError{Name: "site.test", Err: "no such host", Server: "10.0.0.2:53"},
		`tls: odd: it begins with "SSH-2"`:        tls.RecordHeaderError{Msg: "odd", RecordHeader: [5]byte([]byte("SSH-2"))},
		"remote error: tls: something\\x1b[31m x": errors.New("remote error: tls: something\x1b[31m x"),
	} {
		if got := detail(err); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
