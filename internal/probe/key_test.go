package probe

import (
	"bytes"
	"crypto/tls"
	"encoding/pem"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestReadKey: certificates that `openssl req -x509` made for keys of many kinds.
func TestReadKey(t *testing.T) {
	want := map[string]keyInfo{
		"p192":      {kind: "ECDSA on P-192", weak: true},
		"p224":      {kind: "ECDSA on P-224", weak: true},
		"p256":      {kind: "ECDSA on P-256", usable: true},
		"secp256k1": {kind: "ECDSA on secp256k1"},
		"brainpool": {kind: "ECDSA on brainpoolP384r1"},
		"sect163k1": {kind: "ECDSA on the curve 1.3.132.0.1", weak: true},
		"ed25519":   {kind: "Ed25519", usable: true},
		"ed448":     {kind: "Ed448"},
		"pss":       {kind: "RSA for PSS only (RFC 4055)"},
		"rsa512":    {kind: "RSA with 512 bits", weak: true},
		"rsa1024":   {kind: "RSA with 1024 bits", usable: true},
		"dsa":       {kind: "DSA", weak: true},
	}
	files, err := filepath.Glob("testdata/keys/*.pem")
	if err != nil || len(files) != len(want) {
		t.Fatalf("got %d files, want %d (%v)", len(files), len(want), err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".pem")
		if got := readKey(certificateFile(t, file)); got != want[name] {
			t.Errorf("%s: got %+v, want %+v", name, got, want[name])
		}
	}
}

func certificateFile(t testing.TB, file string) []byte {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(data)
	if block == nil {
		t.Fatalf("%s holds no PEM", file)
	}
	return block.Bytes
}

// FuzzServerHello: whatever a server sends, reading its hello ends, a chain in it consists of received bytes, and what no key has signed proves
// none.
func FuzzServerHello(f *testing.F) {
	f.Add([]byte("\x16\x03\x03\x00\x04\x0e\x00\x00\x00"))
	f.Add([]byte("\x15\x03\x03\x00\x02\x02\x28"))
	f.Add(greeting(0x0303, certificateFile(f, "testdata/keys/p192.pem")))
	f.Add(append(greeting(0x0303, certificateFile(f, "testdata/keys/p256.pem")), "\x16\x03\x03\x00\x0f\x0c\x00\x00\x0b\x03\x00\x17\x01\x04\x04\x03\x00\x02\x30\x00"...))
	f.Add([]byte("\x0b\x00\x00\x0a\x00\x00\x00\x06\x00\x00\x01a\x00\x00\x0f\x00\x00\x06\x04\x03\x00\x02\x30\x00"))
	f.Add([]byte("\x0f\x00\x00\x0600\x00\x0200")) // a proof before the certificate
	f.Fuzz(func(t *testing.T, sent []byte) {
		g, err := readServerHello(bytes.NewReader(sent), make([]byte, randomSize))
		if err == nil && len(g.chain) == 0 {
			t.Fatal("a serverHello without a chain")
		}
		if _, share, ok := readServerHello13(sent, tls.X25519); ok != (share != nil) {
			t.Errorf("a hello of TLS 1.3 with the share %x: %v", share, ok)
		}
		var h serverHello
		if err := h.readCertificate13(sent); err == nil && len(h.chain) == 0 {
			t.Error("a certificate message of TLS 1.3 without a chain")
		}
		in := [][]byte{sent}
		var encrypted serverHello
		encryptedErr := encrypted.readEncrypted(&messages{record: func() (record []byte, err error) {
			if len(in) == 0 {
				return nil, io.EOF
			}
			record, in = in[0], nil
			return record, nil
		}})
		if err == nil && g.unproven == nil || encryptedErr == nil && encrypted.unproven == nil {
			t.Errorf("proven: %v %v", g, encrypted)
		}
		for _, der := range slices.Concat(g.chain, h.chain, encrypted.chain) {
			if key := readKey(der); key.usable && key.weak {
				t.Errorf("%+v is both", key)
			}
		}
	})
}
