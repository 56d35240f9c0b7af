package judge

import (
	"crypto/x509"
	"fmt"
	"net"
	"strings"
	"testing"

	"certdrift/internal/chain"
	"certdrift/internal/finding"
	"certdrift/internal/sim/pki"
)

func TestCertNameMismatch(t *testing.T) {
	s := newShop(t)
	for _, test := range []struct {
		host   string
		names  []string
		covers bool
		hint   string
	}{
		{"api.example.org", []string{"api.example.org"}, true, ""},
		{"api.example.org", []string{"API.Example.ORG"}, true, ""},
		{"API.example.org.", []string{"api.example.org"}, true, ""},
		{"api.example.org", []string{"*.example.org"}, true, ""},
		{"a.b.example.org", []string{"*.example.org"}, false, "only one label"},
		{"example.org", []string{"*.example.org"}, false, "doesn't match its parent domain"},
		{"api.example.org", []string{"*.*.org"}, false, "entire leftmost label"},
		{"api.example.org", []string{"a*.example.org"}, false, "entire leftmost label"},
		{"api.example.org", []string{"*i.example.org"}, false, "entire leftmost label"},
		{"api.example.org", []string{"*"}, false, "alone matches no name"},
		{"api.example.org", []string{"api.example.org:443"}, false, "no scheme, port or spaces"},
		{"api.example.org", []string{"https://api.example.org/v0"}, false, "no scheme, port or spaces"},
		{"example.org", []string{"*.org"}, false, "directly below a top-level domain"},
		{"localhost", []string{"localhost"}, true, ""},
		{"localhost", []string{"*"}, false, ""},
		{"www.example.org", []string{"example.org"}, false, "only the name without www."},
		{"example.org", []string{"www.example.org"}, false, "only the name with www."},
		{"xn--bcher-kva.example", []string{"xn--bcher-kva.example"}, true, ""},
		{"xn--bcher-kva.example", []string{"*.example"}, false, "top-level"},
		{"192.0.2.7", []string{"192.0.2.7"}, true, ""},
		{"192.0.2.7", []string{"192.0.2.8"}, false, ""},
		{"[2001:db8::1]", []string{"2001:db8:0::1"}, true, ""},
		{"::ffff:192.0.2.7", []string{"192.0.2.7"}, true, ""},
		{"192.0.2.7", []string{"*.0.2.7"}, false, "doesn't match IP addresses"},
		{"api_1.example.org", []string{"api_1.example.org"}, true, ""},
		{"api_1.example.org", []string{"*.example.org"}, true, ""},
	} {
		t.Run(test.host+" "+strings.Join(test.names, " "), func(t *testing.T) {
			srv := server{host: test.host, roots: []*pki.Pair{s.root}}
			srv.chain = must(t)(s.inter.Leaf(certNow, test.names)).Served()
			if test.covers {
				srv.expect(t)
				return
			}
			says(t, srv.expect(t, critical(finding.CertNameMismatch)), finding.Clean(chain.CanonicalHost(test.host), 200), test.names[0], test.hint)
		})
	}
}

func TestCertNameMismatchWithoutNames(t *testing.T) {
	s := newShop(t)
	srv := server{roots: []*pki.Pair{s.root}}
	srv.chain = must(t)(s.inter.Leaf(certNow, []string{certHost}, withoutNames)).Served()
	says(t, srv.expect(t, critical(finding.CertNameMismatch)), "no subject alternative name", `ignore its common name "api.example.org"`)
	mail := func(c *x509.Certificate) { c.EmailAddresses = []string{"ops@example.org"} }
	srv.chain = must(t)(s.inter.Leaf(certNow, []string{certHost}, withoutNames, mail)).Served()
	says(t, srv.expect(t, critical(finding.CertNameMismatch)), "no subject alternative name that is a DNS name or an IP address")
	srv.chain = must(t)(s.inter.Leaf(certNow, []string{certHost}, dnsNames(" api.example.org"))).Served()
	says(t, srv.expect(t, critical(finding.CertNameMismatch)), `it covers " api.example.org"`, "or spaces")
}

func TestCertNameMismatchAddressAsDNSName(t *testing.T) {
	s := newShop(t)
	srv := server{host: "192.0.2.7", roots: []*pki.Pair{s.root}}
	srv.chain = must(t)(s.inter.Leaf(certNow, nil, dnsNames("192.0.2.7"))).Served()
	says(t, srv.expect(t, critical(finding.CertNameMismatch)), "DNS name, which no client accepts")
}

func TestCertNameMismatchListIsBounded(t *testing.T) {
	s := newShop(t)
	var names []string
	for i := range 9000 {
		names = append(names, fmt.Sprintf("host-%d.example.com", i))
	}
	srv := server{roots: []*pki.Pair{s.root}}
	srv.chain = must(t)(s.inter.Leaf(certNow, names)).Served()
	var found finding.Finding
	for _, f := range srv.judge() {
		if f.Code == finding.CertNameMismatch {
			found = f
		}
	}
	if !strings.Contains(found.Summary, "and 8990 more") || len(found.Summary) > 1000 || len(found.Evidence["names"].([]string)) > maxNames+1 {
		t.Errorf("%d characters: %.200s", len(found.Summary), found.Summary)
	}
	if found.Cause != "host:"+certHost {
		t.Errorf("cause %s", found.Cause)
	}
}

func TestNamesAreCleaned(t *testing.T) {
	evil := "a\x1b[31m\r\n::error::<script>"
	s := newShop(t)
	srv := server{roots: []*pki.Pair{s.root}}
	srv.chain = must(t)(s.inter.Leaf(certNow, nil, dnsNames(evil), commonName("\u202e"+evil), lasting(9*dayLong, -dayLong))).Served()
	for _, f := range srv.expect(t, critical(finding.CertExpired), critical(finding.CertNameMismatch)) {
		if text := fmt.Sprint(f.Summary, f.Evidence, f.Remedy); strings.ContainsAny(text, "\x1b\r\n\u202e") {
			t.Errorf("%s passes control characters on: %q", f.Code, text)
		}
	}
}

func TestCoversHostTakesIPNames(t *testing.T) {
	leaf := must(t)(newShop(t).inter.Leaf(certNow, []string{"192.0.2.7"})).Certificate
	if !leaf.IPAddresses[0].Equal(net.IPv4(192, 0, 2, 7)) || !chain.Covers(leaf, "192.0.2.7") || chain.Covers(leaf, "") {
		t.Errorf("names %v %v", leaf.DNSNames, leaf.IPAddresses)
	}
}

func TestCertNameMismatchOfAChainInTheWrongOrder(t *testing.T) {
	srv := newShop(t).serve(t)
	srv.chain[0], srv.chain[1] = srv.chain[1], srv.chain[0]
	var told bool
	for _, f := range srv.judge() {
		told = told || strings.Contains(f.Summary, "certificate 2 in the served chain matches the hostname")
	}
	if !told {
		t.Error("that the order is wrong is not said")
	}
}
