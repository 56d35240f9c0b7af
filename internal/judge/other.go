package judge

import (
	"crypto/x509"
	"fmt"
	"slices"
	"strings"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
	"certdrift/internal/topology"
)

// connectOther adds to an address's own connection one for the other certificate of a pair: it is judged like the first. What a server
// sends for any name that it has no certificate for is none of a pair.
func (j *judgment) connectOther(in Input, e *endpoint, own *connection) {
	other := own.Other
	if other == nil || other.TLS == nil || other.Fallback {
		return
	}
	a := observation.Address{Address: own.Address.Address, Started: own.Started, TLS: other.TLS}
	own.pair = j.connect(in, e, nil, a)
	own.pair.pair, own.pair.other = own, true
	own.keyType, own.pair.keyType = observation.RSA, other.KeyType
	if other.KeyType == observation.RSA {
		own.keyType = observation.ECDSA
	}
}

// judges reports whether a rule is about a connection: of a pair's other certificate, only the certificate was observed.
func (c *connection) judges(code finding.Code) bool {
	return !c.other || code.Class() == finding.ClassCertificate
}

// clients returns which clients get the certificate of a connection, where the server has two. The first handshake is one of Go, which
// offers RSA first: a server that answers it with ECDSA has an order of its own.
func (c *connection) clients() string {
	switch {
	case c.keyType == observation.ECDSA && c.other:
		return "clients that prefer ECDSA may get it, such as current browsers, curl and OpenSSL, Python, Node and Java"
	case c.keyType == observation.ECDSA:
		return "all clients that support ECDSA get it"
	case c.other:
		return "only clients that do not support ECDSA get it"
	}
	return "clients that prefer RSA get it, such as Go's, and so do those that do not support ECDSA"
}

// addKeyType adds to a finding which certificate of a pair it is about.
func (c *connection) addKeyType(f *finding.Finding) {
	if c.keyType == "" || f.Code.Class() != finding.ClassCertificate && f.Code.Class() != finding.ClassDrift {
		return
	}
	f.Subject.KeyType, f.Subject.Other = string(c.keyType), c.other
	f.Evidence["served_to"] = c.clients()
	if c.other {
		algorithms := "rsa_pss_rsae_sha256:rsa_pkcs1_sha256"
		if c.keyType == observation.ECDSA {
			algorithms = "ecdsa_secp256r1_sha256:ecdsa_secp384r1_sha384"
		}
		f.Remedy += " To see this certificate: `" + c.clientCommand() + " -sigalgs " + algorithms + "`"
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
			f.Summary += "; of the server's two certificates, this is the " + f.Subject.KeyType + " one: " + served
		case f.Subject.Other:
			continue
		default:
			f.Subject.KeyType = ""
			f.Evidence["served_to"] = "all clients: it is an issuer of both of the server's certificates, the ECDSA and the RSA one"
		}
		kept = append(kept, f)
	}
	return kept
}

// keyType returns the type of a certificate's key; empty for one that clients do not choose by.
func keyType(cert *x509.Certificate) observation.KeyType {
	return topology.Leaf{Certificate: cert}.KeyType()
}

// unknownOthers returns a finding if a server did not answer the question for its other certificate: it may have none, or a bad one.
// It is a warning where that may be the declared one.
func unknownOthers(e *endpoint) []finding.Finding {
	var addresses, details []string
	for _, c := range e.connections {
		if c.Other == nil || c.Other.Failure == nil {
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
	severity := finding.Info
	if e.mayServeDeclared() {
		severity = finding.Warning
	}
	host := finding.Clean(e.Target.Host, finding.QuoteLimit)
	return []finding.Finding{e.finding(finding.ObserveIncomplete, severity,
		fmt.Sprintf("it is not known whether %s has a second certificate, for clients of another type of key, at %s: %s", host, topology.Some(addresses), details[0]),
		finding.Evidence{"operation": "other-certificate", "addresses": addresses[:min(len(addresses), topology.MaxNames)], "detail": strings.Join(details[:min(len(details), 3)], "; ")},
		"If the server has two certificates, an ECDSA and an RSA one, check the other one: `openssl s_client -connect "+topology.Shell(addresses[0])+" -servername "+topology.Shell(e.Target.Host)+" -sigalgs ecdsa_secp256r1_sha256`, and with `-sigalgs rsa_pss_rsae_sha256`.")}
}
