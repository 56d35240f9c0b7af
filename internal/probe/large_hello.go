package probe

import (
	"context"
	"crypto/tls"
	"net"
	"net/netip"

	"certdrift/internal/observation"
	"certdrift/internal/probe/netguard"
)

// alertSize is that of the record of an alert, in bytes.
const alertSize = 7

// seekSmallHello makes a second handshake without post-quantum key exchange if the first failed before the server sent anything
// but perhaps an alert. Its key share makes the ClientHello larger than a TCP segment, and some middleboxes drop or reset what they do
// not reassemble. If the small one is answered, a third handshake as large as the first tells such a path from a server that fails
// now and then. It reports whether the size is the cause.
func (v *endpointProbe) seekSmallHello(ctx context.Context, o *origin, at netip.AddrPort, allow netguard.Permit, conn *countingConn, heard int64, got *answer) bool {
	f := got.Failure
	if !lostHello(f, heard) {
		return false
	}
	var small answer
	var size int64
	taken := v.looks.take(ctx, func() bool {
		small, size = v.lookAgain(ctx, o, at, allow, currentGroups()[1:])
		return small.TLS == nil && small.Failure.Kind == observation.TimedOut
	})
	if !taken || small.TLS == nil {
		return false
	}
	if large, _ := v.lookAgain(ctx, o, at, allow, nil); large.TLS != nil {
		return false
	}
	f.Hello = &observation.HelloSizes{Lost: int(conn.first.Load()), Answered: int(size)}
	got.TLS, got.peers, got.staple = small.TLS, small.peers, small.staple
	got.version, got.suite, got.group = small.version, small.suite, small.group
	return true
}

// lostHello reports whether a handshake failed as if the ClientHello had not arrived, or not in one piece.
func lostHello(f *observation.Failure, heard int64) bool {
	if f.Phase != observation.PhaseTLS {
		return false
	}
	switch f.Kind {
	case observation.TimedOut, observation.Reset, observation.Closed:
		return heard == 0
	case observation.Alert:
		return heard <= alertSize && (unspecific(f.Alert) || f.Alert == "decode_error" || f.Alert == "record_overflow" || f.Alert == "unexpected_message")
	}
	return false
}

// lookAgain makes another handshake that offers some curves, those of the origin's offer if nil. It returns what it showed, with the size of its ClientHello.
func (v *endpointProbe) lookAgain(ctx context.Context, o *origin, at netip.AddrPort, allow netguard.Permit, curves []tls.CurveID) (seen answer, size int64) {
	seen.auth = &clientAuth{}
	other := *o
	other.curves = curves
	err := v.onNewConnection(ctx, o, at, allow, func(conn net.Conn) error {
		wire := &countingConn{Conn: conn}
		if secured := v.handshake(ctx, &other, wire, &seen); secured != nil {
			v.leave(ctx, o.kind, secured, seen.TLS)
		}
		size = wire.first.Load()
		return nil
	})
	if err != nil && seen.Failure == nil {
		seen.Failure = fail(observation.PhaseTLS, err)
	}
	return seen, size
}
