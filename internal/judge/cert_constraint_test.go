package judge

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"net"
	"net/url"
	"testing"

	"certdrift/internal/finding"
	"certdrift/internal/sim/pki"
)

func TestCertConstraint(t *testing.T) {
	_, ten, err := net.ParseCIDR("10.0.0.0/8")
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name string
		opt  pki.Option
		says string
	}{
		{"no CA", func(c *x509.Certificate) { c.IsCA, c.KeyUsage = false, x509.KeyUsageDigitalSignature }, "is not a CA"},
		{"may not sign", keyUsage(x509.KeyUsageCRLSign), "keyCertSign"},
		{"name not permitted", func(c *x509.Certificate) { c.PermittedDNSDomains = []string{"example.com"} }, `"api.example.org" is not permitted`},
		{"name excluded", func(c *x509.Certificate) { c.ExcludedDNSDomains = []string{"example.org"} }, "is excluded"},
		{"critical extension", extension(true, []byte{5, 0}, 1, 2, 3, 4), "1.2.3.4"},
		{"a policy that the leaf lacks", extension(true, []byte{0x30, 3, 0x80, 1, 0}, 2, 5, 29, 36), "requires a certificate policy"},
		{"name permitted", func(c *x509.Certificate) {
			c.PermittedDNSDomains, c.PermittedDNSDomainsCritical = []string{".org"}, true
		}, ""},
		{"addresses permitted, no address", func(c *x509.Certificate) { c.PermittedIPRanges = []*net.IPNet{ten} }, ""},
		{"not critical", extension(false, []byte{5, 0}, 1, 2, 3, 4), ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			srv := newShop(t, test.opt).serve(t)
			if test.says == "" {
				srv.expect(t)
				return
			}
			says(t, srv.expect(t, critical(finding.CertConstraint)), `the issuer "Test Intermediate"`, test.says)
		})
	}
}

func TestCertConstraintPathLength(t *testing.T) {
	s := newShop(t, func(c *x509.Certificate) { c.MaxPathLen, c.MaxPathLenZero = 0, true })
	s.serve(t).expect(t)
	issuing := must(t)(s.inter.Intermediate("Test Issuing", certNow))
	srv := server{chain: must(t)(issuing.Leaf(certNow, []string{certHost})).Served(), roots: []*pki.Pair{s.root}}
	says(t, srv.expect(t, critical(finding.CertConstraint)), `"Test Intermediate" has too many CAs below it: it allows 0`)
}

func TestCertConstraintOnTheLeaf(t *testing.T) {
	says(t, newShop(t).serve(t, extension(true, []byte{5, 0}, 1, 2, 3, 4)).expect(t, critical(finding.CertConstraint)), `the certificate "api.example.org" has a critical extension`)
}

func TestCertConstraintLeafThatIssues(t *testing.T) {
	s := newShop(t)
	mallory := must(t)(s.inter.Leaf(certNow, []string{"mallory.example.net"}))
	srv := server{chain: must(t)(mallory.Leaf(certNow, []string{certHost})).Served(), roots: []*pki.Pair{s.root}}
	says(t, srv.expect(t, critical(finding.CertConstraint)), `the issuer "mallory.example.net" is not a CA`)
}

func TestCertConstraintWithOtherFaults(t *testing.T) {
	s := newShop(t, func(c *x509.Certificate) {
		c.PermittedDNSDomains = []string{"example.com"}
		c.NotBefore, c.NotAfter = certNow.AddDate(-2, 0, 0), certNow.AddDate(0, 0, -1)
	})
	srv := s.serve(t)
	srv.host = "other.example.org"
	srv.expect(t, critical(finding.CertConstraint), critical(finding.CertChainExpired), critical(finding.CertNameMismatch))
}

// TestCertConstraintShowsWhatIsPermitted: whatever the kind of name that is outside.
func TestCertConstraintShowsWhatIsPermitted(t *testing.T) {
	s := newShop(t, func(c *x509.Certificate) { c.PermittedURIDomains = []string{"example.com"} })
	fs := s.serve(t, func(c *x509.Certificate) { c.URIs = []*url.URL{{Scheme: "https", Host: "www.example.org"}} }).expect(t, critical(finding.CertConstraint))
	if got := fmt.Sprint(fs[0].Evidence["permitted"]); got != "[example.com]" {
		t.Errorf("permitted: %s", got)
	}
}

// directoryNames is a name constraints extension with one directory name, O=organization: permitted (0) or excluded (1).
func directoryNames(t *testing.T, critical bool, tree int, organization string) pki.Option {
	t.Helper()
	name, err := asn1.Marshal(pkix.Name{Organization: []string{organization}}.ToRDNSequence())
	if err != nil {
		t.Fatal(err)
	}
	wrap := func(tag byte, in []byte) []byte { return append([]byte{tag, byte(len(in))}, in...) }
	return extension(critical, wrap(0x30, wrap(0xa0|byte(tree), wrap(0x30, wrap(0xa4, name)))), 2, 5, 29, 30)
}

func TestCertConstraintDirectoryNames(t *testing.T) {
	ours := func(c *x509.Certificate) {
		c.Subject = pkix.Name{Organization: []string{"ACME  inc"}, CommonName: certHost}
	}
	nobody := func(c *x509.Certificate) { c.Subject = pkix.Name{} }
	for _, test := range []struct {
		name     string
		critical bool
		tree     int
		of       string
		leaf     pki.Option
		want     string
		says     string
	}{
		{"permitted", false, 0, "Acme Inc", ours, warning(finding.CertConstraint), "Refused by: rustls. "},
		{"permitted, critical", true, 0, "Acme Inc", ours, warning(finding.CertConstraint), "Refused by: Go, rustls. "},
		{"another permitted", false, 0, "Other", ours, critical(finding.CertConstraint), `directory name "CN=api.example.org,O=ACME  inc" is not permitted`},
		{"another permitted, critical", true, 0, "Other", ours, critical(finding.CertConstraint), "is not permitted"},
		{"excluded", false, 1, "Acme Inc", ours, critical(finding.CertConstraint), `is excluded by constraint "O=Acme Inc"`},
		{"another excluded", false, 1, "Other", ours, warning(finding.CertConstraint), "Refused by: Firefox (NSS), rustls. "},
		{"without a subject", false, 0, "Other", nobody, warning(finding.CertConstraint), "Refused by: rustls. "},
	} {
		t.Run(test.name, func(t *testing.T) {
			srv := newShop(t, directoryNames(t, test.critical, test.tree, test.of)).serve(t, test.leaf)
			says(t, srv.expect(t, test.want), test.says)
		})
	}
}

// TestCertConstraintLeafIsCA: rustls and NSS refuse a CA's certificate as a server's own, even where it is itself trusted.
func TestCertConstraintLeafIsCA(t *testing.T) {
	asCA := func(c *x509.Certificate) { c.IsCA, c.KeyUsage = true, c.KeyUsage|x509.KeyUsageCertSign }
	s := newShop(t)
	fs := s.serve(t, asCA).expect(t, warning(finding.CertConstraint))
	says(t, fs, `the certificate "api.example.org" is a CA's (basicConstraints CA:TRUE)`, "Refused by: Firefox (NSS), rustls. ")
	own := must(t)(pki.SelfSigned(certNow, []string{certHost}, asCA))
	server{chain: own.Served(), roots: []*pki.Pair{own}}.expect(t, warning(finding.CertConstraint))
	server{chain: own.Served(), roots: []*pki.Pair{s.root}}.expect(t, critical(finding.CertSelfSigned)) // every client refuses it
}
