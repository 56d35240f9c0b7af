package probe

import (
	"context"
	"errors"
	"net"
	"time"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
	"certdrift/internal/probe/starttls"
	"certdrift/internal/target"
)

// startTLS performs the plaintext preamble of a STARTTLS kind. It returns nil if the server agreed, and for other kinds.
func (v *endpointProbe) startTLS(ctx context.Context, kind target.Kind, conn net.Conn, phases *observation.Phases) *observation.Failure {
	speak := starttls.Preamble(kind)
	if speak == nil {
		return nil
	}
	ctx, cancel := v.phase(ctx)
	defer cancel()
	defer interrupt(ctx, conn)()
	begin := time.Now()
	err := speak(conn, starttls.Names{Host: v.target.Host, EHLO: v.target.EHLOName, ByName: v.byName.Load()})
	phases.StartTLS = time.Since(begin)
	if err == nil {
		return nil
	}
	f := fail(observation.PhaseStartTLS, err)
	var injected *starttls.InjectedError
	switch {
	case errors.As(err, &injected):
		f.Kind, f.Said = observation.Injected, v.secrets.Show(firstLine([]byte(injected.Sent)), finding.QuoteLimit)
	case errors.Is(err, starttls.ErrRefused):
		f.Kind = observation.StartTLSRefused
	}
	if errors.Is(err, starttls.ErrAddressRejected) {
		v.byName.Store(true)
	}
	return f
}

// leave ends a session over TLS whose handshake is all that was needed. It returns a failure if the server hung up because it wants
// a client certificate; anything else that happens says nothing about TLS.
func (v *endpointProbe) leave(ctx context.Context, kind target.Kind, secured net.Conn, seen *observation.TLS) *observation.Failure {
	farewell := starttls.Farewell(kind)
	if farewell == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, min(v.timeout, farewellWait))
	defer cancel()
	stop := interrupt(ctx, secured)
	err := farewell(secured)
	stop()
	_ = secured.SetDeadline(time.Time{})
	if err == nil {
		return nil
	}
	f := fail(observation.PhaseTLS, err)
	if requiresClientCertificate(f, seen); f.Kind == observation.ClientCertNeeded {
		return f
	}
	return nil
}

// farewellWait bounds a farewell.
const farewellWait = 2 * time.Second
