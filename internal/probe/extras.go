package probe

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/x509"
	"sync"

	"certdrift/internal/observation"
)

// extras caches, for one endpoint and round, the extras of each chain: an endpoint's addresses usually serve the same one.
type extras struct {
	mu      sync.Mutex
	byChain map[[sha256.Size]byte]func() chainExtras
}

// chainExtras is what other servers report about a chain: missing issuers and revocation.
type chainExtras struct {
	issuers    []observation.FetchedIssuer
	fetched    []*x509.Certificate
	revocation []observation.Revocation
}

// addExtras adds missing issuers and revocation.
func (v *endpointProbe) addExtras(ctx context.Context, got *answer) {
	if got.TLS == nil || len(got.peers) == 0 {
		return
	}
	about := v.chainExtras(ctx, got.peers)
	got.TLS.Issuers = about.issuers
	if v.revocation == revocationOff {
		return
	}
	if len(got.staple) > 0 {
		issuer := v.issuerOf(got.peers[0], got.peers, about.fetched)
		got.TLS.Revocation = append(got.TLS.Revocation, readStaple(got.staple, got.peers[0], issuer))
	}
	got.TLS.Revocation = append(got.TLS.Revocation, about.revocation...)
}

func (v *endpointProbe) chainExtras(ctx context.Context, peers []*x509.Certificate) chainExtras {
	digest := sha256.New()
	for _, cert := range peers {
		digest.Write(cert.Raw)
	}
	key := [sha256.Size]byte(digest.Sum(nil))
	v.extras.mu.Lock()
	if v.extras.byChain == nil {
		v.extras.byChain = map[[sha256.Size]byte]func() chainExtras{}
	}
	ask, ok := v.extras.byChain[key]
	if !ok {
		ask = sync.OnceValue(func() (a chainExtras) {
			a.issuers, a.fetched = v.fetchIssuers(ctx, peers)
			if v.revocation == revocationFull {
				a.revocation = v.askRevocation(ctx, peers, a.fetched)
			}
			return a
		})
		v.extras.byChain[key] = ask
	}
	v.extras.mu.Unlock()
	return ask()
}

// maxPath bounds how far up a chain is followed.
const maxPath = 8

// path returns the path up from the leaf through the known certificates, and the index of each among peers; -1 for a
// certificate that the server did not send.
func (v *endpointProbe) path(peers, fetched []*x509.Certificate) (up []*x509.Certificate, index []int) {
	up, index = []*x509.Certificate{peers[0]}, []int{0}
	for len(up) < maxPath && !selfSigned(up[len(up)-1]) {
		parent := v.issuerOf(up[len(up)-1], peers, fetched)
		if parent == nil {
			break
		}
		up, index = append(up, parent), append(index, indexOf(parent, peers))
	}
	return up, index
}

func indexOf(cert *x509.Certificate, among []*x509.Certificate) int {
	for i, c := range among {
		if c.Equal(cert) {
			return i
		}
	}
	return -1
}

// issuerOf returns the certificate that signed child, among the sent and fetched ones, the endpoint's own CAs and the trust
// anchors; nil if none of them did.
func (v *endpointProbe) issuerOf(child *x509.Certificate, peers, fetched []*x509.Certificate) *x509.Certificate {
	for _, pool := range [][]*x509.Certificate{peers, fetched, v.anchorsFor(child)} {
		tried := 0
		for _, parent := range pool {
			if !bytes.Equal(parent.RawSubject, child.RawIssuer) || parent == child || tried == maxSignatures {
				continue
			}
			tried++
			if signed(parent, child) {
				return parent
			}
		}
	}
	return nil
}

// maxSignatures bounds the signatures that are checked to find one issuer: a chain may hold hundreds of one name.
const maxSignatures = 8

func (v *endpointProbe) anchorsFor(child *x509.Certificate) []*x509.Certificate {
	var found []*x509.Certificate
	for _, der := range v.target.Trust.CAs {
		if cert, err := x509.ParseCertificate(der); err == nil {
			found = append(found, cert)
		}
	}
	if v.anchors != nil {
		found = append(found, v.anchors(v.target, child)...)
	}
	return found
}

// signed reports whether parent's key made child's signature; whether parent may issue is up to the judge.
func signed(parent, child *x509.Certificate) bool {
	return parent.CheckSignature(child.SignatureAlgorithm, child.RawTBSCertificate, child.Signature) == nil
}

func selfSigned(cert *x509.Certificate) bool { return bytes.Equal(cert.RawSubject, cert.RawIssuer) }
