package judge

import (
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"slices"
	"strings"

	"certdrift/internal/chain"
	"certdrift/internal/clients"
	"certdrift/internal/finding"
	"certdrift/internal/observation"
)

func findMalformed(c *connection) []finding.Finding {
	remedy := func() string {
		return c.replace("Install the certificate exactly as the CA issued it. If the CA issued it like this, have it reissued.")
	}
	if f := c.Failure; f != nil && f.Kind == observation.ChainMalformed && !curveUnsupported(f) && c.TLS == nil {
		fault := strings.TrimPrefix(f.Detail, "tls: failed to parse certificate from server: ")
		e := finding.Evidence{"detail": finding.Clean(f.Detail, finding.QuoteLimit)}
		return []finding.Finding{refused(clients.Unparsable, c.finding(finding.CertMalformed, finding.Critical,
			"the server sends a certificate that cannot be parsed: "+finding.Clean(fault, finding.QuoteLimit), e, remedy()))}
	}
	if c.TLS == nil {
		return nil
	}
	for i, der := range c.TLS.Chain {
		if !c.garbled {
			break // all were parsed already
		}
		if _, err := x509.ParseCertificate(der); err != nil {
			return []finding.Finding{refused(parsing(der, err), c.finding(finding.CertMalformed, finding.Critical,
				c.place(i)+" cannot be parsed: "+finding.Clean(err.Error(), 120),
				finding.Evidence{"place": i + 1, "detail": finding.Clean(err.Error(), finding.QuoteLimit)}, remedy()))}
		}
	}
	return slices.Concat(c.oddTimes(remedy), c.negativeSerials(), c.emptyName(), c.emptyPolicies(), c.strictlyMalformed())
}

// place names a certificate by its place in the chain.
func (c *connection) place(i int) string {
	if len(c.TLS.Chain) == 1 {
		return "the only certificate that the server sends"
	}
	return fmt.Sprintf("certificate %d of the %d that the server sends", i+1, len(c.TLS.Chain))
}

// parsing returns what clients make of a certificate that crypto/x509 does not parse: what is not even a certificate's outline, none of them
// does.
func parsing(der []byte, err error) clients.Problem {
	var outline struct {
		TBS, Algorithm asn1.RawValue
		Signature      asn1.BitString
	}
	if rest, err := asn1.Unmarshal(der, &outline); err != nil || len(rest) > 0 {
		return clients.Unparsable
	}
	for _, known := range []struct {
		says    string
		problem clients.Problem
	}{
		{"authority info access incorrectly marked critical", clients.BadCriticalInfo}, {"incorrectly marked critical", clients.BadCritical},
		{"duplicate extension", clients.BadDuplicate}, {"empty name constraints", clients.BadConstraints},
		{"cannot parse IP address of length", clients.BadName}, {"cannot parse URI", clients.BadURI}, {"SAN dNSName is malformed", clients.BadName},
		{"invalid UTF-8 string", clients.BadText}, {"invalid CRL distribution point", clients.BadText}, {"malformed serial number", clients.BadSerial},
		{"malformed GeneralizedTime", clients.BadDate}, {"malformed UTCTime", clients.BadDate}, {"invalid version", clients.BadVersion},
	} {
		if strings.Contains(err.Error(), known.says) {
			return known.problem
		}
	}
	return clients.UnparsableGo
}

// emptyName reports a leaf with a subject alternative name that is empty, beside others: GnuTLS refuses it.
func (c *connection) emptyName() []finding.Finding {
	leaf := c.leaf()
	if leaf == nil || !slices.Contains(leaf.DNSNames, "") {
		return nil
	}
	return []finding.Finding{refused(clients.NameEmpty, c.aboutCert(finding.CertMalformed, finding.Warning, leaf,
		fmt.Sprintf("a subject alternative name of %s is empty", c.which(leaf)), c.certEvidence(leaf),
		c.replace("Have the certificate reissued without the empty name.")))}
}

// emptyPolicies reports a leaf whose list of certificate policies is empty, against RFC 5280 §4.2.1.4: Chromium refuses it.
func (c *connection) emptyPolicies() []finding.Finding {
	leaf := c.leaf()
	if leaf == nil || !slices.ContainsFunc(leaf.Extensions, func(e pkix.Extension) bool {
		return e.Id.Equal(asn1.ObjectIdentifier{2, 5, 29, 32}) && bytes.Equal(e.Value, []byte{0x30, 0})
	}) {
		return nil
	}
	return []finding.Finding{refused(clients.PolicyEmpty, c.aboutCert(finding.CertMalformed, finding.Warning, leaf,
		fmt.Sprintf("the list of certificate policies of %s is empty", c.which(leaf)), c.certEvidence(leaf),
		c.replace("Have the certificate reissued with a policy in that extension, or without the extension.")))}
}

// strictlyMalformed reports what OpenSSL's strict mode, Python's default since 3.13, refuses.
func (c *connection) strictlyMalformed() []finding.Finding {
	if c.built == nil {
		return nil
	}
	return perFault(c.built.StrictFaults(), func(f chain.Problem) finding.Finding {
		e := c.pathEvidence(c.certEvidence(f.Certificate))
		problem := clients.Strict
		if f.Kind == chain.StrictNames {
			problem = clients.StrictNames
		}
		e["rfc_5280"] = finding.Clean(f.Detail, finding.QuoteLimit)
		return refused(problem, c.aboutCert(finding.CertMalformed, finding.Warning, f.Certificate,
			fmt.Sprintf("%s is not as RFC 5280 requires: %s", c.which(f.Certificate), finding.Clean(f.Detail, 240)), e,
			c.strictRemedy(f.Certificate)))
	})
}

// strictRemedy returns the remedy. The CA of a public root that was issued long ago does not issue it again.
func (c *connection) strictRemedy(cert *x509.Certificate) string {
	if anchor := c.built.Path.Anchor; anchor != nil && anchor.Public && cert == anchor.Certificate {
		return c.chainRemedy("Send a chain to a newer root of the CA (ask it for a cross-signed issuer), or have the certificate issued under another root.")
	}
	return c.reissue(cert, "Have the certificate reissued as RFC 5280 requires. For a private CA, fix its configuration.",
		"have the issuer's own certificate reissued, as RFC 5280 requires, for the same key, and send it (a root: give it to clients) in place of this one.")
}

// negativeSerials reports the certificates with a negative serial number (RFC 5280 §4.1.2.2), which Go's clients alone refuse:
// wherever the server sends one, since they read every certificate. The probe reads them, by a setting of its build.
func (c *connection) negativeSerials() []finding.Finding {
	var out []finding.Finding
	for _, cert := range c.certs {
		if cert.SerialNumber.Sign() >= 0 {
			continue
		}
		e := c.certEvidence(cert)
		out = append(out, refused(clients.NegativeSerial, c.aboutCert(finding.CertMalformed, finding.Warning, cert,
			fmt.Sprintf("the serial number of %s is negative", c.which(cert)), e,
			c.replace("Have the certificate reissued with a positive serial number."))))
	}
	return out
}

// oddTimes reports the certificates of the path whose dates crypto/x509 accepts and other clients don't.
func (c *connection) oddTimes(remedy func() string) []finding.Finding {
	path := c.certs[:min(len(c.certs), 1)]
	if c.built != nil {
		path = c.built.Path.Certificates
	}
	var out []finding.Finding
	for _, cert := range path {
		if odd := oddTime(cert); odd != "" {
			e := c.certEvidence(cert)
			e["detail"] = finding.Clean(odd, finding.QuoteLimit)
			out = append(out, refused(clients.OddTime, c.aboutCert(finding.CertMalformed, finding.Critical, cert,
				fmt.Sprintf("a date of %s is encoded as %s, without seconds or not in UTC", c.which(cert), finding.Quote(odd)), e, remedy())))
		}
	}
	return out
}

// oddTime returns the first date of a certificate that is not encoded as RFC 5280 §4.1.2.5 requires: with seconds, in UTC.
func oddTime(cert *x509.Certificate) string {
	var head struct {
		Version                   int `asn1:"optional,explicit,default:0,tag:0"`
		Serial, Algorithm, Issuer asn1.RawValue
		Validity                  struct{ NotBefore, NotAfter asn1.RawValue }
	}
	if _, err := asn1.Unmarshal(cert.RawTBSCertificate, &head); err != nil {
		return ""
	}
	for _, date := range []asn1.RawValue{head.Validity.NotBefore, head.Validity.NotAfter} {
		length := len("060102150405Z")
		if date.Tag == asn1.TagGeneralizedTime {
			length = len("20060102150405Z")
		}
		if text := string(date.Bytes); len(text) != length || !strings.HasSuffix(text, "Z") {
			return text
		}
	}
	return ""
}
