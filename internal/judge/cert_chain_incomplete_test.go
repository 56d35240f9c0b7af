package judge

import (
	"bytes"
	"crypto/rand"
	"crypto/x509"
	"encoding/asn1"
	"fmt"
	"strings"
	"testing"

	"certdrift/internal/certtest"
	"certdrift/internal/finding"
	"certdrift/internal/observation"
	"certdrift/internal/sim/pki"
)

func TestCertChainIncompleteWithAnIntermediateOfTheSameName(t *testing.T) {
	s := newShop(t)
	srv := s.serve(t)
	srv.chain[1] = must(t)(s.root.Intermediate("Test Intermediate", certNow)).Certificate.Raw
	says(t, srv.expect(t, critical(finding.CertChainIncomplete)), "the certificate of that name that it sends has a different key")
}

func TestCertChainIncomplete(t *testing.T) {
	s := newShop(t)
	const url = "http://ca.example.net/inter.der"
	srv := s.serve(t, aia(url))
	srv.chain = srv.chain[:1]
	fs := srv.expect(t, critical(finding.CertChainIncomplete))
	says(t, fs, `does not send "Test Intermediate", the issuer of "api.example.org"`)
	if !strings.Contains(fs[0].Remedy, "the root of a private CA that clients have, add it to ca_files") {
		t.Errorf("a private CA's root has no place: %s", fs[0].Remedy)
	}
	if got := fmt.Sprint(fs[0].Evidence["aia"], fs[0].Evidence["missing_issuer"]); !strings.Contains(got, url) || !strings.Contains(got, "CN=Test Intermediate") {
		t.Errorf("evidence %v", fs[0].Evidence)
	}

	fetched := srv
	fetched.issuers = []observation.FetchedIssuer{{URL: url, DER: s.inter.Certificate.Raw}}
	fs = fetched.expect(t, critical(finding.CertChainIncomplete))
	says(t, fs, "with it the chain would be trusted")
	if strings.Contains(fs[0].Remedy, "ca_files") || !strings.Contains(fs[0].Remedy, "curl -sL "+url) || !strings.Contains(fmt.Sprint(fs[0].Evidence["append"]), url) {
		t.Errorf("what to append is not said: %s; %v", fs[0].Remedy, fs[0].Evidence["append"])
	}

	failed := srv
	failed.issuers = []observation.FetchedIssuer{{URL: url, Failure: "404 Not Found"}}
	fs = failed.expect(t, critical(finding.CertChainIncomplete))
	if !strings.Contains(fmt.Sprint(fs[0].Evidence["aia_result"]), "404") {
		t.Errorf("evidence %v", fs[0].Evidence)
	}
}

// TestCertChainIncompleteAndExpired: the certificate at the AIA URL would not fix the chain, and is not recommended.
func TestCertChainIncompleteAndExpired(t *testing.T) {
	s := newShop(t)
	old := must(t)(s.root.Intermediate("Old Intermediate", certNow, lasting(90*dayLong, -dayLong)))
	srv := server{chain: must(t)(old.Leaf(certNow, []string{certHost})).Served()[:1], roots: []*pki.Pair{s.root}}
	srv.issuers = []observation.FetchedIssuer{{URL: "http://ca.example.net/", DER: old.Certificate.Raw}}
	for _, f := range srv.expect(t, critical(finding.CertChainExpired), critical(finding.CertChainIncomplete)) {
		if strings.Contains(f.Remedy, "curl") || strings.Contains(f.Summary, "would be trusted") {
			t.Errorf("%s: %s", f.Summary, f.Remedy)
		}
	}
}

// TestCertChainIncompleteByEncoding: the issuer is there, under a name of another kind of string.
func TestCertChainIncompleteByEncoding(t *testing.T) {
	s := newShop(t)
	srv := s.serve(t)
	issuer := *s.inter.Certificate
	issuer.RawSubject = bytes.ReplaceAll(issuer.RawSubject, []byte("\x13\x11Test Intermediate"), []byte("\x0c\x11TEST Intermediate"))
	leaf := certtest.Parse(t, srv.chain[0])
	der, err := x509.CreateCertificate(rand.Reader, leaf, &issuer, leaf.PublicKey, s.inter.Key)
	if err != nil || bytes.Equal(issuer.RawSubject, s.inter.Certificate.RawSubject) {
		t.Fatal("the name is not encoded otherwise", err)
	}
	srv.chain[0] = der
	fs := srv.expect(t, critical(finding.CertChainIncomplete))
	says(t, fs, "differently from")
	if strings.Contains(fs[0].Remedy, "Append") {
		t.Errorf("appending does not help: %s", fs[0].Remedy)
	}
}

func TestCertChainIncompleteAboveAnIntermediate(t *testing.T) {
	s := newShop(t)
	issuing := must(t)(s.inter.Intermediate("Test Issuing", certNow))
	srv := server{chain: must(t)(issuing.Leaf(certNow, []string{certHost})).Served()[:2], roots: []*pki.Pair{s.root}}
	srv.expect(t, critical(finding.CertUntrusted)) // nobody knows better
	srv.issuers = []observation.FetchedIssuer{{URL: "http://ca.example.net/", DER: s.inter.Certificate.Raw}}
	says(t, srv.expect(t, critical(finding.CertChainIncomplete)), `does not send "Test Intermediate", the issuer of "Test Issuing"`)
}

func TestFetchCommandIsSafeToPaste(t *testing.T) {
	command := func(url string, form observation.IssuerForm) string {
		return fetchCommand(observation.FetchedIssuer{URL: url, Form: form})
	}
	for url, safe := range map[string]bool{
		"http://ca.example.net/inter%20one.der": true, "": false, "-o/etc/passwd": false,
		"http://ca.example.net/$(reboot)": false, "http://ca.example.net/`x`": false, "http://ca.example.net/;x": false,
		"http://ca.example.net/a b": false, "http://ca.example.net/\\x1b": false, "http://ca.example.net/?a=b&c": true,
	} {
		if got := command(url, ""); (got != "") != safe {
			t.Errorf("%q: %q", url, got)
		}
	}
	if got := command("http://ca.example.net/?a=b&c", ""); !strings.Contains(got, "'http://ca.example.net/?a=b&c'") {
		t.Errorf("not quoted: %q", got)
	}
	for form, want := range map[observation.IssuerForm]string{
		"": "openssl x509 -inform der`", observation.IssuerPEM: "| openssl x509`",
		observation.IssuerPKCS7: "openssl pkcs7 -inform der -print_certs`", observation.IssuerPKCS7PEM: "| openssl pkcs7 -print_certs`",
	} {
		if got := command("http://ca.example.net/inter", form); !strings.Contains(got, want) {
			t.Errorf("%q is read by %q", form, got)
		}
	}
}

// TestCertChainIncompleteByIdentifiers: an authority key identifier that contradicts the issuer is no fault by RFC 5280,
// but OpenSSL refuses the chain ("unable to get local issuer certificate").
func TestCertChainIncompleteByIdentifiers(t *testing.T) {
	s := newShop(t)
	keyID := func(tag byte, value ...byte) []byte {
		field := append([]byte{tag, byte(len(value))}, value...)
		return append([]byte{0x30, byte(len(field))}, field...)
	}
	unidentified := warning(finding.CertMalformed) // Python 3.13 wants the key identifier
	named := func(value []byte) server { return s.serve(t, extension(false, value, 2, 5, 29, 35)) }
	says(t, named(keyID(0x80, 1, 2, 3)).expect(t, warning(finding.CertChainIncomplete)), `identifies its issuer "Test Intermediate" by the key identifier 010203`)
	says(t, named(keyID(0x82, 9)).expect(t, warning(finding.CertChainIncomplete), unidentified), "by the serial number 09")
	says(t, named(keyID(0xa1, 0xa4, 2, 0x30, 0)).expect(t, warning(finding.CertChainIncomplete), unidentified), "by another issuer above it")
	inter := s.inter.Certificate
	named(keyID(0x80, inter.SubjectKeyId...)).expect(t)
	number, err := asn1.Marshal(inter.SerialNumber)
	if err != nil {
		t.Fatal(err)
	}
	named(keyID(0x82, number[2:]...)).expect(t, unidentified)
	above := append([]byte{0xa4, byte(len(inter.RawIssuer))}, inter.RawIssuer...)
	named(keyID(0xa1, above...)).expect(t, unidentified)
	named([]byte{0x30, 0}).expect(t, unidentified)
	named([]byte{0x30, 3, 0xa1, 1, 0x82}).expect(t, unidentified) // what cannot be read contradicts nothing

	srv := named(keyID(0x80, 1, 2, 3)) // the one that it names is sent, too
	srv.chain = append(srv.chain, crossSigned(t, s.inter, s.root, func(c *x509.Certificate) { c.SubjectKeyId = []byte{1, 2, 3} }).Raw)
	srv.expect(t)
}
