package probe

import (
	"context"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/crypto/ocsp"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
	"certdrift/internal/probe/netguard"
	"certdrift/internal/probe/revocation"
)

// maxOCSP bounds an OCSP response in bytes.
const maxOCSP = 64 << 10

// askOCSP queries child's responders in order until one answers.
func (v *endpointProbe) askOCSP(ctx context.Context, child, issuer *x509.Certificate) (observation.Revocation, bool) {
	var out observation.Revocation
	urls := references(child.OCSPServer)
	for _, responder := range urls {
		out = v.askResponder(ctx, responder, child, issuer)
		out.Source, out.URL = observation.OCSP, finding.Clean(responder, 2*finding.QuoteLimit)
		if out.Status != observation.NoAnswer {
			break
		}
	}
	return out, len(urls) > 0
}

func (v *endpointProbe) askResponder(ctx context.Context, responder string, child, issuer *x509.Certificate) observation.Revocation {
	if issuer == nil {
		return noAnswer(errors.New("the issuer is unknown, so there is nothing to query"))
	}
	request, err := ocsp.CreateRequest(child, issuer, nil)
	if err != nil {
		return noAnswer(fmt.Errorf("making the OCSP request: %w", err))
	}
	key := fmt.Sprintf("ocsp %s%s %x", v.guard.Key(), responder, request)
	now := v.now()
	answer, err := v.documents.get(ctx, key, now, func() document {
		body, err := v.query(ctx, responder, request)
		return document{value: body, err: err, until: now.Add(5 * time.Minute), size: len(body)}
	})
	body, ok := answer.([]byte)
	if err != nil || !ok {
		return noAnswer(err)
	}
	return revocation.ReadOCSP(body, child, issuer)
}

// query posts the request and, if that fails, retries with the request in the URL (RFC 6960 appendix A.1).
func (v *endpointProbe) query(ctx context.Context, responder string, request []byte) ([]byte, error) {
	body, err := v.fetch(ctx, http.MethodPost, responder, "application/ocsp-request", request, maxOCSP)
	if err == nil || ctx.Err() != nil || errors.As(err, new(*netguard.BlockedError)) {
		return body, err
	}
	get := strings.TrimSuffix(responder, "/") + "/" + url.PathEscape(base64.StdEncoding.EncodeToString(request))
	if body, second := v.fetch(ctx, http.MethodGet, get, "", nil, maxOCSP); second == nil {
		return body, nil
	}
	return nil, err
}

// noAnswer is revocation.NoAnswer with network errors in the text of detail, and a mark on what the guard blocked.
func noAnswer(err error) observation.Revocation {
	out := revocation.NoAnswer(nil)
	if err != nil {
		out.Detail, out.Blocked = detail(err), errors.As(err, new(*netguard.BlockedError))
	}
	return out
}

// readStaple reads the OCSP response that came with the handshake (RFC 6066 §8); it is about the leaf.
func readStaple(staple []byte, leaf, issuer *x509.Certificate) observation.Revocation {
	r := revocation.ReadOCSP(staple, leaf, issuer)
	r.Source = observation.Staple
	return r
}
