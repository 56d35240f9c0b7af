package probe

import (
	"context"
	"errors"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"certdrift/internal/probe/netguard"
)

const (
	// maxKept bounds what documents keep in memory, in bytes, roughly.
	maxKept = 48 << 20
	// longestKept bounds how long a document stands in for its source: a list may be valid for a week, but whoever
	// revokes a certificate wants to see it.
	longestKept = time.Hour
	// failureKept is how long a failure stands, so that a dead responder is not waited for by every endpoint.
	failureKept = time.Minute
	// maxLists bounds the lists that are read at the same time: each may take tens of MiB while it is parsed.
	maxLists = 4
)

// documents keeps what certificates point at (issuers, CRLs, OCSP answers), so that it is fetched once for all
// endpoints. Asking twice at the same time fetches once.
type documents struct {
	flights singleflight.Group
	mu      sync.Mutex
	kept    map[string]document
	size    int
	lists   chan struct{} // one per list that is being read
}

// document is what was found, or why it was not.
type document struct {
	value any
	err   error
	until time.Time // of validity; the zero time: not to be kept
	size  int       // in bytes, roughly
}

func newDocuments() *documents {
	return &documents{kept: map[string]document{}, lists: make(chan struct{}, maxLists)}
}

// get returns a kept document or loads it.
func (d *documents) get(ctx context.Context, key string, now time.Time, load func() document) (any, error) {
	for {
		if doc, ok := d.find(key, now); ok {
			return doc.value, doc.err
		}
		leader := false
		found, _, _ := d.flights.Do(key, func() (any, error) {
			leader = true
			doc := load()
			d.keep(key, doc, now)
			return doc, nil
		})
		doc, ok := found.(document)
		if !ok {
			return nil, errors.New("the document was not loaded")
		}
		// Who came along must not suffer from the end of another's time.
		if !leader && ctx.Err() == nil && outOfTime(doc.err) {
			continue
		}
		return doc.value, doc.err
	}
}

func outOfTime(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

func (d *documents) find(key string, now time.Time) (document, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	doc, ok := d.kept[key]
	return doc, ok && now.Before(doc.until)
}

func (d *documents) keep(key string, doc document, now time.Time) {
	if doc.err != nil {
		doc.until = now.Add(failureKept)
		if outOfTime(doc.err) || errors.As(doc.err, new(*netguard.BlockedError)) {
			return
		}
	}
	if latest := now.Add(longestKept); doc.until.After(latest) {
		doc.until = latest
	}
	if !doc.until.After(now) {
		return
	}
	doc.size += len(key) + 256
	d.mu.Lock()
	defer d.mu.Unlock()
	d.size -= d.kept[key].size
	if d.size+doc.size > maxKept {
		clear(d.kept)
		d.size = 0
	}
	d.kept[key] = doc
	d.size += doc.size
}
