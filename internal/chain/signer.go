package chain

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/x509"
	"sync"
	"sync/atomic"

	"certdrift/internal/p384"
)

// signer is a CA's key on P-384, as those are that sign most ECDSA certificates of the web. crypto/ecdsa takes longer to verify one signature by
// such a key than a whole TLS handshake takes; a key of which many signatures are verified is prepared for it.
type signer struct {
	public *ecdsa.PublicKey
	asked  atomic.Int64
	once   sync.Once
	key    *p384.Key // nil if it cannot be prepared
}

// pays is how many signatures a key is asked for before it is prepared, which takes as long as about five.
const pays = 3

// signed reports whether the key's signature of a certificate is known to be good. False says nothing: crypto/x509 has the last word on what is
// bad.
func (s *signer) signed(child *x509.Certificate) bool {
	if s == nil || s.asked.Add(1) <= pays {
		return false
	}
	s.once.Do(func() { s.key, _ = p384.NewKey(s.public) })
	hash, ok := map[x509.SignatureAlgorithm]crypto.Hash{
		x509.ECDSAWithSHA256: crypto.SHA256, x509.ECDSAWithSHA384: crypto.SHA384, x509.ECDSAWithSHA512: crypto.SHA512,
	}[child.SignatureAlgorithm]
	if s.key == nil || !ok {
		return false
	}
	digest := hash.New()
	digest.Write(child.RawTBSCertificate)
	return s.key.Verify(digest.Sum(nil), child.Signature)
}
