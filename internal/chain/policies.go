package chain

import (
	"bytes"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/asn1"
	"encoding/binary"
	"errors"
	"time"
)

// maxPolicyChecks bounds how many certificates are checked for policies in one walk, over all paths.
const maxPolicyChecks = 512

var (
	oidPolicyConstraints = asn1.ObjectIdentifier{2, 5, 29, 36}
	oidExtKeyUsage       = asn1.ObjectIdentifier{2, 5, 29, 37}
)

// policyFaults returns the CA that requires a certificate policy of the certificates below it (RFC 5280 §4.2.1.11) if no
// policy is valid for the whole path. Without such a requirement policies cannot fail.
func (w *walk) policyFaults(path []*x509.Certificate) []Problem {
	for i := len(path) - 2; i >= 0; i-- { // an anchor's requirements are not part of the path (§6.1)
		c := path[i]
		if !hasExtension(c, oidPolicyConstraints) || c.RequireExplicitPolicy <= 0 && !c.RequireExplicitPolicyZero {
			continue
		}
		if w.policies += len(path); w.policies > maxPolicyChecks {
			w.limited = true
			return []Problem{{PolicyConstraint, c, "too many paths to check"}}
		}
		if policiesHold(path) {
			return nil
		}
		return []Problem{{PolicyConstraint, c, "no policy is valid for the whole path"}}
	}
	return nil
}

// policiesHold checks the policies of a path (§6.1 as updated by RFC 9618). Like verifyNames it uses x509.Verify, with copies
// in which only the policies can be invalid.
func policiesHold(path []*x509.Certificate) bool {
	at := time.Unix(1<<30, 0)
	copies := policyCopies(path, at)
	roots, inters := x509.NewCertPool(), x509.NewCertPool()
	for i, c := range copies[1:] {
		if i == len(copies)-2 {
			roots.AddCert(c)
		} else {
			inters.AddCert(c)
		}
	}
	_, err := copies[0].Verify(x509.VerifyOptions{
		Roots: roots, Intermediates: inters, CurrentTime: at, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
	})
	var invalid x509.CertificateInvalidError
	return !errors.As(err, &invalid) || invalid.Reason != x509.NoValidChains
}

// policyCopies returns plain copies of a path that keep the policies, each signed by the next. A self-issued certificate stays
// self-issued, since it is counted differently (§6.1.4 (h)).
func policyCopies(path []*x509.Certificate, at time.Time) []*x509.Certificate {
	out := make([]*x509.Certificate, len(path))
	name, signer := []byte("anchor"), policyKey(len(path))
	for i := len(path) - 1; i >= 0; i-- {
		from, c := path[i], plainCopy(path[i], at)
		c.Extensions = nil // names are not checked here
		c.Policies, c.PolicyMappings = from.Policies, from.PolicyMappings
		c.RequireExplicitPolicy, c.RequireExplicitPolicyZero = from.RequireExplicitPolicy, from.RequireExplicitPolicyZero
		c.InhibitPolicyMapping, c.InhibitPolicyMappingZero = from.InhibitPolicyMapping, from.InhibitPolicyMappingZero
		c.InhibitAnyPolicy, c.InhibitAnyPolicyZero = from.InhibitAnyPolicy, from.InhibitAnyPolicyZero
		c.RawIssuer = name
		if !bytes.Equal(from.RawSubject, from.RawIssuer) {
			name = binary.BigEndian.AppendUint32(nil, uint32(i)) //nolint:gosec // a path is short
		}
		c.RawSubject = name
		key := policyKey(i)
		c.PublicKey, c.PublicKeyAlgorithm = key.Public(), x509.Ed25519
		c.RawTBSCertificate, c.SignatureAlgorithm = []byte("policies"), x509.PureEd25519
		c.Signature = ed25519.Sign(signer, c.RawTBSCertificate)
		out[i], signer = c, key
	}
	return out
}

// policyKey is a key that signs nothing that leaves this file.
func policyKey(i int) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(binary.BigEndian.AppendUint32(make([]byte, ed25519.SeedSize-4), uint32(i))) //nolint:gosec // a path is short
}
