package topology

import (
	"cmp"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"slices"
	"strings"
	"time"

	"certdrift/internal/observation"
)

// Attachment is a certificate on a listener, with what is known about it.
type Attachment struct {
	observation.Attachment
	*Certificate // nil where its record was not read
	// Listed: it is in the listener's SNI list. A default certificate may be both.
	Listed bool
}

// Body is the attached certificate's body; nil where not known, or nothing is attached.
func (a *Attachment) Body() *x509.Certificate {
	if a == nil {
		return nil
	}
	return a.Certificate.Body()
}

// attachments resolves a listener's certificates: each once (AWS lists a default that is also in the SNI list twice), the
// default first.
func (t *Topology) attachments(l observation.Listener) []*Attachment {
	var out []*Attachment
	for _, a := range l.Certificates {
		if i := slices.IndexFunc(out, func(o *Attachment) bool { return o.ARN == a.ARN }); i >= 0 {
			out[i].Default, out[i].Listed = out[i].Default || a.Default, out[i].Listed || !a.Default
			continue
		}
		out = append(out, &Attachment{Attachment: a, Certificate: t.certificates[a.ARN], Listed: !a.Default})
	}
	slices.SortStableFunc(out, func(a, b *Attachment) int { return cmp.Compare(rank(a.Default), rank(b.Default)) })
	if len(out) > 0 && !out[0].Default { // a reader that marks none lists the default first
		out[0].Default, out[0].Listed = true, false
	}
	return out
}

func rank(first bool) int {
	if first {
		return 0
	}
	return 1
}

// selection is what Select found for a host; rules ask again and again.
type selection struct {
	attachment *Attachment
	known      bool
}

// Select returns the certificate that the listener serves to a client that asks for host; nil where none is attached.
// known is false where a certificate that could not be read, or was not listed, might be selected instead.
func (l *Listener) Select(host string) (a *Attachment, known bool) {
	s, cached := l.selections[host]
	if !cached {
		s.attachment, s.known = l.Held().Select(host, l.topology.Now)
		if l.selections == nil {
			l.selections = map[string]selection{}
		}
		l.selections[host] = s
	}
	return s.attachment, s.known
}

// Held is what the listener holds.
func (l *Listener) Held() Held {
	return Held{Kind: l.LoadBalancer.Kind, Attached: l.Attached, Open: l.LoadBalancer.Partial}
}

// Held is the certificates that a listener holds: now, or after an apply. All that is said about which one a client gets comes
// from here.
type Held struct {
	Kind     observation.LoadBalancerKind
	Attached []*Attachment // each once, the default first
	Open     bool          // it may hold others, which are not known
	// DefaultMayBeListed: the default certificate is in the SNI list as well, or not.
	DefaultMayBeListed bool
}

// Select returns the certificate that is served to a client that asks for host, or the likeliest one where known is false;
// nil where none is attached.
func (h Held) Select(host string, now time.Time) (a *Attachment, known bool) {
	candidates, known := h.Candidates(host, now)
	if len(candidates) == 0 {
		return nil, known
	}
	return candidates[0], known && len(candidates) == 1
}

// Candidates are the certificates that may be served to a client that asks for host, the likeliest first: just one where all are
// known. all is false where one that is not known may be served as well.
//
// A classic load balancer has just one. The others take the default only when no certificate of the SNI list matches the name
// (Elastic Load Balancing, "SSL certificates for your Application Load Balancer" and "Server certificates for your Network Load
// Balancer"); an IP address carries no SNI. One whose names are not known may match.
func (h Held) Candidates(host string, now time.Time) (candidates []*Attachment, all bool) {
	if len(h.Attached) == 0 {
		return nil, !h.Open
	}
	if h.DefaultMayBeListed && !h.Attached[0].Listed {
		return h.eitherWay(host, now)
	}
	if h.Kind == observation.Classic || IsIP(host) {
		return h.Attached[:1], true
	}
	matching, unread := h.matching(host)
	slices.SortStableFunc(matching, func(a, b *Attachment) int { return prefer(a, b, now) })
	switch {
	case len(matching) == 0:
		candidates = h.Attached[:1:1]
	case slices.ContainsFunc(matching, func(a *Attachment) bool { return a.Body() == nil }):
		candidates = matching // by its key, which is not known, any of them may be preferred
	default:
		candidates = matching[:1:1]
	}
	for _, a := range unread {
		if !slices.Contains(candidates, a) {
			candidates = append(candidates, a)
		}
	}
	return candidates, !h.Open
}

// eitherWay are the candidates with the default certificate in the SNI list, and those without.
func (h Held) eitherWay(host string, now time.Time) (candidates []*Attachment, all bool) {
	h.DefaultMayBeListed = false
	candidates, all = h.Candidates(host, now)
	h.Attached = slices.Clone(h.Attached)
	one := *h.Attached[0]
	one.Listed = true
	h.Attached[0] = &one
	more, _ := h.Candidates(host, now)
	for _, a := range more {
		if !slices.ContainsFunc(candidates, func(b *Attachment) bool { return a.ARN == b.ARN }) {
			candidates = append(candidates, a)
		}
	}
	return candidates, all
}

// matching are the certificates of the SNI list that cover host, and those that may.
func (h Held) matching(host string) (matching, unread []*Attachment) {
	for _, a := range h.Attached {
		switch {
		case !a.Listed:
		case a.Covers(host):
			matching = append(matching, a)
		case !a.Named() && !a.Missing():
			unread = append(unread, a)
		}
	}
	return matching, unread
}

// CouldServe returns the attachment that holds cert, if the listener may select it for host: which of several that match
// the load balancer takes is documented, not guaranteed. It returns nil for any other certificate.
func (l *Listener) CouldServe(host string, cert *x509.Certificate) *Attachment {
	if got, _ := l.Select(host); got != nil && got.Is(cert) {
		return got
	}
	if l.LoadBalancer.Kind == observation.Classic {
		return nil
	}
	matching, _ := l.Held().matching(host)
	for _, a := range matching {
		if a.Is(cert) {
			return a
		}
	}
	return nil
}

// Holding returns the attachment that holds a certificate; nil where none is known to.
func (l *Listener) Holding(cert *x509.Certificate) *Attachment {
	for _, a := range l.Attached {
		if cert != nil && a.Is(cert) {
			return a
		}
	}
	return nil
}

// Readable reports whether all certificates of the listener are known.
func (l *Listener) Readable() bool {
	return !l.LoadBalancer.Partial && !slices.ContainsFunc(l.Attached, func(a *Attachment) bool { return a.Body() == nil && !a.Missing() })
}

// Has reports whether a certificate is attached, by its ARN.
func (l *Listener) Has(arn string) bool { return l.attachment(arn) != nil }

func (l *Listener) attachment(arn string) *Attachment {
	for _, a := range l.Attached {
		if a.ARN == arn {
			return a
		}
	}
	return nil
}

// Receivers are the endpoints behind the listener whose clients get a certificate.
func (l *Listener) Receivers(arn string) []*Endpoint {
	if l.receivers == nil {
		l.receivers = map[string][]*Endpoint{}
		for _, e := range l.Endpoints {
			if a, _ := l.Select(e.Target.Host); a != nil && e.Target.Kind.Secured() {
				l.receivers[a.ARN] = append(l.receivers[a.ARN], e)
			}
		}
	}
	return l.receivers[arn]
}

// prefer orders certificates that match a name as an Application Load Balancer chooses among them: ECDSA before RSA,
// unexpired, stronger hash, longer key, longer validity (Elastic Load Balancing, "SSL certificates for your
// Application Load Balancer"). The ARN comes last, to be deterministic.
func prefer(a, b *Attachment, now time.Time) int {
	x, y := a.Body(), b.Body()
	if x == nil || y == nil {
		return cmp.Or(cmp.Compare(rank(x != nil), rank(y != nil)), strings.Compare(a.ARN, b.ARN))
	}
	return cmp.Or(
		cmp.Compare(rank(ecdsaKey(x)), rank(ecdsaKey(y))),
		cmp.Compare(rank(!a.Expired(now)), rank(!b.Expired(now))),
		cmp.Compare(hashBits(y), hashBits(x)),
		cmp.Compare(keyBits(y), keyBits(x)),
		y.NotAfter.Compare(x.NotAfter),
		strings.Compare(a.ARN, b.ARN),
	)
}

func ecdsaKey(c *x509.Certificate) bool { return c.PublicKeyAlgorithm == x509.ECDSA }

func hashBits(c *x509.Certificate) int {
	switch c.SignatureAlgorithm {
	case x509.SHA512WithRSA, x509.SHA512WithRSAPSS, x509.ECDSAWithSHA512:
		return 512
	case x509.SHA384WithRSA, x509.SHA384WithRSAPSS, x509.ECDSAWithSHA384:
		return 384
	case x509.SHA256WithRSA, x509.SHA256WithRSAPSS, x509.ECDSAWithSHA256:
		return 256
	case x509.SHA1WithRSA, x509.ECDSAWithSHA1, x509.DSAWithSHA1:
		return 160
	}
	return 0
}

func keyBits(c *x509.Certificate) int {
	switch key := c.PublicKey.(type) {
	case *rsa.PublicKey:
		return key.N.BitLen()
	case *ecdsa.PublicKey:
		return key.Curve.Params().BitSize
	}
	return 0
}
