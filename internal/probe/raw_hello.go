package probe

import (
	"crypto/rand"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"

	"golang.org/x/crypto/cryptobyte"
)

// serverHello is what a server sends before it needs an answer.
type serverHello struct {
	version, suite uint16
	random         []byte
	chain          [][]byte // DER, leaf first; never empty
	staple         []byte
	// unproven is why it is not shown that the server has the leaf's private key; nil if it is.
	unproven error
}

// Numbers of the TLS registries (RFC 5246 §6.2.1 and §7.4).
const (
	recordCipherSpec   = 20
	recordAlert        = 21
	recordHandshake    = 22
	recordApplication  = 23
	clientHello        = 1
	serverHelloMessage = 2
	certificate        = 11
	serverKeyExchange  = 12
	serverHelloDone    = 14
	certificateVerify  = 15
	finished           = 20
	certificateStatus  = 22
)

// maxRawHello bounds the bytes read for a serverHello.
const maxRawHello = 128 << 10

// exchangeHello sends a ClientHello of TLS 1.2 and reads up to the certificate, and to the signature that proves its key. It stops there: a
// kind of key that crypto/tls does not support cannot be used, but it can be named.
func exchangeHello(conn net.Conn, hello hello) (serverHello, error) {
	message, err := hello.message()
	if err != nil {
		return serverHello{}, err
	}
	if _, err := conn.Write(inRecord(message)); err != nil {
		return serverHello{}, fmt.Errorf("sending a ClientHello: %w", err)
	}
	return readServerHello(conn, message[randomAt:randomAt+randomSize])
}

// Where the random value is in a ClientHello: after the message's type and length, and the version.
const randomAt, randomSize = 6, 32

// inRecord returns a ClientHello in a record of its own, with the version that all clients put there (RFC 8446 §5.1).
func inRecord(message []byte) []byte {
	record := binary.BigEndian.AppendUint16([]byte{recordHandshake, 3, 1}, uint16(len(message))) //nolint:gosec // some kilobytes at most
	return append(record, message...)
}

// readServerHello reads what a server sends to a client with a random value.
func readServerHello(from io.Reader, random []byte) (h serverHello, err error) {
	in := &messages{record: plain(io.LimitReader(from, maxRawHello))}
	for {
		kind, body, err := in.next()
		switch {
		case err == nil && kind != serverKeyExchange && kind != serverHelloDone:
			if !h.parse(kind, body) {
				return h, errors.New("reading the server's hello: it is malformed")
			}
			continue
		case len(h.chain) == 0 && err != nil:
			return h, fmt.Errorf("%w: %w", errNoCertificate, err)
		case len(h.chain) == 0:
			return h, errNoCertificate
		case err == nil && kind == serverKeyExchange:
			err = h.checkProof(random, body)
		case err == nil:
			err = noProof(h.suite)
		}
		h.unproven = err
		return h, nil
	}
}

var errNoCertificate = errors.New("no certificate was received")

// parse reads one handshake message of TLS 1.2; false if it is malformed.
func (h *serverHello) parse(kind uint8, body cryptobyte.String) bool {
	switch kind {
	case serverHelloMessage:
		var session cryptobyte.String
		return body.ReadUint16(&h.version) && body.ReadBytes(&h.random, randomSize) && body.ReadUint8LengthPrefixed(&session) && body.ReadUint16(&h.suite)
	case certificate:
		var list cryptobyte.String
		if !body.ReadUint24LengthPrefixed(&list) {
			return false
		}
		for !list.Empty() {
			var der cryptobyte.String
			if !list.ReadUint24LengthPrefixed(&der) {
				return false
			}
			h.chain = append(h.chain, slices.Clone(der))
		}
	case certificateStatus:
		var response cryptobyte.String
		if !body.Skip(1) || !body.ReadUint24LengthPrefixed(&response) {
			return false
		}
		h.staple = slices.Clone(response)
	}
	return true
}

// messages assembles handshake messages from records.
type messages struct {
	record func() ([]byte, error) // reads the payload of the next one
	buffer []byte
	read   []byte // those that were returned
}

// plain reads records of handshake messages that are not encrypted.
func plain(from io.Reader) func() ([]byte, error) {
	return func() ([]byte, error) {
		_, payload, err := readRecord(from, recordHandshake)
		return payload, err
	}
}

// next reads the next handshake message.
func (m *messages) next() (kind uint8, body cryptobyte.String, err error) {
	for {
		in := cryptobyte.String(m.buffer)
		if in.ReadUint8(&kind) && in.ReadUint24LengthPrefixed(&body) {
			m.read = append(m.read, m.buffer[:len(m.buffer)-len(in)]...)
			m.buffer = in
			return kind, body, nil
		}
		payload, err := m.record()
		if err != nil {
			return 0, nil, err
		}
		m.buffer = append(m.buffer, payload...)
	}
}

// maxRecord is how long a record's payload may be, in bytes (RFC 5246 §6.2.3).
const maxRecord = 1<<14 + 2048

// readRecord reads the next record of a type, with its header. An alert is the error that crypto/tls makes of it; one that is only a
// warning is passed over, and so is what TLS 1.3 sends for the sake of middleboxes.
func readRecord(from io.Reader, want uint8) (header [5]byte, payload []byte, err error) {
	for {
		if _, err := io.ReadFull(from, header[:]); err != nil {
			return header, nil, fmt.Errorf("reading a record: %w", err)
		}
		kind, length := header[0], int(header[3])<<8|int(header[4])
		if kind != want && kind != recordAlert && kind != recordCipherSpec || length > maxRecord {
			return header, nil, fmt.Errorf("reading a record: it is of type %d and %d bytes long", kind, length)
		}
		payload = make([]byte, length)
		if _, err := io.ReadFull(from, payload); err != nil {
			return header, nil, fmt.Errorf("reading a record: %w", err)
		}
		if kind == want {
			return header, payload, nil
		}
		if err := fatalAlert(payload); kind == recordAlert && err != nil {
			return header, nil, err
		}
	}
}

// rawAlert is the number of an alert.
type rawAlert uint8

func (a rawAlert) Error() string { return "tls: " + alertName(uint8(a)) }

// fatalAlert returns the error of an alert; nil for a warning, such as that the server has no certificate for a name.
func fatalAlert(payload []byte) error {
	const warning, closeNotify = 1, 0
	if len(payload) != 2 {
		return errors.New("reading a record: it is a malformed alert")
	}
	if payload[0] == warning && payload[1] != closeNotify {
		return nil
	}
	return &net.OpError{Op: "remote error", Err: rawAlert(payload[1])}
}

// hello is what a ClientHello offers.
type hello struct {
	sni                        string
	protocols                  []string // ALPN; none is sent if empty
	suites, groups, signatures []uint16
	// share is for TLS 1.3, which is then all that is offered; nil for TLS 1.2 and older.
	share *keyShare
}

// widestHello offers every curve and signature algorithm of the IANA registries, and every cipher suite with a certificate that
// servers may still use.
func widestHello(sni string) hello {
	return hello{sni: sni, suites: allSuites(), groups: allGroups(), signatures: allSignatures()}
}

// message returns the ClientHello as a handshake message.
func (h hello) message() ([]byte, error) {
	random := make([]byte, 64) // the second half is a session id
	_, _ = rand.Read(random)   // it never fails
	var b cryptobyte.Builder
	b.AddUint8(clientHello)
	b.AddUint24LengthPrefixed(func(b *cryptobyte.Builder) {
		b.AddUint16(0x0303)
		b.AddBytes(random[:32])
		b.AddUint8LengthPrefixed(func(b *cryptobyte.Builder) {
			if h.share != nil { // as middleboxes want it, RFC 8446 §D.4
				b.AddBytes(random[32:])
			}
		})
		addList(b, h.suites)
		b.AddUint8(1) // compression: none
		b.AddUint8(0)
		b.AddUint16LengthPrefixed(h.addExtensions)
	})
	message, err := b.Bytes()
	if err != nil {
		return nil, fmt.Errorf("writing a ClientHello: %w", err)
	}
	return message, nil
}

// addExtensions adds server_name, status_request, supported_groups, signature_algorithms and ALPN; for TLS 1.3 signature_algorithms_cert,
// supported_versions and key_share, else ec_point_formats, extended_master_secret and renegotiation_info.
func (h hello) addExtensions(b *cryptobyte.Builder) {
	extension := func(id uint16, body cryptobyte.BuilderContinuation) {
		b.AddUint16(id)
		b.AddUint16LengthPrefixed(body)
	}
	if h.sni != "" {
		extension(0, func(b *cryptobyte.Builder) {
			b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) {
				b.AddUint8(0)
				b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes([]byte(h.sni)) })
			})
		})
	}
	extension(5, func(b *cryptobyte.Builder) { b.AddBytes([]byte{1, 0, 0, 0, 0}) })
	extension(10, func(b *cryptobyte.Builder) { addList(b, h.groups) })
	extension(13, func(b *cryptobyte.Builder) { addList(b, h.signatures) })
	if len(h.protocols) > 0 {
		extension(16, func(b *cryptobyte.Builder) {
			b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) {
				for _, name := range h.protocols {
					b.AddUint8LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes([]byte(name)) })
				}
			})
		})
	}
	if h.share != nil {
		extension(43, func(b *cryptobyte.Builder) { b.AddBytes([]byte{2, tls.VersionTLS13 >> 8, tls.VersionTLS13 & 0xff}) })
		extension(50, func(b *cryptobyte.Builder) { addList(b, allSignatures()) }) // the key alone is to matter, not who signed the certificate
		extension(51, func(b *cryptobyte.Builder) { b.AddUint16LengthPrefixed(h.share.add) })
		return
	}
	extension(11, func(b *cryptobyte.Builder) { b.AddBytes([]byte{3, 0, 1, 2}) })
	extension(23, func(*cryptobyte.Builder) {})
	extension(0xff01, func(b *cryptobyte.Builder) { b.AddUint8(0) })
}

func addList(b *cryptobyte.Builder, values []uint16) {
	b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) {
		for _, v := range values {
			b.AddUint16(v)
		}
	})
}

// allSuites returns the cipher suites that authenticate by a certificate: ECDHE, DHE, RSA, DSS, with AES, ChaCha20, Camellia, SEED,
// 3DES and RC4.
func allSuites() []uint16 {
	return []uint16{
		0xc02b, 0xc02c, 0xcca9, 0xc0ac, 0xc0ad, 0xc023, 0xc024, 0xc009, 0xc00a, 0xc072, 0xc073, 0xc008, 0xc007,
		0xc02f, 0xc030, 0xcca8, 0xc027, 0xc028, 0xc013, 0xc014, 0xc076, 0xc077, 0xc012, 0xc011,
		0x009e, 0x009f, 0xccaa, 0xc09e, 0xc09f, 0x0067, 0x006b, 0x0033, 0x0039, 0x0045, 0x0088, 0x009a, 0x0016,
		0x00a2, 0x00a3, 0x0040, 0x006a, 0x0032, 0x0038, 0x0044, 0x0087, 0x0099, 0x0013,
		0x009c, 0x009d, 0xc09c, 0xc09d, 0x003c, 0x003d, 0x002f, 0x0035, 0x0041, 0x0084, 0x0096, 0x000a, 0x0005, 0x0004,
	}
}

// allGroups returns the elliptic curves and, for DHE, the groups of RFC 7919. Curves that all clients support come first.
func allGroups() []uint16 {
	groups := []uint16{29, 23, 24, 25, 30, 26, 27, 28}
	for id := uint16(1); id <= 22; id++ {
		groups = append(groups, id)
	}
	return append(groups, 256, 257, 258, 259, 260)
}

// allSignatures returns the algorithms of TLS 1.2, by hash and kind of key, and the PSS and Edwards-curve ones.
func allSignatures() []uint16 {
	var all []uint16
	for hash := uint16(6); hash >= 1; hash-- { // SHA-512, 384, 256, 224, SHA-1, MD5
		all = append(all, hash<<8|3, hash<<8|1, hash<<8|2) // ECDSA, RSA, DSA
	}
	for id := uint16(0x0804); id <= 0x080b; id++ {
		all = append(all, id)
	}
	return append(all, 0x081a, 0x081b, 0x081c)
}
