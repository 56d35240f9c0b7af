package judge

import (
	"fmt"
	"testing"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
	"certdrift/internal/sim/pki"
)

// TestCertChainOversized: each limit that was measured holds on both of its sides.
func TestCertChainOversized(t *testing.T) {
	s := newShop(t)
	// sized is a chain of a number of certificates and bytes; what follows the intermediate only takes room.
	sized := func(certificates, bytes int) server {
		srv := s.serve(t)
		for len(srv.chain) < certificates {
			srv.chain = append(srv.chain, s.root.Certificate.Raw)
		}
		for _, der := range srv.chain {
			bytes -= len(der) + 3
		}
		if last := len(srv.chain) - 1; bytes > 0 {
			srv.chain[last] = padding(t, s.root, len(srv.chain[last])+bytes)
		}
		return srv
	}
	for _, test := range []struct {
		certificates, bytes int
		want                []string
		says                string
	}{
		{10, 0, nil, ""},
		{11, 0, []string{warning(finding.CertChainOversized)}, "(11 certificates), more than some clients accept. Refused by: Java. "},
		{16, 0, []string{warning(finding.CertChainOversized)}, "Refused by: Java. "},
		{17, 0, []string{warning(finding.CertChainOversized)}, "Refused by: Java, GnuTLS. "},
		{3, 32 << 10, nil, ""},
		{3, 32<<10 + 1, []string{warning(finding.CertChainOversized)}, "32 KiB in size (3 certificates), more than some clients accept. Refused by: Java. "},
		{3, 64 << 10, []string{warning(finding.CertChainOversized)}, "Refused by: Java. "},
		{3, 64<<10 + 1, []string{warning(finding.CertChainOversized)}, "Refused by: Java, rustls. "},
		{3, 100 << 10, []string{warning(finding.CertChainOversized)}, "Refused by: Java, rustls. "},
		{3, 100<<10 + 1, []string{critical(finding.CertChainOversized)}, "Refused by: Chromium, OpenSSL, curl, Python, Node, Java, rustls. "},
		{3, 128<<10 + 1, []string{critical(finding.CertChainOversized)}, "Refused by: Chromium, Firefox (NSS), OpenSSL, curl, Python, Node, Java, GnuTLS, rustls. "},
		{3, 256<<10 + 1, []string{critical(finding.CertChainOversized)}, "Refused by: Chromium, Firefox (NSS), OpenSSL, curl, Python, Node, Go, Java, GnuTLS, rustls. Not known: "},
	} {
		fs := sized(test.certificates, test.bytes).expect(t, test.want...)
		if test.says != "" {
			says(t, fs, test.says)
		}
	}
	server{failure: &observation.Failure{Phase: observation.PhaseTLS, Kind: observation.ChainOversized, Detail: "handshake message of length 300000"}}.
		expect(t, critical(finding.CertChainOversized))
}

// TestCertChainTooDeep: what the server sends besides the path does not count, and the path of a chain that is not trusted neither.
func TestCertChainTooDeep(t *testing.T) {
	s := newShop(t)
	for _, test := range []struct {
		intermediates int
		want          []string
		says          string
	}{
		{6, nil, ""},
		{7, []string{warning(finding.CertChainOversized)}, "the path to the root has 7 intermediates, more than some clients accept. Refused by: Firefox (NSS), rustls. Accepted by: Chromium, "},
		{9, []string{warning(finding.CertChainOversized)}, "Refused by: Firefox (NSS), rustls. Accepted by: Chromium, "},
		{10, []string{warning(finding.CertChainOversized)}, "Refused by: Firefox (NSS), Java, rustls. Accepted by: OpenSSL, curl, Python, Node, Go, GnuTLS. Not known: Chromium, "},
	} {
		issuer, sent := s.root, [][]byte{}
		for i := range test.intermediates {
			issuer = must(t)(issuer.Intermediate(fmt.Sprintf("CA %d", i), certNow))
			sent = append([][]byte{issuer.Certificate.Raw}, sent...)
		}
		leaf := must(t)(issuer.Leaf(certNow, []string{certHost}))
		fs := server{chain: append([][]byte{leaf.Certificate.Raw}, sent...), roots: []*pki.Pair{s.root}}.expect(t, test.want...)
		if test.says != "" {
			says(t, fs, test.says)
		}
	}
}

// padding is a certificate under ca of exactly a length, which its signature makes vary by a byte or two.
func padding(t *testing.T, ca *pki.Pair, length int) []byte {
	size := length - 500
	for {
		der := must(t)(ca.Intermediate("Padding", certNow, extension(false, make([]byte, size), 1, 2, 3, 4))).Certificate.Raw
		if len(der) == length {
			return der
		}
		if off := length - len(der); off > 4 || off < -4 {
			size += off
		}
	}
}
