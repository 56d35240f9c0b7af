package probe

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
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
// comes. An answer shows the cause. heard is how many bytes were received before.
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
	ctx, cancel := context.WithTimeout(ctx, min(v.timeout, plainWait))
	defer cancel()
	conn, err := v.dial(ctx, allow, at)
	if err != nil {
		return
	}
	defer conn.Close() //nolint:errcheck // nothing is left to be written
	defer interrupt(ctx, conn)()
	if f.Kind == observation.Reset && hangsUp(ctx, conn) {
		f.Kind, f.Detail = observation.Closed, "the server closes every connection immediately"
		return
	}
	if _, err := io.WriteString(conn, "HEAD / HTTP/1.1\r\nHost: "+o.authority()+"\r\nUser-Agent: "+userAgent+"\r\nConnection: close\r\n\r\n"); err != nil {
		return
	}
	var start [5]byte
	if _, err := io.ReadFull(conn, start[:]); err == nil && string(start[:]) == "HTTP/" {
		f.Kind = observation.Plaintext
	}
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
	hello, err := widestHello(o.sni())
	if err != nil {
		return
	}
	var start [2]byte // type and major version of a record, RFC 8446 §5.1
	err = v.onNewConnection(ctx, o, at, allow, func(conn net.Conn) error {
		if _, err := conn.Write(hello); err != nil {
			return err
		}
		_, err := io.ReadFull(conn, start[:])
		return err
	})
	if err == nil && (start[0] == recordHandshake || start[0] == recordAlert) && start[1] == 3 {
		f.Kind = observation.SpeaksTLS
	}
}
