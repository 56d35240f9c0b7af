package probe

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"

	"certdrift/internal/observation"
	"certdrift/internal/probe/netguard"
)

// answer is what was observed on one connection.
type answer struct {
	observation.Address
	// location is the target of a redirect to follow; nil for any other answer.
	location *origin
	// cookies are those that the response sets.
	cookies []*http.Cookie
	// peers is the chain as sent.
	peers []*x509.Certificate
	// staple is the OCSP response that came with the handshake.
	staple []byte
	// auth records requests for a client certificate.
	auth *clientAuth
	// version, suite and group are those of TLS as crypto/tls numbers them; 0 if none was negotiated.
	version, suite uint16
	group          tls.CurveID
	// offer is what had to be offered.
	offer offer
	// exhausted reports that this machine could not open the connection, which says nothing about the endpoint.
	exhausted bool
}

// connect probes one address; ask is false if only the handshake is needed. It asks once more if an HTTP/2 server did not process
// the request. It retries with HTTP/1.1 if the server chose HTTP/2 but asks for HTTP/1.1, or its TLS is too old for HTTP/2. HTTP/2
// over TLS 1.0 and 1.1 or a legacy cipher suite is forbidden (RFC 9113 §9.2), but some servers negotiate both and then close the
// connection; the TLS version, or the suite, is their actual problem.
func (v *endpointProbe) connect(ctx context.Context, o *origin, at netip.AddrPort, allow netguard.Permit, ask bool) answer {
	got := v.attempt(ctx, o, at, allow, ask)
	if unprocessed(got) && !wantsHTTP1(got) && !tooOldForHTTP2(got) {
		got = v.attempt(ctx, o, at, allow, ask)
	}
	tooOld := tooOldForHTTP2(got)
	if !tooOld && !wantsHTTP1(got) {
		return got
	}
	plain := *o
	plain.http1, plain.offer = true, got.offer
	again := v.attempt(ctx, &plain, at, allow, ask)
	if !tooOld && again.TLS == nil {
		return got // it supports HTTP/2 only
	}
	return again
}

// tooOldForHTTP2 reports whether a request failed over HTTP/2 with a TLS version or a cipher suite that HTTP/2 forbids.
func tooOldForHTTP2(got answer) bool {
	return got.Failure != nil && got.TLS != nil && got.TLS.ALPN == protocolH2 &&
		(got.version < tls.VersionTLS12 || suiteOffer(got.TLS.Cipher) > offerCurrent)
}

func unprocessed(got answer) bool {
	return got.Failure != nil && got.Failure.Kind == observation.Unprocessed
}

// wantsHTTP1 reports whether a server rejected a request over HTTP/2 with HTTP_1_1_REQUIRED (RFC 9113 §7).
func wantsHTTP1(got answer) bool {
	return got.Failure != nil && got.Failure.Phase == observation.PhaseHeaders && got.TLS != nil && got.TLS.ALPN == protocolH2 &&
		strings.Contains(got.Failure.Detail, "HTTP_1_1_REQUIRED")
}

// attempt opens a fresh connection and goes through all phases. The connection is closed when it returns.
func (v *endpointProbe) attempt(ctx context.Context, o *origin, at netip.AddrPort, allow netguard.Permit, ask bool) (got answer) {
	got.offer = o.offer
	got.Address, got.auth = observation.Address{Address: at.String(), Started: v.now()}, &clientAuth{}
	begin := time.Now()
	// stopClock records the endpoint's time: follow-up probes and waits after it are certdrift's own.
	stopClock := sync.OnceFunc(func() { got.Phases.Total = time.Since(begin) })
	defer stopClock()

	conn, err := v.open(ctx, at, allow)
	got.Phases.Connect = time.Since(begin)
	if err != nil {
		got.exhausted = exhausted(err)
		got.Failure = fail(observation.PhaseConnect, err)
		return got
	}
	defer conn.end()
	if !o.kind.Secured() {
		if ask {
			v.exchange(ctx, o, conn, &got)
		}
		if got.Failure != nil && got.HTTP == nil {
			stopClock()
			v.lookInto(ctx, o, at, &got, func() {
				v.seekTLS(ctx, o, at, allow, got.Failure)
				v.seekProxyHeader(ctx, o, at, allow, conn, &got)
			})
		}
		return got
	}
	byName := v.byName.Load()
	wait := v.await(ctx, observation.PhaseStartTLS, o, at, allow, conn)
	defer wait.close()
	got.Failure = v.startTLS(ctx, o.kind, conn, &got.Phases)
	silent := wait.end(got.Failure)
	if got.Failure != nil {
		stopClock()
		switch {
		case v.byName.Load() != byName:
			if again := v.attempt(ctx, o, at, allow, ask); again.Failure == nil || again.Failure.Phase != observation.PhaseConnect {
				return again
			}
			return got
		case got.Failure.Kind == observation.Injected:
			if v.nameForeign(o, conn, nil, got.Failure); got.Failure.Speaks != "" { // SSH begins as PostgreSQL agrees
				got.Failure.Kind, got.Failure.Said = observation.StartTLSRefused, ""
			}
			return got
		}
		v.lookInto(ctx, o, at, &got, func() {
			if silent {
				wait.explain(ctx, &got)
				return
			}
			v.seekProxyHeader(ctx, o, at, allow, conn, &got)
			if got.Failure.ProxyHeader == nil {
				v.seekProtocol(ctx, o, at, allow, conn, nil, got.Failure)
			}
		})
		return got
	}
	heard, greeting := received(conn), conn.heard.take()
	conn.first.Store(0)
	wait = v.await(ctx, observation.PhaseTLS, o, at, allow, conn)
	defer wait.close()
	secured := v.handshake(ctx, o, conn, &got)
	silent = wait.end(got.Failure)
	switch {
	case got.Failure != nil:
		stopClock()
		if received(conn) == 0 {
			conn.end() // every look opens another one, and nothing is left to be read from this one
		}
		v.lookInto(ctx, o, at, &got, func() {
			if silent {
				if wait.explain(ctx, &got); len(greeting) > 0 && got.Failure.Hello == nil {
					v.nameForeign(o, conn, greeting, got.Failure)
				}
				return
			}
			if v.seekSmallHello(ctx, o, at, allow, conn, received(conn)-heard, &got) {
				return
			}
			if wider := v.lookWider(ctx, o, at, allow, got.Failure); wider != offerCurrent {
				accepted := *o
				accepted.offer = wider
				got = v.attempt(ctx, &accepted, at, allow, ask)
				return
			}
			if v.seekProxyHeader(ctx, o, at, allow, conn, &got); got.Failure.ProxyHeader != nil {
				return
			}
			v.noticeProxyHeader(ctx, o, at, allow, got.Failure)
			v.seekProtocol(ctx, o, at, allow, conn, greeting, got.Failure)
			v.diagnose(ctx, o, at, allow, &got)
		})
	case o.kind.Web() && ask && v.withholds(o, got.peers):
		stopClock()
		got.Withheld = withheld
		v.awaitRefusal(ctx, secured, &got)
	case o.kind.Web() && ask:
		v.exchange(ctx, o, secured, &got)
	default:
		stopClock()
		if got.Failure = v.leave(ctx, o.kind, secured, got.TLS); got.Failure == nil {
			v.awaitRefusal(ctx, secured, &got)
		}
	}
	return got
}

// open dials within the timeout of a phase.
func (v *endpointProbe) open(ctx context.Context, at netip.AddrPort, allow netguard.Permit) (*countingConn, error) {
	ctx, cancel := v.phase(ctx)
	defer cancel()
	conn, err := v.dial(ctx, allow, at)
	if err != nil {
		return nil, err
	}
	return &countingConn{Conn: conn}, nil
}

// phase returns a context for one phase.
func (v *endpointProbe) phase(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, v.timeout, errPhase)
}

// interrupt makes reads and writes of conn fail once ctx ends; the function it returns cancels that.
func interrupt(ctx context.Context, conn net.Conn) (stop func()) {
	undo := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	return func() { undo() }
}

// refusalWait is how long a TLS 1.3 server that requested a client certificate gets to reject the connection after the
// handshake. Its alert takes one round trip, plus the time the server needs.
const refusalWait = 2 * time.Second

// awaitRefusal waits for an alert on a connection that carries no request: in TLS 1.3 the client completes the handshake
// before the server has checked its certificate (RFC 8446 §4.4.2.4).
func (v *endpointProbe) awaitRefusal(ctx context.Context, conn *tls.Conn, got *answer) {
	if conn.ConnectionState().Version < tls.VersionTLS13 || !got.TLS.ClientCertificateRequested {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, min(v.timeout, refusalWait))
	defer cancel()
	defer interrupt(ctx, conn)()
	if _, err := conn.Read(make([]byte, 1)); err != nil && refusesClient(receivedAlert(err)) {
		got.Failure = fail(observation.PhaseTLS, err)
		got.Failure.Kind = observation.ClientCertNeeded
	}
}
