package revocation

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"math/big"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"certdrift/internal/certtest"
	"certdrift/internal/observation"
	"certdrift/internal/sim/pki"
)

// TestReadOCSP: a response counts if the issuer or its delegate signed it and it is about this certificate.
func TestReadOCSP(t *testing.T) {
	now := time.Now()
	_, ca := certtest.Authority(t)
	_, other := certtest.Authority(t)
	leaf := certtest.Must(t)(ca.Leaf(now, []string{"site.test"}))
	delegate := certtest.Must(t)(ca.Leaf(now, []string{"ocsp"}, func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageOCSPSigning} }))
	plainLeaf := certtest.Must(t)(ca.Leaf(now, []string{"not a responder"}))
	otherLeaf := certtest.Must(t)(ca.Leaf(now, []string{"other.test"}))
	for name, c := range map[string]struct {
		staple []byte
		status observation.RevocationStatus
		signed bool
		detail string
	}{
		"good":                   {certtest.OCSPResponse(t, ca, leaf.Certificate, ca, ocsp.Good), observation.Good, true, ""},
		"revoked":                {certtest.OCSPResponse(t, ca, leaf.Certificate, ca, ocsp.Revoked), observation.Revoked, true, ""},
		"unknown":                {certtest.OCSPResponse(t, ca, leaf.Certificate, ca, ocsp.Unknown), observation.Unknown, true, ""},
		"by a delegate":          {certtest.OCSPResponse(t, ca, leaf.Certificate, delegate, ocsp.Good), observation.Good, true, ""},
		"forged":                 {certtest.OCSPResponse(t, other, leaf.Certificate, other, ocsp.Good), observation.NoAnswer, false, "not signed by the issuer"},
		"by another CA":          {certtest.OCSPResponse(t, ca, leaf.Certificate, other, ocsp.Good), observation.NoAnswer, false, "did not sign"},
		"by any leaf of the CA":  {certtest.OCSPResponse(t, ca, leaf.Certificate, plainLeaf, ocsp.Good), observation.NoAnswer, false, "without the extended key usage"},
		"by the very leaf":       {certtest.OCSPResponse(t, ca, leaf.Certificate, leaf, ocsp.Good), observation.NoAnswer, false, "without the extended key usage"},
		"of another certificate": {certtest.OCSPResponse(t, ca, otherLeaf.Certificate, ca, ocsp.Good), observation.NoAnswer, false, "no response matching"},
		"of another issuer":      {certtest.OCSPResponse(t, other, leaf.Certificate, ca, ocsp.Good), observation.NoAnswer, false, "another issuer's"},
		"garbage":                {[]byte("no DER"), observation.NoAnswer, false, "reading the OCSP response"},
	} {
		r := ReadOCSP(c.staple, leaf.Certificate, ca.Certificate)
		if r.Status != c.status || r.Signed != c.signed || !strings.Contains(r.Detail, c.detail) {
			t.Errorf("%s: got %+v", name, r)
		}
		if r.Status == observation.Revoked && (r.Reason != "keyCompromise" || r.RevokedAt.IsZero()) {
			t.Errorf("%s: got %+v", name, r)
		}
		if r.Signed && (r.ThisUpdate.IsZero() || r.NextUpdate.IsZero()) {
			t.Errorf("%s: no dates: %+v", name, r)
		}
	}
	if r := ReadOCSP(certtest.OCSPResponse(t, ca, leaf.Certificate, ca, ocsp.Good), leaf.Certificate, nil); r.Status != observation.NoAnswer {
		t.Errorf("without an issuer: got %+v", r)
	}
}

// TestResponderCertificates: which certificate in a response signed it, and until when clients accept it.
func TestResponderCertificates(t *testing.T) {
	now := time.Now()
	_, ca := certtest.Authority(t)
	leaf := certtest.Must(t)(ca.Leaf(now, []string{"site.test"})).Certificate
	signing := func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageOCSPSigning} }
	delegate := certtest.Must(t)(ca.Leaf(now, []string{"ocsp"}, signing))
	other := certtest.Must(t)(ca.Leaf(now, []string{"other"})).Certificate
	ending := certtest.Must(t)(ca.Leaf(now, []string{"ocsp"}, signing, pki.Valid(now.Add(-2*time.Hour), now.Add(10*time.Minute))))
	byDelegate, byCA := certtest.OCSPResponse(t, ca, leaf, delegate, ocsp.Good), certtest.OCSPResponse(t, ca, leaf, ca, ocsp.Good)
	for name, c := range map[string]struct {
		der  []byte
		want observation.RevocationStatus
	}{
		"the signer first":     {carrying(t, byDelegate, delegate.Certificate, ca.Certificate), observation.Good},
		"the signer last":      {carrying(t, byDelegate, ca.Certificate, other, delegate.Certificate), observation.Good},
		"the signer not there": {carrying(t, byDelegate, ca.Certificate, other), observation.NoAnswer},
		"none of a delegate":   {carrying(t, byDelegate), observation.NoAnswer},
		"by the CA, beside":    {carrying(t, byCA, other), observation.Good},
		"by the CA, its own":   {carrying(t, byCA, ca.Certificate), observation.Good},
	} {
		if r := ReadOCSP(c.der, leaf, ca.Certificate); r.Status != c.want {
			t.Errorf("%s: got %+v, want %s", name, r, c.want)
		}
	}
	r := ReadOCSP(certtest.OCSPResponse(t, ca, leaf, ending, ocsp.Good), leaf, ca.Certificate)
	if r.Status != observation.Good || !r.NextUpdate.Equal(ending.Certificate.NotAfter) {
		t.Errorf("by a delegate that expires before its response: %+v", r)
	}
}

// carrying puts other certificates into an OCSP response, in DER by hand.
func carrying(t testing.TB, der []byte, certificates ...*x509.Certificate) []byte {
	t.Helper()
	var message struct {
		Status   asn1.Enumerated
		Response struct {
			Type  asn1.ObjectIdentifier
			Basic []byte
		} `asn1:"explicit,tag:0"`
	}
	var basic struct {
		Data, Algorithm asn1.RawValue
		Signature       asn1.BitString
		Certificates    []asn1.RawValue `asn1:"explicit,tag:0,optional"`
	}
	check := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	_, err := asn1.Unmarshal(der, &message)
	check(err)
	_, err = asn1.Unmarshal(message.Response.Basic, &basic)
	check(err)
	basic.Certificates = nil
	for _, c := range certificates {
		basic.Certificates = append(basic.Certificates, asn1.RawValue{FullBytes: c.Raw})
	}
	message.Response.Basic, err = asn1.Marshal(basic)
	check(err)
	out, err := asn1.Marshal(message)
	check(err)
	return out
}

// scopeExtension is an issuing distribution point with a URI.
func scopeExtension(t testing.TB, uri string) pkix.Extension {
	t.Helper()
	type point struct {
		FullName []asn1.RawValue `asn1:"optional,tag:0"`
	}
	type scope struct {
		Point point `asn1:"optional,tag:0"`
	}
	der, err := asn1.Marshal(scope{point{[]asn1.RawValue{{Class: asn1.ClassContextSpecific, Tag: 6, Bytes: []byte(uri)}}}})
	if err != nil {
		t.Fatal(err)
	}
	return pkix.Extension{Id: asn1.ObjectIdentifier{2, 5, 29, 28}, Critical: true, Value: der}
}

// scoped gives a list an issuing distribution point of one field.
func scoped(field ...byte) func(*x509.RevocationList) {
	return func(r *x509.RevocationList) {
		value := append([]byte{0x30, byte(len(field))}, field...)
		r.ExtraExtensions = append(r.ExtraExtensions, pkix.Extension{Id: asn1.ObjectIdentifier{2, 5, 29, 28}, Critical: true, Value: value})
	}
}

// entryOfCA names the CA that an entry of an indirect list is of (RFC 5280 §5.3.3).
func entryOfCA(r *x509.RevocationList, i int, ca *pki.Pair) {
	name := ca.Certificate.RawSubject
	value := append([]byte{0x30, byte(len(name) + 2), 0xa4, byte(len(name))}, name...)
	r.RevokedCertificateEntries[i].ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 29}, Critical: true, Value: value}}
}

// TestReadList: a list counts if the issuer signed it and it covers the certificate.
func TestReadList(t *testing.T) {
	const point = "http://ca.test/crl"
	root, ca := certtest.Authority(t)
	_, other := certtest.Authority(t)
	leaf := certtest.Must(t)(ca.Leaf(time.Now(), []string{"site.test"}, func(c *x509.Certificate) { c.CRLDistributionPoints = []string{"ldap://x/", point} })).Certificate
	serial := leaf.SerialNumber
	for name, c := range map[string]struct {
		body   []byte
		status observation.RevocationStatus
		detail string
	}{
		"good":         {certtest.CRL(t, ca, nil, big.NewInt(5)), observation.Good, ""},
		"revoked":      {certtest.CRL(t, ca, nil, big.NewInt(5), serial), observation.Revoked, ""},
		"revoked, PEM": {pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: certtest.CRL(t, ca, nil, serial)}), observation.Revoked, ""},
		"its own part": {certtest.CRL(t, ca, func(r *x509.RevocationList) { r.ExtraExtensions = []pkix.Extension{scopeExtension(t, point)} }), observation.Good, ""},
		"another part": {certtest.CRL(t, ca, func(r *x509.RevocationList) { r.ExtraExtensions = []pkix.Extension{scopeExtension(t, point+"/2")} }), observation.NoAnswer, "another distribution point"},
		"another's":    {certtest.CRL(t, root, nil, serial), observation.NoAnswer, "from another issuer"},
		"forged":       {certtest.CRL(t, other, nil, serial), observation.NoAnswer, "not signed by the issuer"},
		"not a list":   {[]byte("hello"), observation.NoAnswer, "reading the CRL"},
		"a delta": {certtest.CRL(t, ca, func(r *x509.RevocationList) {
			r.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 27}, Critical: true, Value: []byte{2, 1, 1}}}
		}), observation.NoAnswer, "delta"},
		"some reasons, and it is named": {certtest.CRL(t, ca, scoped(0x83, 2, 6, 0x08), serial), observation.Revoked, ""},
		"some reasons, and it is not":   {certtest.CRL(t, ca, scoped(0x83, 2, 6, 0x08)), observation.NoAnswer, "some reasons"},
		"attribute certificates":        {certtest.CRL(t, ca, scoped(0x85, 1, 0xff), serial), observation.NoAnswer, "attribute certificates"},
		"indirect, its own":             {certtest.CRL(t, ca, scoped(0x84, 1, 0xff), big.NewInt(5), serial), observation.Revoked, ""},
		"indirect, another CA's": {certtest.CRL(t, ca, func(r *x509.RevocationList) {
			scoped(0x84, 1, 0xff)(r)
			entryOfCA(r, 0, root) // and with it what follows
		}, big.NewInt(5), serial), observation.Good, ""},
		"indirect, another CA's and its own": {certtest.CRL(t, ca, func(r *x509.RevocationList) {
			scoped(0x84, 1, 0xff)(r)
			entryOfCA(r, 0, root)
			entryOfCA(r, 1, ca)
		}, big.NewInt(5), serial), observation.Revoked, ""},
	} {
		var got observation.Revocation
		l, err := ReadList(c.body, ca.Certificate)
		if err == nil {
			err = l.Covers(leaf)
		}
		if err != nil {
			got = NoAnswer(err)
		} else {
			got = l.About(serial)
		}
		if got.Status != c.status || !strings.Contains(got.Detail, c.detail) || got.Signed != (c.status != observation.NoAnswer) {
			t.Errorf("%s: got %+v", name, got)
		}
		if got.Status == observation.Revoked && (got.Reason != "superseded" || got.RevokedAt.IsZero()) {
			t.Errorf("%s: got %+v", name, got)
		}
	}
}
