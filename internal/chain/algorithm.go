package chain

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha1" //nolint:gosec // SHA-1 is recognized here, to be reported
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
)

const pssWithSHA1 = "RSASSA-PSS with SHA-1"

// SignatureName returns the name of a signature's algorithm, or its object identifier if it is unknown.
func SignatureName(cert *x509.Certificate) string {
	if cert.SignatureAlgorithm != x509.UnknownSignatureAlgorithm {
		return cert.SignatureAlgorithm.String()
	}
	if signedPSSWithSHA1(cert) {
		return pssWithSHA1
	}
	id := algorithmIdentifier(cert).Algorithm.String()
	names := map[string]string{
		"1.2.840.113549.1.1.10": "RSASSA-PSS", "1.2.840.113549.1.1.14": "SHA224-RSA", "1.2.840.10045.4.3.1": "ECDSA-SHA224",
	}
	if name, ok := names[id]; ok {
		return name
	}
	return "algorithm " + id
}

func algorithmIdentifier(cert *x509.Certificate) pkix.AlgorithmIdentifier {
	var outer struct {
		TBS       asn1.RawValue
		Algorithm pkix.AlgorithmIdentifier
		Signature asn1.BitString
	}
	_, _ = asn1.Unmarshal(cert.Raw, &outer) // no algorithm if it cannot be parsed
	return outer.Algorithm
}

// signedPSSWithSHA1 reports whether the parameters name SHA-1 and its mask, or omit them, which means both (RFC 4055
// §3.1).
func signedPSSWithSHA1(cert *x509.Certificate) bool {
	a := algorithmIdentifier(cert)
	if !a.Algorithm.Equal(asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 10}) {
		return false
	}
	var params struct {
		Hash pkix.AlgorithmIdentifier `asn1:"explicit,tag:0,optional"`
		MGF  pkix.AlgorithmIdentifier `asn1:"explicit,tag:1,optional"`
		Salt int                      `asn1:"explicit,tag:2,optional,default:20"`
		Tail int                      `asn1:"explicit,tag:3,optional,default:1"`
	}
	if rest, err := asn1.Unmarshal(a.Parameters.FullBytes, &params); err != nil || len(rest) > 0 {
		return false
	}
	mask := pkix.AlgorithmIdentifier{}
	if _, err := asn1.Unmarshal(params.MGF.Parameters.FullBytes, &mask); err != nil && params.MGF.Algorithm != nil {
		return false
	}
	sha1ID := asn1.ObjectIdentifier{1, 3, 14, 3, 2, 26}
	return (params.Hash.Algorithm == nil || params.Hash.Algorithm.Equal(sha1ID)) &&
		(params.MGF.Algorithm == nil || mask.Algorithm.Equal(sha1ID))
}

func verifyPSSWithSHA1(key *rsa.PublicKey, cert *x509.Certificate) bool {
	digest := sha1.Sum(cert.RawTBSCertificate) //nolint:gosec // see the import
	return rsa.VerifyPSS(key, crypto.SHA1, digest[:], cert.Signature, nil) == nil
}
