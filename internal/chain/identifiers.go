package chain

import (
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"math/big"
	"strings"
)

var oidAuthorityKeyID = asn1.ObjectIdentifier{2, 5, 29, 35}

// authorityKey is AuthorityKeyIdentifier (RFC 5280 §4.2.1.1).
type authorityKey struct {
	KeyID  []byte        `asn1:"optional,tag:0"`
	Issuer asn1.RawValue `asn1:"optional,tag:1"`
	Serial *big.Int      `asn1:"optional,tag:2"`
}

// misnamed returns how child's authority key identifier contradicts the certificate that signed it; empty if it does not. By
// RFC 5280 §6.1 that does not invalidate a path, but OpenSSL does not accept such a certificate as the issuer.
func misnamed(child, parent *x509.Certificate) string {
	named := authorityKeyOf(child)
	switch {
	case len(named.KeyID) > 0 && len(parent.SubjectKeyId) > 0 && !bytes.Equal(named.KeyID, parent.SubjectKeyId):
		return fmt.Sprintf("the key identifier %s (its own is %s)", short(named.KeyID), short(parent.SubjectKeyId))
	case named.Serial != nil && named.Serial.Cmp(parent.SerialNumber) != 0:
		return fmt.Sprintf("the serial number %s (its own is %s)", short(named.Serial.Bytes()), short(parent.SerialNumber.Bytes()))
	case !namesIssuer(named.Issuer.Bytes, parent.RawIssuer):
		return "another issuer above it"
	}
	return ""
}

func authorityKeyOf(c *x509.Certificate) (named authorityKey) {
	for _, e := range c.Extensions {
		if !e.Id.Equal(oidAuthorityKeyID) {
			continue
		}
		if key, only := onlyKeyID(e.Value); only {
			return authorityKey{KeyID: key}
		}
		if _, err := asn1.Unmarshal(e.Value, &named); err != nil {
			return authorityKey{}
		}
	}
	return named
}

// onlyKeyID returns the key identifier of an AuthorityKeyIdentifier that has nothing else, as almost all.
func onlyKeyID(der []byte) (key []byte, only bool) {
	const sequence, keyID, short = 0x30, 0x80, 0x80 // a length below is a single byte
	n := len(der)
	if n < 4 || n-2 >= short || der[0] != sequence || int(der[1]) != n-2 || der[2] != keyID || int(der[3]) != n-4 {
		return nil, false
	}
	return der[4:], true
}

// namesIssuer reports whether the first directory name among GeneralNames, if there is one, is the given name in any encoding.
func namesIssuer(generalNames, issuer []byte) bool {
	for rest := generalNames; len(rest) > 0; {
		var name asn1.RawValue
		var err error
		if rest, err = asn1.Unmarshal(rest, &name); err != nil {
			return true
		}
		if name.Class == asn1.ClassContextSpecific && name.Tag == 4 {
			return bytes.Equal(name.Bytes, issuer) || strings.EqualFold(nameText(name.Bytes), nameText(issuer))
		}
	}
	return true
}

func nameText(der []byte) string {
	var name pkix.RDNSequence
	if _, err := asn1.Unmarshal(der, &name); err != nil {
		return ""
	}
	return name.String()
}

// short returns the start of an identifier in hexadecimal.
func short(id []byte) string {
	if len(id) > 8 {
		return fmt.Sprintf("%x…", id[:8])
	}
	return fmt.Sprintf("%x", id)
}

// Misnamed returns the certificates of the best path that name an issuer other than the one that signed them, if every valid
// path has some.
func (r *Result) Misnamed() []Problem {
	for _, p := range r.Valid {
		if len(p.misnamed()) == 0 {
			return nil
		}
	}
	return r.Path.misnamed()
}

func (p Path) misnamed() []Problem {
	var fs []Problem
	for i, c := range p.Certificates[:len(p.Certificates)-1] {
		if detail := misnamed(c, p.Certificates[i+1]); detail != "" {
			fs = append(fs, Problem{IssuerMisnamed, c, detail})
		}
	}
	return fs
}
