package judge

import (
	"bytes"
	"crypto/x509"
	"fmt"
	"strings"

	"certdrift/internal/chain"
	"certdrift/internal/clients"
	"certdrift/internal/finding"
	"certdrift/internal/observation"
	"certdrift/internal/topology"
)

func findChainIncomplete(c *connection) []finding.Finding {
	if c.verdict() == chain.Trusted {
		return perFault(c.built.Misnamed(), c.issuerMisnamed)
	}
	if c.verdict() != chain.Incomplete {
		return nil
	}
	path := c.built.Path
	child := lastSent(path)
	e := c.pathEvidence(c.certEvidence(c.leaf()))
	e["missing_issuer"] = certIssuer(child)
	if urls := aiaURLs(child); len(urls) > 0 {
		e["aia"] = urls
	}
	summary := fmt.Sprintf("the server does not send %s, the issuer of %s", issuerName(child), certName(child))
	if other := c.built.Lookalike; other != nil {
		e["same_name_other_key"] = topology.Fingerprint(other.Certificate)
		summary += " (the certificate of that name that it sends has a different key)"
	}
	remedy := c.chainRemedy(fmt.Sprintf("Append the certificate of the issuer %s to the served chain, after the leaf. If it is the root of a private CA that clients have, add it to ca_files instead "+
		"(of the endpoint, or under trust).", issuerName(child)))
	if c.spelled(child) {
		summary = fmt.Sprintf("%s encodes the name of its issuer %s differently from the issuer's own certificate: clients that compare names byte by byte find no issuer", certName(child), issuerName(child))
		remedy = c.replace("Have the certificate reissued, with its issuer's name encoded as in the issuer's own certificate.")
	}
	if len(path.Fetched) > 0 {
		advice := ""
		e["append"], advice = c.appendix(path.Fetched)
		if len(path.Problems) == 0 {
			summary += "; with it the chain would be trusted"
		} else {
			advice = fmt.Sprintf("Ask the CA for a current certificate of the issuer %s and append it: the one at the AIA URL has a problem of its own.", issuerName(child))
		}
		remedy = c.chainRemedy(advice)
	} else if note := c.fetchNote(child); note != "" {
		e["aia_result"] = note
	}
	problem := clients.Incomplete
	switch {
	case c.spelled(child):
		problem = clients.NameSpelled
	case len(path.Fetched) > 0 && len(path.Problems) == 0:
		problem = clients.IncompleteAIA
	}
	return []finding.Finding{refused(problem, c.aboutCert(finding.CertChainIncomplete, finding.Critical, c.leaf(), summary, e, remedy))}
}

// appendix returns the certificates fetched by AIA, as evidence and as advice to append them.
func (c *connection) appendix(fetched []*x509.Certificate) (facts []map[string]string, advice string) {
	var lines []string
	for _, cert := range fetched {
		from := c.fetchedFrom(cert)
		facts = append(facts, map[string]string{"subject": certSubject(cert), "url": finding.Clean(from.URL, finding.QuoteLimit), "fingerprint_sha256": topology.Fingerprint(cert)})
		lines = append(lines, certName(cert)+fetchCommand(from))
	}
	return facts, "Append to the served chain, in this order: " + strings.Join(lines, ", ") + "."
}

// issuerMisnamed is the finding for a certificate that identifies its issuer by a key identifier or serial number which the
// issuer doesn't have: the issuer was reissued with the same key and other identifiers, and its certificates were not.
func (c *connection) issuerMisnamed(f chain.Problem) finding.Finding {
	e := c.pathEvidence(c.certEvidence(f.Certificate))
	e["authority_key_identifier"] = finding.Clean(f.Detail, finding.QuoteLimit)
	problem := clients.MisnamedSerial
	if strings.HasPrefix(f.Detail, "the key identifier") {
		problem = clients.MisnamedKey
	}
	return refused(problem, c.aboutCert(finding.CertChainIncomplete, finding.Warning, f.Certificate,
		fmt.Sprintf("%s identifies its issuer %s by %s: some clients don't accept the issuer",
			c.which(f.Certificate), issuerName(f.Certificate), finding.Clean(f.Detail, 120)), e,
		c.chainRemedy(fmt.Sprintf("Send the certificate of %s that it identifies, or have it reissued by the one that is sent.", issuerName(f.Certificate)))))
}

// spelled reports whether the server sends a certificate that signed child and whose name differs from child's issuer only
// in case, spaces or string types. RFC 5280 §7.1 treats these as equal, and so does OpenSSL.
func (c *connection) spelled(child *x509.Certificate) bool {
	for _, cert := range c.certs[:min(len(c.certs), 8)] {
		alike := strings.EqualFold(strings.Join(strings.Fields(cert.Subject.String()), " "), strings.Join(strings.Fields(child.Issuer.String()), " "))
		if alike && !bytes.Equal(cert.RawSubject, child.RawIssuer) && cert.CheckSignature(child.SignatureAlgorithm, child.RawTBSCertificate, child.Signature) == nil {
			return true
		}
	}
	return false
}

// lastSent is the served certificate whose issuer is missing.
func lastSent(p chain.Path) *x509.Certificate {
	if len(p.Fetched) == 0 {
		return p.Tip()
	}
	for i, cert := range p.Certificates {
		if cert == p.Fetched[0] && i > 0 {
			return p.Certificates[i-1]
		}
	}
	return p.Certificates[0]
}

// fetchedFrom is where a certificate was fetched from.
func (c *connection) fetchedFrom(cert *x509.Certificate) observation.FetchedIssuer {
	for _, issuer := range c.TLS.Issuers {
		if bytes.Equal(issuer.DER, cert.Raw) {
			return issuer
		}
	}
	return observation.FetchedIssuer{}
}

// fetchCommand returns the command that downloads a certificate and converts it from the format it is served in; empty
// for a URL that is not safe to paste into a shell.
func fetchCommand(from observation.FetchedIssuer) string {
	const safe = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:/._~%+-?=&"
	if from.URL == "" || strings.HasPrefix(from.URL, "-") || len(from.URL) > finding.QuoteLimit {
		return ""
	}
	for _, r := range from.URL {
		if !strings.ContainsRune(safe, r) {
			return ""
		}
	}
	read := "openssl x509 -inform der"
	switch from.Form {
	case observation.IssuerPEM:
		read = "openssl x509"
	case observation.IssuerPKCS7:
		read = "openssl pkcs7 -inform der -print_certs"
	case observation.IssuerPKCS7PEM:
		read = "openssl pkcs7 -print_certs"
	}
	return fmt.Sprintf(" (`curl -sL %s | %s`)", topology.Shell(from.URL), read)
}

// fetchNote describes the result of fetching child's issuer by AIA.
func (c *connection) fetchNote(child *x509.Certificate) string {
	for _, issuer := range c.TLS.Issuers {
		if issuer.Failure != "" {
			return "it could not be downloaded from " + finding.Clean(issuer.URL, finding.QuoteLimit) + ": " + finding.Clean(issuer.Failure, finding.QuoteLimit)
		}
	}
	if len(c.TLS.Issuers) > 0 {
		return "the certificate at the AIA URL does not lead to a trusted root either: the issuer may be a private CA"
	}
	if len(child.IssuingCertificateURL) == 0 {
		return "the certificate does not say where to download its issuer (no caIssuers URL)"
	}
	return ""
}

// aiaURLs returns the first few URLs that a certificate names for its issuer.
func aiaURLs(cert *x509.Certificate) []string {
	return topology.CleanAll(cert.IssuingCertificateURL[:min(len(cert.IssuingCertificateURL), 3)])
}
