package trust

import (
	"crypto/x509"
	"fmt"
	"sync"
	"time"

	"certdrift/internal/chain"
	"certdrift/internal/target"
)

// Stores creates each trust store once and keeps it. The zero value is ready to use; it is safe for concurrent use. Its Get is
// used as judge.Input.Roots.
type Stores struct {
	// Locations are where to find the system's roots; SystemLocations if empty.
	Locations Locations

	mu     sync.Mutex
	cache  *chain.Cache // all stores share it
	stores map[target.Roots]*chain.Store
	errs   map[target.Roots]error
}

// Get returns a trust store; nil if it is not available, for the reason that Err returns. The judge then checks what it can
// without one, reports the round as incomplete, and reports no chain as untrusted.
func (s *Stores) Get(roots target.Roots) *chain.Store {
	store, _ := s.load(roots)
	return store
}

// Err returns why a trust store is not available; nil if it is.
func (s *Stores) Err(roots target.Roots) error {
	_, err := s.load(roots)
	return err
}

func (s *Stores) load(roots target.Roots) (*chain.Store, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if store, ok := s.stores[roots]; ok {
		return store, s.errs[roots]
	}
	if s.stores == nil {
		s.stores, s.errs, s.cache = map[target.Roots]*chain.Store{}, map[target.Roots]error{}, chain.NewCache()
	}
	store, err := s.make(roots)
	if store != nil {
		store = store.Caching(s.cache)
	}
	s.stores[roots], s.errs[roots] = store, err
	return store, err
}

func (s *Stores) make(roots target.Roots) (*chain.Store, error) {
	switch roots {
	case target.Mozilla, "":
		return Mozilla(), nil
	case target.System:
		places := s.Locations
		if len(places.Files)+len(places.Dirs) == 0 {
			places = SystemLocations()
		}
		return places.Store()
	}
	return nil, fmt.Errorf("choosing a trust store: %q is neither %q nor %q", roots, target.Mozilla, target.System)
}

// NeedsIssuer reports whether a chain as served does not lead to the endpoint's anchors, so that the issuers that AIA
// points at are worth fetching. It returns false if the store is not available.
func (s *Stores) NeedsIssuer(e target.Endpoint, served []*x509.Certificate, at time.Time) bool {
	return len(served) > 0 && s.Err(e.Trust.Roots) == nil && s.build(e, served, at).Verdict != chain.Trusted
}

// Verified reports whether a client with the endpoint's trust store would accept the served name and chain at a time. It
// returns false if the store is not available.
func (s *Stores) Verified(e target.Endpoint, served []*x509.Certificate, at time.Time) bool {
	return len(served) > 0 && s.Err(e.Trust.Roots) == nil && chain.Covers(served[0], e.Host) && s.build(e, served, at).Accepted()
}

// build builds a chain as the judge will, which then finds the result in the cache.
func (s *Stores) build(e target.Endpoint, served []*x509.Certificate, at time.Time) *chain.Result {
	return chain.Build(s.store(e), chain.Query{Served: served, At: at})
}

// Anchors returns the anchors of an endpoint that issued a certificate.
func (s *Stores) Anchors(e target.Endpoint, child *x509.Certificate) []*x509.Certificate {
	return s.store(e).Issuers(child)
}

// store returns the endpoint's trust store, its own CAs included; nil if there is none.
func (s *Stores) store(e target.Endpoint) *chain.Store {
	return s.Get(e.Trust.Roots).With(e.Trust.CAs)
}
