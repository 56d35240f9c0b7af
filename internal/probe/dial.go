package probe

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"

	"certdrift/internal/probe/netguard"
)

// dialer opens one connection; net.Dialer.DialContext is one.
type dialer = func(ctx context.Context, network, address string) (net.Conn, error)

// errNoRoute is returned if this machine has no route to the address.
var errNoRoute = errors.New("this machine has no route to the address")

// dial connects to an address if the guard permits it. The guard checks twice: the requested address, and in the dialer's
// Control the address that the socket is about to connect to.
func (p *Prober) dial(ctx context.Context, allow netguard.Permit, to netip.AddrPort) (net.Conn, error) {
	if blocked := allow(to); blocked != nil {
		return nil, blocked
	}
	if p.dialer != nil {
		return p.dialer(ctx, "tcp", to.String())
	}
	d := net.Dialer{KeepAlive: -1, Control: func(_, address string, _ syscall.RawConn) error {
		return netguard.Control(allow, address)
	}}
	conn, err := d.DialContext(ctx, "tcp", to.String())
	if errors.Is(err, syscall.ENETUNREACH) && !routed(ctx, to) {
		return nil, fmt.Errorf("%w: %w", errNoRoute, err)
	}
	return conn, err
}

// routed asks the kernel for a route, which connecting a UDP socket does without sending anything. It distinguishes "no
// IPv6 here" from a router's answer.
func routed(ctx context.Context, to netip.AddrPort) bool {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "udp", to.String())
	if err != nil {
		return false
	}
	_ = conn.Close()
	return true
}
