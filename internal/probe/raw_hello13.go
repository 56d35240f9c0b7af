package probe

import (
	"bytes"
	"cmp"
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/subtle"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"io"
	"net"
	"slices"

	"golang.org/x/crypto/cryptobyte"
)

// exchangeHello13 makes a TLS 1.3 handshake up to the server's certificate, which is encrypted in it, and to the signature that proves its
// key. crypto/tls does not let its users choose the signature algorithms that a server picks its certificate by.
// Of the cipher suites, those with AES can be offered.
func exchangeHello13(conn net.Conn, hello hello) (h serverHello, err error) {
	message, err := hello.message()
	if err != nil {
		return h, err
	}
	if _, err := conn.Write(inRecord(message)); err != nil {
		return h, fmt.Errorf("sending a ClientHello: %w", err)
	}
	limited := io.LimitReader(conn, maxRawHello)
	in := &messages{record: plain(limited)}
	kind, body, err := in.next()
	if err != nil {
		return h, err
	}
	suite, peer, ok := readServerHello13(body, hello.share.group)
	if kind != serverHelloMessage || !ok || !slices.Contains(hello.suites, suite) || len(in.buffer) > 0 {
		return h, errors.New("reading the server's hello: it does not answer the client's")
	}
	secret, err := hello.share.secret(peer)
	if err != nil {
		return h, err
	}
	transcript := slices.Concat(message, in.read)
	from, err := newDecrypter(limited, suite, secret, transcript)
	if err != nil {
		return h, err
	}
	h.version, h.suite = tls.VersionTLS13, suite
	return h, h.readEncrypted(&messages{record: from.next, read: transcript})
}

// readEncrypted reads the messages of TLS 1.3 up to the certificate and on to the proof of its key.
func (h *serverHello) readEncrypted(in *messages) error {
	for {
		before := in.read
		kind, body, err := in.next()
		switch {
		case err == nil && kind == certificate && len(h.chain) == 0:
			if err := h.readCertificate13(body); err != nil {
				return err
			}
			continue
		case err == nil && kind != certificateVerify && kind != finished:
			continue
		case len(h.chain) == 0:
			return cmp.Or(err, errNoCertificate)
		case err == nil && kind == certificateVerify:
			err = h.checkProof13(before, body)
		case err == nil:
			err = noProof(h.suite)
		}
		h.unproven = err
		return nil
	}
}

// checkProof13 checks the signature in a certificateVerify of TLS 1.3 (RFC 8446 §4.4.3), of the messages before it.
func (h *serverHello) checkProof13(before []byte, body cryptobyte.String) error {
	var scheme uint16
	var signature cryptobyte.String
	if !body.ReadUint16(&scheme) || !body.ReadUint16LengthPrefixed(&signature) || !body.Empty() {
		return errMalformedProof
	}
	signed := append(bytes.Repeat([]byte{' '}, 64), "TLS 1.3, server CertificateVerify\x00"...)
	return checkSignature(h.chain[0], scheme, append(signed, hashed(digest13(h.suite), before)...), signature)
}

// digest13 returns the hash function of a cipher suite of TLS 1.3.
func digest13(suite uint16) crypto.Hash {
	if suite == tls.TLS_AES_256_GCM_SHA384 {
		return crypto.SHA384
	}
	return crypto.SHA256
}

// readCertificate13 reads a certificate message of TLS 1.3.
func (h *serverHello) readCertificate13(body cryptobyte.String) error {
	var context, list cryptobyte.String
	ok := body.ReadUint8LengthPrefixed(&context) && body.ReadUint24LengthPrefixed(&list)
	for ok && !list.Empty() {
		var der, extensions cryptobyte.String
		if ok = list.ReadUint24LengthPrefixed(&der) && list.ReadUint16LengthPrefixed(&extensions); !ok {
			break
		}
		if len(h.chain) == 0 {
			h.staple = stapled(extensions)
		}
		h.chain = append(h.chain, slices.Clone(der))
	}
	switch {
	case !ok:
		return errors.New("reading the server's certificate: it is malformed")
	case len(h.chain) == 0:
		return errNoCertificate
	}
	return nil
}

// stapled returns the OCSP response among the extensions of a certificate (RFC 8446 §4.4.2.1); nil if there is none.
func stapled(extensions cryptobyte.String) []byte {
	for !extensions.Empty() {
		var id uint16
		var body, response cryptobyte.String
		if !extensions.ReadUint16(&id) || !extensions.ReadUint16LengthPrefixed(&body) {
			return nil
		}
		if id == 5 && body.Skip(1) && body.ReadUint24LengthPrefixed(&response) {
			return slices.Clone(response)
		}
	}
	return nil
}

// readServerHello13 reads the suite and the key share of a group. A HelloRetryRequest, which has the same form, has none.
func readServerHello13(body cryptobyte.String, group tls.CurveID) (suite uint16, share []byte, ok bool) {
	var legacy uint16
	var session, extensions cryptobyte.String
	if !body.ReadUint16(&legacy) || !body.Skip(32) || !body.ReadUint8LengthPrefixed(&session) ||
		!body.ReadUint16(&suite) || !body.Skip(1) || !body.ReadUint16LengthPrefixed(&extensions) {
		return 0, nil, false
	}
	for !extensions.Empty() {
		var id, value uint16
		var body, key cryptobyte.String
		if !extensions.ReadUint16(&id) || !extensions.ReadUint16LengthPrefixed(&body) {
			return 0, nil, false
		}
		if id == 51 && body.ReadUint16(&value) && value == uint16(group) && body.ReadUint16LengthPrefixed(&key) {
			share = slices.Clone(key)
		}
	}
	return suite, share, share != nil
}

// decrypter decrypts the records that a server sends in its handshake (RFC 8446 §5.2).
type decrypter struct {
	from  io.Reader
	aead  cipher.AEAD
	nonce []byte
	count uint64
}

// newDecrypter derives the server's key (RFC 8446 §7.1).
func newDecrypter(from io.Reader, suite uint16, secret, transcript []byte) (*decrypter, error) {
	hash, size := digest13(suite), 16
	if hash == crypto.SHA384 {
		size = 32
	}
	digest := hash.New
	var failed error
	try := func(b []byte, err error) []byte {
		failed = errors.Join(failed, err)
		return b
	}
	empty := make([]byte, hash.Size())
	early := try(hkdf.Extract(digest, empty, nil))
	handshake := try(hkdf.Extract(digest, secret, try(expandLabel(digest, early, "derived", hashed(hash, nil), len(empty)))))
	traffic := try(expandLabel(digest, handshake, "s hs traffic", hashed(hash, transcript), len(empty)))
	key := try(expandLabel(digest, traffic, "key", nil, size))
	d := &decrypter{from: from, nonce: try(expandLabel(digest, traffic, "iv", nil, 12))}
	if failed != nil {
		return nil, fmt.Errorf("deriving the server's key: %w", failed)
	}
	block, err := aes.NewCipher(key)
	if err == nil {
		d.aead, err = cipher.NewGCM(block)
	}
	if err != nil {
		return nil, fmt.Errorf("deriving the server's key: %w", err)
	}
	return d, nil
}

// next returns the handshake messages, or the part of one, in the next record.
func (d *decrypter) next() ([]byte, error) {
	for {
		header, payload, err := readRecord(d.from, recordApplication)
		if err != nil {
			return nil, err
		}
		nonce := slices.Clone(d.nonce)
		count := binary.BigEndian.AppendUint64(nil, d.count)
		subtle.XORBytes(nonce[len(nonce)-len(count):], nonce[len(nonce)-len(count):], count)
		d.count++
		content, err := d.aead.Open(nil, nonce, payload, header[:])
		if err != nil {
			return nil, fmt.Errorf("decrypting a record: %w", err)
		}
		content = bytes.TrimRight(content, "\x00")
		kind := byte(0)
		if n := len(content); n > 0 {
			content, kind = content[:n-1], content[n-1]
		}
		switch kind {
		case recordHandshake:
			return content, nil
		case recordAlert:
			if err := fatalAlert(content); err != nil {
				return nil, err
			}
		default:
			return nil, fmt.Errorf("decrypting a record: it is of type %d", kind)
		}
	}
}

func expandLabel(digest func() hash.Hash, secret []byte, label string, context []byte, size int) ([]byte, error) {
	var b cryptobyte.Builder
	b.AddUint16(uint16(size)) //nolint:gosec // of a key or a digest
	b.AddUint8LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes([]byte("tls13 " + label)) })
	b.AddUint8LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(context) })
	info, err := b.Bytes()
	if err != nil {
		return nil, err
	}
	return hkdf.Expand(digest, secret, string(info), size)
}
