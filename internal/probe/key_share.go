package probe

import (
	"crypto/ecdh"
	"crypto/mlkem"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"sync"

	"golang.org/x/crypto/cryptobyte"
)

// keyShares are the client's halves of the key exchanges in which servers are asked for their other certificate, one of each group for a
// whole round: making one takes longer than all the rest of a question, and nothing secret is ever sent on the connections that they are for.
type keyShares struct {
	mu   sync.Mutex
	made map[tls.CurveID]*keyShare
}

func (k *keyShares) get(group tls.CurveID) (*keyShare, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if share := k.made[group]; share != nil {
		return share, nil
	}
	share, err := newKeyShare(group)
	if err != nil {
		return nil, err
	}
	if k.made == nil {
		k.made = map[tls.CurveID]*keyShare{}
	}
	k.made[group] = share
	return share, nil
}

// keyShare is the client's half of a key exchange of TLS 1.3 (RFC 8446 §4.2.8).
type keyShare struct {
	group tls.CurveID
	curve *ecdh.PrivateKey
	kem   *mlkem.DecapsulationKey768 // before the curve's, for X25519MLKEM768 (RFC 9954); nil for the others
	sent  []byte                     // the public half
}

// newKeyShare makes one of a group that crypto/tls offers in a handshake.
func newKeyShare(group tls.CurveID) (k *keyShare, err error) {
	curves := map[tls.CurveID]ecdh.Curve{
		tls.X25519: ecdh.X25519(), tls.CurveP256: ecdh.P256(), tls.CurveP384: ecdh.P384(), tls.CurveP521: ecdh.P521(), tls.X25519MLKEM768: ecdh.X25519(),
	}
	curve := curves[group]
	if curve == nil {
		return nil, fmt.Errorf("making a key share: the group %s is not supported", group)
	}
	k = &keyShare{group: group}
	if k.curve, err = curve.GenerateKey(rand.Reader); err == nil && group == tls.X25519MLKEM768 {
		k.kem, err = mlkem.GenerateKey768()
	}
	if err != nil {
		return nil, fmt.Errorf("making a key share: %w", err)
	}
	if k.kem != nil {
		k.sent = k.kem.EncapsulationKey().Bytes()
	}
	k.sent = append(k.sent, k.curve.PublicKey().Bytes()...)
	return k, nil
}

// add writes the entry of the key_share extension.
func (k *keyShare) add(b *cryptobyte.Builder) {
	b.AddUint16(uint16(k.group))
	b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(k.sent) })
}

// secret returns what client and server share.
func (k *keyShare) secret(peer []byte) (secret []byte, err error) {
	if k.kem != nil {
		if len(peer) < mlkem.CiphertextSize768 {
			return nil, errors.New("reading the server's key share: it is too short")
		}
		if secret, err = k.kem.Decapsulate(peer[:mlkem.CiphertextSize768]); err != nil {
			return nil, fmt.Errorf("reading the server's key share: %w", err)
		}
		peer = peer[mlkem.CiphertextSize768:]
	}
	key, err := k.curve.Curve().NewPublicKey(peer)
	if err != nil {
		return nil, fmt.Errorf("reading the server's key share: %w", err)
	}
	shared, err := k.curve.ECDH(key)
	if err != nil {
		return nil, fmt.Errorf("using the server's key share: %w", err)
	}
	return append(secret, shared...), nil
}
