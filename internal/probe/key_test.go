package probe

import (
	"bytes"
	"crypto/tls"
	"encoding/pem"
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

// FuzzServerHello: whatever a server sends, reading its hello ends, and a chain in it consists of received bytes.
func FuzzServerHello(f *testing.F) {
	f.Add([]byte("\x16\x03\x03\x00\x04\x0e\x00\x00\x00"))
	f.Add([]byte("\x15\x03\x03\x00\x02\x02\x28"))
	f.Add(greeting(0x0303, certificateFile(f, "testdata/keys/p192.pem")))
	f.Fuzz(func(t *testing.T, sent []byte) {
		g, err := readServerHello(bytes.NewReader(sent))
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
		for _, der := range slices.Concat(g.chain, h.chain) {
			if key := readKey(der); key.usable && key.weak {
				t.Errorf("%+v is both", key)
			}
		}
	})
}
