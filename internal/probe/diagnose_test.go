package probe

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"net"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/ocsp"

	"certdrift/internal/certtest"
	"certdrift/internal/observation"
	"certdrift/internal/target"
)

// greeting is what a server of TLS 1.2 or older sends up to its certificate, in records of a few bytes.
func greeting(version uint16, chain ...[]byte) []byte {
	var b cryptobyte.Builder
	message := func(kind uint8, body cryptobyte.BuilderContinuation) {
		b.AddUint8(kind)
		b.AddUint24LengthPrefixed(body)
	}
	message(serverHelloMessage, func(b *cryptobyte.Builder) {
		b.AddUint16(version)
		b.AddBytes(make([]byte, 33)) // random, and no session
		b.AddUint16(0xc02b)
		b.AddUint8(0)
	})
	message(certificate, func(b *cryptobyte.Builder) {
		b.AddUint24LengthPrefixed(func(b *cryptobyte.Builder) {
			for _, der := range chain {
				b.AddUint24LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(der) })
			}
		})
	})
	message(serverHelloDone, func(*cryptobyte.Builder) {})
	var out []byte
	for rest := b.BytesOrPanic(); len(rest) > 0; {
		n := min(len(rest), 100)
		out = append(out, recordHandshake, 3, 3, 0, byte(n))
		out, rest = append(out, rest[:n]...), rest[n:]
	}
	return out
}

// picky answers a ClientHello that contains wants with answer, and any other with the alert handshake_failure.
func picky(t testing.TB, wants string, answer []byte) string {
	t.Helper()
	return certtest.Serve(t, "127.0.0.1", func(conn net.Conn) {
		hello := make([]byte, 4096)
		n, _ := conn.Read(hello)
		if strings.Contains(string(hello[:n]), wants) {
			_, _ = conn.Write(answer)
		} else {
			_, _ = conn.Write([]byte("\x15\x03\x03\x00\x02\x02\x28"))
		}
	})
}

func TestUnsupportedKey(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P224(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	_, ca := authority(t)
	leaf := must(t)(ca.LeafWithKey(time.Now(), []string{"site.test"}, key))
	config := &tls.Config{Certificates: []tls.Certificate{leaf.TLS()}} // a server's defaults: TLS 1.3, which knows no P-224
	a := one(t, observe(t, at(t, target.TLS, certtest.ServeTLS(t, "127.0.0.1", config, nil))))
	failed(t, a, observation.PhaseTLS, observation.KeyUnusable)
	if a.TLS == nil || len(a.TLS.Chain) != 2 || a.TLS.Version != "TLS 1.2" || a.Failure.Alert != "handshake_failure" {
		t.Errorf("got %+v and %+v", a.TLS, a.Failure)
	}
}

func TestDiagnosticHandshake(t *testing.T) {
	const curves = "\x00\x12\x00\x13\x00\x14" // P-192 and its neighbours in supported_groups
	for _, test := range []struct {
		name, file, detail string
		kind               observation.FailureKind
	}{
		{"a weak curve that cannot be parsed", "p192", "ECDSA on P-192", observation.KeyUnusable},
		{"a key that few clients know", "ed448", "Ed448, which few clients support", observation.Alert},
		{"a sound key, and no cipher in common", "p256", "with TLS 1.2 and the cipher suite TLS_ECDHE_ECDSA", observation.Alert},
	} {
		t.Run(test.name, func(t *testing.T) {
			server := picky(t, curves, greeting(0x0303, certificateFile(t, "testdata/keys/"+test.file+".pem")))
			a := one(t, observe(t, at(t, target.TLS, server)))
			failed(t, a, observation.PhaseTLS, test.kind)
			if !strings.Contains(a.Failure.Detail, test.detail) || (a.TLS == nil) != (test.file == "p192") {
				t.Errorf("got %q and %+v", a.Failure.Detail, a.TLS)
			}
		})
	}
}

// TestOldVersionBehindAnAlert: a TLS 1.1 server whose cipher suites need an RSA key that it does not have. OpenSSL sends
// internal_error in such a case, at its default security level.
func TestOldVersionBehindAnAlert(t *testing.T) {
	config := serving(t)
	config.MaxVersion, config.CipherSuites = tls.VersionTLS11, []uint16{tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA}
	a := one(t, observe(t, at(t, target.TLS, certtest.ServeTLS(t, "127.0.0.1", config, nil))))
	failed(t, a, observation.PhaseTLS, observation.VersionOld)
}

// TestStapleOfAMalformedChain: the staple of a chain with a certificate that cannot be parsed is observed.
func TestStapleOfAMalformedChain(t *testing.T) {
	_, ca := authority(t)
	leaf := must(t)(ca.Leaf(time.Now(), []string{"site.test"}))
	served := leaf.TLS()
	served.Certificate = append(served.Certificate, []byte("no certificate"))
	served.OCSPStaple = certtest.OCSPResponse(t, ca, leaf.Certificate, ca, ocsp.Good)
	config := &tls.Config{Certificates: []tls.Certificate{served}, MaxVersion: tls.VersionTLS12}
	a := one(t, observe(t, at(t, target.TLS, certtest.ServeTLS(t, "127.0.0.1", config, nil))))
	failed(t, a, observation.PhaseTLS, observation.ChainMalformed)
	if a.TLS == nil || len(a.TLS.Revocation) != 1 || a.TLS.Revocation[0].Status != observation.Good {
		t.Errorf("got %+v", a.TLS)
	}
}
