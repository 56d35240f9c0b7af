package probe

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/tls"
	"net"
	"net/netip"
	"slices"
	"strings"

	"certdrift/internal/observation"
	"certdrift/internal/probe/netguard"
)

// offer is how much a ClientHello offers. Each offers what the ones before it do, and more.
type offer int

const (
	// offerCurrent is what every current client offers: TLS 1.2 and 1.3 with forward secrecy and authenticated encryption, on the
	// groups of browsers. Each probe begins with it.
	offerCurrent offer = iota
	offerCBC           // ECDHE with CBC and SHA-1, P-521
	offerRSA           // RSA key exchange; TLS 1.0 and 1.1
	offerSHA256        // CBC with SHA-256, which was never common
	offerAll           // 3DES and RC4
)

// apply sets what a configuration offers.
func (o offer) apply(config *tls.Config) {
	config.CipherSuites = o.suites()
	config.MinVersion = tls.VersionTLS12
	if o >= offerRSA {
		config.MinVersion = tls.VersionTLS10 // to observe old servers instead of failing
	}
	if o == offerCurrent {
		config.CurvePreferences = currentGroups()
	}
}

// currentGroups returns the groups of browsers, rustls and all others, the post-quantum one first.
func currentGroups() []tls.CurveID {
	return []tls.CurveID{tls.X25519MLKEM768, tls.X25519, tls.CurveP256, tls.CurveP384}
}

// currentSuites returns the cipher suites of offerCurrent, which each probe begins with: crypto/tls would make a list of all of its suites
// for each of them.
func currentSuites() []uint16 {
	return []uint16{
		tls.TLS_AES_128_GCM_SHA256, tls.TLS_AES_256_GCM_SHA384, tls.TLS_CHACHA20_POLY1305_SHA256,
		tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
		tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
	}
}

// suites returns the cipher suites of crypto/tls in an offer.
func (o offer) suites() []uint16 {
	if o == offerCurrent {
		return currentSuites()
	}
	return o.suitesByName()
}

func (o offer) suitesByName() []uint16 {
	var ids []uint16
	for _, s := range slices.Concat(tls.CipherSuites(), tls.InsecureCipherSuites()) {
		if suiteOffer(s.Name) <= o {
			ids = append(ids, s.ID)
		}
	}
	return ids
}

// suiteOffer returns the first offer with a cipher suite.
func suiteOffer(name string) offer {
	switch {
	case strings.Contains(name, "_3DES_"), strings.Contains(name, "_RC4_"):
		return offerAll
	case strings.HasSuffix(name, "_CBC_SHA256"):
		return offerSHA256
	case strings.HasPrefix(name, "TLS_RSA_WITH_"):
		return offerRSA
	case strings.HasSuffix(name, "_CBC_SHA"):
		return offerCBC
	}
	return offerCurrent
}

// needed returns the first offer that has all a handshake used.
func needed(state tls.ConnectionState) offer {
	least := suiteOffer(tls.CipherSuiteName(state.CipherSuite))
	if state.Version < tls.VersionTLS12 {
		least = max(least, offerRSA)
	}
	onP521 := state.CurveID == tls.CurveP521
	if len(state.PeerCertificates) > 0 && state.Version < tls.VersionTLS13 { // the groups are those of keys, too
		key, ok := state.PeerCertificates[0].PublicKey.(*ecdsa.PublicKey)
		onP521 = onP521 || ok && key.Curve == elliptic.P521()
	}
	if onP521 {
		least = max(least, offerCBC)
	}
	return least
}

// lookWider finds the least offer that a server accepts after it rejected that of a current client; offerCurrent if it accepts none,
// or fails for another reason. It offers everything first, and less as long as less is enough: a server that prefers RC4 and also
// has something better is not one that needs RC4. All of that takes one phase at most.
func (v *endpointProbe) lookWider(ctx context.Context, o *origin, at netip.AddrPort, allow netguard.Permit, f *observation.Failure) offer {
	if o.offer != offerCurrent || !negotiates(f) {
		return offerCurrent
	}
	ctx, cancel := v.phase(ctx)
	defer cancel()
	found := offerCurrent
	for next := offerAll; next > offerCurrent; {
		state, ok := v.accepts(ctx, o, at, allow, next)
		if !ok {
			break
		}
		if found = needed(state); found == offerCurrent {
			break // it would have been enough: the server fails now and then
		}
		next = found - 1
	}
	return found
}

// negotiates reports whether a handshake failed as it does where client and server have nothing in common. Some servers send no alert.
func negotiates(f *observation.Failure) bool {
	switch f.Kind {
	case observation.Alert:
		return unspecific(f.Alert)
	case observation.VersionOld, observation.HandshakeFailed, observation.Closed, observation.Reset:
		return true
	}
	return false
}

// accepts reports whether a server goes as far as its certificate with an offer, and what it chose.
func (v *endpointProbe) accepts(ctx context.Context, o *origin, at netip.AddrPort, allow netguard.Permit, width offer) (state tls.ConnectionState, ok bool) {
	wider := *o
	wider.offer = width
	config, err := v.tlsConfig(&wider, &clientAuth{})
	if err != nil {
		return state, false
	}
	config.VerifyConnection = func(seen tls.ConnectionState) error {
		state, ok = seen, true
		return nil
	}
	err = v.onNewConnection(ctx, o, at, allow, func(conn net.Conn) error {
		client := tls.Client(conn, config)
		err := client.HandshakeContext(ctx)
		if err == nil {
			state = client.ConnectionState()
		}
		return err
	})
	return state, ok || err == nil
}
