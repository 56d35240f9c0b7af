package probe

import (
	"encoding/asn1"
	"fmt"

	"golang.org/x/crypto/cryptobyte"
	der "golang.org/x/crypto/cryptobyte/asn1"
)

// keyInfo describes a certificate's key, also of a kind that crypto/x509 does not support.
type keyInfo struct {
	kind string // in words, such as "ECDSA on P-192"
	// usable reports whether all current clients can make a handshake with it. RSA of less than 1024 bits is too short for
	// the signatures of TLS 1.3.
	usable bool
	// weak reports whether it is unusable because it is too weak, as for cert-key-weak.
	weak bool
}

// readKey reads the subjectPublicKeyInfo (RFC 5280 §4.1.2.7) of a certificate that crypto/x509 may not be able to parse.
func readKey(certificate []byte) keyInfo {
	unknown := keyInfo{kind: "of an unknown kind"}
	in := cryptobyte.String(certificate)
	var tbs, info, algorithm cryptobyte.String
	var bits asn1.BitString
	var id asn1.ObjectIdentifier
	ok := in.ReadASN1(&in, der.SEQUENCE) && in.ReadASN1(&tbs, der.SEQUENCE) &&
		tbs.SkipOptionalASN1(der.Tag(0).Constructed().ContextSpecific()) && // version
		tbs.SkipASN1(der.INTEGER) && tbs.SkipASN1(der.SEQUENCE) && tbs.SkipASN1(der.SEQUENCE) && // serial, signature, issuer
		tbs.SkipASN1(der.SEQUENCE) && tbs.SkipASN1(der.SEQUENCE) && // validity, subject
		tbs.ReadASN1(&info, der.SEQUENCE) && info.ReadASN1(&algorithm, der.SEQUENCE) &&
		algorithm.ReadASN1ObjectIdentifier(&id) && info.ReadASN1BitString(&bits)
	if !ok {
		return unknown
	}
	switch id.String() {
	case "1.2.840.113549.1.1.1":
		return rsaKey(bits.Bytes)
	case "1.2.840.10045.2.1":
		return curveKey(algorithm, bits.Bytes)
	case "1.2.840.10040.4.1":
		return keyInfo{kind: "DSA", weak: true}
	case "1.2.840.113549.1.1.10":
		return keyInfo{kind: "RSA for PSS only (RFC 4055)"}
	case "1.3.101.112":
		return keyInfo{kind: "Ed25519", usable: true}
	case "1.3.101.113":
		return keyInfo{kind: "Ed448"}
	}
	return keyInfo{kind: "of the kind " + id.String()}
}

// rsaKey reads an RSAPublicKey (RFC 8017 §A.1.1).
func rsaKey(key cryptobyte.String) keyInfo {
	var modulus []byte
	if !key.ReadASN1(&key, der.SEQUENCE) || !key.ReadASN1Integer(&modulus) {
		return keyInfo{kind: "a malformed RSA key"}
	}
	weak := len(modulus) < 1024/8
	return keyInfo{kind: fmt.Sprintf("RSA with %d bits", 8*len(modulus)), usable: !weak, weak: weak}
}

// curveKey reads the curve's name, and its strength from the size of the point (SEC 1 §2.3.3).
func curveKey(parameters cryptobyte.String, point []byte) keyInfo {
	var id asn1.ObjectIdentifier
	name := "an unnamed curve"
	if parameters.ReadASN1ObjectIdentifier(&id) {
		name = curveName(id.String())
	}
	size := 0 // of a coordinate, in bytes
	if len(point) > 0 && point[0] == 4 {
		size = (len(point) - 1) / 2
	} else if len(point) > 0 {
		size = len(point) - 1
	}
	usable := name == "P-256" || name == "P-384" || name == "P-521"
	return keyInfo{kind: "ECDSA on " + name, usable: usable, weak: !usable && size < 256/8}
}

// curveName returns the name of a curve that servers use; others by their object identifier.
func curveName(id string) string {
	names := map[string]string{
		"1.2.840.10045.3.1.1": "P-192", "1.3.132.0.33": "P-224", "1.2.840.10045.3.1.7": "P-256",
		"1.3.132.0.34": "P-384", "1.3.132.0.35": "P-521", "1.3.132.0.10": "secp256k1",
		"1.3.36.3.3.2.8.1.1.7": "brainpoolP256r1", "1.3.36.3.3.2.8.1.1.11": "brainpoolP384r1",
		"1.3.36.3.3.2.8.1.1.13": "brainpoolP512r1",
	}
	if name, ok := names[id]; ok {
		return name
	}
	return "the curve " + id
}
