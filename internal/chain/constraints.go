package chain

import (
	"crypto/ed25519"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"time"
)

// maxNameChecks bounds how many pairs of a certificate and a constraining CA are compared in one walk.
const maxNameChecks = 256

// nameCheck is a CA with name constraints, and a certificate below it.
type nameCheck struct{ below, ca *x509.Certificate }

// nameConstraintFaults returns the CAs of a path that may not issue for the names below them (RFC 5280 §4.2.1.10).
func (w *walk) nameConstraintFaults(path []*x509.Certificate) []Problem {
	var fs []Problem
	for i := 1; i < len(path); i++ {
		if !hasExtension(path[i], oidNameConstraints) {
			continue
		}
		for _, below := range path[:i] {
			if err := w.namesFit(below, path[i]); err != nil {
				fs = append(fs, Problem{NameConstraint, path[i], err.Error()})
				break
			}
		}
	}
	return fs
}

var (
	oidNameConstraints = asn1.ObjectIdentifier{2, 5, 29, 30}
	oidSubjectAltName  = asn1.ObjectIdentifier{2, 5, 29, 17}
	oidKeyUsage        = asn1.ObjectIdentifier{2, 5, 29, 15}

	errTooManyNames = errors.New("too many name constraints to check")
)

func hasExtension(c *x509.Certificate, id asn1.ObjectIdentifier) bool {
	for _, e := range c.Extensions {
		if e.Id.Equal(id) {
			return true
		}
	}
	return false
}

// namesFit checks a certificate's names against a CA's constraints, once for each pair and within the bound.
func (w *walk) namesFit(below, ca *x509.Certificate) error {
	limits := w.limitsOf(ca)
	if limits.none() && !hasExtension(below, oidSubjectAltName) {
		return nil
	}
	pair := nameCheck{below, ca}
	if err, ok := w.names[pair]; ok {
		return err
	}
	if len(w.names) >= maxNameChecks {
		w.limited = true
		return errTooManyNames
	}
	var err error
	if hasExtension(below, oidSubjectAltName) {
		err = verifyNames(below, ca)
	}
	if err == nil {
		err = limits.fit(below)
	}
	w.names[pair] = err
	return err
}

// verifyNames checks whether a certificate's names fit a CA's constraints.
//
// x509.Verify does the matching, so that certdrift and Go's clients cannot disagree. Verify reads a certificate's struct
// fields: it gets copies with valid dates and usages, and a signature of a key made for the purpose, so that only the names
// can fail.
func verifyNames(below, ca *x509.Certificate) error {
	at := time.Unix(1<<30, 0)
	key := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)) // it signs nothing that leaves this function
	child, parent := plainCopy(below, at), plainCopy(ca, at)
	child.RawSubject, child.RawIssuer = []byte("child"), []byte("parent")
	parent.RawSubject, parent.RawIssuer = []byte("parent"), []byte("parent")
	parent.PublicKey, parent.PublicKeyAlgorithm = key.Public(), x509.Ed25519
	child.RawTBSCertificate, child.SignatureAlgorithm = []byte("names"), x509.PureEd25519
	child.Signature = ed25519.Sign(key, child.RawTBSCertificate)

	roots := x509.NewCertPool()
	roots.AddCert(parent)
	_, err := child.Verify(x509.VerifyOptions{Roots: roots, CurrentTime: at, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}})
	var invalid x509.CertificateInvalidError
	if errors.As(err, &invalid) && invalid.Reason == x509.CANotAuthorizedForThisName {
		return errors.New(invalid.Detail)
	}
	return err
}

// plainCopy returns a copy in which only the names can be invalid.
func plainCopy(c *x509.Certificate, at time.Time) *x509.Certificate {
	out := *c
	out.NotBefore, out.NotAfter = at.Add(-time.Hour), at.Add(time.Hour)
	out.Version, out.BasicConstraintsValid, out.IsCA = 3, true, true
	out.MaxPathLen, out.MaxPathLenZero, out.KeyUsage = -1, false, x509.KeyUsageCertSign
	out.UnhandledCriticalExtensions, out.SubjectKeyId, out.AuthorityKeyId = nil, nil, nil
	out.Policies, out.PolicyMappings = nil, nil
	out.RequireExplicitPolicy, out.RequireExplicitPolicyZero = 0, false
	out.InhibitPolicyMapping, out.InhibitPolicyMappingZero = 0, false
	out.InhibitAnyPolicy, out.InhibitAnyPolicyZero = 0, false
	return &out
}
