package probe

import (
	"crypto/sha256"
	"hash/fnv"
	"sync"
	"time"

	"certdrift/internal/observation"
	"certdrift/internal/target"
)

// others is what earlier rounds learned of servers' other certificates, by endpoint. A process that has just begun knows nothing, and
// asks everywhere.
type others struct {
	mu    sync.Mutex
	known map[string]otherKnown
}

type otherKnown struct {
	at     time.Time
	leaves map[[sha256.Size]byte]bool // those of the first handshakes
	pair   bool                       // there is another certificate
	failed bool                       // some address did not answer
}

// maxOthers bounds the endpoints that are known: those of a configuration come and go.
const maxOthers = 20_000

// due reports whether an endpoint is to be asked in this round: where nothing is known, or one of the certificates is new, where a server
// has two, where some addresses have one and others the other, and otherwise in turns. Endpoints that were asked in one round are
// not all asked in one round again.
func (o *others) due(e target.Endpoint, now time.Time, leaves map[[sha256.Size]byte]bool, mixed bool) bool {
	o.mu.Lock()
	known, ok := o.known[e.Key()]
	o.mu.Unlock()
	if e.OtherEvery <= 0 || !ok || known.pair || mixed {
		return true
	}
	for leaf := range leaves {
		if !known.leaves[leaf] {
			return true
		}
	}
	name := fnv.New32a()
	_, _ = name.Write([]byte(e.Key())) // it never fails
	every := e.OtherEvery - e.OtherEvery/4*time.Duration(name.Sum32()%64)/64
	if known.failed {
		every /= 4
	}
	age := now.Sub(known.at)
	return age < 0 || age >= every
}

// asked records what an endpoint was asked and answered.
func (o *others) asked(e target.Endpoint, now time.Time, leaves map[[sha256.Size]byte]bool, results []*answer) {
	next := otherKnown{at: now, leaves: leaves}
	for _, a := range results {
		if a == nil || a.Other == nil {
			continue
		}
		next.pair = next.pair || paired(a.Other)
		next.failed = next.failed || !a.Other.Absent && a.Other.TLS == nil
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	next.pair = next.pair || next.failed && o.known[e.Key()].pair
	if o.known == nil || len(o.known) >= maxOthers {
		o.known = map[string]otherKnown{}
	}
	o.known[e.Key()] = next
}

// paired reports whether a server has two certificates for the name.
func paired(other *observation.OtherCertificate) bool { return other.TLS != nil && !other.Fallback }
