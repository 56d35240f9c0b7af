package chain

import (
	"bytes"
	"crypto/x509"
	"encoding/asn1"
	"sync"
	"time"
)

// Anchor is a certificate that is trusted as is.
type Anchor struct {
	Certificate *x509.Certificate
	// Constraint limits what the anchor is trusted for, beyond its certificate (a distrust date). Its argument is the
	// path without the anchor, leaf first. nil for no limit.
	Constraint func([]*x509.Certificate) error
	// Public reports whether the anchor is a public root, bound by the CA/Browser Forum's rules.
	Public bool
	// Removal is when the trust store's maintainer will remove the anchor, DistrustAfter the date after which what it issues is not trusted;
	// zero where no date is known.
	Removal, DistrustAfter time.Time
}

// RawAnchor is an anchor that is parsed when it is first needed.
type RawAnchor struct {
	DER        []byte
	Constraint func([]*x509.Certificate) error
	Public     bool
	// Dates returns the anchor's Removal and DistrustAfter; nil for none.
	Dates func(*x509.Certificate) (removal, distrustAfter time.Time)
}

// Store is a trust store, indexed by subject. It does not change and is safe for concurrent use.
type Store struct {
	below     *Store
	cache     *Cache // nil for none
	bySubject map[string][]func() *Anchor
	size      int
}

// NewStore returns a store of anchors.
func NewStore(anchors []Anchor) *Store {
	s := &Store{bySubject: make(map[string][]func() *Anchor, len(anchors))}
	for i := range anchors {
		a := anchors[i]
		s.add(a.Certificate.RawSubject, func() *Anchor { return &a })
	}
	return s
}

// NewLazyStore returns a store of anchors, each parsed when a chain leads to it. It skips what is not a certificate.
func NewLazyStore(anchors []RawAnchor) *Store {
	s := &Store{bySubject: make(map[string][]func() *Anchor, len(anchors))}
	for _, raw := range anchors {
		subject, ok := rawSubject(raw.DER)
		if !ok {
			continue
		}
		s.add(subject, sync.OnceValue(func() *Anchor {
			cert, err := x509.ParseCertificate(raw.DER)
			if err != nil {
				return nil
			}
			a := &Anchor{Certificate: cert, Constraint: raw.Constraint, Public: raw.Public}
			if raw.Dates != nil {
				a.Removal, a.DistrustAfter = raw.Dates(cert)
			}
			return a
		}))
	}
	return s
}

func (s *Store) add(subject []byte, get func() *Anchor) {
	s.bySubject[string(subject)] = append(s.bySubject[string(subject)], get)
	s.size++
}

// Caching returns a store of the same anchors that remembers in a cache where chains lead.
func (s *Store) Caching(c *Cache) *Store { return &Store{below: s, cache: c} }

// Cached returns the store itself if it has a cache, and otherwise one with a cache of its own; an empty one for nil.
func (s *Store) Cached() *Store {
	if s != nil && s.cache != nil {
		return s
	}
	return s.Caching(NewCache())
}

// With returns a store that contains private CAs (DER) too; what is no certificate is left out. The store itself is not modified.
func (s *Store) With(cas [][]byte) *Store {
	if len(cas) == 0 {
		return s
	}
	if s == nil {
		s = NewStore(nil)
	}
	return s.cache.with(s, cas, func() *Store {
		var anchors []Anchor
		for _, der := range cas {
			if ca, err := x509.ParseCertificate(der); err == nil {
				anchors = append(anchors, Anchor{Certificate: ca})
			}
		}
		top := NewStore(anchors)
		top.below, top.cache = s, s.cache
		return top
	})
}

// Len returns how many anchors the store contains.
func (s *Store) Len() int {
	if s == nil {
		return 0
	}
	return s.size + s.below.Len()
}

// Issuers returns the anchors whose name and key issued a certificate.
func (s *Store) Issuers(child *x509.Certificate) []*x509.Certificate {
	if s == nil {
		return nil
	}
	var found []*x509.Certificate
	for _, a := range s.named(child.RawIssuer) {
		if s.cache.signed(child, a.Certificate) == goodSignature {
			found = append(found, a.Certificate)
		}
	}
	return found
}

// named returns the anchors with a subject, each certificate once.
func (s *Store) named(subject []byte) []*Anchor {
	var found []*Anchor
	for ; s != nil; s = s.below {
		for _, get := range s.bySubject[string(subject)] {
			if a := get(); a != nil {
				found = merge(found, a)
			}
		}
	}
	return found
}

// merge adds an anchor. One that an operator configures in addition to the public store stays public and loses the store's
// limits: it is trusted by choice.
func merge(found []*Anchor, a *Anchor) []*Anchor {
	for i, b := range found {
		if !bytes.Equal(a.Certificate.Raw, b.Certificate.Raw) {
			continue
		}
		both := Anchor{Certificate: b.Certificate, Public: a.Public || b.Public}
		if a.Constraint != nil && b.Constraint != nil {
			both.Constraint = b.Constraint
		}
		found[i] = &both
		return found
	}
	return append(found, a)
}

// find returns the anchor that is this certificate; nil if there is none.
func (s *Store) find(cert *x509.Certificate) *Anchor {
	for _, a := range s.named(cert.RawSubject) {
		if bytes.Equal(a.Certificate.Raw, cert.Raw) {
			return a
		}
	}
	return nil
}

// rawSubject extracts the subject of a certificate without parsing the rest.
func rawSubject(der []byte) ([]byte, bool) {
	var outer struct {
		TBS struct {
			Version            int `asn1:"optional,explicit,default:0,tag:0"`
			Serial             asn1.RawValue
			SignatureAlgorithm asn1.RawValue
			Issuer             asn1.RawValue
			Validity           asn1.RawValue
			Subject            asn1.RawValue
			Key                asn1.RawValue
			Rest               []asn1.RawValue `asn1:"optional,omitempty"`
		}
		SignatureAlgorithm asn1.RawValue
		Signature          asn1.RawValue
	}
	if _, err := asn1.Unmarshal(der, &outer); err != nil {
		return nil, false
	}
	return outer.TBS.Subject.FullBytes, true
}
