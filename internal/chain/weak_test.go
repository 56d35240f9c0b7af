package chain_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"slices"
	"testing"

	"certdrift/internal/certtest"
	"certdrift/internal/chain"
	"certdrift/internal/sim/pki"
)

func TestWeakSignatures(t *testing.T) {
	must := ok(t)
	root, key := certtest.RSARoot(t, "RSA Root", now, 2048)
	leaf := must(root.Leaf(now, []string{host})).Certificate
	for _, hash := range []crypto.Hash{crypto.MD5, crypto.SHA1} {
		weak := certtest.Parse(t, certtest.Resign(t, leaf.Raw, key, hash))
		r := chain.Build(storeOf(root), chain.Query{Served: []*x509.Certificate{weak}, At: now})
		if r.Verdict != chain.Trusted || !slices.Equal(kinds(r.Leaf), []chain.Kind{chain.WeakSignature}) {
			t.Errorf("%v: %s, %v", hash, r.Verdict, kinds(r.Leaf))
		}
		forged := bytesFlipped(weak.Raw)
		if r := chain.Build(storeOf(root), chain.Query{Served: []*x509.Certificate{certtest.Parse(t, forged)}, At: now}); r.Verdict != chain.Untrusted {
			t.Errorf("%v with a wrong signature: %s", hash, r.Verdict)
		}
	}
}

// TestPSSWithSHA1: crypto/x509 knows it by no name, and it is SHA-1 all the same.
func TestPSSWithSHA1(t *testing.T) {
	root, key := certtest.RSARoot(t, "RSA Root", now, 2048)
	leaf := ok(t)(root.Leaf(now, []string{host})).Certificate
	weak := certtest.Parse(t, certtest.ResignPSS(t, leaf.Raw, key))
	r := chain.Build(storeOf(root), chain.Query{Served: []*x509.Certificate{weak}, At: now})
	if r.Verdict != chain.Trusted || !slices.Equal(kinds(r.Leaf), []chain.Kind{chain.WeakSignature}) || len(r.Path.Problems) > 0 {
		t.Errorf("%s, %v, %v", r.Verdict, kinds(r.Leaf), kinds(r.Path.Problems))
	}
	if r.Leaf[0].Detail != "RSASSA-PSS with SHA-1" {
		t.Errorf("named %q", r.Leaf[0].Detail)
	}
	forged := certtest.Parse(t, bytesFlipped(weak.Raw))
	if r := chain.Build(storeOf(root), chain.Query{Served: []*x509.Certificate{forged}, At: now}); r.Verdict != chain.Untrusted {
		t.Errorf("with a wrong signature: %s", r.Verdict)
	}
}

// bytesFlipped breaks a certificate's signature.
func bytesFlipped(der []byte) []byte {
	out := slices.Clone(der)
	out[len(out)-1] ^= 1
	return out
}

func TestRootsSignatureOnItselfCountsForNothing(t *testing.T) {
	must := ok(t)
	root, key := certtest.RSARoot(t, "RSA Root", now, 2048)
	root.Certificate = certtest.Parse(t, certtest.Resign(t, root.Certificate.Raw, key, crypto.SHA1))
	leaf := must(root.Leaf(now, []string{host}))
	if r := chain.Build(storeOf(root), chain.Query{Served: certs(leaf, root), At: now}); len(r.Valid) != 1 {
		t.Errorf("%s, %v", r.Verdict, kinds(r.Path.Problems))
	}
}

func TestWeakKeys(t *testing.T) {
	must := ok(t)
	root := must(pki.Root("Root", now))
	p224, err := ecdsa.GenerateKey(elliptic.P224(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		key  crypto.Signer
		want []chain.Kind
	}{{certtest.RSAKey(t, 1024), []chain.Kind{chain.WeakKey}}, {certtest.RSAKey(t, 2048), nil}, {p224, []chain.Kind{chain.WeakKey}}} {
		leaf := must(root.LeafWithKey(now, []string{host}, test.key))
		r := chain.Build(storeOf(root), chain.Query{Served: certs(leaf), At: now})
		if !slices.Equal(kinds(r.Leaf), test.want) || len(r.Valid) != 1 {
			t.Errorf("%T: %v, want %v", test.key, kinds(r.Leaf), test.want)
		}
	}
	small, _ := certtest.RSARoot(t, "RSA Root", now, 1024)
	leaf := must(small.Leaf(now, []string{host}))
	r := chain.Build(storeOf(small), chain.Query{Served: certs(leaf), At: now})
	if r.Verdict != chain.Trusted || !slices.Equal(kinds(r.Path.Problems), []chain.Kind{chain.WeakKey}) {
		t.Errorf("a root of 1024 bits: %s, %v", r.Verdict, kinds(r.Path.Problems))
	}
}

func TestLeafFaults(t *testing.T) {
	must := ok(t)
	root := must(pki.Root("Root", now))
	tests := []struct {
		name   string
		option pki.Option
		want   []chain.Kind
	}{
		{"none", func(*x509.Certificate) {}, nil},
		{"for clients", func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} }, []chain.Kind{chain.Usage}},
		{"no extended usage", func(c *x509.Certificate) { c.ExtKeyUsage = nil }, []chain.Kind{chain.UsageAbsent}},
		{"signs certificates only", func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageCertSign }, []chain.Kind{chain.Usage}},
		{"encipherment only", func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageKeyEncipherment }, []chain.Kind{chain.UsageSignature}},
		{"no key usage", func(c *x509.Certificate) { c.KeyUsage = 0 }, nil},
		{"critical and unknown", critical, []chain.Kind{chain.CriticalExtension}},
		{"expired and for clients", func(c *x509.Certificate) { expired(c); c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} }, []chain.Kind{chain.Expired, chain.Usage}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			leaf := must(root.Leaf(now, []string{host}, test.option))
			r := chain.Build(storeOf(root), chain.Query{Served: certs(leaf), At: now})
			if !slices.Equal(kinds(r.Leaf), test.want) || len(r.Valid) != 1 {
				t.Errorf("got %v, want %v", kinds(r.Leaf), test.want)
			}
		})
	}
}

func TestKeysThatGoRefusesToCheck(t *testing.T) {
	t.Setenv("GODEBUG", "rsa1024min=0")
	root, _ := certtest.RSARoot(t, "RSA Root", now, 768)
	leaf := ok(t)(root.Leaf(now, []string{host}))
	t.Setenv("GODEBUG", "")
	for served, want := range map[*x509.Certificate]chain.Verdict{leaf.Certificate: chain.Trusted, certtest.Parse(t, bytesFlipped(leaf.Certificate.Raw)): chain.Untrusted} {
		r := chain.Build(storeOf(root), chain.Query{Served: []*x509.Certificate{served}, At: now})
		if r.Verdict != want {
			t.Errorf("RSA of 768 bits: %s, want %s", r.Verdict, want)
		}
	}
}

func TestSignatureThatNobodyChecks(t *testing.T) {
	root := ok(t)(pki.Root("Root", now))
	leaf := ok(t)(root.Leaf(now, []string{host})).Certificate.Raw
	ecdsaSHA256 := []byte{0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02}
	strange := append(slices.Clone(ecdsaSHA256[:7]), 0x7f)
	odd := certtest.Parse(t, bytes.ReplaceAll(leaf, ecdsaSHA256, strange))
	r := chain.Build(storeOf(root), chain.Query{Served: []*x509.Certificate{odd}, At: now})
	if r.Verdict != chain.Trusted || !slices.Equal(kinds(r.Path.Problems), []chain.Kind{chain.Unverifiable}) {
		t.Errorf("%s, %v", r.Verdict, kinds(r.Path.Problems))
	} else if r.Path.Problems[0].Detail != "algorithm 1.2.840.10045.4.3.127" {
		t.Errorf("named %q", r.Path.Problems[0].Detail)
	}
}
