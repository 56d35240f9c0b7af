package chain

import (
	"crypto/ed25519"
	"crypto/x509"
	"encoding/asn1"
	"time"
)

// nameConstraintFaults finds the CAs of a path that may not issue for the names below them (RFC 5280 §4.2.1.10).
//
// The matching is left to x509.Verify, so that certdrift and Go's clients cannot disagree. Verify reads a certificate's
// struct fields: it is given copies with sound dates and usages, and signatures of a key made for the purpose, so that
// names are all it can object to; each CA's constraints are asked about alone.
func nameConstraintFaults(path []*x509.Certificate) []Fault {
	var fs []Fault
	for i := 1; i < len(path); i++ {
		if !hasExtension(path[i], oidNameConstraints) {
			continue
		}
		if err := verifyNames(path, i); err != nil {
			fs = append(fs, Fault{NameConstraint, path[i], err.Error()})
		}
	}
	return fs
}

var oidNameConstraints = asn1.ObjectIdentifier{2, 5, 29, 30}

func hasExtension(c *x509.Certificate, id asn1.ObjectIdentifier) bool {
	for _, e := range c.Extensions {
		if e.Id.Equal(id) {
			return true
		}
	}
	return false
}

// verifyNames asks whether the names of path fit the constraints of its i-th certificate.
func verifyNames(path []*x509.Certificate, i int) error {
	at := time.Unix(1<<30, 0)
	copies := make([]*x509.Certificate, 0, len(path))
	for j, c := range path[:i+1] {
		copies = append(copies, plainCopy(c, at, j == i))
	}
	for j, c := range copies {
		signer := keyFor(min(j+1, i))
		c.RawTBSCertificate = c.Raw
		c.Signature = ed25519.Sign(signer, c.RawTBSCertificate)
		c.SignatureAlgorithm, c.PublicKeyAlgorithm = x509.PureEd25519, x509.Ed25519
		c.PublicKey = keyFor(j).Public()
		// Names are numbered, so that Verify finds this one path and sees no loop in it.
		c.RawSubject, c.RawIssuer = []byte{byte(j), byte(j >> 8)}, []byte{byte(min(j+1, i)), byte(min(j+1, i) >> 8)}
	}
	roots, between := x509.NewCertPool(), x509.NewCertPool()
	roots.AddCert(copies[i])
	for _, c := range copies[1:i] {
		between.AddCert(c)
	}
	_, err := copies[0].Verify(x509.VerifyOptions{
		Roots: roots, Intermediates: between, CurrentTime: at, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
	})
	if invalid, ok := err.(x509.CertificateInvalidError); ok && invalid.Reason == x509.CANotAuthorizedForThisName {
		return constraintError(invalid.Detail)
	}
	return err
}

type constraintError string

func (e constraintError) Error() string { return string(e) }

// plainCopy is a copy that nothing but its names can be held against.
func plainCopy(c *x509.Certificate, at time.Time, constrain bool) *x509.Certificate {
	out := *c
	out.NotBefore, out.NotAfter = at.Add(-time.Hour), at.Add(time.Hour)
	out.Version, out.BasicConstraintsValid, out.IsCA = 3, true, true
	out.MaxPathLen, out.MaxPathLenZero, out.KeyUsage = -1, false, x509.KeyUsageCertSign
	out.UnhandledCriticalExtensions, out.SubjectKeyId, out.AuthorityKeyId = nil, nil, nil
	out.Policies, out.PolicyMappings = nil, nil
	out.RequireExplicitPolicy, out.RequireExplicitPolicyZero = 0, false
	out.InhibitPolicyMapping, out.InhibitPolicyMappingZero = 0, false
	out.InhibitAnyPolicy, out.InhibitAnyPolicyZero = 0, false
	if !constrain {
		out.Extensions = nil
		for _, e := range c.Extensions {
			if !e.Id.Equal(oidNameConstraints) {
				out.Extensions = append(out.Extensions, e)
			}
		}
	}
	return &out
}

// keyFor is the key of the i-th copy. It signs nothing that leaves this file.
func keyFor(i int) ed25519.PrivateKey {
	seed := make([]byte, ed25519.SeedSize)
	seed[0], seed[1] = byte(i), byte(i>>8)
	return ed25519.NewKeyFromSeed(seed)
}
