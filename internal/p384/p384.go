// Package p384 verifies many ECDSA signatures by the same key on the curve P-384, as an intermediate CA's is: a public CA signs
// thousands of certificates with one. A key's multiples are computed once, after which a signature takes a fraction of the time that
// crypto/ecdsa needs, which knows nothing of the signatures before and takes the same time for every input, as signing must.
//
// Everything here is public, so nothing has to take constant time. Do not use it where anything is secret.
package p384

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"encoding/binary"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"sync"

	"filippo.io/nistec"
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// size is that of a coordinate, a scalar and the part of a digest that is signed, in bytes.
const size = 48

var errCurve = errors.New("the key is not on the curve P-384")

// Key is a public key with its multiples, about 450 KiB. It is safe for concurrent use.
type Key struct{ multiples *table }

// NewKey computes a key's multiples, which takes as long as crypto/ecdsa takes for five signatures.
func NewKey(key *ecdsa.PublicKey) (*Key, error) {
	if key.Curve != elliptic.P384() {
		return nil, errCurve
	}
	encoded, err := key.Bytes()
	if err != nil {
		return nil, fmt.Errorf("encoding the key: %w", err)
	}
	point, err := nistec.NewP384Point().SetBytes(encoded)
	if err != nil {
		return nil, fmt.Errorf("reading the key: %w", err)
	}
	return &Key{newTable(point)}, nil
}

// Verify reports whether signature, an ASN.1 ECDSA-Sig-Value (RFC 3279 §2.2.3), is the key's of a digest: FIPS 186-5 §6.4.2. It returns what
// ecdsa.VerifyASN1 does.
func (k *Key) Verify(digest, signature []byte) bool {
	order := elliptic.P384().Params().N
	r, s, ok := parse(signature)
	if !ok || !inRange(r, order) || !inRange(s, order) {
		return false
	}
	e := new(big.Int).SetBytes(digest[:min(len(digest), size)])
	inverse := new(big.Int).ModInverse(s, order)
	u1 := e.Mod(e.Mul(e, inverse), order)
	u2 := inverse.Mod(inverse.Mul(inverse, r), order)
	sum := nistec.NewP384Point()
	generator().addMultiple(sum, u1)
	k.multiples.addMultiple(sum, u2)
	encoded, err := sum.BytesX()
	if err != nil { // the point at infinity has no x
		return false
	}
	x := new(big.Int).SetBytes(encoded)
	return bytes.Equal(x.Mod(x, order).Bytes(), r.Bytes())
}

// parse reads a signature.
func parse(signature []byte) (r, s *big.Int, ok bool) {
	r, s = new(big.Int), new(big.Int)
	input, inner := cryptobyte.String(signature), cryptobyte.String(nil)
	ok = input.ReadASN1(&inner, asn1.SEQUENCE) && input.Empty() && inner.ReadASN1Integer(r) && inner.ReadASN1Integer(s) && inner.Empty()
	return r, s, ok
}

// inRange reports whether a number is from 1 to below the group's order.
func inRange(n, order *big.Int) bool { return n.Sign() > 0 && n.Cmp(order) < 0 }

// A scalar's digits in base 32: 16 would take a fifth more additions, 64 twice the memory.
const (
	width  = 5 // bits of a digit
	digits = (8*size + width - 1) / width
	values = 1<<width - 1 // other than 0
)

// table holds a point's multiples by v·32^i, for each digit i and its values v from 1.
type table [digits][values]*nistec.P384Point

// generator returns the table of the curve's generator.
var generator = sync.OnceValue(func() *table { return newTable(nistec.NewP384Point().SetGenerator()) })

func newTable(point *nistec.P384Point) *table {
	t := new(table)
	for i := range t {
		sum := nistec.NewP384Point().Set(point)
		for v := range t[i] {
			t[i][v] = nistec.NewP384Point().Set(sum)
			sum.Add(sum, point)
		}
		point = sum // 32 times as much
	}
	return t
}

// addMultiple adds a multiple of the table's point to sum.
func (t *table) addMultiple(sum *nistec.P384Point, by *big.Int) {
	var scalar [size + 1]byte
	by.FillBytes(scalar[1:])
	slices.Reverse(scalar[:]) // the lowest byte first
	for i := range t {
		at := width * i
		if digit := binary.LittleEndian.Uint16(scalar[at/8:]) >> (at % 8) & values; digit > 0 {
			sum.Add(sum, t[i][digit-1])
		}
	}
}
