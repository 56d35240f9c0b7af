package probe

import (
	"bytes"
	"cmp"
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	"certdrift/internal/chain"
	"certdrift/internal/observation"
	"certdrift/internal/probe/starttls"
)

// A server may have two certificates for one name, an ECDSA and an RSA one, and chooses by what the client offers. A handshake shows only
// one of them: crypto/tls offers RSA first, most other clients offer ECDSA first. So the server is asked for the other one, on a
// connection of its own and only up to the proof that it has the certificate's key, by a ClientHello that is like the first but offers the other type of
// key alone: up to TLS 1.2 by its cipher suites, in TLS 1.3 by its signature algorithms.

// askOthers asks all addresses of an endpoint for their other certificate if it is the endpoint's turn. What it does not learn leaves
// the rest of the results as they are.
func (v *endpointProbe) askOthers(ctx context.Context, where []netip.AddrPort, results []*answer) {
	if starttls.Farewell(v.target.Kind) != nil {
		return // MySQL has one certificate, and holds it against a client that it hangs up in the middle of a handshake
	}
	leaves := leavesOf(results)
	if len(leaves) == 0 || !v.others.due(v.target, v.now(), leaves, mixed(results)) {
		return
	}
	if !v.late() {
		v.inSlots(ctx, len(where), func(i int) {
			if showsKey(results[i]) != "" {
				results[i].Other = v.askOther(ctx, where[i], results[i])
			}
		})
	}
	for _, a := range results {
		if a != nil && a.Other == nil && showsKey(a) != "" {
			if v.target.OtherEvery > 0 {
				return // it stays due
			}
			a.Other = unknownOther(otherType(showsKey(a)), errNoTime)
		}
	}
	if ctx.Err() == nil {
		v.others.asked(v.target, v.now(), leaves, results)
	}
}

var errNoTime = errors.New("the round had no time left to ask for it")

// otherType returns the type of key that a certificate with a type of key leaves to ask for.
func otherType(have observation.KeyType) observation.KeyType {
	if have == observation.RSA {
		return observation.ECDSA
	}
	return observation.RSA
}

func unknownOther(key observation.KeyType, why error) *observation.OtherCertificate {
	return &observation.OtherCertificate{KeyType: key, Failure: fail(observation.PhaseTLS, why)}
}

// late reports whether so much of the round's time is over that the rest is for endpoints that were not probed at all yet.
func (r *round) late() bool { return !r.halfway.IsZero() && time.Now().After(r.halfway) }

// showsKey returns the type of key of the certificate that a handshake of crypto/tls showed; empty where none did, or it has another key. What
// is behind a PROXY header that clients don't send counts as not shown: nobody gets the other one either.
func showsKey(a *answer) observation.KeyType {
	if a == nil || a.version == 0 || len(a.peers) == 0 || a.Failure != nil && a.Failure.ProxyHeader != nil {
		return ""
	}
	return keyType(a.peers[0])
}

// leavesOf returns the digests of the certificates that addresses showed and that there may be another one of.
func leavesOf(results []*answer) map[[sha256.Size]byte]bool {
	leaves := map[[sha256.Size]byte]bool{}
	for _, a := range results {
		if showsKey(a) != "" {
			leaves[sha256.Sum256(a.peers[0].Raw)] = true
		}
	}
	return leaves
}

// mixed reports whether some addresses showed an RSA key and others an ECDSA one.
func mixed(results []*answer) bool {
	types := map[observation.KeyType]bool{}
	for _, a := range results {
		types[showsKey(a)] = true
	}
	return types[observation.RSA] && types[observation.ECDSA]
}

// askOther asks one address.
func (v *endpointProbe) askOther(ctx context.Context, at netip.AddrPort, first *answer) (other *observation.OtherCertificate) {
	have := keyType(first.peers[0])
	other = &observation.OtherCertificate{KeyType: otherType(have)}
	unknown := func(err error) *observation.OtherCertificate { return unknownOther(other.KeyType, err) }
	defer func() {
		if p := recover(); p != nil { // as in address
			other = unknown(fmt.Errorf("reading the server's answer failed: %v", p))
		}
	}()
	o, err := v.origin()
	if err != nil {
		return unknown(err)
	}
	var seen serverHello
	asked := v.questions.take(ctx, func() bool {
		seen, err = v.helloFor(ctx, o, at, first, other.KeyType)
		return waitedInVain(cmp.Or(err, seen.unproven))
	})
	switch {
	case !asked && ctx.Err() != nil:
		return unknown(errNoTime)
	case !asked:
		return unknown(fmt.Errorf("not asked, since %d other servers of the round did not answer this question", maxFruitlessLooks))
	case err != nil && rejectsKeyType(receivedAlert(err)) && first.suite != tls.TLS_CHACHA20_POLY1305_SHA256:
		other.Absent = true
		return other
	case err != nil:
		return unknown(err)
	}
	var shown answer
	seen.show(o, &shown)
	if len(shown.peers) > 0 && keyType(shown.peers[0]) == have {
		other.Absent = true // it goes by nothing that the client offers
		return other
	}
	if len(shown.peers) > 0 && o.sni() != "" && !chain.Covers(shown.peers[0], o.host) {
		if other.Fallback, err = v.sentForAnyName(ctx, o, at, first, other.KeyType, seen.chain[0]); err != nil {
			return unknown(err)
		}
	}
	v.addExtras(ctx, &shown)
	if ctx.Err() != nil {
		return unknown(errNoTime)
	}
	other.TLS = shown.TLS
	if other.KeyProven = seen.unproven == nil; !other.KeyProven {
		other.Failure = fail(observation.PhaseTLS, seen.unproven)
	}
	return other
}

// waitedInVain reports whether an error is that a server did not answer in time.
func waitedInVain(err error) bool {
	return err != nil && tlsKind(err) == observation.TimedOut
}

// keyType returns the type of a certificate's key; empty for one that no client chooses by.
func keyType(cert *x509.Certificate) observation.KeyType {
	switch cert.PublicKey.(type) {
	case *rsa.PublicKey:
		return observation.RSA
	case *ecdsa.PublicKey, ed25519.PublicKey:
		return observation.ECDSA
	}
	return ""
}

// rejectsKeyType reports whether an alert says that the server has no certificate for what the client offers. The first handshake
// has shown that it accepts all the rest.
func rejectsKeyType(alert string) bool {
	return alert == "handshake_failure" || alert == "insufficient_security" || alert == "illegal_parameter" || alert == "unsupported_certificate"
}

// helloFor reads the certificate that a server has for clients of a type of key.
func (v *endpointProbe) helloFor(ctx context.Context, o *origin, at netip.AddrPort, first *answer, key observation.KeyType) (seen serverHello, err error) {
	offer := hello{sni: o.sni()}
	if o.kind.Web() {
		offer.protocols = []string{protocolH2, "http/1.1"}
	}
	if first.version < tls.VersionTLS13 {
		offer.suites, offer.groups, offer.signatures = suitesFor(key), allGroups(), allSignatures()
	} else {
		offer.suites, offer.groups, offer.signatures = []uint16{first.suite}, []uint16{uint16(first.group)}, signaturesFor(key)
		if first.suite == tls.TLS_CHACHA20_POLY1305_SHA256 { // that a server rejects others may then be for the suite's sake
			offer.suites = []uint16{tls.TLS_AES_128_GCM_SHA256, tls.TLS_AES_256_GCM_SHA384}
		}
		if offer.share, err = v.shares.get(first.group); err != nil {
			return seen, err
		}
	}
	err = v.onNewConnection(ctx, o, at, v.guard.Target, func(conn net.Conn) (err error) {
		if offer.share != nil {
			seen, err = exchangeHello13(conn, offer)
		} else {
			seen, err = exchangeHello(conn, offer)
		}
		return err
	})
	return seen, err
}

// signaturesFor returns the signature algorithms of TLS 1.3 for a type of key (RFC 8446 §4.2.3). All clients list PKCS #1 beside PSS, and haproxy
// takes one that does not for one without RSA.
func signaturesFor(key observation.KeyType) []uint16 {
	if key == observation.ECDSA {
		return []uint16{0x0403, 0x0503, 0x0603, 0x0807}
	}
	return []uint16{0x0804, 0x0401, 0x0805, 0x0501, 0x0806, 0x0601}
}

// suitesFor returns the cipher suites up to TLS 1.2 that authenticate by a type of key.
func suitesFor(key observation.KeyType) []uint16 {
	return slices.DeleteFunc(allSuites(), func(id uint16) bool {
		name := suiteName(id)
		return strings.Contains(name, "_ECDSA_") != (key == observation.ECDSA) || strings.Contains(name, "_DSS_")
	})
}

// sentForAnyName reports whether a server sends a certificate to clients that ask for no name, too: those that support both types of key or,
// where they get one that is not for the host either, those of the certificate's own type alone. A server that accepts no such client has
// none for any name.
func (v *endpointProbe) sentForAnyName(ctx context.Context, o *origin, at netip.AddrPort, first *answer, key observation.KeyType, leaf []byte) (yes bool, err error) {
	nameless := *o
	nameless.host, nameless.offer = "", first.offer
	seen, _ := v.lookAgain(ctx, &nameless, at, v.guard.Target, nil)
	switch {
	case seen.TLS == nil && seen.Failure.Kind == observation.Alert:
		return false, nil
	case seen.TLS == nil:
		return false, fmt.Errorf("asking without a name: %s", seen.Failure.Detail)
	case bytes.Equal(seen.TLS.Chain[0], leaf), len(seen.peers) == 0 || chain.Covers(seen.peers[0], o.host):
		return bytes.Equal(seen.TLS.Chain[0], leaf), nil
	}
	alone, err := v.helloFor(ctx, &nameless, at, first, key)
	switch {
	case err == nil:
		return bytes.Equal(alone.chain[0], leaf), nil
	case receivedAlert(err) != "":
		return false, nil
	}
	return false, fmt.Errorf("asking without a name: %w", err)
}
