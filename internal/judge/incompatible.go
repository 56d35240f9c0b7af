package judge

import (
	"encoding/asn1"
	"fmt"
	"strings"

	"certdrift/internal/clients"
	"certdrift/internal/finding"
	"certdrift/internal/observation"
)

// incompatibility is why only some clients can make a handshake.
type incompatibility struct {
	what, remedy string
	problem      clients.Problem
	check        string // arguments of openssl s_client, which fails with them as those clients do
}

// incompatible returns what a look beyond crypto/tls's own handshake found to be the cause of a failed one: the type of the
// certificate's key, or the cipher suites. It is nil where nothing was found.
func (c *connection) incompatible(f *observation.Failure) *incompatibility {
	if f.Kind != observation.Alert || c.TLS == nil || c.TLS.ClientCertificateRequested {
		return nil
	}
	if c.pssKey() {
		return &incompatibility{
			"the key of its certificate is of the type RSASSA-PSS (RFC 4055)", "Have a certificate issued for an ordinary RSA key (rsaEncryption) or an ECDSA key.",
			clients.KeyPSS, " -sigalgs rsa_pss_rsae_sha256:rsa_pkcs1_sha256:ecdsa_secp256r1_sha256",
		}
	}
	refusing := rejectsSuite(c.TLS.Cipher)
	if refusing == "" {
		return nil
	}
	return &incompatibility{
		"it offers nothing better than the cipher suite " + finding.Clean(c.TLS.Cipher, 60),
		"Enable TLS 1.3, and for TLS 1.2 ECDHE with AES-GCM or ChaCha20.", refusing, " -cipher ECDHE+AESGCM:ECDHE+CHACHA20:AES128-SHA",
	}
}

// pssKey reports whether the leaf's key is for RSASSA-PSS signatures only, which crypto/x509 does not read.
func (c *connection) pssKey() bool {
	leaf := c.leaf()
	if leaf == nil {
		return false
	}
	var key struct {
		Algorithm struct {
			ID         asn1.ObjectIdentifier
			Parameters asn1.RawValue `asn1:"optional"`
		}
		Bits asn1.BitString
	}
	_, err := asn1.Unmarshal(leaf.RawSubjectPublicKeyInfo, &key)
	return err == nil && key.Algorithm.ID.Equal(asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 10})
}

// rejectsSuite returns what clients make of a cipher suite that crypto/tls does not have; empty for one that it has.
func rejectsSuite(name string) clients.Problem {
	switch {
	case strings.Contains(name, "_CAMELLIA_"), strings.Contains(name, "_SEED_"), strings.Contains(name, "_CCM"), strings.Contains(name, "_DSS_"):
		return clients.SuiteRare
	case strings.HasPrefix(name, "TLS_DHE_") && strings.HasSuffix(name, "_CBC_SHA"):
		return clients.SuiteDHECBC
	case strings.HasPrefix(name, "TLS_DHE_"):
		return clients.SuiteDHE
	case strings.HasSuffix(name, "_CBC_SHA384"):
		return clients.SuiteECDHECBC384
	}
	return ""
}

// incompatibly is the finding for a handshake that some clients can make.
func (c *connection) incompatibly(f *observation.Failure, cause *incompatibility) []finding.Finding {
	found := c.failed(finding.TLSHandshake, f, fmt.Sprintf("%s %s: %s",
		c.name(), handshakeFault(f, c.kind), cause.what), cause.remedy+" To check: "+c.clientCommand()+cause.check)
	found[0].Clients = clients.Of(cause.problem)
	return found
}
