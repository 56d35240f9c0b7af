package probe

import (
	"context"
	"errors"
	"net"
	"time"

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
	err := speak(conn, starttls.Names{Host: v.target.Host, EHLO: v.target.EHLOName})
	phases.StartTLS = time.Since(begin)
	if err == nil {
		return nil
	}
	f := fail(observation.PhaseStartTLS, err)
	if errors.Is(err, starttls.ErrRefused) {
		f.Kind = observation.StartTLSRefused
	}
	return f
}

// leave ends a session over TLS whose handshake is all that was needed. How that goes says nothing about the endpoint.
func (v *endpointProbe) leave(ctx context.Context, kind target.Kind, secured net.Conn) {
	farewell := starttls.Farewell(kind)
	if farewell == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, min(v.timeout, farewellWait))
	defer cancel()
	defer interrupt(ctx, secured)()
	_ = farewell(secured)
}

// farewellWait bounds a farewell.
const farewellWait = 2 * time.Second
