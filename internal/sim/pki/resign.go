package pki

import (
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"encoding/asn1"
	"fmt"
)

// TBS is the part of a certificate that is signed (RFC 5280 §4.1.2), in the raw.
type TBS struct {
	Version, Serial, Algorithm, Issuer asn1.RawValue
	Validity                           struct{ NotBefore, NotAfter asn1.RawValue }
	Subject, Key, Extensions           asn1.RawValue
}

// Resign signs a certificate again after edit has changed it, into one that crypto/x509 would not make. The issuer has an ECDSA
// key.
func Resign(der []byte, issuer crypto.Signer, edit func(*TBS)) ([]byte, error) {
	var outer struct {
		TBS       TBS
		Algorithm asn1.RawValue
		Signature asn1.BitString
	}
	if _, err := asn1.Unmarshal(der, &outer); err != nil {
		return nil, fmt.Errorf("reading a certificate: %w", err)
	}
	edit(&outer.TBS)
	tbs, err := asn1.Marshal(outer.TBS)
	if err != nil {
		return nil, fmt.Errorf("writing a certificate: %w", err)
	}
	digest := sha256.Sum256(tbs)
	signature, err := issuer.Sign(rand.Reader, digest[:], crypto.SHA256)
	if err != nil {
		return nil, fmt.Errorf("signing a certificate: %w", err)
	}
	outer.Signature = asn1.BitString{Bytes: signature, BitLength: 8 * len(signature)}
	signed, err := asn1.Marshal(outer)
	if err != nil {
		return nil, fmt.Errorf("writing a certificate: %w", err)
	}
	return signed, nil
}
