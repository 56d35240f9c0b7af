package probe

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"golang.org/x/crypto/ocsp"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
)

// maxOCSP bounds an OCSP answer in bytes.
const maxOCSP = 64 << 10

// readStaple reads the OCSP response that came with the handshake (RFC 6066 §8); it speaks of the leaf.
func (v *visit) readStaple(staple []byte, leaf, issuer *x509.Certificate) observation.Revocation {
	r := readOCSP(staple, leaf, issuer)
	r.Source = observation.Staple
	return r
}

// readOCSP reads a response (RFC 6960 §4.2) about child. What is not signed by the issuer or its delegate is no answer.
func readOCSP(der []byte, child, issuer *x509.Certificate) observation.Revocation {
	if issuer == nil {
		return noAnswer(errors.New("the issuer is not known, so its signature cannot be checked"))
	}
	response, err := parseOCSP(der, child)
	if err != nil {
		return noAnswer(fmt.Errorf("reading the OCSP response: %w", err))
	}
	out := observation.Revocation{ThisUpdate: response.ThisUpdate, NextUpdate: response.NextUpdate}
	err = signedFor(response, issuer)
	if err == nil {
		err = namesIssuer(response, child, issuer)
	}
	if err != nil {
		out.Status, out.Detail = observation.NoAnswer, detail(err)
		return out
	}
	out.Signed = true
	if d := response.Certificate; d != nil && (out.NextUpdate.IsZero() || d.NotAfter.Before(out.NextUpdate)) {
		// Clients check the responder's certificate at the time they read the response, and not when it was made.
		out.NextUpdate, out.Detail = d.NotAfter, "the OCSP responder's certificate ends before its response"
	}
	switch response.Status {
	case ocsp.Good:
		out.Status = observation.Good
	case ocsp.Revoked:
		out.Status = observation.Revoked
		out.RevokedAt, out.Reason = response.RevokedAt, reasonName(response.RevocationReason)
	default:
		out.Status = observation.Unknown
	}
	return out
}

// signedFor checks who signed (RFC 6960 §4.2.2.2): the issuer, or a responder whose certificate the issuer signed for
// that purpose. Without the purpose any certificate of the issuer could vouch for any other.
func signedFor(r *ocsp.Response, issuer *x509.Certificate) error {
	if r.Certificate == nil || bytes.Equal(r.Certificate.RawSubjectPublicKeyInfo, issuer.RawSubjectPublicKeyInfo) {
		if err := r.CheckSignatureFrom(issuer); err != nil {
			return fmt.Errorf("the OCSP response is not signed by the issuer: %w", err)
		}
		return nil
	}
	delegate := r.Certificate // ocsp has checked the response's signature against it
	switch {
	case !bytes.Equal(delegate.RawIssuer, issuer.RawSubject) || !signed(issuer, delegate):
		return errors.New("the OCSP response is signed by a certificate that the issuer did not sign")
	case !slices.Contains(delegate.ExtKeyUsage, x509.ExtKeyUsageOCSPSigning):
		return errors.New("the OCSP response is signed by a certificate without the purpose OCSPSigning")
	case r.ProducedAt.Before(delegate.NotBefore) || r.ProducedAt.After(delegate.NotAfter):
		return errors.New("the OCSP responder's certificate was not valid when it signed")
	}
	return nil
}

// askOCSP asks the responders of child in their order until one answers.
func (v *visit) askOCSP(ctx context.Context, child, issuer *x509.Certificate) (observation.Revocation, bool) {
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

func (v *visit) askResponder(ctx context.Context, responder string, child, issuer *x509.Certificate) observation.Revocation {
	if issuer == nil {
		return noAnswer(errors.New("the issuer is not known, so nothing can be asked"))
	}
	request, err := ocsp.CreateRequest(child, issuer, nil)
	if err != nil {
		return noAnswer(fmt.Errorf("making the OCSP request: %w", err))
	}
	key := fmt.Sprintf("ocsp %s%s %x", v.guard.licence(), responder, request)
	now := v.now()
	answer, err := v.documents.get(ctx, key, now, func() document {
		body, err := v.query(ctx, responder, request)
		return document{value: body, err: err, until: now.Add(5 * time.Minute), size: len(body)}
	})
	body, ok := answer.([]byte)
	if err != nil || !ok {
		return noAnswer(err)
	}
	return readOCSP(body, child, issuer)
}

// query posts the request and, where that is refused, puts it into the URL (RFC 6960 appendix A.1).
func (v *visit) query(ctx context.Context, responder string, request []byte) ([]byte, error) {
	body, err := v.fetch(ctx, http.MethodPost, responder, "application/ocsp-request", request, maxOCSP)
	if err == nil || ctx.Err() != nil || errors.As(err, new(*blockedError)) {
		return body, err
	}
	get := strings.TrimSuffix(responder, "/") + "/" + url.PathEscape(base64.StdEncoding.EncodeToString(request))
	if body, second := v.fetch(ctx, http.MethodGet, get, "", nil, maxOCSP); second == nil {
		return body, nil
	}
	return nil, err
}

func noAnswer(err error) observation.Revocation {
	out := observation.Revocation{Status: observation.NoAnswer}
	if err != nil {
		out.Detail, out.Blocked = detail(err), errors.As(err, new(*blockedError))
	}
	return out
}

// reasonName gives the name of RFC 5280 §5.3.1; empty where no reason was given.
func reasonName(code int) string {
	names := []string{"", "keyCompromise", "cACompromise", "affiliationChanged", "superseded", "cessationOfOperation",
		"certificateHold", "", "removeFromCRL", "privilegeWithdrawn", "aACompromise"}
	if code < 0 || code >= len(names) {
		return ""
	}
	return names[code]
}
