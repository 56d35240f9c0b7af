package certtest

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"encoding/asn1"
	"testing"
)

// ResignPSS signs a version 3 certificate again by RSASSA-PSS with its default parameters, which mean SHA-1 (RFC 4055 §3.1).
func ResignPSS(t testing.TB, der []byte, issuer *rsa.PrivateKey) []byte {
	t.Helper()
	check := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	var parts struct {
		TBS       []asn1.RawValue
		Algorithm asn1.RawValue
		Signature asn1.BitString
	}
	_, err := asn1.Unmarshal(der, &parts)
	check(err)
	parts.Algorithm = asn1.RawValue{FullBytes: []byte{0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0a, 0x30, 0x00}}
	parts.TBS[2] = parts.Algorithm
	tbs, err := asn1.Marshal(parts.TBS)
	check(err)
	digest := sha1.Sum(tbs)
	signature, err := rsa.SignPSS(rand.Reader, issuer, crypto.SHA1, digest[:], nil)
	check(err)
	parts.Signature = asn1.BitString{Bytes: signature, BitLength: 8 * len(signature)}
	out, err := asn1.Marshal(parts)
	check(err)
	return out
}
