package probe

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"

	"golang.org/x/crypto/cryptobyte"
)

// serverHello is what a server sends before it has to sign anything.
type serverHello struct {
	version, suite uint16
	chain          [][]byte // DER, leaf first; never empty
	staple         []byte
}

// Numbers of the TLS registries (RFC 5246 §6.2.1 and §7.4).
const (
	recordAlert        = 21
	recordHandshake    = 22
	clientHello        = 1
	serverHelloMessage = 2
	certificate        = 11
	serverKeyExchange  = 12
	serverHelloDone    = 14
	certificateStatus  = 22
)

// maxRawHello bounds the bytes read for a serverHello.
const maxRawHello = 128 << 10

// exchangeHello sends a TLS 1.2 ClientHello that offers more than crypto/tls supports, and reads up to the certificate. It
// stops there: an unsupported kind of key cannot be used, but it can be named.
func exchangeHello(conn net.Conn, sni string) (serverHello, error) {
	hello, err := widestHello(sni)
	if err != nil {
		return serverHello{}, fmt.Errorf("writing a ClientHello: %w", err)
	}
	if _, err := conn.Write(hello); err != nil {
		return serverHello{}, fmt.Errorf("sending a ClientHello: %w", err)
	}
	return readServerHello(conn)
}

func readServerHello(from io.Reader) (h serverHello, err error) {
	in := &messages{from: io.LimitReader(from, maxRawHello)}
	for {
		kind, body, err := in.next()
		if err != nil || kind == serverKeyExchange || kind == serverHelloDone {
			if len(h.chain) > 0 {
				return h, nil
			}
			return h, errors.Join(errors.New("no certificate was received"), err)
		}
		if !h.read(kind, body) {
			return h, errors.New("reading the server's hello: it is malformed")
		}
	}
}

// read parses one handshake message of TLS 1.2; false if it is malformed.
func (h *serverHello) read(kind uint8, body cryptobyte.String) bool {
	switch kind {
	case serverHelloMessage:
		var session cryptobyte.String
		return body.ReadUint16(&h.version) && body.Skip(32) && body.ReadUint8LengthPrefixed(&session) && body.ReadUint16(&h.suite)
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
	from   io.Reader
	buffer []byte
}

// next reads the next handshake message; a record of another kind, such as an alert, is an error.
func (m *messages) next() (kind uint8, body cryptobyte.String, err error) {
	for {
		in := cryptobyte.String(m.buffer)
		if in.ReadUint8(&kind) && in.ReadUint24LengthPrefixed(&body) {
			m.buffer = in
			return kind, body, nil
		}
		var header [5]byte
		if _, err := io.ReadFull(m.from, header[:]); err != nil {
			return 0, nil, fmt.Errorf("reading a record: %w", err)
		}
		if header[0] != recordHandshake {
			return 0, nil, fmt.Errorf("reading a record: it is of type %d", header[0])
		}
		payload := make([]byte, int(header[3])<<8|int(header[4]))
		if _, err := io.ReadFull(m.from, payload); err != nil {
			return 0, nil, fmt.Errorf("reading a record: %w", err)
		}
		m.buffer = append(m.buffer, payload...)
	}
}

// widestHello returns a record with a TLS 1.2 ClientHello that offers every curve and signature algorithm of the IANA
// registries, and every cipher suite with a certificate that servers may still use.
func widestHello(sni string) ([]byte, error) {
	random := make([]byte, 32)
	_, _ = rand.Read(random) // it never fails
	var b cryptobyte.Builder
	b.AddUint8(recordHandshake)
	b.AddUint16(0x0301) // as all clients send it, RFC 8446 §5.1
	b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) {
		b.AddUint8(clientHello)
		b.AddUint24LengthPrefixed(func(b *cryptobyte.Builder) {
			b.AddUint16(0x0303)
			b.AddBytes(random)
			b.AddUint8(0) // no session
			addList(b, allSuites())
			b.AddUint8(1) // compression: none
			b.AddUint8(0)
			b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) { addExtensions(b, sni) })
		})
	})
	return b.Bytes()
}

// addExtensions adds server_name, status_request, supported_groups, ec_point_formats, signature_algorithms,
// extended_master_secret and renegotiation_info.
func addExtensions(b *cryptobyte.Builder, sni string) {
	extension := func(id uint16, body cryptobyte.BuilderContinuation) {
		b.AddUint16(id)
		b.AddUint16LengthPrefixed(body)
	}
	if sni != "" {
		extension(0, func(b *cryptobyte.Builder) {
			b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) {
				b.AddUint8(0)
				b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes([]byte(sni)) })
			})
		})
	}
	extension(5, func(b *cryptobyte.Builder) { b.AddBytes([]byte{1, 0, 0, 0, 0}) })
	extension(10, func(b *cryptobyte.Builder) { addList(b, allGroups()) })
	extension(11, func(b *cryptobyte.Builder) { b.AddBytes([]byte{3, 0, 1, 2}) })
	extension(13, func(b *cryptobyte.Builder) { addList(b, allSignatures()) })
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
