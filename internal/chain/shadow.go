package chain

import (
	"bytes"
	"crypto/x509"
	"slices"
)

// shadows returns Result.Shadows. A certificate beside an anchor's is none: clients find the anchor first, whatever is sent.
func (w *walk) shadows(q Query, r *Result) []Problem {
	if len(r.Valid) == 0 || r.Limited {
		return nil
	}
	issuers := r.Path.Certificates[1:max(1, len(r.Path.Certificates)-1)]
	var fs []Problem
	for i, cert := range q.Served {
		behind := func(c *x509.Certificate) bool {
			return bytes.Equal(c.RawSubject, cert.RawSubject) && sameKey(c, cert) && !c.Equal(cert) && slices.ContainsFunc(q.Served[i:], c.Equal)
		}
		if i == 0 || !slices.ContainsFunc(issuers, behind) {
			continue
		}
		switch valid := func(p Path) bool { return slices.ContainsFunc(p.Certificates, cert.Equal) }; {
		case slices.ContainsFunc(r.Valid, valid):
		case q.At.After(cert.NotAfter):
			fs = append(fs, Problem{Kind: Expired, Certificate: cert})
		case w.leadsNowhere(cert):
			fs = append(fs, Problem{Kind: DeadEnd, Certificate: cert})
		}
	}
	return fs
}

// leadsNowhere reports whether no anchor can be reached from a certificate of the walk.
func (w *walk) leadsNowhere(cert *x509.Certificate) bool {
	for _, n := range w.nodes {
		if n.cert.Equal(cert) {
			return n.distance == unreachable
		}
	}
	return false
}
