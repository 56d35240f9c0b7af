package chain

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/x509"
	"encoding/binary"
	"sync"
	"time"
)

// The bounds of a cache: of links in entries of about 100 bytes each, of verdicts in bytes of certificates, which take a few times as much
// once they are parsed, of signers in keys, of which each takes 450 KiB once it has signed a few certificates.
const (
	maxLinks    = 1 << 15
	maxVerdicts = 32 << 20
	maxStores   = 64
	maxSigners  = 32
)

// Cache remembers what does not change: whether one certificate's key signed another, and where a chain leads in one store. A verdict is
// taken from it only as long as no certificate that was considered has become valid or expired since. Stores do not change, so verdicts
// never outlive a change of roots: other roots are another store. It is safe for concurrent use.
type Cache struct {
	links    generations[link, signature]
	verdicts generations[question, remembered]
	stores   generations[extension, *Store]
	signers  generations[digest, *signer]
}

// NewCache returns an empty cache. Stores use it that are made by Caching, or by With from one of them.
func NewCache() *Cache {
	c := &Cache{}
	c.links.most, c.verdicts.most, c.stores.most, c.signers.most = maxLinks, maxVerdicts, maxStores, maxSigners
	return c
}

// digest is the SHA-256 of something.
type digest = [sha256.Size]byte

// link is a signature: of one certificate by the key of another. The digests cover all of both, the signature included, so one that
// differs in a single bit is another link.
type link struct{ child, issuer digest }

// question is a chain, with what was fetched, for a store.
type question struct {
	store *Store
	chain digest
}

// extension is a store with some CAs added.
type extension struct {
	store *Store
	cas   digest
}

// signed is checkSignature, once for each pair of certificates. A nil cache remembers nothing.
func (c *Cache) signed(child, parent *x509.Certificate) signature {
	if c == nil {
		return checkSignature(child, parent)
	}
	key := link{sha256.Sum256(child.Raw), sha256.Sum256(parent.Raw)}
	if s, ok := c.links.get(key); ok {
		return s
	}
	s := goodSignature
	if !c.signer(parent, key.issuer).signed(child) {
		s = checkSignature(child, parent)
	}
	c.links.put(key, s, 1)
	return s
}

// signer returns a certificate's key, if it is one that pays to prepare; else nil.
func (c *Cache) signer(cert *x509.Certificate, sum digest) *signer {
	key, ok := cert.PublicKey.(*ecdsa.PublicKey)
	if !ok || key.Curve != elliptic.P384() {
		return nil
	}
	s, ok := c.signers.get(sum)
	if !ok {
		s = &signer{public: key}
		c.signers.put(sum, s, 1)
	}
	return s
}

// remembered is a result with the time, both ends included, in which no certificate of its walk becomes valid or expires.
type remembered struct {
	result     *Result
	since, end time.Time
}

// build is Build, once for each chain, store and validity of its certificates.
func (c *Cache) build(store *Store, q Query) *Result {
	key := question{store, q.digest()}
	if known, ok := c.verdicts.get(key); ok && !q.At.Before(known.since) && !q.At.After(known.end) {
		return known.result
	}
	r, w := build(store, q)
	c.verdicts.put(key, w.remember(r), w.weight())
	return r
}

// digest identifies everything that the answer depends on, except the store and the time.
func (q Query) digest() digest {
	sum := sha256.New()
	for _, certs := range [][]*x509.Certificate{q.Served, q.Fetched} {
		sum.Write(binary.BigEndian.AppendUint64(nil, uint64(len(certs))))
		for _, cert := range certs {
			one := sha256.Sum256(cert.Raw)
			sum.Write(one[:])
		}
	}
	return digest(sum.Sum(nil))
}

// remember returns a walk's result with the time in which it holds.
func (w *walk) remember(r *Result) remembered {
	known := remembered{result: r, end: time.Unix(1<<40, 0)}
	for _, n := range w.nodes {
		for _, last := range []time.Time{n.cert.NotBefore.Add(-1), n.cert.NotAfter} { // the last moment before something changes
			switch next := last.Add(1); {
			case !w.at.After(last) && last.Before(known.end):
				known.end = last
			case w.at.After(last) && next.After(known.since):
				known.since = next
			}
		}
	}
	return known
}

// weight is about how many bytes the certificates of a walk take that are not the store's own.
func (w *walk) weight() int {
	total := 512
	for _, n := range w.nodes {
		if n.anchor == nil {
			total += len(n.cert.Raw)
		}
	}
	return total
}

// with returns the store that With made of a store and CAs before.
func (c *Cache) with(store *Store, cas [][]byte, extend func() *Store) *Store {
	if c == nil {
		return extend()
	}
	sum := sha256.New()
	for _, der := range cas {
		one := sha256.Sum256(der)
		sum.Write(one[:])
	}
	key := extension{store, digest(sum.Sum(nil))}
	if known, ok := c.stores.get(key); ok {
		return known
	}
	made := extend()
	c.stores.put(key, made, 1)
	return made
}

// generations is a map of bounded weight that forgets what was not asked for lately: once the younger half is full, it becomes the older
// one, whose entries are dropped at the next such moment unless they have been asked for.
type generations[K comparable, V any] struct {
	most       int // weight
	mu         sync.Mutex
	young, old map[K]weighed[V]
	weight     int // of the younger half
}

type weighed[V any] struct {
	value  V
	weight int
}

func (g *generations[K, V]) get(key K) (V, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	entry, ok := g.young[key]
	if !ok {
		if entry, ok = g.old[key]; ok {
			g.add(key, entry)
		}
	}
	return entry.value, ok
}

// put adds an entry, unless it would fill a half by itself.
func (g *generations[K, V]) put(key K, value V, weight int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if weight <= g.most/2 {
		g.add(key, weighed[V]{value, weight})
	}
}

func (g *generations[K, V]) add(key K, entry weighed[V]) {
	if g.young == nil || g.weight+entry.weight > g.most/2 {
		g.young, g.old, g.weight = map[K]weighed[V]{}, g.young, 0
	}
	g.weight += entry.weight - g.young[key].weight
	g.young[key] = entry
}
