package probe

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"net/http"
	"slices"
	"time"

	"golang.org/x/crypto/cryptobyte"
	der "golang.org/x/crypto/cryptobyte/asn1"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
	"certdrift/internal/probe/netguard"
)

const (
	maxIssuer  = 64 << 10 // bytes of a fetched certificate
	maxIssuers = 4        // certificates fetched above a chain
)

// fetchIssuers follows AIA caIssuers (RFC 5280 §4.2.2.1) upwards while the chain does not lead to a root. Where
// the top certificate leads no further, those below it are tried: a server may send an issuer's certificate under an
// untrusted root while AIA points at another certificate of the same issuer. The first result includes failures. The second
// is the certificates that did issue the one below them.
func (v *endpointProbe) fetchIssuers(ctx context.Context, peers []*x509.Certificate) ([]observation.FetchedIssuer, []*x509.Certificate) {
	if v.needsIssuer == nil {
		return nil, nil
	}
	ctx, cancel := v.phase(ctx)
	defer cancel()
	var tried []observation.FetchedIssuer
	var found []*x509.Certificate
	asked := map[*x509.Certificate]bool{}
	for len(asked) < maxIssuers && v.needsIssuer(v.target, slices.Concat(peers, found), v.now()) {
		child := v.highest(peers, found, asked)
		if child == nil {
			break
		}
		asked[child] = true
		if issuer := v.fetchIssuer(ctx, child, &tried); issuer != nil && indexOf(issuer, peers) < 0 && indexOf(issuer, found) < 0 {
			found = append(found, issuer)
		}
	}
	return tried, found
}

// highest returns the certificate nearest to the root whose issuer has not been fetched yet; nil if there is none.
func (v *endpointProbe) highest(peers, found []*x509.Certificate, asked map[*x509.Certificate]bool) *x509.Certificate {
	up, _ := v.path(peers, found)
	if len(found) > 0 {
		up = append(up, found[len(found)-1])
	}
	for _, child := range slices.Backward(up) {
		if !asked[child] && !selfSigned(child) && len(references(child.IssuingCertificateURL)) > 0 {
			return child
		}
	}
	return nil
}

// fetchIssuer tries a certificate's URLs in their order.
func (v *endpointProbe) fetchIssuer(ctx context.Context, child *x509.Certificate, tried *[]observation.FetchedIssuer) *x509.Certificate {
	for _, from := range references(child.IssuingCertificateURL) {
		shown := observation.FetchedIssuer{URL: finding.Clean(from, 2*finding.QuoteLimit)}
		cert, form, err := v.issuerAt(ctx, from, child)
		if err != nil {
			shown.Failure, shown.Blocked = detail(err), errors.As(err, new(*netguard.BlockedError))
			*tried = append(*tried, shown)
			continue
		}
		shown.DER, shown.Form = cert.Raw, form
		*tried = append(*tried, shown)
		return cert
	}
	return nil
}

// issuerFile is the content of a caIssuers URL.
type issuerFile struct {
	certs []*x509.Certificate
	form  observation.IssuerForm
}

// issuerAt fetches the certificate at a URL that issued child, and its encoding.
func (v *endpointProbe) issuerAt(ctx context.Context, from string, child *x509.Certificate) (*x509.Certificate, observation.IssuerForm, error) {
	now := v.now()
	found, err := v.documents.get(ctx, "issuer "+v.guard.Key()+from, now, func() document {
		body, err := v.fetch(ctx, http.MethodGet, from, "", nil, maxIssuer)
		if err != nil {
			return document{err: err}
		}
		file := parseIssuers(body)
		if len(file.certs) == 0 {
			err = errors.New("the document is not a certificate in DER, PEM or PKCS #7")
		}
		return document{value: file, err: err, until: now.Add(24 * time.Hour), size: 3 * len(body)}
	})
	if err != nil {
		return nil, "", err
	}
	file, _ := found.(issuerFile)
	for _, cert := range file.certs[:min(len(file.certs), maxSignatures)] {
		if bytes.Equal(cert.RawSubject, child.RawIssuer) && signed(cert, child) {
			return cert, file.form, nil
		}
	}
	return nil, "", errors.New("the certificate at the URL did not issue this one")
}

// parseIssuers reads a certificate in DER, or several in PKCS #7, as RFC 5280 §4.2.2.1 requires, or either in PEM, as
// some CAs serve it.
func parseIssuers(body []byte) issuerFile {
	var certificate observation.IssuerForm
	container := observation.IssuerPKCS7
	if block, _ := pem.Decode(body); block != nil {
		body, certificate, container = block.Bytes, observation.IssuerPEM, observation.IssuerPKCS7PEM
	}
	if cert, err := x509.ParseCertificate(body); err == nil {
		return issuerFile{[]*x509.Certificate{cert}, certificate}
	}
	return issuerFile{certsOnly(body), container}
}

// certsOnly reads the certificates of a degenerate SignedData (RFC 5652 §5.1, RFC 2797 §2.2), in DER.
func certsOnly(body cryptobyte.String) []*x509.Certificate {
	var content, signed, set cryptobyte.String
	var id asn1.ObjectIdentifier
	explicit := der.Tag(0).ContextSpecific().Constructed()
	ok := body.ReadASN1(&content, der.SEQUENCE) && content.ReadASN1ObjectIdentifier(&id) && id.String() == "1.2.840.113549.1.7.2" &&
		content.ReadASN1(&content, explicit) && content.ReadASN1(&signed, der.SEQUENCE) &&
		signed.SkipASN1(der.INTEGER) && signed.SkipASN1(der.SET) && signed.SkipASN1(der.SEQUENCE) && // version, digests, content
		signed.ReadASN1(&set, explicit)
	var certs []*x509.Certificate
	for ok && !set.Empty() {
		var one cryptobyte.String
		if !set.ReadASN1Element(&one, der.SEQUENCE) {
			break
		}
		if cert, err := x509.ParseCertificate(one); err == nil {
			certs = append(certs, cert)
		}
	}
	return certs
}
