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

// startTLS speaks the plain-text preamble of a STARTTLS kind; nil for the other kinds and where the server agreed.
func (v *endpointProbe) startTLS(ctx context.Context, kind target.Kind, conn net.Conn, phases *observation.Phases) *observation.Failure {
	speak := starttls.Preamble(kind)
	if speak == nil {
		return nil
	}
	ctx, cancel := v.phase(ctx)
	defer cancel()
	defer interrupt(ctx, conn)()
	begin := time.Now()
	err := speak(conn)
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
