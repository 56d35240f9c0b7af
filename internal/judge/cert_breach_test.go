package judge

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"slices"
	"testing"
	"time"

	"certdrift/internal/clients"
	"certdrift/internal/finding"
	"certdrift/internal/observation"
	"certdrift/internal/sim/pki"
)

// TestCertBreaches: certificates against RFC 5280 that some clients refuse. The others, and all of them on live servers, are in
// e2e/servers (breach_cases.go).
func TestCertBreaches(t *testing.T) {
	emptyUsage := func(c *x509.Certificate) {
		c.ExtKeyUsage = nil
		extension(false, []byte{0x30, 0}, 2, 5, 29, 37)(c)
	}
	demand := extension(true, []byte{0x30, 3, 0x80, 1, 5}, 2, 5, 29, 36)
	policy := func(c *x509.Certificate) { c.PolicyIdentifiers = []asn1.ObjectIdentifier{{2, 23, 140, 1, 2, 1}} }
	nothing := func(*x509.Certificate) {}
	for _, test := range []struct {
		name        string
		inter, leaf pki.Option
		want        string
		says        string
	}{
		{"an empty extended key usage", nothing, emptyUsage, critical(finding.CertUsage), "Refused by: Chromium, Firefox (NSS), OpenSSL, curl, Python, Node, Java, rustls. Accepted by: Go, GnuTLS"},
		{"an issuer's empty extended key usage", emptyUsage, nothing, critical(finding.CertUsage), `the issuer "Test Intermediate"`},
		{"no extended key usage", nothing, usages(), notice(finding.CertUsage), "Refused by: Apple"},
		{"a critical demand for a policy, far off", demand, policy, warning(finding.CertConstraint), "Refused by: GnuTLS"},
		{"for server-gated cryptography alone", nothing, usages(x509.ExtKeyUsageNetscapeServerGatedCrypto), critical(finding.CertUsage), "Refused by: Chromium, Firefox (NSS), Go, GnuTLS, rustls. Accepted by: OpenSSL"},
		{"for code alone", nothing, usages(x509.ExtKeyUsageCodeSigning), critical(finding.CertUsage), "Refused by: Chromium, Firefox (NSS), OpenSSL"},
		{"a key usage without signatures", nothing, keyUsage(x509.KeyUsageKeyAgreement), warning(finding.CertUsage), "Refused by: Chromium, Java, GnuTLS. "},
	} {
		t.Run(test.name, func(t *testing.T) {
			says(t, newShop(t, test.inter).serve(t, test.leaf).expect(t, test.want), test.says)
		})
	}
}

// TestCertEmptyName: GnuTLS refuses a certificate with an empty name beside the right one.
func TestCertEmptyName(t *testing.T) {
	value := slices.Concat([]byte{0x30, byte(4 + len(certHost)), 0x82, 0, 0x82, byte(len(certHost))}, []byte(certHost))
	srv := newShop(t).serve(t, func(c *x509.Certificate) {
		c.DNSNames = nil
		c.ExtraExtensions = append(c.ExtraExtensions, pkix.Extension{Id: asn1.ObjectIdentifier{2, 5, 29, 17}, Value: value})
	})
	says(t, srv.expect(t, warning(finding.CertMalformed)), "is empty. Refused by: GnuTLS. ")
}

// TestUnparsableClients: what crypto/x509 does not parse, other clients may.
func TestUnparsableClients(t *testing.T) {
	whole := newShop(t).serve(t).chain[0]
	for said, want := range map[string]clients.Problem{
		"x509: authority key identifier incorrectly marked critical": clients.BadCritical, "x509: malformed UTCTime": clients.BadDate,
		"x509: something new": clients.UnparsableGo, "x509: SAN dNSName is malformed": clients.BadName,
	} {
		if got := parsing(whole, errors.New(said)); got != want {
			t.Errorf("%s: %s, want %s", said, got, want)
		}
	}
	for _, der := range [][]byte{whole[:len(whole)-3], nil, append(slices.Clone(whole), 0)} {
		if got := parsing(der, errors.New("x509: malformed certificate")); got != clients.Unparsable {
			t.Errorf("%d bytes: %s", len(der), got)
		}
	}
}

// TestWhoRefusesAStaple: what clients do depends on the staple's dates.
func TestWhoRefusesAStaple(t *testing.T) {
	day := func(n int) time.Time { return certNow.AddDate(0, 0, n) }
	staple := func(status observation.RevocationStatus, from, to int) observation.Revocation {
		return observation.Revocation{Source: observation.Staple, Status: status, Signed: true, ThisUpdate: day(from), NextUpdate: day(to)}
	}
	for want, r := range map[clients.Problem]observation.Revocation{
		clients.StapleFuture: staple(observation.Good, 1, 3), clients.StapleStale: staple(observation.Good, -3, -1),
		clients.StapleUnknown: staple(observation.Unknown, -1, 1), clients.StapleGarbage: {Source: observation.Staple, Status: observation.NoAnswer},
	} {
		if got := stapleProblem(r, certNow, false); got != want {
			t.Errorf("%+v: %s, want %s", r, got, want)
		}
	}
	for want, r := range map[clients.Problem]observation.Revocation{
		clients.RevokedStaple: staple(observation.Revoked, -1, 1), clients.RevokedStale: staple(observation.Revoked, -3, -1),
		clients.RevokedOCSP: {Source: observation.OCSP}, clients.Revoked: {Source: observation.CRL},
	} {
		if got := revokedBy(r, certNow); got != want {
			t.Errorf("%+v: %s, want %s", r, got, want)
		}
	}
}
