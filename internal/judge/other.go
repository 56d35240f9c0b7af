package judge

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"slices"
	"strings"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
	"certdrift/internal/topology"
)

// connectOther adds to an address's own connection one for the other certificate of a pair: it is judged like the first, and so is a
// handshake that failed since the server has another key. What a server sends for any name that it has no certificate for is none of a pair.
func (j *judgment) connectOther(in Input, e *endpoint, own *connection) {
	other := own.Other
	if other == nil || other.TLS == nil || other.Fallback {
		return
	}
	a := observation.Address{Address: own.Address.Address, Started: own.Started, TLS: other.TLS}
	if other.Failure.ForeignKey() {
		a.Failure = other.Failure
	}
	own.pair = j.connect(in, e, nil, a)
	own.pair.pair, own.pair.other = own, true
	own.keyType, own.pair.keyType = observation.RSA, other.KeyType
	if other.KeyType == observation.RSA {
		own.keyType = observation.ECDSA
	}
}

// judges reports whether a rule is about a connection: of a pair's other certificate, only the certificate and the proof of its key were
// observed.
func (c *connection) judges(code finding.Code) bool {
	return !c.other || code.Class() == finding.ClassCertificate || code == finding.TLSHandshake
}

// clients returns which clients get the certificate of a connection, where the server has two. The first handshake is one of Go, whose
// signature algorithms begin with RSA: a server that answers it with ECDSA has an order of its own. Up to TLS 1.2 it may also go by the
// client's cipher suites, which begin with ECDSA in Go and most clients, and with RSA in Node.
func (c *connection) clients() string {
	name := c.curveName()
	switch {
	case c.keyType == observation.ECDSA && c.other && name == nameEd25519:
		return "clients that prefer Ed25519 to RSA may get it, such as curl and OpenSSL, Python, Node and Java; browsers do not support it"
	case c.keyType == observation.ECDSA && c.other:
		return "clients that prefer ECDSA may get it, such as current browsers, curl and OpenSSL, Python, Node and Java"
	case c.keyType == observation.ECDSA && c.bySuites():
		return "most clients that support " + name + " get it; where the server goes by the client's cipher suites, those that list RSA first, such as Node, get the other one"
	case c.other && c.pair.bySuites():
		return "clients that do not support " + name + " get it and, where the server goes by the client's cipher suites, those that list RSA first, such as Node"
	case c.keyType == observation.ECDSA:
		return "all clients that support " + name + " get it"
	case c.other:
		return "only clients that do not support " + name + " get it"
	}
	return "clients that prefer RSA get it, such as Go's, and so do those that do not support " + name
}

// bySuites reports whether the suite of a handshake says which type of key the server has: not from TLS 1.3 on.
func (c *connection) bySuites() bool {
	return c.TLS != nil && c.TLS.Version != tls.VersionName(tls.VersionTLS13)
}

// nameEd25519 is the name of a type of key that counts as ECDSA, since clients choose by it alike, but is none.
const nameEd25519 = "Ed25519"

// keyName returns how the key of a pair's certificate is called.
func (c *connection) keyName() string { return keyName(c.leaf(), c.keyType) }

// curveName returns how the key of a pair that is not RSA is called.
func (c *connection) curveName() string {
	if c.keyType == observation.RSA {
		return c.pair.keyName()
	}
	return c.keyName()
}

func keyName(leaf *x509.Certificate, key observation.KeyType) string {
	if leaf != nil && leaf.PublicKeyAlgorithm == x509.Ed25519 {
		return nameEd25519
	}
	return string(key)
}

// addKeyType adds to a finding which certificate of a pair it is about.
func (c *connection) addKeyType(f *finding.Finding) {
	about := f.Code.Class() == finding.ClassCertificate || f.Code.Class() == finding.ClassDrift || f.Code == finding.TLSHandshake && c.Failure.ForeignKey()
	if c.keyType == "" || !about {
		return
	}
	f.Subject.KeyType, f.Subject.Other = string(c.keyType), c.other
	f.Evidence["served_to"] = c.clients()
	if name := c.keyName(); name != f.Subject.KeyType {
		f.Evidence["key_algorithm"] = name
	}
	if c.other {
		algorithms := map[string]string{
			string(observation.RSA): "rsa_pss_rsae_sha256:rsa_pkcs1_sha256", string(observation.ECDSA): "ecdsa_secp256r1_sha256:ecdsa_secp384r1_sha384", nameEd25519: "ed25519",
		}
		f.Remedy += " To see this certificate: `" + c.clientCommand() + " -sigalgs " + algorithms[c.keyName()] + "`"
	}
}

// namePairs says in findings about one certificate of a pair which one that is. What is wrong with an issuer of both is one finding,
// about both.
func namePairs(fs []finding.Finding) []finding.Finding {
	type fault struct {
		code                                        finding.Code
		environment, endpoint, address, certificate string
	}
	of := func(f finding.Finding) fault {
		return fault{f.Code, f.Environment, f.Endpoint, f.Address, f.Subject.Certificate}
	}
	ofBoth := map[fault]bool{}
	own := map[fault]bool{}
	for _, f := range fs {
		if f.Subject.KeyType != "" && f.Subject.Certificate != "" && !f.Subject.Other {
			own[of(f)] = true
		}
	}
	for _, f := range fs {
		ofBoth[of(f)] = ofBoth[of(f)] || f.Subject.Other && own[of(f)]
	}
	kept := fs[:0:0]
	for _, f := range fs {
		served, _ := f.Evidence["served_to"].(string)
		switch {
		case served == "":
		case !ofBoth[of(f)]:
			f.Summary += "; of the server's two certificates, this is the " + f.KeyName() + " one: " + served
		case f.Subject.Other:
			continue
		default:
			f.Subject.KeyType = ""
			f.Evidence["served_to"] = "all clients: it is an issuer of both of the server's certificates"
			delete(f.Evidence, "key_algorithm")
		}
		kept = append(kept, f)
	}
	return kept
}

// keyType returns the type of a certificate's key; empty for one that clients do not choose by.
func keyType(cert *x509.Certificate) observation.KeyType {
	return topology.Leaf{Certificate: cert}.KeyType()
}

// unknownOthers returns findings if a server did not answer the question for its other certificate, or did not prove that it has its key: it
// may have none, or a bad one. The first is a warning where that may be the declared one.
func unknownOthers(e *endpoint) []finding.Finding {
	severity := finding.Info
	if e.mayServeDeclared() {
		severity = finding.Warning
	}
	host := finding.Clean(e.Target.Host, finding.QuoteLimit)
	return slices.Concat(
		e.unknownOther(severity, "other-certificate", "it is not known whether "+host+" has a second certificate, for clients of another type of key,",
			func(o *observation.OtherCertificate) bool { return o.TLS == nil }),
		e.unknownOther(finding.Info, "other-certificate-key", "it was not checked whether "+host+" has the private key of its second certificate",
			func(o *observation.OtherCertificate) bool {
				return o.TLS != nil && !o.Fallback && !o.Failure.ForeignKey()
			}))
}

// unknownOther returns a finding about the addresses where a failure left something about the other certificate unknown.
func (e *endpoint) unknownOther(severity finding.Severity, operation, summary string, about func(*observation.OtherCertificate) bool) []finding.Finding {
	var addresses, details []string
	for _, c := range e.connections {
		if c.Other == nil || c.Other.Failure == nil || !about(c.Other) {
			continue
		}
		addresses = append(addresses, c.Address.Address)
		if detail := finding.Clean(c.Other.Failure.Detail, finding.QuoteLimit); !slices.Contains(details, detail) {
			details = append(details, detail)
		}
	}
	if len(addresses) == 0 {
		return nil
	}
	return []finding.Finding{e.finding(finding.ObserveIncomplete, severity, fmt.Sprintf("%s at %s: %s", summary, topology.Some(addresses), details[0]),
		finding.Evidence{"operation": operation, "addresses": addresses[:min(len(addresses), topology.MaxNames)], "detail": strings.Join(details[:min(len(details), 3)], "; ")},
		"If the server has two certificates, an ECDSA and an RSA one, check the other one: `openssl s_client -connect "+topology.Shell(addresses[0])+" -servername "+topology.Shell(e.Target.Host)+" -sigalgs ecdsa_secp256r1_sha256`, and with `-sigalgs rsa_pss_rsae_sha256`.")}
}
