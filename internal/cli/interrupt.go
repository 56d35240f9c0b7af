package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

// interruption is the cause of a context that a signal ended.
type interruption struct{ signal os.Signal }

// Error implements error.
func (i interruption) Error() string { return fmt.Sprintf("%s signal received", i.signal) }

// interruptible returns a context that ends at an interrupt (Ctrl-C) or a SIGTERM; a second one ends the process at once.
// The caller reports what was done by then, and ends with the status that interrupted returns.
func interruptible(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	stop := context.AfterFunc(ctx, func() { signal.Stop(signals) })
	go func() {
		select {
		case s := <-signals:
			cancel(interruption{s})
		case <-ctx.Done():
		}
	}()
	return ctx, func() {
		stop()
		signal.Stop(signals)
		cancel(context.Canceled)
	}
}

// interrupted says on standard error that a signal ended the context, where one did, and returns the exit status that shells give to a
// process that this signal ends: 130 for an interrupt, 143 for SIGTERM.
func (a *App) interrupted(ctx context.Context) error {
	var by interruption
	if !errors.As(context.Cause(ctx), &by) {
		return nil
	}
	fmt.Fprintf(a.Stderr, "certdrift: %s: reporting what was checked so far\n", by)
	number, _ := by.signal.(syscall.Signal)
	return statusError(128 + int(number))
}
