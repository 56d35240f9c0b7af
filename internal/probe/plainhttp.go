package probe

import (
	"context"
	"io"
	"net/netip"
	"time"

	"certdrift/internal/observation"
	"certdrift/internal/target"
)

// plainWait is how long a server that broke off a handshake gets to answer in plain HTTP.
const plainWait = 2 * time.Second

// seekPlainHTTP asks once more, in plain HTTP, where a server answered a ClientHello with neither TLS nor an alert: some
// plain HTTP servers just hang up on what they cannot read. If it answers, that is the cause.
func (v *visit) seekPlainHTTP(ctx context.Context, o *origin, at netip.AddrPort, allow permit, f *observation.Failure) {
	if o.kind != target.HTTPS && o.kind != target.TLS || f.Phase != observation.PhaseTLS {
		return
	}
	if f.Kind != observation.Closed && f.Kind != observation.Reset && f.Kind != observation.NotTLS {
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
	if _, err := io.WriteString(conn, "HEAD / HTTP/1.1\r\nHost: "+o.authority()+"\r\nUser-Agent: "+userAgent+"\r\nConnection: close\r\n\r\n"); err != nil {
		return
	}
	var start [5]byte
	if _, err := io.ReadFull(conn, start[:]); err == nil && string(start[:]) == "HTTP/" {
		f.Kind = observation.Plaintext
	}
}
