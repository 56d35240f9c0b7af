package p384_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"fmt"
	"math/big"
	"slices"
	"testing"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"certdrift/internal/p384"
)

var order = elliptic.P384().Params().N

func newKey(t testing.TB) (*ecdsa.PrivateKey, *p384.Key) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return private, prepare(t, &private.PublicKey)
}

func prepare(t testing.TB, public *ecdsa.PublicKey) *p384.Key {
	t.Helper()
	key, err := p384.NewKey(public)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func encode(r, s *big.Int) []byte {
	var b cryptobyte.Builder
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1BigInt(r)
		b.AddASN1BigInt(s)
	})
	return b.BytesOrPanic()
}

// agree compares the verdict with that of crypto/ecdsa, and returns it.
func agree(t testing.TB, public *ecdsa.PublicKey, key *p384.Key, digest, signature []byte, what string) bool {
	t.Helper()
	want := ecdsa.VerifyASN1(public, digest, signature)
	if got := key.Verify(digest, signature); got != want {
		t.Fatalf("%s: %v, but crypto/ecdsa says %v; key %x, digest %x, signature %x", what, got, want, must(public.Bytes()), digest, signature)
	}
	return want
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func sum(hash crypto.Hash, text string) []byte {
	h := hash.New()
	h.Write([]byte(text))
	return h.Sum(nil)
}

func TestSignatures(t *testing.T) {
	t.Parallel()
	for n := range 2 {
		private, key := newKey(t)
		for _, hash := range []crypto.Hash{crypto.SHA256, crypto.SHA384, crypto.SHA512} {
			digest := sum(hash, fmt.Sprint(n))
			signature := must(ecdsa.SignASN1(rand.Reader, private, digest))
			if !agree(t, &private.PublicKey, key, digest, signature, "signed") {
				t.Fatal("crypto/ecdsa refuses its own signature")
			}
			for i := range signature {
				changed := slices.Clone(signature)
				changed[i] ^= 1 << (i % 8)
				agree(t, &private.PublicKey, key, digest, changed, fmt.Sprintf("byte %d of the signature changed", i))
			}
			for i := range digest {
				changed := slices.Clone(digest)
				changed[i] ^= 1 << (i % 8)
				agree(t, &private.PublicKey, key, changed, signature, fmt.Sprintf("byte %d of the digest changed", i))
			}
		}
	}
}

// The digests and numbers at which a formula may go wrong.
func TestBoundaries(t *testing.T) {
	t.Parallel()
	private, key := newKey(t)
	minus := func(n *big.Int, by int64) *big.Int { return new(big.Int).Sub(n, big.NewInt(by)) }
	numbers := []*big.Int{
		big.NewInt(-1), big.NewInt(0), big.NewInt(1), big.NewInt(2), big.NewInt(15), big.NewInt(16), minus(order, 2), minus(order, 1), order,
		minus(order, -1), elliptic.P384().Params().P, new(big.Int).Lsh(big.NewInt(1), 384), elliptic.P384().Params().Gx,
	}
	digests := [][]byte{
		nil, {}, {1}, make([]byte, 32), make([]byte, 48), make([]byte, 64), order.Bytes(), minus(order, 1).Bytes(), minus(order, -1).Bytes(),
		slices.Repeat([]byte{0xff}, 48), slices.Repeat([]byte{0xff}, 64), sum(crypto.SHA384, "x"),
	}
	for _, digest := range digests {
		for _, r := range numbers {
			for _, s := range numbers {
				agree(t, &private.PublicKey, key, digest, encode(r, s), "made up")
			}
		}
		signature := must(ecdsa.SignASN1(rand.Reader, private, digest))
		if !agree(t, &private.PublicKey, key, digest, signature, "signed") {
			t.Errorf("the digest %x cannot be signed", digest)
		}
	}
}

// Keys of which multiples meet those of the generator: additions of equal and of opposite points, and sums at infinity.
func TestSmallKeys(t *testing.T) {
	t.Parallel()
	curve := elliptic.P384()
	for _, secret := range []*big.Int{big.NewInt(1), big.NewInt(2), big.NewInt(16), new(big.Int).Sub(order, big.NewInt(1)), new(big.Int).Sub(order, big.NewInt(16))} {
		private := must(ecdsa.ParseRawPrivateKey(curve, secret.FillBytes(make([]byte, 48))))
		key := prepare(t, &private.PublicKey)
		digest := sum(crypto.SHA384, secret.String())
		if !agree(t, &private.PublicKey, key, digest, must(ecdsa.SignASN1(rand.Reader, private, digest)), "signed") {
			t.Errorf("the key %v cannot sign", secret)
		}
		// u1·G + u2·Q is at infinity if e = -r·secret, and is twice the same point if e = r·secret.
		for _, r := range []*big.Int{big.NewInt(1), big.NewInt(7), curve.Params().Gx} {
			r = new(big.Int).Mod(r, order)
			for _, sign := range []int64{1, -1} {
				e := new(big.Int).Mul(r, secret)
				e.Mod(e.Mul(e, big.NewInt(sign)), order)
				for _, s := range []*big.Int{big.NewInt(1), r, e} {
					agree(t, &private.PublicKey, key, e.FillBytes(make([]byte, 48)), encode(r, s), "degenerate")
				}
			}
		}
	}
}

func TestMalformedSignatures(t *testing.T) {
	t.Parallel()
	private, key := newKey(t)
	digest := sum(crypto.SHA384, "x")
	good := must(ecdsa.SignASN1(rand.Reader, private, digest))
	for what, signature := range map[string][]byte{
		"nothing": nil, "no numbers": {0x30, 0}, "a byte more": append(slices.Clone(good), 0), "a byte less": good[:len(good)-1],
		"padded": {0x30, 8, 2, 2, 0, 1, 2, 2, 0, 1}, "one number": {0x30, 3, 2, 1, 1}, "a length in the long form": append([]byte{0x30, 0x81, good[1]}, good[2:]...),
	} {
		if agree(t, &private.PublicKey, key, digest, signature, what) {
			t.Errorf("%s: crypto/ecdsa accepts it", what)
		}
	}
}

func TestOtherCurves(t *testing.T) {
	t.Parallel()
	private := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	if _, err := p384.NewKey(&private.PublicKey); err == nil {
		t.Error("a key on P-256 was accepted")
	}
}

// FuzzVerify holds every verdict against that of crypto/ecdsa.
func FuzzVerify(f *testing.F) {
	// Always the same key, so that an input that fails once fails again.
	private := must(ecdsa.ParseRawPrivateKey(elliptic.P384(), sum(crypto.SHA384, "fuzz")))
	key := prepare(f, &private.PublicKey)
	digest := sha512.Sum384(nil)
	short := sha256.Sum256(nil)
	f.Add(digest[:], must(ecdsa.SignASN1(rand.Reader, private, digest[:])), true)
	f.Add(short[:], encode(big.NewInt(1), big.NewInt(1)), false)
	f.Fuzz(func(t *testing.T, digest, signature []byte, sign bool) {
		if sign {
			signature = must(ecdsa.SignASN1(rand.Reader, private, digest))
		}
		if ok := agree(t, &private.PublicKey, key, digest, signature, "fuzzed"); sign && !ok {
			t.Errorf("the digest %x cannot be signed", digest)
		}
	})
}

func BenchmarkVerify(b *testing.B) {
	private, key := newKey(b)
	digest := sum(crypto.SHA384, "x")
	signature := must(ecdsa.SignASN1(rand.Reader, private, digest))
	b.Run("this package", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			key.Verify(digest, signature)
		}
	})
	b.Run("crypto/ecdsa", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			ecdsa.VerifyASN1(&private.PublicKey, digest, signature)
		}
	})
	b.Run("multiples of a key", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			prepare(b, &private.PublicKey)
		}
	})
}
