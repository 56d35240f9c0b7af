package probe

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"certdrift/internal/probe/netguard"
)

func TestDocumentsAge(t *testing.T) {
	start := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		doc  document
		kept time.Duration // how long at least, and no longer than a second more
	}{
		"valid for ten minutes":  {document{value: 1, until: start.Add(10 * time.Minute)}, 10*time.Minute - time.Second},
		"valid for a week":       {document{value: 1, until: start.Add(7 * 24 * time.Hour)}, longestKept - time.Second},
		"stale":                  {document{value: 1, until: start.Add(-time.Hour)}, -1},
		"without an end":         {document{value: 1}, -1},
		"a failure":              {document{err: errors.New("down")}, failureKept - time.Second},
		"refused by the guard":   {document{err: fmt.Errorf("x: %w", &netguard.BlockedError{Addr: netip.IPv6Loopback(), Reason: "loopback"})}, -1},
		"out of somebody's time": {document{err: context.DeadlineExceeded}, -1},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDocuments()
			d.keep("k", c.doc, start)
			if _, ok := d.find("k", start.Add(c.kept)); ok != (c.kept >= 0) {
				t.Errorf("after %v kept is %v", c.kept, ok)
			}
			if _, ok := d.find("k", start.Add(c.kept+time.Second)); ok {
				t.Errorf("after %v still kept", c.kept+time.Second)
			}
		})
	}
}

func TestDocumentsBounded(t *testing.T) {
	d, now := newDocuments(), time.Now()
	for i := range 100 {
		d.keep(fmt.Sprint(i), document{value: i, until: now.Add(time.Hour), size: maxKept / 10}, now)
	}
	if d.size > maxKept || len(d.kept) > 10 {
		t.Errorf("%d documents of %d bytes are kept", len(d.kept), d.size)
	}
}

// TestDocumentsShared: concurrent callers wait for one load, but a timeout of the caller that loads is not theirs.
func TestDocumentsShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, loads := newDocuments(), 0
		hurried, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		go func() {
			_, err := d.get(hurried, "k", time.Now(), func() document {
				loads++
				<-hurried.Done()
				return document{err: hurried.Err()}
			})
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("the leader got %v", err)
			}
		}()
		synctest.Wait()
		for range 5 {
			go func() {
				value, err := d.get(t.Context(), "k", time.Now(), func() document {
					loads++
					time.Sleep(time.Second)
					return document{value: "found", until: time.Now().Add(time.Minute)}
				})
				if value != "found" || err != nil {
					t.Errorf("a follower got %v, %v", value, err)
				}
			}()
		}
		time.Sleep(5 * time.Second)
		synctest.Wait()
		if loads != 2 {
			t.Errorf("%d loads", loads)
		}
	})
}
