package chain

import (
	"crypto/x509"
	"encoding/asn1"
	"strings"
)

var (
	oidBasicConstraints = asn1.ObjectIdentifier{2, 5, 29, 19}
	oidSubjectKeyID     = asn1.ObjectIdentifier{2, 5, 29, 14}
)

// strictFaults returns the certificates of a path that OpenSSL's X509_V_FLAG_X509_STRICT refuses, each with everything that it
// breaches of RFC 5280. Python sets that flag since 3.13; no other client asks for so much. Not among them is what crypto/x509
// does not parse (a critical key identifier, two different signature algorithms, a curve by its parameters).
func strictFaults(path []*x509.Certificate) []Problem {
	if len(path) < 2 {
		return nil // a certificate that is itself trusted is not checked
	}
	var fs []Problem
	for i, c := range path {
		var broken []string
		add := func(is bool, what string) {
			if is {
				broken = append(broken, what)
			}
		}
		if i > 0 {
			strictIssuer(c, add)
		}
		strictUsage(c, add)
		strictNames(c, add)
		if c.Version < 3 {
			add(hasRawExtensions(c), "it has extensions, and is not of version 3")
		} else {
			add(i < len(path)-1 && len(authorityKeyOf(c).KeyID) == 0, "it does not identify its issuer's key (authority key identifier, §4.2.1.1)")
			add(isCA(c) && !hasExtension(c, oidSubjectKeyID), "it has no subject key identifier (§4.2.1.2)")
		}
		kind := Strict
		if c.Version == 3 && emptyNames(c) {
			kind = StrictNames
		}
		if len(broken) > 0 {
			fs = append(fs, Problem{kind, c, strings.Join(broken, "; ")})
		}
	}
	return fs
}

func isCA(c *x509.Certificate) bool { return c.BasicConstraintsValid && c.IsCA }

// strictIssuer is for certificates above the leaf.
func strictIssuer(c *x509.Certificate, add func(bool, string)) {
	add(!c.BasicConstraintsValid, "it has no basic constraints (§4.2.1.9)")
}

// strictUsage checks basic constraints and key usage against each other.
func strictUsage(c *x509.Certificate, add func(bool, string)) {
	add(isCA(c) && !criticalExtension(c, oidBasicConstraints), "its basic constraints are not critical (§4.2.1.9)")
	if c.BasicConstraintsValid && c.MaxPathLen >= 0 {
		add(!c.IsCA, "it has a path length and is no CA (§4.2.1.9)")
		add(hasKeyUsage(c) && c.KeyUsage&x509.KeyUsageCertSign == 0, "it has a path length and its key usage lacks keyCertSign (§4.2.1.9)")
	}
	add(isCA(c) && !hasKeyUsage(c), "it has no key usage (§4.2.1.3)")
	add(!isCA(c) && c.KeyUsage&x509.KeyUsageCertSign != 0, "its key usage has keyCertSign and it is no CA (§4.2.1.3)")
}

// emptySequence is the encoding of a list without names.
const emptySequence = "\x30\x00"

// strictNames checks subject, issuer and subject alternative names (RFC 5280 §4.1.2.4, §4.1.2.6, §4.2.1.6).
func strictNames(c *x509.Certificate, add func(bool, string)) {
	alternative := hasExtension(c, oidSubjectAltName)
	unnamed := string(c.RawSubject) == emptySequence
	add(string(c.RawIssuer) == emptySequence, "its issuer's name is empty (§4.1.2.4)")
	add(unnamed && (isCA(c) || !alternative || hasKeyUsage(c) && c.KeyUsage&x509.KeyUsageCRLSign != 0), "its subject is empty (§4.1.2.6)")
	add(unnamed && alternative && !criticalExtension(c, oidSubjectAltName), "its subject is empty, and its subject alternative names are not critical (§4.2.1.6)")
	for _, e := range c.Extensions {
		add(e.Id.Equal(oidSubjectAltName) && string(e.Value) == emptySequence, "its subject alternative names are an empty list (§4.2.1.6)")
	}
}

// emptyNames reports whether Java refuses the names of a certificate, too.
func emptyNames(c *x509.Certificate) bool {
	return string(c.RawIssuer) == emptySequence || string(c.RawSubject) == emptySequence && !criticalExtension(c, oidSubjectAltName)
}

func criticalExtension(c *x509.Certificate, id asn1.ObjectIdentifier) bool {
	for _, e := range c.Extensions {
		if e.Id.Equal(id) {
			return e.Critical
		}
	}
	return false
}

// hasRawExtensions reports whether a certificate has extensions that crypto/x509 does not read, because of its version.
func hasRawExtensions(c *x509.Certificate) bool {
	var tbs asn1.RawValue
	if _, err := asn1.Unmarshal(c.RawTBSCertificate, &tbs); err != nil {
		return false
	}
	for rest := tbs.Bytes; len(rest) > 0; {
		var part asn1.RawValue
		var err error
		if rest, err = asn1.Unmarshal(rest, &part); err != nil {
			return false
		}
		if part.Class == asn1.ClassContextSpecific && part.Tag == 3 {
			return true
		}
	}
	return false
}

// StrictFaults returns the certificates of the best path that OpenSSL's strict mode refuses, if it refuses every valid path. A chain
// without one has problems that matter more.
func (r *Result) StrictFaults() []Problem {
	if len(r.Valid) == 0 {
		return nil
	}
	for _, p := range r.Valid {
		if len(strictFaults(p.Certificates)) == 0 {
			return nil
		}
	}
	return strictFaults(r.Path.Certificates)
}
