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

// diagnoseTimeout bounds each follow-up probe of a server that has just answered: long enough that a slow network or a stalled
// machine does not hide the cause.
const diagnoseTimeout = 5 * time.Second

// diagnose determines why a server rejected a handshake with an alert that does not name the cause. It makes two diagnostic
// handshakes. One offers only TLS 1.2 and later: a server that then rejects the version supports nothing newer. The other
// offers every curve and signature algorithm and reads only the certificate: servers reject clients with the same alert if
// the clients do not support the certificate's key.
func (v *endpointProbe) diagnose(ctx context.Context, o *origin, at netip.AddrPort, allow netguard.Permit, got *answer) {
	f := got.Failure
	if f.Kind == observation.ChainMalformed && got.TLS == nil {
		v.readChain(ctx, o, at, allow, got)
	}
	if f.Kind != observation.Alert || got.TLS != nil || !unspecific(f.Alert) {
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

// rawHello reads a server's hello and certificate over a new connection.
func (v *endpointProbe) rawHello(ctx context.Context, o *origin, at netip.AddrPort, allow netguard.Permit) (seen serverHello, err error) {
	err = v.onNewConnection(ctx, o, at, allow, func(conn net.Conn) (err error) {
		seen, err = exchangeHello(conn, widestHello(o.sni()))
		return err
	})
	return seen, err
}

// readChain reads a chain with a certificate that cannot be parsed from a TLS 1.2 server: crypto/tls returns none of it. The
// malformed certificate can then be named and the others judged.
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

// unspecific reports whether an alert leaves the cause open: servers send it when negotiation fails.
func unspecific(alert string) bool {
	switch alert {
	case "handshake_failure", "insufficient_security", "internal_error", "illegal_parameter":
		return true
	}
	return false
}

// patience is how long a follow-up probe waits for a server. One that is made while the first probe still waits for it ends with that, but has
// as long as any answer in plain HTTP.
func (v *endpointProbe) patience(o *origin) time.Duration {
	most := min(v.timeout, diagnoseTimeout)
	if o.until.IsZero() {
		return most
	}
	return min(most, max(time.Until(o.until), plainWait))
}

// onNewConnection opens another connection and calls do where TLS begins.
func (v *endpointProbe) onNewConnection(ctx context.Context, o *origin, at netip.AddrPort, allow netguard.Permit, do func(net.Conn) error) error {
	ctx, cancel := context.WithTimeout(ctx, v.patience(o))
	defer cancel()
	conn, err := v.dial(ctx, allow, at)
	if err != nil {
		return err
	}
	defer conn.Close() //nolint:errcheck // nothing is left to be written
	defer interrupt(ctx, conn)()
	if o.proxyVersion != 0 {
		if _, err := conn.Write(proxyHeader(o.proxyVersion, conn)); err != nil {
			return err
		}
	}
	if f := v.startTLS(ctx, o.kind, conn, &observation.Phases{}); f != nil {
		if f.Kind == observation.TimedOut {
			return errPhase
		}
		return errors.New(f.Detail)
	}
	return do(conn)
}

// refusesModern reports whether a server answers a client that offers only TLS 1.2 and 1.3 with "protocol_version" or with an
// older version.
func (v *endpointProbe) refusesModern(ctx context.Context, o *origin, at netip.AddrPort, allow netguard.Permit) bool {
	wide := *o
	wide.offer = offerAll
	config, err := v.tlsConfig(&wide, &clientAuth{})
	if err != nil {
		return false
	}
	config.MinVersion = tls.VersionTLS12
	err = v.onNewConnection(ctx, o, at, allow, func(conn net.Conn) error { return tls.Client(conn, config).HandshakeContext(ctx) })
	return err != nil && tlsKind(err) == observation.VersionOld
}

// explain adds to an answer the chain, to be judged like any other, and whether its key is why the handshake failed.
func (h serverHello) explain(o *origin, got *answer) {
	f := got.Failure
	switch key := readKey(h.chain[0]); {
	case key.weak:
		f.Kind, f.Detail = observation.KeyUnusable, "the certificate's key is "+key.kind+", which clients reject"
	case !key.usable:
		f.Detail += ": the certificate's key is " + key.kind + ", which few clients support"
	default:
		f.Detail += ": only a client that offers every cipher suite, curve and signature algorithm can connect, with " +
			tls.VersionName(h.version) + " and the cipher suite " + suiteName(h.suite)
	}
	if _, err := x509.ParseCertificate(h.chain[0]); err == nil { // else its key is of a kind that keeps it from being parsed
		h.show(o, got)
	}
}

// show records a serverHello in an answer, as a handshake would. Peers are the certificates that can be parsed; none if the
// leaf cannot.
func (h serverHello) show(o *origin, got *answer) {
	got.TLS = &observation.TLS{ServerName: o.sni(), Version: tls.VersionName(h.version), Cipher: suiteName(h.suite), Chain: h.chain}
	for i, der := range h.chain {
		cert, err := x509.ParseCertificate(der)
		switch {
		case err == nil:
			got.peers, got.staple = append(got.peers, cert), h.staple
		case i == 0:
			return
		}
	}
}
