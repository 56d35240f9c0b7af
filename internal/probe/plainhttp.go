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
	// plainWait is how long a server that broke off a handshake gets to answer in plain HTTP.
	plainWait = 2 * time.Second
	// hangUpWait is how long it gets to hang up unasked.
	hangUpWait = 100 * time.Millisecond
)

// seekPlainHTTP asks once more, in plain HTTP, where a server answered a ClientHello with neither TLS nor an alert: some
// plain HTTP servers just hang up on what they cannot read, others wait for the end of a header that never comes. If it
// answers, that is the cause. heard is how many bytes came before.
//
// A server that closes every connection at once is told as closing, not as resetting: whether the system makes a reset
// of it hangs on how soon the ClientHello came.
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
		f.Kind, f.Detail = observation.Closed, "the server closes the connection as soon as it is made"
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

// hangsUp reports whether the server ends a fresh connection in order before anything was sent over it.
func hangsUp(ctx context.Context, conn net.Conn) bool {
	_ = conn.SetReadDeadline(time.Now().Add(hangUpWait))
	_, err := conn.Read(make([]byte, 1))
	if end, ok := ctx.Deadline(); ok && ctx.Err() == nil {
		_ = conn.SetReadDeadline(end)
	}
	return errors.Is(err, io.EOF)
}

// seekTLS greets once more, as a TLS client, where a server broke off at a plain HTTP request: some that want TLS answer
// by an alert, others hang up. If it answers in TLS, that is the cause.
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
