package probe

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"io"
	"net"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"certdrift/internal/certtest"
	"certdrift/internal/observation"
	"certdrift/internal/target"
)

func ecKey(t testing.TB, curve elliptic.Curve) crypto.Signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func edwardsKey(t testing.TB) crypto.Signer {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// onlyBy makes a server sign by one scheme.
func onlyBy(c tls.Certificate, scheme tls.SignatureScheme) tls.Certificate {
	c.SupportedSignatureAlgorithms = []tls.SignatureScheme{scheme}
	return c
}

// TestOtherKey: a server proves that it has the other certificate's private key, by every kind of signature; one that signs with another key is
// told apart, as in a handshake of crypto/tls.
func TestOtherKey(t *testing.T) {
	ec, rsaPair := pair(t)
	_, ca := authority(t)
	with := func(key crypto.Signer) tls.Certificate {
		return must(t)(ca.LeafWithKey(time.Now(), []string{"site.test", "127.0.0.1"}, key)).TLS()
	}
	signing := func(key func() crypto.Signer) func() (tls.Certificate, crypto.Signer) {
		return func() (tls.Certificate, crypto.Signer) { return with(key()), key() }
	}
	curve := func(c elliptic.Curve) func() (tls.Certificate, crypto.Signer) {
		return signing(func() crypto.Signer { return ecKey(t, c) })
	}
	by := func(scheme tls.SignatureScheme) func() (tls.Certificate, crypto.Signer) {
		return func() (tls.Certificate, crypto.Signer) {
			return onlyBy(with(certtest.RSAKey(t, 2048)), scheme), certtest.RSAKey(t, 3072)
		}
	}
	edwards := signing(func() crypto.Signer { return edwardsKey(t) })
	for name, c := range map[string]struct {
		version uint16
		make    func() (tls.Certificate, crypto.Signer) // and another key
	}{
		"TLS 1.3, P-256":                 {tls.VersionTLS13, curve(elliptic.P256())},
		"TLS 1.3, P-384":                 {tls.VersionTLS13, curve(elliptic.P384())},
		"TLS 1.3, P-521":                 {tls.VersionTLS13, curve(elliptic.P521())},
		"TLS 1.3, Ed25519":               {tls.VersionTLS13, edwards},
		"TLS 1.3, RSA-PSS with SHA-256":  {tls.VersionTLS13, by(tls.PSSWithSHA256)},
		"TLS 1.3, RSA-PSS with SHA-384":  {tls.VersionTLS13, by(tls.PSSWithSHA384)},
		"TLS 1.3, RSA-PSS with SHA-512":  {tls.VersionTLS13, by(tls.PSSWithSHA512)},
		"TLS 1.2, P-256":                 {tls.VersionTLS12, curve(elliptic.P256())},
		"TLS 1.2, P-384":                 {tls.VersionTLS12, curve(elliptic.P384())},
		"TLS 1.2, Ed25519":               {tls.VersionTLS12, edwards},
		"TLS 1.2, RSA-PSS":               {tls.VersionTLS12, by(tls.PSSWithSHA256)},
		"TLS 1.2, PKCS #1":               {tls.VersionTLS12, by(tls.PKCS1WithSHA256)},
		"TLS 1.2, PKCS #1 with SHA-512":  {tls.VersionTLS12, by(tls.PKCS1WithSHA512)},
		"TLS 1.1, P-256":                 {tls.VersionTLS11, curve(elliptic.P256())},
		"TLS 1.1, RSA by MD5 with SHA-1": {tls.VersionTLS11, by(tls.PKCS1WithSHA1)},
		"TLS 1.0, P-256":                 {tls.VersionTLS10, curve(elliptic.P256())},
		"TLS 1.0, RSA by MD5 with SHA-1": {tls.VersionTLS10, by(tls.PKCS1WithSHA1)},
	} {
		other, foreign := c.make()
		for _, proven := range []bool{true, false} {
			t.Run(map[bool]string{true: name + ", its own key", false: name + ", another key"}[proven], func(t *testing.T) {
				if c.version < tls.VersionTLS12 {
					other.SupportedSignatureAlgorithms = nil
				}
				if !proven {
					other.PrivateKey = foreign
				}
				first := rsaPair
				if _, ok := foreign.(*rsa.PrivateKey); ok {
					first = ec
				}
				config := &tls.Config{Certificates: []tls.Certificate{first, other}, MinVersion: c.version, MaxVersion: c.version}
				address := certtest.ServeTLS(t, "127.0.0.1", config, nil)
				a := one(t, observe(t, at(t, target.TLS, address, named)))
				healthy(t, a)
				switch got := a.Other; {
				case got == nil || got.TLS == nil || !bytes.Equal(got.TLS.Chain[0], other.Certificate[0]):
					t.Fatalf("got %+v", got)
				case got.KeyProven != proven || got.Failure.ForeignKey() == proven, proven && got.Failure != nil:
					t.Errorf("proven %v, %+v", got.KeyProven, got.Failure)
				}
			})
		}
	}
}

// TestOtherKeyUnproven: whatever keeps a server from proving that it has the other certificate's key, the certificate is seen, and the key
// is neither good nor bad.
func TestOtherKeyUnproven(t *testing.T) {
	ec, rsaPair := pair(t)
	cut := func(conn net.Conn, _ []byte) error { return conn.Close() }
	silent := func(net.Conn, []byte) error { return nil }
	for name, c := range map[string]struct {
		version uint16
		change  func(*tls.Config)
		proof   func(net.Conn, []byte) error // instead of the record with the proof, and of all behind it
		waits   bool
		kind    observation.FailureKind
	}{
		"TLS 1.3, closed before it": {tls.VersionTLS13, nil, cut, false, observation.Closed},
		"TLS 1.2, closed before it": {tls.VersionTLS12, nil, cut, false, observation.Closed},
		"TLS 1.3, silence":          {tls.VersionTLS13, nil, silent, true, observation.TimedOut},
		"TLS 1.2, silence":          {tls.VersionTLS12, nil, silent, true, observation.TimedOut},
		"TLS 1.2, an alert": {tls.VersionTLS12, nil, func(conn net.Conn, _ []byte) error {
			_, _ = io.WriteString(conn, "\x15\x03\x03\x00\x02\x02\x50")
			return conn.Close()
		}, false, observation.Alert},
		"TLS 1.2, a scheme that is not known": {tls.VersionTLS12, nil, edited(func(proof []byte) { copy(proof[schemeAt:], "\x08\x08") }), false, observation.HandshakeFailed},
		"TLS 1.2, no named curve":             {tls.VersionTLS12, nil, edited(func(proof []byte) { proof[curveAt] = 1 }), false, observation.HandshakeFailed},
		"TLS 1.2, a signature that is cut":    {tls.VersionTLS12, nil, edited(func(proof []byte) { proof[schemeAt+3] -= 2 }), false, observation.HandshakeFailed},
		"TLS 1.3, encrypted by another key":   {tls.VersionTLS13, nil, edited(func(proof []byte) { proof[9] ^= 1 }), false, observation.HandshakeFailed},
		"TLS 1.2, RSA key exchange": {tls.VersionTLS12, func(config *tls.Config) {
			config.CipherSuites = []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, tls.TLS_RSA_WITH_AES_128_CBC_SHA}
		}, nil, false, observation.HandshakeFailed},
	} {
		t.Run(name, func(t *testing.T) {
			first, other := rsaPair, ec
			if c.proof == nil {
				first, other = ec, rsaPair
			}
			config := &tls.Config{Certificates: []tls.Certificate{first, other}, MinVersion: c.version, MaxVersion: c.version}
			if c.change != nil {
				c.change(config)
			}
			var met atomic.Int32
			a := observeServer(t, target.TLS, func(conn net.Conn) {
				if met.Add(1) > 1 && c.proof != nil {
					conn = &proofConn{Conn: conn, proof: c.proof, encrypted: c.version == tls.VersionTLS13}
				}
				_ = tls.Server(conn, config).Handshake()
				certtest.Silent(conn)
			}, c.waits)
			healthy(t, a)
			switch got := a.Other; {
			case got == nil || got.TLS == nil || !slices.EqualFunc(got.TLS.Chain, other.Certificate, bytes.Equal):
				t.Fatalf("got %+v", got)
			case got.KeyProven || got.Failure == nil || got.Failure.ForeignKey() || got.Failure.Kind != c.kind:
				t.Errorf("proven %v, %+v", got.KeyProven, got.Failure)
			}
		})
	}
}

// Where the kind of the curve and the scheme are in a record with a serverKeyExchange on P-256 or X25519: behind 5 bytes of the record's header
// and 4 of the message's are the curve (3 bytes), the point and its length, and the scheme.
const curveAt, schemeAt = 9, 9 + 3 + 1 + 32

func edited(edit func([]byte)) func(net.Conn, []byte) error {
	return func(conn net.Conn, proof []byte) error {
		edit(proof)
		_, err := conn.Write(proof)
		return err
	}
}

// proofConn replaces the record of a server's proof, and drops all behind it.
type proofConn struct {
	net.Conn
	proof     func(net.Conn, []byte) error
	encrypted bool // the proof is the third record that is
	seen      int
	replaced  bool
}

func (c *proofConn) Write(b []byte) (int, error) {
	for rest := b; len(rest) > 0 && !c.replaced; {
		size := 5 + (int(rest[3])<<8 | int(rest[4]))
		record := bytes.Clone(rest[:size])
		rest = rest[size:]
		if record[0] == recordApplication {
			c.seen++
		}
		if c.replaced = c.encrypted && c.seen == 3 || !c.encrypted && record[0] == recordHandshake && record[5] == serverKeyExchange; c.replaced {
			return len(b), c.proof(c.Conn, record)
		}
		if _, err := c.Conn.Write(record); err != nil {
			return 0, err
		}
	}
	return len(b), nil
}

// TestOtherKeyOfManySilentServers: those that are silent where they should prove their key are not all waited for, either.
func TestOtherKeyOfManySilentServers(t *testing.T) {
	ec, rsaPair := pair(t)
	config := &tls.Config{Certificates: []tls.Certificate{rsaPair, ec}, MaxVersion: tls.VersionTLS12}
	synctest.Test(t, func(t *testing.T) {
		var asked atomic.Int32
		network := pipes{}
		var endpoints []target.Endpoint
		for i := range 200 {
			var met atomic.Int32
			address := net.JoinHostPort("127.0.0.1", string(rune('1'+i/100))+string(rune('0'+i/10%10))+string(rune('0'+i%10)))
			network[address] = func(conn net.Conn) {
				if met.Add(1) > 1 {
					asked.Add(1)
					conn = &proofConn{Conn: conn, proof: func(net.Conn, []byte) error { return nil }}
				}
				_ = tls.Server(conn, config).Handshake()
				certtest.Silent(conn)
			}
			endpoints = append(endpoints, at(t, target.TLS, address))
		}
		begin := time.Now()
		New(Options{Now: time.Now, Dialer: func(ctx context.Context, n, a string) (net.Conn, error) { return network.dial(ctx, n, a) }}).Probe(t.Context(), endpoints)
		if took := time.Since(begin); took > 3*diagnoseTimeout || asked.Load() > 2*maxFruitlessLooks {
			t.Errorf("%d were asked, in %s", asked.Load(), took)
		}
		time.Sleep(time.Second)
	})
}

// TestCheckSignature: signatures that do not fit the certificate's type of key are those of another key; what cannot be checked is not.
func TestCheckSignature(t *testing.T) {
	ec, rsaPair := pair(t)
	signed := []byte("what both have sent")
	for name, c := range map[string]struct {
		leaf   []byte
		scheme uint16
		want   string
	}{
		"an RSA signature for an ECDSA key":     {ec.Certificate[0], 0x0804, "invalid signature by the server certificate"},
		"an Ed25519 signature for an ECDSA key": {ec.Certificate[0], 0x0807, "invalid signature by the server certificate"},
		"an ECDSA signature for an RSA key":     {rsaPair.Certificate[0], 0x0403, "invalid signature by the server certificate"},
		"no signature at all":                   {ec.Certificate[0], 0x0403, "invalid signature by the server certificate"},
		"a DSA signature":                       {ec.Certificate[0], 0x0402, "0x0402 is not supported"},
		"Ed448":                                 {ec.Certificate[0], 0x0808, "0x0808 is not supported"},
		"a curve of Brainpool":                  {ec.Certificate[0], 0x081a, "0x081a is not supported"},
		"a number of nobody's":                  {ec.Certificate[0], 0xffff, "0xffff is not supported"},
		"a key of another kind":                 {certificateFile(t, "testdata/keys/ed448.pem"), 0x0403, "not supported"},
		"a certificate that cannot be parsed":   {[]byte("no certificate"), 0x0403, "malformed"},
	} {
		err := checkSignature(c.leaf, c.scheme, signed, []byte("no signature"))
		if err == nil || !bytes.Contains([]byte(err.Error()), []byte(c.want)) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
