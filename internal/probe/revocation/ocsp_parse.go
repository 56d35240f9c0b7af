package revocation

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"math/big"
	"time"

	"golang.org/x/crypto/ocsp"
)

// maxResponderCerts bounds how many certificates of an OCSP response are tried as its signer.
const maxResponderCerts = 8

// ocspMessage and basicOCSP are the frame of a response (RFC 6960 §4.2.1), as far as it is parsed here.
type ocspMessage struct {
	Status   asn1.Enumerated
	Response struct {
		Type  asn1.ObjectIdentifier
		Basic []byte
	} `asn1:"explicit,tag:0,optional"`
}

type basicOCSP struct {
	Data         asn1.RawValue
	Algorithm    asn1.RawValue
	Signature    asn1.BitString
	Certificates []asn1.RawValue `asn1:"explicit,tag:0,optional"`
}

// ocspData is the signed part; only its certificate ids are read.
type ocspData struct {
	Version   int `asn1:"optional,default:0,explicit,tag:0"`
	Responder asn1.RawValue
	Produced  time.Time `asn1:"generalized"`
	Responses []struct{ ID certID }
}

type certID struct {
	Hash              asn1.RawValue
	NameHash, KeyHash []byte
	Serial            *big.Int
}

// parseOCSP reads a response about child. Package ocsp takes the first of its certificates as the signer's, but a responder may
// send others before it (RFC 6960 §4.2.1 sets no order). So each is tried, and the issuer itself last.
func parseOCSP(der []byte, child *x509.Certificate) (*ocsp.Response, error) {
	response, err := ocsp.ParseResponseForCert(der, child, nil)
	if err == nil {
		return response, nil
	}
	for _, one := range withOneCertificate(der) {
		if again, second := ocsp.ParseResponseForCert(one, child, nil); second == nil {
			return again, nil
		}
	}
	return nil, err //nolint:wrapcheck // the caller says what was read
}

// withOneCertificate returns copies of a response with one of its certificates each, and with none. The certificates are not
// part of what is signed.
func withOneCertificate(der []byte) [][]byte {
	var message ocspMessage
	var basic basicOCSP
	if rest, err := asn1.Unmarshal(der, &message); err != nil || len(rest) > 0 {
		return nil
	}
	if rest, err := asn1.Unmarshal(message.Response.Basic, &basic); err != nil || len(rest) > 0 || len(basic.Certificates) == 0 {
		return nil
	}
	certificates := basic.Certificates[:min(len(basic.Certificates), maxResponderCerts)]
	var out [][]byte
	for i := range len(certificates) + 1 {
		basic.Certificates = certificates[min(i, len(certificates)):min(i+1, len(certificates))]
		inner, err := asn1.Marshal(basic)
		if err != nil {
			return nil
		}
		message.Response.Basic = inner
		again, err := asn1.Marshal(message)
		if err != nil {
			return nil
		}
		out = append(out, again)
	}
	return out
}

// namesIssuer checks that a response for child's serial number is about a certificate of the issuer: serial numbers are unique
// only within a CA (RFC 6960 §4.1.1).
func namesIssuer(r *ocsp.Response, child, issuer *x509.Certificate) error {
	var data ocspData
	if _, err := asn1.Unmarshal(r.TBSResponseData, &data); err != nil || !r.IssuerHash.Available() {
		return errors.New("the OCSP response's certificate ids cannot be read")
	}
	name, key := digest(r.IssuerHash, child.RawIssuer), digest(r.IssuerHash, keyOf(issuer))
	for _, one := range data.Responses {
		if one.ID.Serial != nil && one.ID.Serial.Cmp(child.SerialNumber) == 0 {
			if bytes.Equal(one.ID.NameHash, name) && bytes.Equal(one.ID.KeyHash, key) {
				return nil
			}
			break // package ocsp reads the first
		}
	}
	return errors.New("the OCSP response is about another issuer's certificate")
}

func digest(h crypto.Hash, b []byte) []byte {
	sum := h.New()
	sum.Write(b)
	return sum.Sum(nil)
}

// keyOf returns a certificate's public key without its algorithm, as certificate ids hash it.
func keyOf(cert *x509.Certificate) []byte {
	var info struct {
		Algorithm asn1.RawValue
		Key       asn1.BitString
	}
	_, _ = asn1.Unmarshal(cert.RawSubjectPublicKeyInfo, &info) // crypto/x509 has parsed it before
	return info.Key.RightAlign()
}
