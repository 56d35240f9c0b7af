// Package revocation reads the revocation status of a certificate: OCSP responses (RFC 6960), stapled or queried, and
// certificate revocation lists (RFC 5280 §5). An answer counts only if it is signed by the issuer or its delegate and is
// about this certificate. It is pure: package probe fetches.
package revocation

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/crypto/ocsp"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
)

// NoAnswer returns the observation that a source gave no usable answer, and why.
func NoAnswer(err error) observation.Revocation {
	out := observation.Revocation{Status: observation.NoAnswer}
	if err != nil {
		out.Detail = finding.Clean(err.Error(), finding.QuoteLimit)
	}
	return out
}

// ReadOCSP reads a response (RFC 6960 §4.2) about child, whose issuer may be nil. A response that is not signed by the
// issuer or its delegate is not an answer.
func ReadOCSP(der []byte, child, issuer *x509.Certificate) observation.Revocation {
	if issuer == nil {
		return NoAnswer(errors.New("the issuer is unknown, so the signature cannot be checked"))
	}
	response, err := parseOCSP(der, child)
	if err != nil {
		return NoAnswer(fmt.Errorf("reading the OCSP response: %w", err))
	}
	out := observation.Revocation{ThisUpdate: response.ThisUpdate, NextUpdate: response.NextUpdate}
	err = signedFor(response, issuer)
	if err == nil {
		err = namesIssuer(response, child, issuer)
	}
	if err != nil {
		out.Status, out.Detail = observation.NoAnswer, finding.Clean(err.Error(), finding.QuoteLimit)
		return out
	}
	out.Signed = true
	if d := response.Certificate; d != nil && (out.NextUpdate.IsZero() || d.NotAfter.Before(out.NextUpdate)) {
		// Clients check the responder's certificate when they read the response, not when it was made.
		out.NextUpdate, out.Detail = d.NotAfter, "the OCSP responder's certificate expires before its response"
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

// signedFor checks the signer (RFC 6960 §4.2.2.2): the issuer, or a responder whose certificate the issuer signed for that
// purpose. Without the purpose, any certificate of the issuer could vouch for any other.
func signedFor(r *ocsp.Response, issuer *x509.Certificate) error {
	if r.Certificate == nil || bytes.Equal(r.Certificate.RawSubjectPublicKeyInfo, issuer.RawSubjectPublicKeyInfo) {
		if err := r.CheckSignatureFrom(issuer); err != nil {
			return fmt.Errorf("the OCSP response is not signed by the issuer: %w", err)
		}
		return nil
	}
	delegate := r.Certificate // ocsp has checked the response's signature against it
	switch {
	case !bytes.Equal(delegate.RawIssuer, issuer.RawSubject) || !signedBy(delegate, issuer):
		return errors.New("the OCSP response is signed by a certificate that the issuer did not sign")
	case !slices.Contains(delegate.ExtKeyUsage, x509.ExtKeyUsageOCSPSigning):
		return errors.New("the OCSP response is signed by a certificate without the extended key usage OCSPSigning")
	case r.ProducedAt.Before(delegate.NotBefore) || r.ProducedAt.After(delegate.NotAfter):
		return errors.New("the OCSP responder's certificate was not valid when it signed")
	}
	return nil
}

// reasonName returns the name from RFC 5280 §5.3.1; empty if there is none.
func reasonName(code int) string {
	names := []string{"", "keyCompromise", "cACompromise", "affiliationChanged", "superseded", "cessationOfOperation",
		"certificateHold", "", "removeFromCRL", "privilegeWithdrawn", "aACompromise"}
	if code < 0 || code >= len(names) {
		return ""
	}
	return names[code]
}

// signedBy reports whether the issuer's key made the certificate's signature.
func signedBy(cert, issuer *x509.Certificate) bool {
	return issuer.CheckSignature(cert.SignatureAlgorithm, cert.RawTBSCertificate, cert.Signature) == nil
}
