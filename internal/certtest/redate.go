package certtest

import (
	"crypto"
	"encoding/asn1"
	"testing"

	"certdrift/internal/sim/pki"
)

// Redate signs a certificate again with notBefore, a UTCTime, unchanged as the start of its validity. The issuer has an ECDSA
// key. crypto/x509 writes only valid dates.
func Redate(t testing.TB, der []byte, issuer crypto.Signer, notBefore string) []byte {
	t.Helper()
	return edited(t, der, issuer, func(tbs *pki.TBS) {
		tbs.Validity.NotBefore = asn1.RawValue{Tag: asn1.TagUTCTime, Bytes: []byte(notBefore)}
	})
}

// Renumber signs a certificate again with a serial number of the given bytes, which may be negative.
func Renumber(t testing.TB, der []byte, issuer crypto.Signer, serial ...byte) []byte {
	t.Helper()
	return edited(t, der, issuer, func(tbs *pki.TBS) {
		tbs.Serial = asn1.RawValue{Tag: asn1.TagInteger, Bytes: serial}
	})
}

func edited(t testing.TB, der []byte, issuer crypto.Signer, edit func(*pki.TBS)) []byte {
	t.Helper()
	signed, err := pki.Resign(der, issuer, edit)
	if err != nil {
		t.Fatal(err)
	}
	return signed
}
