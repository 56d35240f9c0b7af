package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

// interruptible returns a context that ends at an interrupt (Ctrl-C) or a SIGTERM; a second one ends the process at once.
// The caller reports what was done by then, and says so with interrupted.
func interruptible(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	return ctx, stop
}

// interrupted says on standard error that a signal ended the context, where one did: its cause is then neither the
// deadline's nor a plain cancellation's.
func (a *App) interrupted(ctx context.Context) {
	cause := context.Cause(ctx)
	if cause == nil || cause == context.Canceled || errors.Is(cause, context.DeadlineExceeded) { //nolint:errorlint // a signal's cause is Canceled too, but not the value itself
		return
	}
	fmt.Fprintf(a.Stderr, "certdrift: %s: reporting what was checked so far\n", cause)
}
