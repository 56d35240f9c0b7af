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
			out[i].Default = out[i].Default || a.Default
			continue
		}
		out = append(out, &Attachment{Attachment: a, Certificate: t.certificates[a.ARN]})
	}
	slices.SortStableFunc(out, func(a, b *Attachment) int { return cmp.Compare(rank(a.Default), rank(b.Default)) })
	if len(out) > 0 {
		out[0].Default = true // a reader that marks none lists the default first
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
//
// A classic load balancer has just one. The others take the default only when no certificate of the list matches the SNI
// name; an IP address carries no SNI.
func (l *Listener) Select(host string) (a *Attachment, known bool) {
	s, cached := l.selections[host]
	if !cached {
		s.attachment, s.known = l.selectCertificate(host)
		if l.selections == nil {
			l.selections = map[string]selection{}
		}
		l.selections[host] = s
	}
	return s.attachment, s.known
}

func (l *Listener) selectCertificate(host string) (a *Attachment, known bool) {
	if len(l.Attached) == 0 {
		return nil, !l.LoadBalancer.Partial
	}
	byDefault := l.Attached[0]
	if l.LoadBalancer.Kind == observation.Classic || IsIP(host) {
		return byDefault, true
	}
	matching, known := l.matching(host)
	if len(matching) == 0 {
		return byDefault, known
	}
	slices.SortStableFunc(matching, func(a, b *Attachment) int { return prefer(a, b, l.topology.Now) })
	return matching[0], known
}

// matching are the certificates of the SNI list that cover host.
func (l *Listener) matching(host string) (matching []*Attachment, known bool) {
	known = !l.LoadBalancer.Partial
	for _, a := range l.Attached {
		switch {
		case a.Default && len(l.Attached) == 1:
		case a.Default && !l.listed(a.ARN):
		case !a.Named():
			known = known && a.Missing()
		case a.Covers(host):
			matching = append(matching, a)
		}
	}
	return matching, known
}

// listed reports whether an ARN is in the SNI list, beside being the default.
func (l *Listener) listed(arn string) bool {
	return slices.ContainsFunc(l.Certificates, func(a observation.Attachment) bool { return a.ARN == arn && !a.Default })
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
	matching, _ := l.matching(host)
	for _, a := range matching {
		if a.Is(cert) {
			return a
		}
	}
	return nil
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
