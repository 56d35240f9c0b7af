package servers

import (
	"crypto/x509/pkix"
	"encoding/asn1"
	"slices"

	"certdrift/internal/finding"
	"certdrift/internal/sim/pki"
)

// Breach is a certificate against a rule that certdrift may accept: its severity follows what clients do with it.
type Breach struct {
	Case
	// Rule is what it is against; Why is the reason that certdrift says nothing, or no more.
	Rule, Why string
}

// What the reasons of several are.
const (
	nobody     = "no client refuses it, so nothing breaks: a linter's matter, not a monitor's"
	strictOnly = "OpenSSL's strict mode alone refuses it"
	goOnly     = "Go does not parse it, and nothing below it can be judged then"
)

// Breaches are certificates against RFC 5280 or the CA/Browser Forum's Baseline Requirements, each otherwise in order.
func Breaches() []Breach {
	return slices.Concat(keyIdentifierBreaches(), constraintBreaches(), usageBreaches(), nameBreaches(), numberBreaches(), otherBreaches())
}

func breaches() []Case {
	var all []Case
	for _, b := range Breaches() {
		all = append(all, b.Case)
	}
	return all
}

// edit changes a certificate before it is signed.
type edit func(*tbs)

// tbs is a certificate to be signed, its extensions in a form that can be edited.
type tbs struct {
	*pki.TBS
	extensions []pkix.Extension
}

// remade signs a certificate again, edited, into one that crypto/x509 may neither make nor parse.
func remade(der []byte, issuer *pki.Pair, edits ...edit) []byte {
	return must(pki.Resign(der, issuer.Key, func(raw *pki.TBS) {
		t := &tbs{TBS: raw}
		if _, err := asn1.Unmarshal(raw.Extensions.Bytes, &t.extensions); err != nil {
			panic(labError{err})
		}
		for _, e := range edits {
			e(t)
		}
		if t.extensions != nil {
			raw.Extensions = asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 3, IsCompound: true, Bytes: must(asn1.Marshal(t.extensions))}
		}
	}))
}

func onLeaf(name string, want []finding.Code, rule, why string, edits ...edit) Breach {
	return Breach{Case{Name: name, Want: want, serve: func(l *Lab) Target {
		p := l.leaf()
		return l.chain(p, remade(p.Certificate.Raw, l.Sub, edits...), l.Sub.Certificate.Raw)
	}}, rule, why}
}

func onIssuer(name string, want []finding.Code, rule, why string, edits ...edit) Breach {
	return Breach{Case{Name: name, Want: want, serve: func(l *Lab) Target {
		p := l.leaf()
		return l.chain(p, p.Certificate.Raw, remade(l.Sub.Certificate.Raw, l.Root, edits...))
	}}, rule, why}
}

// extension sets an extension, or adds it.
func extension(critical bool, value []byte, id ...int) edit {
	return func(t *tbs) {
		one := pkix.Extension{Id: id, Critical: critical, Value: value}
		if i := t.find(id); i >= 0 {
			t.extensions[i] = one
		} else {
			t.extensions = append(t.extensions, one)
		}
	}
}

func (t *tbs) find(id []int) int {
	return slices.IndexFunc(t.extensions, func(e pkix.Extension) bool { return e.Id.Equal(id) })
}

// marked sets whether an extension is critical.
func marked(critical bool, id ...int) edit {
	return func(t *tbs) { t.extensions[t.find(id)].Critical = critical }
}

func without(id ...int) edit {
	return func(t *tbs) {
		t.extensions = slices.DeleteFunc(t.extensions, func(e pkix.Extension) bool { return e.Id.Equal(id) })
	}
}

func twice(id ...int) edit {
	return func(t *tbs) { t.extensions = append(t.extensions, t.extensions[t.find(id)]) }
}

func subject(name ...pkix.AttributeTypeAndValue) edit {
	return func(t *tbs) {
		var rdns pkix.RDNSequence
		for _, one := range name {
			rdns = append(rdns, pkix.RelativeDistinguishedNameSET{one})
		}
		t.Subject = asn1.RawValue{FullBytes: must(asn1.Marshal(rdns))}
	}
}

func attribute(value any, id ...int) pkix.AttributeTypeAndValue {
	return pkix.AttributeTypeAndValue{Type: id, Value: value}
}

// alternative sets the subject alternative names, each a GeneralName in DER.
func alternative(names ...[]byte) edit {
	return extension(false, nested(0x30, slices.Concat(names...)), 2, 5, 29, 17)
}

func dnsName(name string) []byte { return nested(0x82, []byte(name)) }

// keyUsage sets the bits of the key usage, the first of them in the highest bit.
func keyUsage(unused, bits byte) edit {
	return extension(true, []byte{3, 2, unused, bits}, 2, 5, 29, 15)
}

func extendedUsage(critical bool, ids ...asn1.ObjectIdentifier) edit {
	return extension(critical, must(asn1.Marshal(ids)), 2, 5, 29, 37)
}

func serial(bytes ...byte) edit {
	return func(t *tbs) { t.Serial = asn1.RawValue{Tag: asn1.TagInteger, Bytes: bytes} }
}

// ending rewrites the end, which is given as YYMMDDHHMMSSZ.
func ending(tag int, write func(text string) string) edit {
	return func(t *tbs) {
		t.Validity.NotAfter = asn1.RawValue{Tag: tag, Bytes: []byte(write(string(t.Validity.NotAfter.Bytes)))}
	}
}

func keyIdentifierBreaches() []Breach {
	const aki, ski = "RFC 5280 §4.2.1.1", "RFC 5280 §4.2.1.2"
	return []Breach{
		onLeaf("a critical authority key identifier", codes(finding.CertMalformed), aki, goOnly, marked(true, 2, 5, 29, 35)),
		onLeaf("an authority key identifier without a key", codes(finding.CertMalformed), aki, strictOnly, extension(false, []byte{0x30, 0}, 2, 5, 29, 35)),
		onLeaf("no subject key identifier in the leaf", nil, ski, nobody+" (RFC 5280: SHOULD)", without(2, 5, 29, 14)),
		onIssuer("no subject key identifier in an issuer", codes(finding.CertMalformed), ski, strictOnly, without(2, 5, 29, 14)),
		onIssuer("a critical subject key identifier in an issuer", codes(finding.CertMalformed), ski, goOnly, marked(true, 2, 5, 29, 14)),
		onLeaf("two authority key identifiers", codes(finding.CertMalformed), "RFC 5280 §4.2", goOnly, twice(2, 5, 29, 35)),
	}
}

func constraintBreaches() []Breach {
	const bc, nc = "RFC 5280 §4.2.1.9", "RFC 5280 §4.2.1.10"
	yes := []byte{1, 1, 0xff}
	limit := nested(0x30, nested(0xa0, nested(0x30, dnsName("example.org"))))
	return []Breach{
		onLeaf("no basic constraints in the leaf", nil, "CA/B BR §7.1.2.7.6", nobody+" (optional there)", without(2, 5, 29, 19)),
		onLeaf("basic constraints in the leaf that are not critical", nil, "CA/B BR §7.1.2.7.6", nobody, marked(false, 2, 5, 29, 19)),
		onLeaf("a path length in the leaf", codes(finding.CertMalformed), bc, strictOnly, extension(true, nested(0x30, []byte{2, 1, 0}), 2, 5, 29, 19)),
		onIssuer("a path length of -1", codes(finding.CertMalformed), bc, goOnly, extension(true, nested(0x30, append(slices.Clone(yes), 2, 1, 0xff)), 2, 5, 29, 19)),
		onIssuer("CA:TRUE not in DER", codes(finding.CertMalformed), "X.690 §11.1", goOnly, extension(true, nested(0x30, []byte{1, 1, 1}), 2, 5, 29, 19)),
		onIssuer("name constraints that are not critical", nil, nc, nobody+"; clients check them all the same", extension(false, limit, 2, 5, 29, 30)),
		onIssuer("empty name constraints", codes(finding.CertMalformed), nc, goOnly, extension(true, []byte{0x30, 0}, 2, 5, 29, 30)),
		onLeaf("name constraints in the leaf", nil, nc, nobody, extension(true, limit, 2, 5, 29, 30)),
		onIssuer("a critical demand for a policy that is met", codes(finding.CertConstraint), "none: RFC 5280 §4.2.1.11 wants it critical", "GnuTLS alone refuses it",
			extension(true, nested(0x30, nested(0x80, []byte{5})), 2, 5, 29, 36)),
		onIssuer("inhibitAnyPolicy that is not critical", nil, "RFC 5280 §4.2.1.14", nobody, extension(false, []byte{2, 1, 0}, 2, 5, 29, 54)),
	}
}

func usageBreaches() []Breach {
	const ku, eku = "RFC 5280 §4.2.1.3", "CA/B BR §7.1.2.7.10"
	server, client, signing, mail := asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 1}, asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 2}, asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 3}, asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 4}
	netscape := asn1.ObjectIdentifier{2, 16, 840, 1, 113730, 4, 1}
	return []Breach{
		onLeaf("no key usage in the leaf", nil, "CA/B BR §7.1.2.7.11", nobody+" (RFC 5280: SHOULD)", without(2, 5, 29, 15)),
		onLeaf("a key usage in the leaf that is not critical", nil, ku, nobody, marked(false, 2, 5, 29, 15)),
		onLeaf("a key usage for key encipherment alone", codes(finding.CertUsage), "CA/B BR §7.1.2.7.11", "TLS 1.3 and ECDHE sign", keyUsage(5, 0x20)),
		onLeaf("a key usage for key agreement alone", codes(finding.CertUsage), "CA/B BR §7.1.2.7.11", "TLS 1.3 and ECDHE sign", keyUsage(3, 0x08)),
		onLeaf("a key usage for data encipherment too", nil, "CA/B BR §7.1.2.7.11", nobody, keyUsage(4, 0x90)),
		onLeaf("a key usage for non-repudiation too", nil, "CA/B BR §7.1.2.7.11", nobody, keyUsage(6, 0xc0)),
		onLeaf("a key usage for CRLs in the leaf", nil, ku, nobody, keyUsage(1, 0x82)),
		onIssuer("a key usage in an issuer that is not critical", nil, ku, nobody, marked(false, 2, 5, 29, 15)),
		onIssuer("a key usage in an issuer without CRLs", nil, "CA/B BR §7.1.2.10.7", nobody, keyUsage(2, 0x04)),
		onIssuer("no extended key usage in an issuer", nil, "CA/B BR §7.1.2.10.6", nobody+"; private CAs have none"),
		onLeaf("a critical extended key usage", nil, eku, nobody, marked(true, 2, 5, 29, 37)),
		onLeaf("for servers and clients", nil, "Chrome Root Program Policy 1.6 (from 2026-06-15)", nobody, extendedUsage(false, server, client)),
		onLeaf("for servers, code and email", nil, eku, nobody, extendedUsage(false, server, signing, mail)),
		onLeaf("an empty extended key usage", codes(finding.CertUsage), "RFC 5280 §4.2.1.12", "", extension(false, []byte{0x30, 0}, 2, 5, 29, 37)),
		onLeaf("for Netscape's servers alone", codes(finding.CertUsage), eku, "kept critical: only some of the clients whose answer is known accept it", extendedUsage(false, netscape)),
	}
}

func nameBreaches() []Breach {
	const san, subjects = "RFC 5280 §4.2.1.6", "RFC 5280 §4.1.2.6"
	cn := func(value any) edit { return subject(attribute(value, 2, 5, 4, 3)) }
	long := make([]byte, 70)
	for i := range long {
		long[i] = 'a'
	}
	return []Breach{
		onLeaf("a common name that is no subject alternative name", nil, "CA/B BR §7.1.4.3", nobody, cn("other.example.org")),
		onLeaf("a common name of 70 letters", nil, "RFC 5280 appendix A (ub-common-name)", nobody, cn(string(long))),
		onLeaf("a country of three letters", nil, "RFC 5280 appendix A (CountryName)", nobody, subject(attribute("USA", 2, 5, 4, 6))),
		onLeaf("a common name in UTF-16", nil, subjects, nobody, cn(asn1.RawValue{Tag: asn1.TagBMPString, Bytes: []byte{0, 'a', 0, 'b'}})),
		onLeaf("a common name in Teletex", nil, subjects, nobody, cn(asn1.RawValue{Tag: asn1.TagT61String, Bytes: []byte("ab\xe9")})),
		onLeaf("a common name with a null byte", nil, subjects, nobody+"; clients compare alternative names only", cn("api.example.org\x00.example.net")),
		onLeaf("a common name that is not UTF-8", codes(finding.CertMalformed), subjects, goOnly, cn(asn1.RawValue{Tag: asn1.TagUTF8String, Bytes: []byte{'a', 0xff}})),
		onLeaf("critical alternative names beside a subject", nil, san, nobody, marked(true, 2, 5, 29, 17)),
		onLeaf("an empty alternative name beside the right one", codes(finding.CertMalformed), san, "GnuTLS alone refuses it", alternative(dnsName(""), dnsName(Host))),
		onLeaf("an alternative name with a space beside the right one", nil, san, nobody, alternative(dnsName("api example.org"), dnsName(Host))),
		onLeaf("an alternative name with an underscore beside the right one", nil, "CA/B BR §7.1.4.2", nobody, alternative(dnsName("_api.example.org"), dnsName(Host))),
		onLeaf("an alternative name with a null byte beside the right one", nil, san, nobody, alternative(dnsName(Host+"\x00.example.net"), dnsName(Host))),
		onLeaf("an internal name beside the right one", nil, "CA/B BR §4.2.2", nobody, alternative(dnsName("db"), dnsName(Host))),
		onLeaf("the name with a dot at its end", codes(finding.CertNameMismatch), san, "", alternative(dnsName(Host+"."))),
		onLeaf("an IP address of five bytes beside the name", codes(finding.CertMalformed), san, goOnly, alternative(nested(0x87, []byte{1, 2, 3, 4, 5}), dnsName(Host))),
		onLeaf("a URI that is none beside the name", codes(finding.CertMalformed), san, goOnly, alternative(nested(0x86, []byte("http://[::1")), dnsName(Host))),
		onLeaf("an alternative name that is not ASCII", codes(finding.CertMalformed), san, goOnly, alternative(dnsName("b\xfccher.example.org"), dnsName(Host))),
		onLeaf("alternative names twice", codes(finding.CertMalformed), "RFC 5280 §4.2", goOnly, twice(2, 5, 29, 17)),
	}
}

func numberBreaches() []Breach {
	const number, date = "RFC 5280 §4.1.2.2", "RFC 5280 §4.1.2.5"
	return []Breach{
		onLeaf("a serial number of 21 bytes", nil, number, nobody, serial([]byte("\x7fabcdefghijklmnopqrst")...)),
		onLeaf("a serial number of 40 bytes", nil, number, nobody, serial([]byte("\x7fabcdefghijklmnopqrstabcdefghijklmnopqrst")...)),
		onLeaf("a serial number with a zero byte too many", codes(finding.CertMalformed), "X.690 §8.3.2", goOnly, serial(0, 0, 1, 2)),
		onLeaf("a serial number without bytes", codes(finding.CertMalformed), "X.690 §8.3.1", goOnly, serial()),
		onLeaf("GeneralizedTime before 2050", nil, date, nobody, ending(asn1.TagGeneralizedTime, func(s string) string { return "20" + s })),
		onLeaf("an end in the year 9999", nil, date, nobody+" (RFC 5280 has it for 'no end')", ending(asn1.TagGeneralizedTime, func(string) string { return "99991231235959Z" })),
		onLeaf("a date without seconds", codes(finding.CertMalformed), date, "", ending(asn1.TagUTCTime, func(s string) string { return s[:10] + "Z" })),
		onLeaf("a date with an offset", codes(finding.CertMalformed), date, "", ending(asn1.TagUTCTime, func(s string) string { return s[:12] + "+0100" })),
		onLeaf("a date with fractions of seconds", codes(finding.CertMalformed), date, goOnly, ending(asn1.TagGeneralizedTime, func(s string) string { return "20" + s[:12] + ".5Z" })),
		onLeaf("a date that is none", codes(finding.CertMalformed), date, goOnly, ending(asn1.TagUTCTime, func(s string) string { return s[:2] + "13" + s[4:] })),
	}
}

func otherBreaches() []Breach {
	version := func(n byte) edit {
		return func(t *tbs) {
			t.Version = asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 0, IsCompound: true, Bytes: []byte{2, 1, n}}
		}
	}
	unknown := []int{1, 3, 6, 1, 4, 1, 55555, 1}
	return []Breach{
		onLeaf("version 2 with extensions", codes(finding.CertMalformed, finding.CertNameMismatch), "RFC 5280 §4.1.2.1", "", version(1)),
		onLeaf("version 4", codes(finding.CertMalformed), "RFC 5280 §4.1.2.1", goOnly, version(3)),
		onLeaf("critical authority information access", codes(finding.CertMalformed), "RFC 5280 §4.2.2.1", goOnly,
			extension(true, nested(0x30, nested(0x30, slices.Concat([]byte{6, 8, 0x2b, 6, 1, 5, 5, 7, 0x30, 1}, nested(0x86, []byte("http://127.0.0.1:9/"))))), 1, 3, 6, 1, 5, 5, 7, 1, 1)),
		onLeaf("a CRL distribution point that is none", codes(finding.CertMalformed), "RFC 5280 §4.2.1.13", goOnly, extension(false, []byte{0x30, 2, 5, 0}, 2, 5, 29, 31)),
		onLeaf("an empty certificate policy list", codes(finding.CertMalformed), "RFC 5280 §4.2.1.4", "Chromium refuses it", extension(false, []byte{0x30, 0}, 2, 5, 29, 32)),
		onLeaf("an unknown extension that is not critical, and not DER", nil, "RFC 5280 §4.2", nobody, extension(false, []byte{0xff, 0xff}, unknown...)),
		onLeaf("an unknown extension that is critical", codes(finding.CertConstraint), "RFC 5280 §4.2", "", extension(true, []byte{5, 0}, unknown...)),
	}
}
