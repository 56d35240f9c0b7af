package chain

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/md5" //nolint:gosec // MD5 is recognized here, to be reported
	"crypto/rsa"
	"crypto/sha1" //nolint:gosec // as above
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"math/big"
)

// maxKeyBits bounds the RSA keys that are used: larger ones take too much time.
const maxKeyBits = 16384

// signature is the result of checking one signature.
type signature int

const (
	badSignature signature = iota
	goodSignature
	// unverifiable: no current client can check it, so whether it is valid is unknown.
	unverifiable
)

// checkSignature reports whether parent's key signed child. It checks only the signature, not whether parent may sign, and
// it accepts SHA-1 and MD5, which are problems of their own (see weakSignature).
func checkSignature(child, parent *x509.Certificate) signature {
	key, isRSA := parent.PublicKey.(*rsa.PublicKey)
	if isRSA && key.N.BitLen() > maxKeyBits {
		return unverifiable
	}
	if parent.CheckSignature(child.SignatureAlgorithm, child.RawTBSCertificate, child.Signature) == nil {
		return goodSignature
	}
	if isRSA {
		// crypto/rsa rejects all small keys and crypto/x509 all MD5 signatures, so check those here.
		if prefix, digest, ok := pkcs1Digest(child); ok {
			if verifyPKCS1(key, prefix, digest, child.Signature) {
				return goodSignature
			}
			return badSignature
		}
		if signedPSSWithSHA1(child) {
			if verifyPSSWithSHA1(key, child) {
				return goodSignature
			}
			return badSignature
		}
	}
	switch {
	case child.SignatureAlgorithm == x509.UnknownSignatureAlgorithm, child.SignatureAlgorithm == x509.MD2WithRSA,
		child.SignatureAlgorithm == x509.DSAWithSHA1, child.SignatureAlgorithm == x509.DSAWithSHA256,
		parent.PublicKeyAlgorithm == x509.UnknownPublicKeyAlgorithm:
		return unverifiable
	}
	return badSignature
}

// pkcs1Digest returns the DigestInfo prefix (RFC 8017 §9.2) and the digest of the signed data.
func pkcs1Digest(child *x509.Certificate) (prefix, digest []byte, ok bool) {
	hash := func(id byte, size byte) []byte { // the NIST hashes: 2.16.840.1.101.3.4.2.id
		return []byte{0x30, 0x11 + size, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, id, 0x05, 0x00, 0x04, size}
	}
	tbs := child.RawTBSCertificate
	switch child.SignatureAlgorithm {
	case x509.MD5WithRSA:
		sum := md5.Sum(tbs) //nolint:gosec // see the import
		return []byte{0x30, 0x20, 0x30, 0x0c, 0x06, 0x08, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x02, 0x05, 0x05, 0x00, 0x04, 0x10}, sum[:], true
	case x509.SHA1WithRSA:
		sum := sha1.Sum(tbs) //nolint:gosec // see the import
		return []byte{0x30, 0x21, 0x30, 0x09, 0x06, 0x05, 0x2b, 0x0e, 0x03, 0x02, 0x1a, 0x05, 0x00, 0x04, 0x14}, sum[:], true
	case x509.SHA256WithRSA:
		sum := sha256.Sum256(tbs)
		return hash(1, 32), sum[:], true
	case x509.SHA384WithRSA:
		sum := sha512.Sum384(tbs)
		return hash(2, 48), sum[:], true
	case x509.SHA512WithRSA:
		sum := sha512.Sum512(tbs)
		return hash(3, 64), sum[:], true
	}
	return nil, nil, false
}

// verifyPKCS1 is RSASSA-PKCS1-v1_5 verification (RFC 8017 §8.2.2) for keys of any size.
func verifyPKCS1(key *rsa.PublicKey, prefix, digest, sig []byte) bool {
	size := (key.N.BitLen() + 7) / 8
	padding := size - len(prefix) - len(digest) - 3
	s := new(big.Int).SetBytes(sig)
	if len(sig) != size || padding < 8 || key.N.Sign() <= 0 || key.E < 2 || s.Cmp(key.N) >= 0 {
		return false
	}
	want := make([]byte, 0, size)
	want = append(want, 0x00, 0x01)
	want = append(want, bytes.Repeat([]byte{0xff}, padding)...)
	want = append(want, 0x00)
	want = append(append(want, prefix...), digest...)
	got := s.Exp(s, big.NewInt(int64(key.E)), key.N).FillBytes(make([]byte, size))
	return bytes.Equal(got, want)
}

// weakSignature returns the algorithm if clients no longer accept it; empty for a strong one.
func weakSignature(cert *x509.Certificate) string {
	switch cert.SignatureAlgorithm {
	case x509.MD2WithRSA, x509.MD5WithRSA, x509.SHA1WithRSA, x509.ECDSAWithSHA1, x509.DSAWithSHA1, x509.DSAWithSHA256:
		return cert.SignatureAlgorithm.String()
	case x509.UnknownSignatureAlgorithm:
		if signedPSSWithSHA1(cert) {
			return pssWithSHA1
		}
	}
	return ""
}

// weakKey describes the key if clients no longer accept it (CA/B BR §6.1.5: RSA of 2048 bits, the curves P-256, P-384 and
// P-521); empty for a strong one.
func weakKey(cert *x509.Certificate) string {
	switch key := cert.PublicKey.(type) {
	case *rsa.PublicKey:
		if bits := key.N.BitLen(); bits < 2048 {
			return "RSA with " + big.NewInt(int64(bits)).String() + " bits"
		}
	case *ecdsa.PublicKey:
		if key.Curve.Params().BitSize < 256 {
			return "ECDSA on " + key.Curve.Params().Name
		}
	}
	if cert.PublicKeyAlgorithm == x509.DSA {
		return "DSA"
	}
	return ""
}

// selfSigned reports whether a certificate is its own issuer.
func selfSigned(cert *x509.Certificate) bool {
	return bytes.Equal(cert.RawSubject, cert.RawIssuer) && checkSignature(cert, cert) == goodSignature
}

// sameKey reports whether two certificates are for one key.
func sameKey(a, b *x509.Certificate) bool {
	key, ok := a.PublicKey.(interface{ Equal(crypto.PublicKey) bool })
	if ok && b.PublicKey != nil {
		return key.Equal(b.PublicKey)
	}
	return bytes.Equal(a.RawSubjectPublicKeyInfo, b.RawSubjectPublicKeyInfo)
}
