package probe

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"sync/atomic"
	"time"

	"certdrift/internal/observation"
	"certdrift/internal/target"
)

// protocolH2 is HTTP/2's name in ALPN.
const protocolH2 = "h2"

// handshake makes a full TLS handshake over conn and records what it showed, even if it failed halfway.
func (v *endpointProbe) handshake(ctx context.Context, o *origin, conn net.Conn, got *answer) *tls.Conn {
	seen := &observation.TLS{ServerName: o.sni()}
	config, err := v.tlsConfig(o, got.auth)
	if err != nil {
		got.Failure = fail(observation.PhaseTLS, err)
		got.Failure.Kind = observation.Other
		return nil
	}
	config.VerifyConnection = func(state tls.ConnectionState) error {
		// The handshake may still fail without a client certificate; what came before is known.
		record(seen, state)
		got.TLS, got.peers, got.staple = seen, state.PeerCertificates, state.OCSPResponse
		got.version, got.suite, got.group = state.Version, state.CipherSuite, state.CurveID
		return nil
	}
	ctx, cancel := v.phase(ctx)
	defer cancel()
	secured := tls.Client(conn, config)
	begin := time.Now()
	err = secured.HandshakeContext(ctx)
	got.Phases.TLS = time.Since(begin)
	if err != nil {
		got.Failure = fail(observation.PhaseTLS, err)
		got.auth.record(seen)
		requiresClientCertificate(got.Failure, seen)
		return nil
	}
	if got.version < tls.VersionTLS13 { // the group comes after the certificate
		got.group = secured.ConnectionState().CurveID
		recordGroup(seen, got.group)
	}
	got.auth.record(seen)
	return secured
}

// tlsConfig returns a client configuration with the origin's offer that accepts whatever the server sends, for the judge to rate.
func (v *endpointProbe) tlsConfig(o *origin, auth *clientAuth) (*tls.Config, error) {
	config := &tls.Config{
		// The chain is collected as served, so that a broken one can be explained; the judge verifies it afterwards.
		// Nothing secret is sent over a connection that does not verify (see withholds).
		InsecureSkipVerify: true, //nolint:gosec // see above
		// A resumed session would show the certificate of an earlier handshake.
		SessionTicketsDisabled: true,
		// Up to TLS 1.2 some servers (Apache, per location) request a client certificate after reading the request.
		// crypto/tls ensures that the server's own certificate stays the same.
		Renegotiation: tls.RenegotiateOnceAsClient,
	}
	config.ServerName = o.sni()
	o.offer.apply(config)
	if o.curves != nil {
		config.CurvePreferences = o.curves
	}
	if o.kind == target.HTTPS {
		config.NextProtos = []string{protocolH2, "http/1.1"}
	}
	if o.http1 {
		config.NextProtos = []string{"http/1.1"}
	}
	shown := &tls.Certificate{}
	if c := v.target.Request.ClientCertificate; c != nil && o.own {
		pair, err := tls.X509KeyPair(c.CertificatePEM, []byte(c.KeyPEM.Reveal()))
		if err != nil {
			return nil, fmt.Errorf("reading the configured client certificate: %w", err)
		}
		shown = &pair
	}
	config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
		auth.requested.Store(true)
		auth.sent.Store(len(shown.Certificate) > 0)
		return shown, nil
	}
	return config, nil
}

// clientAuth records whether a server requested a client certificate. Servers may do so after the handshake too, in the
// goroutine that reads the response.
type clientAuth struct{ requested, sent atomic.Bool }

func (a *clientAuth) record(seen *observation.TLS) {
	if seen != nil {
		seen.ClientCertificateRequested, seen.ClientCertificateSent = a.requested.Load(), a.sent.Load()
	}
}

func record(seen *observation.TLS, state tls.ConnectionState) {
	seen.Version = tls.VersionName(state.Version)
	seen.Cipher = suiteName(state.CipherSuite)
	seen.ALPN = state.NegotiatedProtocol
	recordGroup(seen, state.CurveID)
	seen.Parsed = state.PeerCertificates
	seen.Chain = make([][]byte, len(state.PeerCertificates))
	for i, cert := range state.PeerCertificates {
		seen.Chain[i] = cert.Raw
	}
}

func recordGroup(seen *observation.TLS, group tls.CurveID) {
	if group != 0 {
		seen.Group = group.String()
	}
}

// requiresClientCertificate changes a failure to ClientCertNeeded if the server requested a certificate and then aborted.
func requiresClientCertificate(f *observation.Failure, seen *observation.TLS) {
	if seen == nil || !seen.ClientCertificateRequested {
		return
	}
	aborted := !seen.ClientCertificateSent && (f.Kind == observation.Reset || f.Kind == observation.Closed)
	if aborted || f.Kind == observation.Alert && refusesClient(f.Alert) {
		f.Kind = observation.ClientCertNeeded
	}
}
