package probe

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	"certdrift/internal/observation"
	"certdrift/internal/probe/netguard"
)

// diagnoseTimeout bounds each further question to a server that has just answered: long enough for a slow network, or a
// machine that stands still, not to hide the cause.
const diagnoseTimeout = 5 * time.Second

// diagnose seeks the cause where a server refused a handshake by an alert that names none. It asks twice more. For TLS
// 1.2 and up only: a server that then refuses the version has nothing newer. And for the certificate alone, with every
// curve and signature there is: one with a key that clients don't know is refused just like that.
func (v *endpointProbe) diagnose(ctx context.Context, o *origin, at netip.AddrPort, allow netguard.Permit, got *answer) {
	f := got.Failure
	if f.Kind == observation.ChainMalformed && got.TLS == nil {
		v.readChain(ctx, o, at, allow, got)
	}
	if f.Kind != observation.Alert || got.TLS != nil || !mute(f.Alert) {
		return
	}
	if v.refusesModern(ctx, o, at, allow) {
		f.Kind = observation.VersionOld
		return
	}
	if seen, err := v.rawHello(ctx, o, at, allow); err == nil {
		seen.explain(o, got)
	}
}

// rawHello reads a server's hello and certificate over a connection of its own.
func (v *endpointProbe) rawHello(ctx context.Context, o *origin, at netip.AddrPort, allow netguard.Permit) (seen serverHello, err error) {
	err = v.onNewConnection(ctx, o, at, allow, func(conn net.Conn) (err error) {
		seen, err = exchangeHello(conn, o.sni())
		return err
	})
	return seen, err
}

// readChain gets a chain of which a certificate cannot be parsed, as servers of TLS 1.2 show it: crypto/tls hands out
// none of it. Which of the certificates it is can be said then, and the others be judged.
func (v *endpointProbe) readChain(ctx context.Context, o *origin, at netip.AddrPort, allow netguard.Permit, got *answer) {
	seen, err := v.rawHello(ctx, o, at, allow)
	if err != nil || readKey(seen.chain[0]).weak || !slices.ContainsFunc(seen.chain, unparsable) {
		return // a weak key may be all that is wrong, and is a finding of its own
	}
	got.Failure.Detail = strings.TrimSuffix(got.Failure.Detail, chainHidden)
	seen.show(o, got)
}

func unparsable(der []byte) bool {
	_, err := x509.ParseCertificate(der)
	return err != nil && !strings.Contains(err.Error(), "unsupported elliptic curve")
}

// mute reports whether an alert leaves the cause open: what a server says when it finds no way to agree.
func mute(alert string) bool {
	switch alert {
	case "handshake_failure", "insufficient_security", "internal_error", "illegal_parameter":
		return true
	}
	return false
}

// onNewConnection opens one more connection and goes up to where TLS begins.
func (v *endpointProbe) onNewConnection(ctx context.Context, o *origin, at netip.AddrPort, allow netguard.Permit, do func(net.Conn) error) error {
	ctx, cancel := context.WithTimeout(ctx, min(v.timeout, diagnoseTimeout))
	defer cancel()
	conn, err := v.dial(ctx, allow, at)
	if err != nil {
		return err
	}
	defer conn.Close() //nolint:errcheck // nothing is left to be written
	defer interrupt(ctx, conn)()
	if f := v.startTLS(ctx, o.kind, conn, &observation.Phases{}); f != nil {
		return errors.New(f.Detail)
	}
	return do(conn)
}

// refusesModern reports whether a server answers a client that speaks TLS 1.2 and 1.3 alone with "protocol_version", or
// in an older version all the same.
func (v *endpointProbe) refusesModern(ctx context.Context, o *origin, at netip.AddrPort, allow netguard.Permit) bool {
	config, err := v.tlsConfig(o, &clientAuth{})
	if err != nil {
		return false
	}
	config.MinVersion = tls.VersionTLS12
	err = v.onNewConnection(ctx, o, at, allow, func(conn net.Conn) error { return tls.Client(conn, config).HandshakeContext(ctx) })
	return err != nil && tlsKind(err) == observation.VersionOld
}

// explain adds to an answer what a serverHello shows: the chain, to be judged like any other, and whether its key is why
// the handshake failed.
func (g serverHello) explain(o *origin, got *answer) {
	f := got.Failure
	switch key := readKey(g.chain[0]); {
	case key.weak:
		f.Kind, f.Detail = observation.KeyUnusable, "the certificate's key is "+key.kind+", and clients don't take it"
	case !key.usable:
		f.Detail += ": the certificate's key is " + key.kind + ", which few clients know"
	default:
		f.Detail += ": only a client that offers all there is gets on, by " + tls.VersionName(g.version) + " and the cipher suite " + tls.CipherSuiteName(g.suite)
	}
	if _, err := x509.ParseCertificate(g.chain[0]); err == nil { // else its key is of a kind that keeps it from being parsed
		g.show(o, got)
	}
}

// show puts what a serverHello shows into an answer, as a handshake would. Peers are what can be parsed, and none of it
// without the leaf.
func (g serverHello) show(o *origin, got *answer) {
	got.TLS = &observation.TLS{ServerName: o.sni(), Version: tls.VersionName(g.version), Cipher: tls.CipherSuiteName(g.suite), Chain: g.chain}
	for i, der := range g.chain {
		cert, err := x509.ParseCertificate(der)
		switch {
		case err == nil:
			got.peers, got.staple = append(got.peers, cert), g.staple
		case i == 0:
			return
		}
	}
}
