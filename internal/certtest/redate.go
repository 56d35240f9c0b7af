package certtest

import (
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"encoding/asn1"
	"testing"
)

// Redate signs a certificate again with notBefore, a UTCTime, unchanged as the start of its validity. The issuer has an ECDSA
// key. crypto/x509 writes only valid dates.
func Redate(t testing.TB, der []byte, issuer crypto.Signer, notBefore string) []byte {
	t.Helper()
	var outer struct {
		TBS struct {
			Version, Serial, Algorithm, Issuer asn1.RawValue
			Validity                           struct{ NotBefore, NotAfter asn1.RawValue }
			Subject, Key, Extensions           asn1.RawValue
		}
		Algorithm asn1.RawValue
		Signature asn1.BitString
	}
	if _, err := asn1.Unmarshal(der, &outer); err != nil {
		t.Fatal(err)
	}
	outer.TBS.Validity.NotBefore = asn1.RawValue{Tag: asn1.TagUTCTime, Bytes: []byte(notBefore)}
	digest := sha256.Sum256(marshal(t, outer.TBS))
	signature, err := issuer.Sign(rand.Reader, digest[:], crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	outer.Signature = asn1.BitString{Bytes: signature, BitLength: 8 * len(signature)}
	return marshal(t, outer)
}

func marshal(t testing.TB, value any) []byte {
	t.Helper()
	der, err := asn1.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return der
}
