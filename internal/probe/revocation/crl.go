package revocation

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"time"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"certdrift/internal/observation"
)

// List is a revocation list, checked and reduced to what is queried.
type List struct {
	ThisUpdate, NextUpdate time.Time
	revoked                map[string]revoked // by serial number
	scope                  scopeOfList
}

type revoked struct {
	at     int64 // Unix time
	reason int8
}

// About returns the status of a serial number; the caller must have checked Covers.
func (l *List) About(serial *big.Int) observation.Revocation {
	out := observation.Revocation{
		Status: observation.Good, Signed: true, ThisUpdate: l.ThisUpdate, NextUpdate: l.NextUpdate,
	}
	if r, ok := l.revoked[string(serial.Bytes())]; ok {
		out.Status, out.RevokedAt, out.Reason = observation.Revoked, time.Unix(r.at, 0).UTC(), reasonName(int(r.reason))
	} else if l.scope.reasons {
		return NoAnswer(errors.New("the CRL is limited to some reasons and does not list the certificate"))
	}
	return out
}

// ReadList reads a list (RFC 5280 §5), in DER or PEM, and checks that the issuer signed it.
func ReadList(body []byte, issuer *x509.Certificate) (*List, error) {
	if block, _ := pem.Decode(body); block != nil {
		body = block.Bytes
	}
	parsed, err := x509.ParseRevocationList(body)
	if err != nil {
		return nil, fmt.Errorf("reading the CRL: %w", err)
	}
	if !bytes.Equal(parsed.RawIssuer, issuer.RawSubject) {
		return nil, errors.New("the CRL is from another issuer")
	}
	if err := parsed.CheckSignatureFrom(issuer); err != nil {
		return nil, fmt.Errorf("the CRL is not signed by the issuer: %w", err)
	}
	l := &List{
		ThisUpdate: parsed.ThisUpdate, NextUpdate: parsed.NextUpdate,
		revoked: make(map[string]revoked, len(parsed.RevokedCertificateEntries)),
	}
	if l.scope, err = readScope(parsed); err != nil {
		return nil, err
	}
	const removeFromCRL = 8
	ours := true
	for _, e := range parsed.RevokedCertificateEntries {
		if ours = entryOf(e, issuer, ours); ours && e.ReasonCode != removeFromCRL {
			l.revoked[string(e.SerialNumber.Bytes())] = revoked{e.RevocationTime.Unix(), int8(e.ReasonCode)} //nolint:gosec // eleven reasons
		}
	}
	return l, nil
}

// entryOf reports whether an entry is about a certificate of issuer. An indirect list (RFC 5280 §5.3.3) names another CA where
// its entries begin; until then entries are of the list's own issuer.
func entryOf(e x509.RevocationListEntry, issuer *x509.Certificate, before bool) bool {
	for _, ext := range e.Extensions {
		if ext.Id.String() != "2.5.29.29" {
			continue
		}
		der, names, name := cryptobyte.String(ext.Value), cryptobyte.String(nil), cryptobyte.String(nil)
		return der.ReadASN1(&names, asn1.SEQUENCE) && names.ReadASN1(&name, asn1.Tag(4).ContextSpecific().Constructed()) &&
			bytes.Equal(name, issuer.RawSubject)
	}
	return before
}

// scopeOfList is a list's issuing distribution point (RFC 5280 §5.2.5). CAs split their lists: one that does not cover a
// certificate must not vouch for it.
type scopeOfList struct {
	names       []string // URIs of the distribution point; if empty, the whole CA's
	users, cas  bool     // only those
	reasons     bool     // limited to some reasons: certificates not listed may still be revoked
	unsupported bool     // for attribute certificates, or named in an unsupported way
}

func (s scopeOfList) covers(cert *x509.Certificate) error {
	switch {
	case s.unsupported:
		return errors.New("the CRL is for attribute certificates, or of an unsupported kind")
	case s.users && cert.IsCA, s.cas && !cert.IsCA:
		return errors.New("the CRL does not cover this kind of certificate")
	case len(s.names) > 0 && !slices.ContainsFunc(cert.CRLDistributionPoints, func(u string) bool { return slices.Contains(s.names, u) }):
		return errors.New("the CRL is for another distribution point")
	}
	return nil
}

// readScope reads the extensions that limit a list. Any other critical one makes it unusable (RFC 5280 §5.2).
func readScope(parsed *x509.RevocationList) (scopeOfList, error) {
	var s scopeOfList
	for _, e := range parsed.Extensions {
		switch {
		case e.Id.String() == "2.5.29.28":
			if !s.read(cryptobyte.String(e.Value)) {
				return s, errors.New("the CRL's issuing distribution point cannot be parsed")
			}
		case e.Id.String() == "2.5.29.27":
			return s, errors.New("the document is a delta CRL")
		case e.Critical:
			return s, fmt.Errorf("the CRL has the unknown critical extension %s", e.Id)
		}
	}
	return s, nil
}

func (s *scopeOfList) read(der cryptobyte.String) bool {
	var fields cryptobyte.String
	if !der.ReadASN1(&fields, asn1.SEQUENCE) || !der.Empty() {
		return false
	}
	for !fields.Empty() {
		var value cryptobyte.String
		var tag asn1.Tag
		if !fields.ReadAnyASN1(&value, &tag) {
			return false
		}
		set := len(value) == 1 && value[0] != 0
		switch tag {
		case asn1.Tag(0).ContextSpecific().Constructed():
			if !s.readNames(value) {
				return false
			}
		case asn1.Tag(1).ContextSpecific():
			s.users = set
		case asn1.Tag(2).ContextSpecific():
			s.cas = set
		case asn1.Tag(3).ContextSpecific(), asn1.Tag(3).ContextSpecific().Constructed():
			s.reasons = true
		case asn1.Tag(4).ContextSpecific(): // indirect: each entry names its CA
		default:
			s.unsupported = s.unsupported || set
		}
	}
	return true
}

// readNames reads the URIs of a DistributionPointName; a name relative to the issuer is not supported.
func (s *scopeOfList) readNames(point cryptobyte.String) bool {
	var names cryptobyte.String
	if !point.ReadASN1(&names, asn1.Tag(0).ContextSpecific().Constructed()) {
		s.unsupported = true
		return true
	}
	for !names.Empty() {
		var name cryptobyte.String
		var tag asn1.Tag
		if !names.ReadAnyASN1(&name, &tag) {
			return false
		}
		if tag == asn1.Tag(6).ContextSpecific() {
			s.names = append(s.names, string(name))
		}
	}
	return true
}

// Len returns how many certificates the list revokes.
func (l *List) Len() int { return len(l.revoked) }

// Covers returns why the list does not cover a certificate; nil if it does. CAs split their lists.
func (l *List) Covers(cert *x509.Certificate) error { return l.scope.covers(cert) }
