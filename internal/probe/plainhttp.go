package probe

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"certdrift/internal/observation"
	"certdrift/internal/probe/netguard"
	"certdrift/internal/target"
)

const (
	// plainWait is how long a server that aborted a handshake gets to answer in plain HTTP.
	plainWait = 2 * time.Second
	// hangUpWait is how long it gets to close a connection on which nothing was sent.
	hangUpWait = 100 * time.Millisecond
)

// seekPlainHTTP makes a follow-up probe in plain HTTP if a server answered a ClientHello with neither TLS nor an alert: some
// plain HTTP servers close the connection when they cannot parse a request, others wait for the end of a header that never
// comes. An answer shows the cause, unless it is that of a TLS server. heard is how many bytes were received before.
//
// A server that closes every connection at once is recorded as closing, not as resetting: whether the system turns it into a
// reset depends on when the ClientHello arrived.
func (v *endpointProbe) seekPlainHTTP(ctx context.Context, o *origin, at netip.AddrPort, allow netguard.Permit, heard int64, f *observation.Failure) {
	if o.kind != target.HTTPS && o.kind != target.TLS || f.Phase != observation.PhaseTLS {
		return
	}
	silent := f.Kind == observation.TimedOut && heard == 0
	if f.Kind != observation.Closed && f.Kind != observation.Reset && f.Kind != observation.NotTLS && !silent {
		return
	}
	answer, ok := v.askPlainHTTP(ctx, o, at, allow, f)
	switch {
	case !ok:
	case answer.wantsTLS():
		f.Detail += "; it answers plain HTTP by asking for TLS"
	case silent && answer.failed() && (answer.status == http.StatusBadRequest || !v.readsLines(ctx, o, at, allow)):
		f.Detail += fmt.Sprintf("; it answers plain HTTP with status %d", answer.status)
	default:
		f.Kind = observation.Plaintext
	}
}

// plainAnswer is a response in plain HTTP from a port that should speak TLS.
type plainAnswer struct {
	status         int // 0 if the response is malformed
	location, text string
}

// wantsTLS reports whether a response can only come from a TLS port: servers explain there what they expect (nginx and the
// load balancers built on it, Go, Apache, Tomcat).
func (a plainAnswer) wantsTLS() bool {
	text := strings.ToLower(a.text)
	return a.status >= 400 && slices.ContainsFunc([]string{
		"sent to https port", "to an https server", "to an ssl-enabled server", "to a tls-enabled server", "requires tls", "requires ssl",
	}, func(words string) bool { return strings.Contains(text, words) })
}

// failed reports whether a server did not serve the request: an error, or a redirect to https, may come from a TLS server that
// hangs in handshakes.
func (a plainAnswer) failed() bool {
	return a.status >= 400 || strings.HasPrefix(strings.ToLower(a.location), "https:")
}

// closesAtOnce is the detail of a failure at a server that closes new connections.
const closesAtOnce = "the server closes every connection immediately"

// maxPlainAnswer bounds what is read of a response in plain HTTP.
const maxPlainAnswer = 8 << 10

// askPlainHTTP sends a plain HTTP request over a new connection; false if the answer is not HTTP.
func (v *endpointProbe) askPlainHTTP(ctx context.Context, o *origin, at netip.AddrPort, allow netguard.Permit, f *observation.Failure) (got plainAnswer, ok bool) {
	ctx, cancel := context.WithTimeout(ctx, min(v.timeout, plainWait))
	defer cancel()
	conn, err := v.dial(ctx, allow, at)
	if err != nil {
		return got, false
	}
	defer conn.Close() //nolint:errcheck // nothing is left to be written
	defer interrupt(ctx, conn)()
	if f.Kind == observation.Reset && hangsUp(ctx, conn) {
		f.Kind, f.Detail = observation.Closed, closesAtOnce
		return got, false
	}
	// A response to HEAD would not have the text that explains it.
	if _, err := io.WriteString(conn, plainRequest(http.MethodGet, o)); err != nil {
		return got, false
	}
	in := bufio.NewReaderSize(io.LimitReader(conn, maxPlainAnswer), 512) // hundreds may wait for an answer at the same time
	if start, err := in.Peek(5); err != nil || string(start) != "HTTP/" {
		return got, false
	}
	response, err := http.ReadResponse(in, nil)
	if err != nil {
		return got, true
	}
	defer response.Body.Close() //nolint:errcheck // nothing is left to be read
	text, _ := io.ReadAll(response.Body)
	return plainAnswer{response.StatusCode, response.Header.Get("Location"), string(text)}, true
}

// plainRequest returns a request in plain HTTP, without anything secret.
func plainRequest(method string, o *origin) string {
	return method + " / HTTP/1.1\r\nHost: " + o.authority() + "\r\nUser-Agent: " + userAgent + "\r\nConnection: close\r\n\r\n"
}

// readsLines reports whether a server answers a ClientHello in plain HTTP once the end of a header follows it. A TLS server
// never does, however it hangs.
func (v *endpointProbe) readsLines(ctx context.Context, o *origin, at netip.AddrPort, allow netguard.Permit) bool {
	message, err := widestHello(o.sni()).message()
	if err != nil {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, min(v.timeout, plainWait))
	defer cancel()
	var start [5]byte
	err = v.onNewConnection(ctx, o, at, allow, func(conn net.Conn) error {
		if _, err := conn.Write(append(inRecord(message), "\r\n\r\n"...)); err != nil {
			return err
		}
		_, err := io.ReadFull(conn, start[:])
		return err
	})
	return err == nil && plainHTTP(start[:])
}

// hangsUp reports whether the server closes a new connection in order before anything was sent over it.
func hangsUp(ctx context.Context, conn net.Conn) bool {
	_ = conn.SetReadDeadline(time.Now().Add(hangUpWait))
	_, err := conn.Read(make([]byte, 1))
	if end, ok := ctx.Deadline(); ok && ctx.Err() == nil {
		_ = conn.SetReadDeadline(end)
	}
	return errors.Is(err, io.EOF)
}

// seekTLS makes a follow-up probe with a ClientHello if a server aborted a plain HTTP request: some TLS servers answer with an
// alert, others close the connection. An answer in TLS shows the cause.
func (v *endpointProbe) seekTLS(ctx context.Context, o *origin, at netip.AddrPort, allow netguard.Permit, f *observation.Failure) {
	if f.Phase != observation.PhaseHeaders || f.Kind != observation.Closed && f.Kind != observation.Reset && f.Kind != observation.Invalid {
		return
	}
	message, err := widestHello(o.sni()).message()
	if err != nil {
		return
	}
	var start [2]byte // type and major version of a record, RFC 8446 §5.1
	err = v.onNewConnection(ctx, o, at, allow, func(conn net.Conn) error {
		if _, err := conn.Write(inRecord(message)); err != nil {
			return err
		}
		_, err := io.ReadFull(conn, start[:])
		return err
	})
	if err == nil && (start[0] == recordHandshake || start[0] == recordAlert) && start[1] == 3 {
		f.Kind = observation.SpeaksTLS
	}
}
