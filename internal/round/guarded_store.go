package round

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"certdrift/internal/incident"
)

var (
	// errHung is the error of a service that is not called again in this round.
	errHung = errors.New("not tried, since it did not answer earlier in this round")
	// errUnread is why nothing is written in a round that could not read: it does not know the versions.
	errUnread = errors.New("the incidents could not be read")
)

// guardedStore is the store as one round uses it: each call has its time, and a store that hangs is left alone for the rest
// of the round.
type guardedStore struct {
	store  Store
	unread bool // nothing is written then
	hangs  atomic.Bool
}

func (g *guardedStore) Load(ctx context.Context) (loaded incident.State, err error) {
	err = g.ask(ctx, loadTime, func(ctx context.Context) (err error) { loaded, err = g.store.Load(ctx); return err })
	return loaded, err
}

func (g *guardedStore) SaveIncident(ctx context.Context, r incident.Record) (ok bool, err error) {
	err = g.write(ctx, func(ctx context.Context) (err error) { ok, err = g.store.SaveIncident(ctx, r); return err })
	return ok, err
}

func (g *guardedStore) SaveCounter(ctx context.Context, c incident.Counter) (ok bool, err error) {
	err = g.write(ctx, func(ctx context.Context) (err error) { ok, err = g.store.SaveCounter(ctx, c); return err })
	return ok, err
}

func (g *guardedStore) write(ctx context.Context, do func(context.Context) error) error {
	if g.unread {
		return errUnread
	}
	return g.ask(ctx, saveTime, do)
}

// ask bounds a call. That the caller's own time was over first says nothing about the store.
func (g *guardedStore) ask(ctx context.Context, limit time.Duration, do func(context.Context) error) error {
	if g.hangs.Load() {
		return errHung
	}
	bounded, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	err := do(bounded)
	if err != nil && bounded.Err() != nil && ctx.Err() == nil {
		g.hangs.Store(true)
	}
	return err
}
