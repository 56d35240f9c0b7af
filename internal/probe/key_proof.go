package probe

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/crypto/cryptobyte"
)

// A server proves that it has the private key of its certificate by a signature of what this handshake alone has: in TLS 1.3 of all messages
// before, up to TLS 1.2 of both random values and of its part of an ephemeral key exchange. Without one, in the key exchange by RSA, the key
// shows only in the last message of a whole handshake.
var errMalformedProof = errors.New("reading the server's signature: it is malformed")

// noProof is the error of a handshake without a signature.
func noProof(suite uint16) error {
	return fmt.Errorf("the server sent no signature that proves its key, with the cipher suite %s", suiteName(suite))
}

// foreignKey is the error of a signature that another key made. Its text is that of crypto/tls.
func foreignKey(why string) error {
	return errors.New("tls: invalid signature by the server certificate: " + why)
}

// checkProof checks the signature in a serverKeyExchange (RFC 5246 §7.4.3, RFC 8422 §5.4) for a client with a random value.
func (h *serverHello) checkProof(random []byte, body cryptobyte.String) error {
	rest := body
	var ignored cryptobyte.String
	var curve uint8
	ok := false
	switch name := suiteName(h.suite); {
	case strings.HasPrefix(name, "TLS_ECDHE_"):
		const named = 3
		if !rest.ReadUint8(&curve) || curve != named {
			return errMalformedProof // or of a curve that is written out, which is forbidden since RFC 8422
		}
		ok = rest.Skip(2) && rest.ReadUint8LengthPrefixed(&ignored)
	case strings.HasPrefix(name, "TLS_DHE_"):
		ok = true
		for range 3 { // the prime, the generator and the server's value
			ok = ok && rest.ReadUint16LengthPrefixed(&ignored)
		}
	}
	signed := slices.Concat(random, h.random, body[:len(body)-len(rest)])
	scheme := uint16(0) // before TLS 1.2, the key decides
	if h.version >= tls.VersionTLS12 {
		ok = ok && rest.ReadUint16(&scheme)
	}
	var signature cryptobyte.String
	if !ok || !rest.ReadUint16LengthPrefixed(&signature) || !rest.Empty() {
		return errMalformedProof
	}
	return checkSignature(h.chain[0], scheme, signed, signature)
}

// Kinds of signatures, as TLS 1.2 numbers them, and two of TLS 1.3.
const (
	byRSA     = 1
	byECDSA   = 3
	byPSS     = 4
	byEd25519 = 7
)

// signatureOf returns the kind and the hash function of a signature scheme (RFC 8446 §4.2.3, RFC 5246 §7.4.1.4.1); 0 if it is not known.
func signatureOf(scheme uint16) (kind int, digest crypto.Hash) {
	switch tls.SignatureScheme(scheme) {
	case tls.Ed25519:
		return byEd25519, 0
	case tls.PSSWithSHA256, 0x0809: // those of keys for RSASSA-PSS alone have numbers of their own
		return byPSS, crypto.SHA256
	case tls.PSSWithSHA384, 0x080a:
		return byPSS, crypto.SHA384
	case tls.PSSWithSHA512, 0x080b:
		return byPSS, crypto.SHA512
	}
	byNumber := []crypto.Hash{crypto.MD5, crypto.SHA1, crypto.SHA224, crypto.SHA256, crypto.SHA384, crypto.SHA512}
	high, low := int(scheme>>8), int(scheme&0xff)
	if high >= 1 && high <= len(byNumber) && (low == byRSA || low == byECDSA) {
		return low, byNumber[high-1]
	}
	return 0, 0
}

// checkSignature returns nil if the key of a certificate made a signature, and the error foreignKey if another one did. Any other error says why
// that is not known. Scheme 0 is that of TLS 1.0 and 1.1.
func checkSignature(certificate []byte, scheme uint16, signed, signature []byte) error {
	leaf, err := x509.ParseCertificate(certificate)
	if err != nil {
		return fmt.Errorf("checking the server's signature: %w", err)
	}
	kind, digest := signatureOf(scheme)
	if scheme == 0 {
		kind, digest = byRSA, crypto.MD5SHA1
		if leaf.PublicKeyAlgorithm == x509.ECDSA {
			kind, digest = byECDSA, crypto.SHA1
		}
	}
	if kind == 0 {
		return fmt.Errorf("checking the server's signature: the scheme %#04x is not supported", scheme)
	}
	ok := false
	switch key := leaf.PublicKey.(type) {
	case *rsa.PublicKey:
		switch kind {
		case byRSA:
			err = rsa.VerifyPKCS1v15(key, digest, hashed(digest, signed), signature)
		case byPSS:
			err = rsa.VerifyPSS(key, digest, hashed(digest, signed), signature, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash})
		default:
			err = rsa.ErrVerification
		}
		if err != nil && !errors.Is(err, rsa.ErrVerification) { // the key is too short, or odd
			return fmt.Errorf("checking the server's signature: %w", err)
		}
		ok = err == nil
	case *ecdsa.PublicKey:
		ok = kind == byECDSA && ecdsa.VerifyASN1(key, hashed(digest, signed), signature)
	case ed25519.PublicKey:
		ok = kind == byEd25519 && ed25519.Verify(key, signed, signature)
	default:
		return errors.New("checking the server's signature: the certificate's key is of a kind that is not supported")
	}
	if !ok {
		return foreignKey(fmt.Sprintf("the scheme %#04x does not verify with the certificate's key, %s", scheme, leaf.PublicKeyAlgorithm))
	}
	return nil
}

func hashed(digest crypto.Hash, data []byte) []byte {
	if digest == crypto.MD5SHA1 {
		return slices.Concat(hashed(crypto.MD5, data), hashed(crypto.SHA1, data))
	}
	h := digest.New()
	h.Write(data)
	return h.Sum(nil)
}
