package chain

import (
	"bytes"
	"cmp"
	"crypto/x509"
	"slices"
	"time"
)

// The bounds of a walk. Go's own verifier stops after 100 signatures, OpenSSL's at a depth of 100.
const (
	maxSignatures = 256
	maxBad        = 32 // failed signature checks per certificate
	maxSteps      = 4096
	maxPaths      = 32
	maxDepth      = 128
)

const unreachable = 1 << 30

// walk is one search through the graph of certificates.
type walk struct {
	store     *Store
	cache     *Cache // the store's; may be nil
	at        time.Time
	nodes     []*node
	bySubject map[string][]*node
	verified  map[edge]signature
	names     map[nameCheck]error
	limits    map[*x509.Certificate]directoryLimits
	policies  int // certificates checked for policies
	limited   bool
	steps     int
}

// node is a certificate that may be part of a path.
type node struct {
	cert *x509.Certificate
	// anchor is set if the store contains this certificate.
	anchor  *Anchor
	fetched bool
	// complete reports whether the node's issuers in the store have been added.
	complete bool
	// distance is how many steps lead from here to an anchor.
	distance int
}

// edge is a signature to check: a certificate and the key that may have made it.
type edge struct {
	child *node
	key   string
}

func newWalk(store *Store, q Query) *walk {
	w := &walk{store: store, at: q.At, bySubject: map[string][]*node{}, verified: map[edge]signature{},
		names: map[nameCheck]error{}, limits: map[*x509.Certificate]directoryLimits{}}
	if store != nil {
		w.cache = store.cache
	}
	for _, cert := range q.Served {
		w.add(cert, w.store.find(cert), false)
	}
	for _, cert := range q.Fetched {
		w.add(cert, w.store.find(cert), true)
	}
	return w
}

// add adds a node, once for each certificate.
func (w *walk) add(cert *x509.Certificate, anchor *Anchor, fetched bool) {
	for _, n := range w.bySubject[string(cert.RawSubject)] {
		if bytes.Equal(n.cert.Raw, cert.Raw) {
			return
		}
	}
	n := &node{cert: cert, anchor: anchor, fetched: fetched && anchor == nil, distance: unreachable}
	w.nodes = append(w.nodes, n)
	w.bySubject[string(cert.RawSubject)] = append(w.bySubject[string(cert.RawSubject)], n)
}

// named returns every certificate with the name of n's issuer, those with the matching key identifier first.
func (w *walk) named(n *node) []*node {
	if !n.complete {
		n.complete = true
		for _, a := range w.store.named(n.cert.RawIssuer) {
			w.add(a.Certificate, a, false)
		}
	}
	found := slices.Clone(w.bySubject[string(n.cert.RawIssuer)])
	slices.SortStableFunc(found, func(a, b *node) int { return cmp.Compare(keyRank(n, a), keyRank(n, b)) })
	return found
}

// keyRank orders candidates, the likeliest first. Key identifiers are only hints (RFC 5280 §4.2.1.1).
func keyRank(child, parent *node) int {
	rank := 1
	if id := parent.cert.SubjectKeyId; len(id) > 0 && len(child.cert.AuthorityKeyId) > 0 {
		rank = 2
		if bytes.Equal(id, child.cert.AuthorityKeyId) {
			rank = 0
		}
	}
	if parent.anchor != nil {
		return 2 * rank
	}
	return 2*rank + 1
}

// issuers returns the certificates whose key signed n.
func (w *walk) issuers(n *node, withFetched bool) []*node {
	var found []*node
	bad := 0
	for _, p := range w.named(n) {
		if p == n || p.fetched && !withFetched {
			continue
		}
		if w.check(n, p) != badSignature {
			found = append(found, p)
			continue
		}
		if bad++; bad == maxBad {
			w.limited = true
			break
		}
	}
	return found
}

// check is checkSignature, once for a certificate and a key and within the bound.
func (w *walk) check(child, parent *node) signature {
	e := edge{child, string(parent.cert.RawSubjectPublicKeyInfo)}
	if s, ok := w.verified[e]; ok {
		return s
	}
	if len(w.verified) >= maxSignatures {
		w.limited = true
		return badSignature
	}
	s := w.cache.signed(child.cert, parent.cert)
	w.verified[e] = s
	return s
}

// measure computes the distance to an anchor of each node that is reachable from the leaf.
func (w *walk) measure(withFetched bool) {
	above := map[*node][]*node{} // by issuer: the nodes it signed
	seen := map[*node]bool{w.nodes[0]: true}
	queue := []*node{w.nodes[0]}
	for _, n := range w.nodes {
		n.distance = unreachable
	}
	var ends []*node
	for len(queue) > 0 {
		n := queue[0]
		queue = queue[1:]
		n.distance = unreachable
		if n.anchor != nil {
			n.distance = 0
			ends = append(ends, n)
		}
		for _, p := range w.issuers(n, withFetched) {
			above[p] = append(above[p], n)
			if !seen[p] {
				seen[p] = true
				queue = append(queue, p)
			}
		}
	}
	for len(ends) > 0 {
		n := ends[0]
		ends = ends[1:]
		for _, child := range above[n] {
			if child.distance == unreachable {
				child.distance = n.distance + 1
				ends = append(ends, child)
			}
		}
	}
}

// paths returns the paths to the store, the best first.
func (w *walk) paths(withFetched bool) []Path {
	w.measure(withFetched)
	if w.nodes[0].distance == unreachable {
		return nil
	}
	var found []Path
	w.steps = 0
	w.descend([]*node{w.nodes[0]}, withFetched, func(trail []*node) bool {
		found = append(found, w.path(trail, true))
		return len(found) < maxPaths
	})
	slices.SortStableFunc(found, comparePaths)
	return found
}

// descend visits every path from the trail's end to an anchor, the shortest first, until visit returns false.
func (w *walk) descend(trail []*node, withFetched bool, visit func([]*node) bool) bool {
	w.steps++
	if w.steps > maxSteps || len(trail) > maxDepth {
		w.limited = true
		return w.steps <= maxSteps
	}
	n := trail[len(trail)-1]
	if n.anchor != nil && !visit(trail) {
		w.limited = true
		return false
	}
	parents := w.issuers(n, withFetched)
	slices.SortStableFunc(parents, func(a, b *node) int { return cmp.Compare(a.distance, b.distance) })
	for _, p := range parents {
		if p.distance == unreachable || onTrail(trail, p) {
			continue
		}
		if !w.descend(append(trail[:len(trail):len(trail)], p), withFetched, visit) {
			return false
		}
	}
	return true
}

// onTrail reports whether a trail contains the certificate or another with the same names and key: cross-signs may form a
// loop.
func onTrail(trail []*node, p *node) bool {
	return slices.ContainsFunc(trail, func(n *node) bool {
		return n == p || bytes.Equal(n.cert.RawSubject, p.cert.RawSubject) && sameKey(n.cert, p.cert) &&
			slices.Equal(n.cert.DNSNames, p.cert.DNSNames)
	})
}

// comparePaths orders the best path first: the fewest problems, then the fewest fetched certificates, then the latest expiry.
func comparePaths(a, b Path) int {
	return cmp.Or(
		cmp.Compare(len(a.Problems), len(b.Problems)),
		cmp.Compare(len(a.Fetched), len(b.Fetched)),
		ends(b).Compare(ends(a)),
		cmp.Compare(len(a.Certificates), len(b.Certificates)),
	)
}

// ends returns when the first certificate of a path expires.
func ends(p Path) time.Time {
	end := p.Certificates[0].NotAfter
	for _, c := range p.Certificates {
		if c.NotAfter.Before(end) {
			end = c.NotAfter
		}
	}
	return end
}

// deadEnd returns the longest path of sent certificates.
func (w *walk) deadEnd() Path {
	var best []*node
	w.steps = 0
	var climb func(trail []*node)
	climb = func(trail []*node) {
		w.steps++
		if w.steps > maxSteps || len(trail) > maxDepth {
			w.limited = true
			return
		}
		if len(trail) > len(best) {
			best = trail
		}
		for _, p := range w.issuers(trail[len(trail)-1], false) {
			if !onTrail(trail, p) {
				climb(append(trail[:len(trail):len(trail)], p))
			}
		}
	}
	climb([]*node{w.nodes[0]})
	return w.path(best, false)
}

// verdict returns the verdict for a dead end.
func (w *walk) verdict(p Path) Verdict {
	switch {
	case len(p.Certificates) > 1:
		return Untrusted
	case selfSigned(p.Certificates[0]):
		return SelfSigned
	}
	return Incomplete
}

// lookalike returns a certificate with the name of the issuer that signed tip, but another key.
func (w *walk) lookalike(tip *x509.Certificate) *Lookalike {
	if bytes.Equal(tip.RawSubject, tip.RawIssuer) && selfSigned(tip) {
		for _, a := range w.store.named(tip.RawSubject) {
			if !sameKey(a.Certificate, tip) {
				return &Lookalike{Certificate: a.Certificate, Trusted: true}
			}
		}
		return nil
	}
	const enough = 8
	for i, n := range w.bySubject[string(tip.RawIssuer)] {
		if i < enough && n.cert != tip && !n.fetched && w.cache.signed(tip, n.cert) == badSignature {
			return &Lookalike{
				Certificate: n.cert, Trusted: n.anchor != nil,
				Claimed: len(tip.AuthorityKeyId) == 0 || len(n.cert.SubjectKeyId) == 0 || bytes.Equal(tip.AuthorityKeyId, n.cert.SubjectKeyId),
			}
		}
	}
	return nil
}

// path converts a trail to a path and finds its problems.
func (w *walk) path(trail []*node, anchored bool) Path {
	var p Path
	for _, n := range trail {
		p.Certificates = append(p.Certificates, n.cert)
		if n.fetched {
			p.Fetched = append(p.Fetched, n.cert)
		}
	}
	if anchored {
		p.Anchor = trail[len(trail)-1].anchor
	}
	p.Problems = w.pathFaults(p, trail)
	return p
}
