package probe

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"

	"certdrift/internal/observation"
	"certdrift/internal/probe/netguard"
)

// proxyVersions are the versions of the PROXY protocol's header, in the order in which they are tried.
var proxyVersions = [...]int{1, 2}

// proxySignature begins a header of version 2.
const proxySignature = "\r\n\r\n\x00\r\nQUIT\n"

// proxyHeader returns a header of the PROXY protocol (haproxy.org, proxy-protocol.txt) for a connection: its own addresses, since
// nobody is represented.
func proxyHeader(version int, conn net.Conn) []byte {
	from, fromOK := conn.LocalAddr().(*net.TCPAddr)
	to, toOK := conn.RemoteAddr().(*net.TCPAddr)
	if !fromOK || !toOK {
		return proxyLocal(version)
	}
	source, sink := unmapped(from.AddrPort()), unmapped(to.AddrPort())
	if version == 1 {
		family := "TCP6"
		if source.Addr().Is4() {
			family = "TCP4"
		}
		return fmt.Appendf(nil, "PROXY %s %s %s %d %d\r\n", family, source.Addr(), sink.Addr(), source.Port(), sink.Port())
	}
	family := byte(0x21) // TCP over IPv6
	if source.Addr().Is4() {
		family = 0x11
	}
	addresses := append(source.Addr().AsSlice(), sink.Addr().AsSlice()...)
	addresses = binary.BigEndian.AppendUint16(addresses, source.Port())
	addresses = binary.BigEndian.AppendUint16(addresses, sink.Port())
	header := append([]byte(proxySignature), 0x21, family)                                     // version 2, command PROXY
	return append(binary.BigEndian.AppendUint16(header, uint16(len(addresses))), addresses...) //nolint:gosec // at most 36
}

// proxyLocal returns the header for a connection without addresses.
func proxyLocal(version int) []byte {
	if version == 1 {
		return []byte("PROXY UNKNOWN\r\n")
	}
	return append([]byte(proxySignature), 0x20, 0, 0, 0)
}

func unmapped(a netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(a.Addr().Unmap().WithZone(""), a.Port())
}

// seekProxyHeader connects again with a header of the PROXY protocol if a server ended the connection, or kept silent where it
// should speak, before it sent anything: servers that expect the header from a load balancer do. If the header is what it takes, and
// another look without it fails again, the server's certificate is recorded, and that the header is missing.
func (v *endpointProbe) seekProxyHeader(ctx context.Context, o *origin, at netip.AddrPort, allow netguard.Permit, conn *countingConn, got *answer) {
	if awaitsHeader(o, got.Failure, conn) {
		v.looks.take(ctx, func() bool { return v.tryProxyHeaders(ctx, o, at, allow, got) })
	}
}

// tryProxyHeaders tries each version of the header. It reports whether a look timed out.
func (v *endpointProbe) tryProxyHeaders(ctx context.Context, o *origin, at netip.AddrPort, allow netguard.Permit, got *answer) (timedOut bool) {
	ctx, cancel := v.phase(ctx)
	defer cancel()
	for _, version := range proxyVersions {
		seen, ok := v.lookBehind(ctx, o, at, allow, version)
		switch {
		case ok:
			if _, without := v.lookBehind(ctx, o, at, allow, 0); without {
				return false // it fails now and then
			}
			got.Failure.ProxyHeader = &observation.ProxyHeader{Missing: version}
			got.TLS, got.peers, got.staple, got.version = seen.TLS, seen.peers, seen.staple, seen.version
			got.suite, got.group = seen.suite, seen.group
			return false
		case seen.Failure.Kind == observation.TimedOut:
			return true
		}
	}
	return false
}

// awaitsHeader reports whether a failure is one of a server that waits for a header of the PROXY protocol, or got something else.
func awaitsHeader(o *origin, f *observation.Failure, conn *countingConn) bool {
	if received(conn) > 0 {
		return false
	}
	switch f.Kind {
	case observation.Reset, observation.Closed:
		return f.Phase == observation.PhaseTLS || f.Phase == observation.PhaseStartTLS || f.Phase == observation.PhaseHeaders && !o.kind.Secured()
	case observation.TimedOut:
		return f.Phase == observation.PhaseStartTLS && conn.first.Load() == 0 // the server should have spoken first
	}
	return false
}

// lookBehind makes another handshake, or a plain HTTP request, behind a header of the PROXY protocol; behind none if version is 0. It
// returns what that showed, and whether the server took it.
func (v *endpointProbe) lookBehind(ctx context.Context, o *origin, at netip.AddrPort, allow netguard.Permit, version int) (answer, bool) {
	behind := *o
	behind.proxyVersion = version
	if o.kind.Secured() {
		seen, _ := v.lookAgain(ctx, &behind, at, allow, nil)
		return seen, seen.TLS != nil
	}
	var start [5]byte
	err := v.onNewConnection(ctx, &behind, at, allow, func(conn net.Conn) error {
		if _, err := io.WriteString(conn, plainRequest(http.MethodHead, o)); err != nil {
			return err
		}
		_, err := io.ReadFull(conn, start[:])
		return err
	})
	if err != nil || !plainHTTP(start[:]) {
		if err == nil {
			err = errNotHTTP
		}
		return answer{Address: observation.Address{Failure: fail(observation.PhaseHeaders, err)}}, false
	}
	return answer{}, true
}

// noticeProxyHeader recognizes a TLS server that receives a header of the PROXY protocol in front of the handshake and does not
// expect it: it takes that for plain HTTP and says so in plain HTTP, where a request in plain HTTP gets the same answer. One that
// answers with status 400 whatever it is sent may be such a server.
func (v *endpointProbe) noticeProxyHeader(ctx context.Context, o *origin, at netip.AddrPort, allow netguard.Permit, f *observation.Failure) {
	if f.Kind != observation.Plaintext {
		return
	}
	answer, ok := v.askPlainHTTP(ctx, o, at, allow, f)
	switch {
	case !ok:
	case answer.wantsTLS():
		f.ProxyHeader = &observation.ProxyHeader{Unexpected: true}
	case answer.status == http.StatusBadRequest:
		f.ProxyHeader = &observation.ProxyHeader{Suspected: true}
	}
}
