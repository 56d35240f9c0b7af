package judge

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

// attachment is a certificate on a listener, with what is known of it.
type attachment struct {
	observation.Attachment
	*held // nil where its record was not read
}

// attach resolves a listener's certificates: each once (AWS lists a default that also stands in the SNI list twice),
// the default first.
func (w *world) attach(l observation.Listener) []*attachment {
	var out []*attachment
	for _, a := range l.Certificates {
		if i := slices.IndexFunc(out, func(o *attachment) bool { return o.ARN == a.ARN }); i >= 0 {
			out[i].Default = out[i].Default || a.Default
			continue
		}
		out = append(out, &attachment{Attachment: a, held: w.certificates[a.ARN]})
	}
	slices.SortStableFunc(out, func(a, b *attachment) int { return cmp.Compare(rank(a.Default), rank(b.Default)) })
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

// offer is the certificate that the listener gives a client that asks for host. known is false where one that could not
// be read, or was not listed, might be it.
//
// A classic load balancer has just one. The others take the default only when no certificate of the list matches the
// SNI name; an IP address carries no SNI.
func (l *listener) offer(host string) (a *attachment, known bool) {
	o, ok := l.offers[host]
	if !ok {
		o.attachment, o.known = l.choose(host)
		if l.offers == nil {
			l.offers = map[string]offered{}
		}
		l.offers[host] = o
	}
	return o.attachment, o.known
}

// offered is what offer found for a host; rules ask again and again.
type offered struct {
	attachment *attachment
	known      bool
}

func (l *listener) choose(host string) (a *attachment, known bool) {
	if len(l.attached) == 0 {
		return nil, !l.loadBalancer.Partial
	}
	byDefault := l.attached[0]
	if l.loadBalancer.Kind == observation.Classic || isIP(host) {
		return byDefault, true
	}
	matching, known := l.matching(host)
	if len(matching) == 0 {
		return byDefault, known
	}
	slices.SortStableFunc(matching, func(a, b *attachment) int { return prefer(a, b, l.world.now) })
	return matching[0], known
}

// matching are the certificates of the SNI list that cover host.
func (l *listener) matching(host string) (matching []*attachment, known bool) {
	known = !l.loadBalancer.Partial
	for _, a := range l.attached {
		switch {
		case a.Default && len(l.attached) == 1:
		case a.Default && !l.listed(a.ARN):
		case !a.named():
			known = known && a.held != nil && a.record.Missing
		case a.covers(host):
			matching = append(matching, a)
		}
	}
	return matching, known
}

// listed reports whether an ARN stands in the SNI list, beside being the default.
func (l *listener) listed(arn string) bool {
	return slices.ContainsFunc(l.Certificates, func(a observation.Attachment) bool { return a.ARN == arn && !a.Default })
}

// prefer orders certificates that match a name as an Application Load Balancer chooses among them: ECDSA before RSA,
// unexpired, stronger hash, longer key, longer validity (Elastic Load Balancing, "SSL certificates for your
// Application Load Balancer"). The ARN comes last, to be deterministic.
func prefer(a, b *attachment, now time.Time) int {
	if a.leaf == nil || b.leaf == nil {
		return cmp.Or(cmp.Compare(rank(a.leaf != nil), rank(b.leaf != nil)), strings.Compare(a.ARN, b.ARN))
	}
	return cmp.Or(
		cmp.Compare(rank(ecdsaKey(a.leaf)), rank(ecdsaKey(b.leaf))),
		cmp.Compare(rank(!a.expired(now)), rank(!b.expired(now))),
		cmp.Compare(hashBits(b.leaf), hashBits(a.leaf)),
		cmp.Compare(keyBits(b.leaf), keyBits(a.leaf)),
		b.leaf.NotAfter.Compare(a.leaf.NotAfter),
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

// wanted are the endpoints behind the listener that get a certificate of its.
func (l *listener) wanted(arn string) []*endpoint {
	if l.takers == nil {
		l.takers = map[string][]*endpoint{}
		for _, e := range l.endpoints {
			if a, _ := l.offer(e.Target.Host); a != nil && e.Target.Kind.Secured() {
				l.takers[a.ARN] = append(l.takers[a.ARN], e)
			}
		}
	}
	return l.takers[arn]
}
