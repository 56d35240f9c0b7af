// Package certtest creates certificates that crypto/x509 refuses to create, revocation data, and servers on loopback. Only tests
// import it.
package certtest

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"math/big"
	"testing"
)

// Resign signs a certificate again that was signed with SHA-256 and RSA, with MD5 or SHA-1.
func Resign(t testing.TB, der []byte, issuer *rsa.PrivateKey, hash crypto.Hash) []byte {
	t.Helper()
	sha256WithRSA := []byte{0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b}
	last := map[crypto.Hash]byte{crypto.MD5: 0x04, crypto.SHA1: 0x05}[hash]
	if last == 0 || bytes.Count(der, sha256WithRSA) < 2 {
		t.Fatalf("resigning with %v: not a certificate signed with SHA-256 and RSA", hash)
	}
	weak := append(bytes.Clone(sha256WithRSA[:len(sha256WithRSA)-1]), last)
	var parts struct {
		TBS       asn1.RawValue
		Algorithm asn1.RawValue
		Signature asn1.BitString
	}
	if _, err := asn1.Unmarshal(bytes.ReplaceAll(der, sha256WithRSA, weak), &parts); err != nil {
		t.Fatal(err)
	}
	digest := hash.New()
	digest.Write(parts.TBS.FullBytes)
	signature := signPKCS1(t, issuer, hash, digest.Sum(nil))
	parts.Signature = asn1.BitString{Bytes: signature, BitLength: 8 * len(signature)}
	out, err := asn1.Marshal(parts)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := x509.ParseCertificate(out); err != nil {
		t.Fatal(err)
	}
	return out
}

// signPKCS1 implements the signature itself: crypto/rsa rejects keys below 1024 bits.
func signPKCS1(t testing.TB, key *rsa.PrivateKey, hash crypto.Hash, digest []byte) []byte {
	t.Helper()
	if key.N.BitLen() >= 1024 {
		signature, err := rsa.SignPKCS1v15(nil, key, hash, digest)
		if err != nil {
			t.Fatal(err)
		}
		return signature
	}
	prefix := []byte{0x30, 0x21, 0x30, 0x09, 0x06, 0x05, 0x2b, 0x0e, 0x03, 0x02, 0x1a, 0x05, 0x00, 0x04, 0x14} // SHA-1
	size := (key.N.BitLen() + 7) / 8
	em := append([]byte{0, 1}, bytes.Repeat([]byte{0xff}, size-3-len(prefix)-len(digest))...)
	em = append(append(append(em, 0), prefix...), digest...)
	s := new(big.Int).SetBytes(em)
	return s.Exp(s, key.D, key.N).FillBytes(make([]byte, size))
}
