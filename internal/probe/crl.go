package probe

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"sync"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
	"certdrift/internal/probe/revocation"
)

// maxCRL bounds a certificate revocation list in bytes.
const maxCRL = 8 << 20

// The values of the configuration's revocation setting.
const (
	revocationFull = "full"
	revocationOff  = "off"
)

// askRevocation checks CRL and OCSP for every certificate of the path except the root, within the timeout of one phase. It
// queries all at once: a source that never answers must not use up the time of another that reports "revoked".
func (v *endpointProbe) askRevocation(ctx context.Context, peers, fetched []*x509.Certificate) []observation.Revocation {
	ctx, cancel := v.phase(ctx)
	defer cancel()
	sources := [...]func(context.Context, *x509.Certificate, *x509.Certificate) (observation.Revocation, bool){v.askCRL, v.askOCSP}
	up, index := v.path(peers, fetched)
	answers := make([]struct {
		observation.Revocation
		asked bool
		bug   any // the value of a panic
	}, len(up)*len(sources))
	var wg sync.WaitGroup
	for i, cert := range up {
		if selfSigned(cert) || index[i] < 0 {
			continue
		}
		issuer := v.issuerOf(cert, peers, fetched)
		for j, ask := range sources {
			wg.Go(func() {
				a := &answers[i*len(sources)+j]
				defer func() { a.bug = recover() }()
				a.Revocation, a.asked = ask(ctx, cert, issuer)
				a.Index = index[i]
			})
		}
	}
	wg.Wait()
	var out []observation.Revocation
	for _, a := range answers {
		switch {
		case a.bug != nil:
			panic(a.bug) // in this goroutine, where it ends the probe of the address and not the process
		case a.asked:
			out = append(out, a.Revocation)
		}
	}
	return out
}

// askCRL tries the lists at child's distribution points in order until one has an answer.
func (v *endpointProbe) askCRL(ctx context.Context, child, issuer *x509.Certificate) (observation.Revocation, bool) {
	var out observation.Revocation
	urls := references(child.CRLDistributionPoints)
	for _, from := range urls {
		l, err := v.listAt(ctx, from, issuer)
		if err == nil {
			err = l.Covers(child)
		}
		if err != nil {
			out = noAnswer(err)
		} else {
			out = l.About(child.SerialNumber)
		}
		out.Source, out.URL = observation.CRL, finding.Clean(from, 2*finding.QuoteLimit)
		if out.Status != observation.NoAnswer {
			break
		}
	}
	return out, len(urls) > 0
}

func (v *endpointProbe) listAt(ctx context.Context, from string, issuer *x509.Certificate) (*revocation.List, error) {
	if issuer == nil {
		return nil, errors.New("the issuer is unknown, so the signature cannot be checked")
	}
	now := v.now()
	key := fmt.Sprintf("crl %s%s %x", v.guard.Key(), from, sha256.Sum256(issuer.RawSubjectPublicKeyInfo))
	found, err := v.documents.get(ctx, key, now, func() document {
		select {
		case v.documents.lists <- struct{}{}:
			defer func() { <-v.documents.lists }()
		case <-ctx.Done():
			return document{err: ctx.Err()}
		}
		body, err := v.fetch(ctx, http.MethodGet, from, "", nil, maxCRL)
		if err != nil {
			return document{err: err}
		}
		l, err := revocation.ReadList(body, issuer)
		if err != nil {
			return document{err: err}
		}
		return document{value: l, until: l.NextUpdate, size: 96 * l.Len()}
	})
	l, _ := found.(*revocation.List)
	return l, err
}
