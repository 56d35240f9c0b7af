package judge

import (
	"crypto/x509"
	"fmt"
	"slices"
	"strings"
	"testing"

	"certdrift/internal/finding"
	"certdrift/internal/sim/pki"
)

func TestRemedyKnowsWhereTheCertificateComesFrom(t *testing.T) {
	srv := newShop(t).serve(t, lasting(90*dayLong, -dayLong))
	for arn, want := range map[string]string{
		"arn:aws:acm:us-west-2:111122223333:certificate/1234": "aws acm describe-certificate --region us-west-2 --certificate-arn arn:aws:acm:us-west-2:111122223333:certificate/1234",
		"arn:aws:iam::111122223333:server-certificate/api":    "arn:aws:iam::111122223333:server-certificate/api: upload the new one",
		"": "(server or proxy)",
	} {
		srv.declared = arn
		for _, f := range srv.expect(t, critical(finding.CertExpired)) {
			if !strings.Contains(f.Remedy, want) {
				t.Errorf("%q: remedy %q", arn, f.Remedy)
			}
		}
	}
	incomplete := newShop(t).serve(t)
	incomplete.chain, incomplete.declared = incomplete.chain[:1], "arn:aws:acm:us-west-2:111122223333:certificate/1234"
	if fs := incomplete.expect(t, critical(finding.CertChainIncomplete)); !strings.Contains(fs[0].Remedy, "aws acm import-certificate --region us-west-2 --certificate-arn arn:") {
		t.Errorf("remedy %q", fs[0].Remedy)
	}
}

func TestCertName(t *testing.T) {
	for want, options := range map[string][]pki.Option{
		`"api"`:                {commonName("api")},
		`"san.example.org"`:    {commonName(""), dnsNames("san.example.org")},
		`"O=Us"`:               {func(c *x509.Certificate) { c.Subject.CommonName, c.Subject.Organization = "", []string{"Us"} }, withoutNames},
		`"a\\\"b\x1b\u{202e}"`: {commonName("a\\\"b\x1b\u202e")},
	} {
		if got := certName(must(t)(pki.SelfSigned(certNow, []string{certHost}, options...)).Certificate); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	address := must(t)(pki.SelfSigned(certNow, []string{"192.0.2.1"}, commonName("")))
	if got := certName(address.Certificate); got != `"192.0.2.1"` {
		t.Errorf("got %s", got)
	}
}

func TestPathInEvidenceIsCut(t *testing.T) {
	issuer := must(t)(pki.Root("Root", certNow))
	for i := range 14 {
		issuer = must(t)(issuer.Intermediate(fmt.Sprint("Inter ", i), certNow))
	}
	srv := server{chain: must(t)(issuer.Leaf(certNow, []string{certHost})).Served()}
	path, _ := srv.expect(t, critical(finding.CertUntrusted), warning(finding.CertChainOversized))[0].Evidence["path"].([]string)
	if len(path) != 11 || !slices.Contains(path, "and 5 more") {
		t.Errorf("path %q", path)
	}
}
