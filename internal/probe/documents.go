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
	// maxKept bounds the documents kept in memory, in bytes, approximately.
	maxKept = 48 << 20
	// longestKept bounds how long a document is reused: a list may be valid for a week, but a revocation must show up
	// sooner.
	longestKept = time.Hour
	// failureKept is how long a failure is reused, so that not every endpoint waits for a dead responder.
	failureKept = time.Minute
	// maxLists bounds the lists that are parsed at the same time: each may take tens of MiB.
	maxLists = 4
)

// documents caches what certificates point at (issuers, CRLs, OCSP responses), so that it is fetched once for all endpoints.
// Concurrent requests for one document share a fetch.
type documents struct {
	flights singleflight.Group
	mu      sync.Mutex
	kept    map[string]document
	size    int
	lists   chan struct{} // one per list that is being parsed
}

// document is the content found, or the error.
type document struct {
	value any
	err   error
	until time.Time // end of validity; the zero time: not kept
	size  int       // in bytes, approximately
}

func newDocuments() *documents {
	return &documents{kept: map[string]document{}, lists: make(chan struct{}, maxLists)}
}

// get returns a cached document or loads it.
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
		// A caller that shared the load must not fail because another's time ran out.
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
