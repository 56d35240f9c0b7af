// Package chain builds certification paths (RFC 5280 §6) from the certificates a server sent to a trust store, and lists the
// problems of each path. It is pure: trust store and time are arguments.
//
// crypto/x509 reports only its first reason, and has one error for a self-signed leaf, an unknown root and a missing
// intermediate. An operator needs to distinguish them, and needs all problems at once. So this package walks the graph of
// signatures: every certificate that was sent or fetched and every anchor is a node, and an edge is a matching name with a
// signature that verifies. Dates, usages and constraints don't stop the walk; they are problems of the path.
//
// A hostile server chooses the nodes. The walk is bounded in signatures checked, steps taken and depth. It first measures
// which nodes lead to an anchor, so that a mesh of cross-signs can neither stall it nor hide a path.
package chain

import (
	"crypto/x509"
	"slices"
	"time"
)

// Kind is a kind of problem of a certificate at its position in a path.
type Kind string

// The kinds of problem.
const (
	Expired           Kind = "expired"
	NotYetValid       Kind = "not-yet-valid"
	NotCA             Kind = "not-ca"             // it issued another, but is not a CA (RFC 5280 §4.2.1.9)
	NoCertSign        Kind = "no-cert-sign"       // it issued another, but its key usage lacks keyCertSign (§4.2.1.3)
	PathLength        Kind = "path-length"        // more CAs are below it than it allows (§4.2.1.9)
	NameConstraint    Kind = "name-constraint"    // a name below it is outside what it may issue for (§4.2.1.10)
	PolicyConstraint  Kind = "policy-constraint"  // it requires a policy that the path does not have (§4.2.1.11)
	CriticalExtension Kind = "critical-extension" // it has an unknown critical extension (§4.2)
	DirectoryNames    Kind = "directory-names"    // its critical name constraints hold directory names, which Go can't check
	DirectoryLimits   Kind = "directory-limits"   // as DirectoryNames, but not critical: rustls can't check them either
	DirectoryBarred   Kind = "directory-barred"   // as DirectoryLimits; it excludes some, which NSS can't check
	PolicyCritical    Kind = "policy-critical"    // its policy constraints are critical, which GnuTLS can't check
	Usage             Kind = "usage"              // it is not for server authentication (§4.2.1.12)
	UsageAbsent       Kind = "usage-absent"       // the leaf has no extended key usage at all
	UsageAny          Kind = "usage-any"          // the leaf allows any usage, but does not name server authentication
	UsageSignature    Kind = "usage-signature"    // the leaf's key usage lacks digitalSignature
	IssuerMisnamed    Kind = "issuer-misnamed"    // its authority key identifier contradicts the issuer that signed it (§4.2.1.1)
	WeakKey           Kind = "weak-key"
	WeakSignature     Kind = "weak-signature"
	Strict            Kind = "strict"          // it breaches RFC 5280 where OpenSSL's strict mode alone minds
	StrictNames       Kind = "strict-names"    // as Strict; a name is empty, which Java minds, too
	LeafIsCA          Kind = "leaf-is-ca"      // the leaf is a CA, which rustls and NSS refuse
	KeyUncommon       Kind = "key-uncommon"    // its key is of a type that some clients don't support
	DeadEnd           Kind = "dead-end"        // it leads to no anchor, and another of its name and key does
	Unverifiable      Kind = "unverifiable"    // clients do not support the kind of its signature or of its issuer's key
	RootConstraint    Kind = "root-constraint" // the trust store limits the root, and this path is past the limit
)

// Problem is one thing wrong with one certificate.
type Problem struct {
	Kind        Kind
	Certificate *x509.Certificate
	// Detail is specific where the kind is not; it may quote remote text and is not cleaned.
	Detail string
}

// Path is a leaf with its issuers.
type Path struct {
	// Certificates are leaf first; the anchor, if there is one, is the last.
	Certificates []*x509.Certificate
	// Anchor is the path's anchor; nil for a path that does not reach the trust store.
	Anchor *Anchor
	// Fetched are those of Certificates that are neither sent by the server nor in the store, leaf side first.
	Fetched []*x509.Certificate
	// Problems are those of the issuers. The leaf's own are the same for every path: see Result.Leaf.
	Problems []Problem
}

// Valid reports whether clients that trust the store accept the path, apart from the leaf's own problems.
func (p Path) Valid() bool { return p.Anchor != nil && len(p.Problems) == 0 }

// Tip returns the last certificate.
func (p Path) Tip() *x509.Certificate { return p.Certificates[len(p.Certificates)-1] }

// Verdict is where a chain leads.
type Verdict string

// The verdicts. Trusted means that the chain as sent leads to the trust store, by a path that may have problems.
const (
	Trusted    Verdict = "trusted"
	SelfSigned Verdict = "self-signed" // the leaf is its own issuer and not in the store
	Incomplete Verdict = "incomplete"  // an issuer was not sent; with it the chain would lead to the store
	Untrusted  Verdict = "untrusted"   // it ends in an issuer that is not in the store
)

// Result is what a chain leads to.
type Result struct {
	Verdict Verdict
	// Served is the chain as sent: the very certificates that the rest is about.
	Served []*x509.Certificate
	// Leaf are the problems of the leaf itself, independent of the path.
	Leaf []Problem
	// Path is the best path: a valid one if there is one, otherwise the one that comes closest to the store.
	Path Path
	// Valid are all valid paths of sent certificates, best first. The best is the one that expires last.
	Valid []Path
	// Lookalike is a certificate with the name, but not the key, of the issuer that Path's tip lacks; nil if there is
	// none.
	Lookalike *Lookalike
	// Shadows are sent before a certificate of a valid path that is for the same name and key, and lead to no valid one themselves:
	// they have expired (Expired) or lead to no anchor (DeadEnd). Clients that take the first issuer that fits stop there.
	Shadows []Problem
	// Limited reports whether the walk was cut at its bounds: another path may exist.
	Limited bool
}

// Lookalike is a certificate with the name of an issuer, but not the key that signed the certificate below it.
type Lookalike struct {
	Certificate *x509.Certificate
	// Trusted reports whether it is in the store.
	Trusted bool
	// Claimed reports whether the key identifiers match or are absent, so that it is the signature that is wrong.
	Claimed bool
}

// Accepted reports whether a client that trusts the store accepts the chain. Problems for some clients only (an unstated
// usage) do not count.
func (r *Result) Accepted() bool {
	if len(r.Valid) == 0 {
		return false
	}
	for _, f := range r.Leaf {
		switch f.Kind {
		case UsageAbsent, UsageAny, UsageSignature, LeafIsCA, KeyUncommon:
		default:
			return false
		}
	}
	return true
}

// Public reports whether a path leads to a public root: a valid path, or the best one if none is valid.
func (r *Result) Public() bool {
	for _, p := range r.Valid {
		if p.Anchor.Public {
			return true
		}
	}
	return r.Path.Anchor != nil && r.Path.Anchor.Public
}

// Disputed returns the faults of some kinds that some clients alone see in the issuers of the best path, if every valid path has
// some.
func (r *Result) Disputed(kinds ...Kind) []Problem {
	of := func(p Path) []Problem {
		return slices.DeleteFunc(p.disputed(), func(f Problem) bool { return !slices.Contains(kinds, f.Kind) })
	}
	for _, p := range r.Valid {
		if len(of(p)) == 0 {
			return nil
		}
	}
	return of(r.Path)
}

// Query is the input of Build.
type Query struct {
	// Served is the chain as sent, the leaf first; the others in any order, possibly with unrelated ones. It is not empty.
	Served []*x509.Certificate
	// Fetched are issuers that AIA pointed at.
	Fetched []*x509.Certificate
	At      time.Time
}

// Build builds the paths from the leaf to the store. The result may be shared with others, and must not be changed; its certificates
// may be others than those of the query, of the same content (see Result.Served).
func Build(store *Store, q Query) *Result {
	if store != nil && store.cache != nil {
		return store.cache.build(store, q)
	}
	r, _ := build(store, q)
	return r
}

func build(store *Store, q Query) (*Result, *walk) {
	r := &Result{Served: q.Served, Leaf: LeafFaults(q.Served[0], q.At)}
	w := newWalk(store, q)
	sent := w.paths(false)
	if len(sent) > 0 {
		r.Verdict, r.Path = Trusted, sent[0]
		for _, p := range sent {
			if p.Valid() {
				r.Valid = append(r.Valid, p)
			}
		}
		r.Limited = w.limited
		r.Shadows = w.shadows(q, r)
		return r, w
	}
	if len(q.Fetched) > 0 {
		if fetched := w.paths(true); len(fetched) > 0 {
			r.Verdict, r.Path, r.Limited = Incomplete, fetched[0], w.limited
			return r, w
		}
	}
	r.Path = w.deadEnd()
	r.Verdict = w.verdict(r.Path)
	r.Lookalike = w.lookalike(r.Path.Tip())
	if l := r.Lookalike; l != nil && r.Verdict == Incomplete && (l.Trusted || l.Claimed) {
		r.Verdict = Untrusted // another issuer would not help; otherwise the right one of that name was left out
	}
	r.Limited = w.limited
	return r, w
}
