package clients

import (
	"slices"
	"strings"

	"certdrift/internal/finding"
)

// Problem is a kind of problem of a server, as far as clients treat it alike.
type Problem string

// The problems. Codes with several kinds have several.
const (
	Expired          Problem = "expired"
	NotYetValid      Problem = "not yet valid"
	Expiring         Problem = "expiring"
	NameMismatch     Problem = "another name"
	NameCommon       Problem = "the name as common name only"
	NameTopWildcard  Problem = "a wildcard under a top-level domain"
	NameInnerStar    Problem = "a wildcard in the middle"
	NamePartialStar  Problem = "a wildcard for a part of a label"
	NameDot          Problem = "the name with a dot at its end"
	NameEmpty        Problem = "an empty name beside the right one"
	SelfSigned       Problem = "self-signed"
	Untrusted        Problem = "unknown issuer"
	RootDistrusted   Problem = "issued after Mozilla's distrust date"
	RootLeaving      Problem = "a root that Mozilla will remove"
	ShadowUntrusted  Problem = "a cross-sign to an unknown root sent first"
	Incomplete       Problem = "missing issuer"
	IncompleteAIA    Problem = "missing issuer, downloadable"
	NameSpelled      Problem = "its issuer's name encoded otherwise"
	MisnamedKey      Problem = "another key identifier of its issuer"
	MisnamedSerial   Problem = "another serial number of its issuer"
	IssuerExpired    Problem = "expired issuer"
	RootExpired      Problem = "expired root"
	ShadowExpired    Problem = "an expired cross-sign sent first"
	KeyBroken        Problem = "RSA below 1,024 bits, or a curve below P-256"
	KeyDSA           Problem = "DSA key"
	KeyShort         Problem = "RSA from 1,024 to 2,047 bits"
	KeyP521          Problem = "P-521 in the leaf"
	KeyEd25519       Problem = "Ed25519"
	SignatureSHA1    Problem = "SHA-1 signature"
	SignatureBroken  Problem = "MD5 or MD2 signature"
	UsageOther       Problem = "extended key usage for other purposes"
	UsageOtherIssuer Problem = "an issuer's extended key usage for other purposes"
	UsageNothing     Problem = "a key usage for nothing in TLS"
	UsageEmpty       Problem = "an empty extended key usage"
	UsageSGC         Problem = "for server-gated cryptography alone"
	UsageNoSignRSA   Problem = "a key usage without digitalSignature, RSA key exchange"
	UsageNoSignature Problem = "a key usage without digitalSignature"
	UsageAny         Problem = "any extended key usage"
	UsageAnyIssuer   Problem = "an issuer's any extended key usage"
	UsageAbsent      Problem = "no extended key usage"
	Constraint       Problem = "an issuer that may not issue"
	DirectoryOutside Problem = "directory names outside of the issuer's"
	ConstraintSign   Problem = "an issuer whose key usage lacks keyCertSign"
	DirectoryNames   Problem = "directory names constrained, critical"
	DirectoryLimits  Problem = "directory names constrained"
	DirectoryBarred  Problem = "directory names excluded"
	PolicyRequired   Problem = "a missing certificate policy"
	PolicyEmpty      Problem = "an empty list of certificate policies"
	PolicyCritical   Problem = "a critical demand for a policy that is met"
	LeafIsCA         Problem = "a CA's certificate as leaf"
	LifetimeLong     Problem = "valid for more than 398 days, public"
	LifetimeBallot   Problem = "valid for more than the current limit, public"
	RevokedStaple    Problem = "revoked, by staple"
	RevokedStale     Problem = "revoked, by a staple that is out of date"
	Revoked          Problem = "revoked, by CRL"
	RevokedOCSP      Problem = "revoked, by OCSP"
	StapleStale      Problem = "a staple that does not verify"
	StapleGarbage    Problem = "a staple that cannot be parsed"
	StapleUnknown    Problem = "a staple without a verdict"
	StapleFuture     Problem = "a staple that is not valid yet"
	StapleMissing    Problem = "must-staple without staple"
	Unparsable       Problem = "not DER"
	UnparsableGo     Problem = "DER that Go does not parse"
	BadCritical      Problem = "a key identifier that is critical"
	BadCriticalInfo  Problem = "authority information that is critical"
	BadDuplicate     Problem = "an extension twice"
	BadName          Problem = "an alternative name that is not ASCII, or an IP address of another length"
	BadURI           Problem = "a URI among the alternative names that is none"
	BadConstraints   Problem = "empty name constraints"
	BadText          Problem = "a name that is not UTF-8, or a CRL distribution point that is none"
	BadSerial        Problem = "a serial number not in DER"
	BadDate          Problem = "a date that is none"
	BadVersion       Problem = "a version above 3"
	OddTime          Problem = "a date without seconds or UTC"
	NegativeSerial   Problem = "negative serial number"
	Strict           Problem = "against RFC 5280, strictly"
	StrictNames      Problem = "empty names"
	VersionOld       Problem = "TLS 1.0 and 1.1 only"
	VersionUnclear   Problem = "nothing from TLS 1.2 on, and no handshake with less"
	VersionSSL       Problem = "SSL 3.0 or 2.0 only"
	Suite3DES        Problem = "3DES or RC4 only"
	SuiteRSA         Problem = "RSA key exchange only"
	SuiteRSACBC256   Problem = "RSA key exchange with CBC and SHA-256 only"
	SuiteECDHECBC    Problem = "ECDHE with CBC and SHA-1 only"
	SuiteECDHECBC256 Problem = "ECDHE with CBC and SHA-256 only"
	SuiteECDHECBC384 Problem = "ECDHE with CBC and SHA-384 only"
	SuiteDHE         Problem = "DHE only"
	SuiteDHECBC      Problem = "DHE with CBC only"
	SuiteRare        Problem = "Camellia, SEED, CCM or DSS only"
	GroupP521        Problem = "P-521 key exchange only"
	KeyPSS           Problem = "RSASSA-PSS key"
)

// row is what each family does with a problem, in the order of Families: R refuses, a dot accepts, a question mark is not known; s and t
// are Python, which refuses from 3.13 and from 3.10 on.
type row string

func (r row) answer(family int) byte {
	answers := strings.ReplaceAll(string(r), " ", "")
	if family >= len(answers) {
		return '?'
	}
	return answers[family]
}

const everybody row = "RR RRRR RR RR RRR"

// problems is the table. The ten programs from Chromium to rustls were run on live servers
// (docs/accuracy.md); Windows, Android and Apple are from their vendors' documentation: Apple's HT210176 and HT211025 (keys, SHA-1,
// serverAuth, lifetimes), Android 9's release notes (common names), CertGetCertificateChain (download of issuers).
func problems() map[Problem]row {
	return map[Problem]row{ //nolint:gosec // "KeyPSS" and the like hold no credentials
		//                cF OcPN GJ Gr WAA
		Expired:          everybody,
		NotYetValid:      everybody,
		Expiring:         ".. .... .. .. ...",
		NameMismatch:     everybody,
		NameCommon:       "RR .... R. .R ?RR",
		NameTopWildcard:  "RR RRRR .. RR ???",
		NameInnerStar:    "RR RRRR R. RR ???",
		NamePartialStar:  "RR .RR. R. RR ???",
		NameDot:          ".R R.R. RR RR ???",
		NameEmpty:        ".. .... .. R. ???",
		SelfSigned:       everybody,
		Untrusted:        everybody,
		RootDistrusted:   "?R ???? ?? ?? ???",
		RootLeaving:      ".. .... .. .. ...",
		ShadowUntrusted:  ".. RRRR .. R. ???",
		Incomplete:       everybody,
		IncompleteAIA:    ".? RRRR RR RR .R.",
		NameSpelled:      "?R ..?? R? ?? ???",
		MisnamedKey:      ".. RRRR .. R. ???",
		MisnamedSerial:   "?. RRRR .. .. ???",
		IssuerExpired:    everybody,
		RootExpired:      "RR RRRR R. R. ???",
		ShadowExpired:    ".. .... .. R. ???",
		KeyBroken:        "RR RRRR RR RR ??R",
		KeyDSA:           "RR RRR. R. RR ???",
		KeyShort:         ".. RRR. .. .R ??R",
		KeyP521:          "R. .... .. .. ???",
		KeyEd25519:       "RR .... .. .. ???",
		SignatureSHA1:    "RR RRRR R. RR ??R",
		SignatureBroken:  "RR RRRR RR RR ??R",
		UsageOther:       "RR RRRR RR RR R?R",
		UsageOtherIssuer: "RR RRRR R. RR R??",
		UsageNothing:     "RR RRRR .R .. ???",
		UsageEmpty:       "RR RRRR .R .R ???",
		UsageSGC:         "RR .... R. RR ???",
		UsageNoSignRSA:   "?. .... .. .. ???",
		UsageNoSignature: "R. .... .R R. ???",
		UsageAny:         ".R RRRR .. .R .??",
		UsageAnyIssuer:   ".R RRRR .. RR .??",
		UsageAbsent:      ".. .... .. .. .?R",
		Constraint:       "RR RRRR RR RR R??",
		ConstraintSign:   "RR RRRR RR R. R??",
		DirectoryOutside: "RR RRRR .R .R ???",
		DirectoryNames:   ".. .... R. .R ???",
		DirectoryLimits:  ".. .... .. .R ???",
		DirectoryBarred:  ".R ???? .? ?R ???",
		PolicyRequired:   "R. .... RR RR ???",
		PolicyEmpty:      "R. .... .. .. ???",
		PolicyCritical:   ".. .... .. RR ???",
		LeafIsCA:         ".R .... .. .R ???",
		LifetimeLong:     "R. .... .. .. ??R",
		LifetimeBallot:   "?. .... .. .. ???",
		RevokedStaple:    "RR .... .. R. ???",
		RevokedStale:     ".R .... .. R. ???",
		Revoked:          "?? .... .. .. ???",
		RevokedOCSP:      "?R .... .. .. ???",
		StapleStale:      ".R .... .. R. ???",
		StapleGarbage:    ".R .... .R R. ???",
		StapleUnknown:    ".R .... .. .. ???",
		StapleFuture:     ".. .... .. .. ???",
		StapleMissing:    ".R .... .. R. ???",
		Unparsable:       "RR RRRR RR RR RRR",
		UnparsableGo:     "?? ???? R? ?? ???",
		BadCritical:      "RR RRRR RR .R ???",
		BadDuplicate:     "R? RRRR RR R? ???",
		BadCriticalInfo:  "R. RRRR RR .R ???",
		BadName:          "R. .... R. .. ???",
		BadURI:           ".. .... R. .. ???",
		BadConstraints:   "RR .... R. .. ???",
		BadText:          ".. RRRR R. .. ???",
		BadSerial:        ".R RRRR R? .. ???",
		BadDate:          "RR RRRR R? RR ???",
		BadVersion:       "R. .... RR .R ???",
		OddTime:          "RR RRRR .. ?R ???",
		NegativeSerial:   ".. .... R. .. ???",
		Strict:           ".. ..s. .. .. ???",
		StrictNames:      "R. ..s. .R .. ???",
		VersionOld:       "RR RRRR RR .R ???",
		VersionUnclear:   "RR RRRR RR ?R ???",
		VersionSSL:       everybody,
		Suite3DES:        "RR RRRR RR RR ???",
		SuiteRSA:         ".. ..t. R. .R ???",
		SuiteRSACBC256:   "RR ..t. R. RR ???",
		SuiteECDHECBC:    ".. ..t. .. .R ???",
		SuiteECDHECBC256: "RR .... R. RR ???",
		SuiteECDHECBC384: "RR .... R. RR ???",
		SuiteDHE:         "RR .... R. .R ???",
		SuiteDHECBC:      "RR ..t. R. .R ???",
		SuiteRare:        "RR RRt? RR ?R ???",
		GroupP521:        "R. .... .. .R ???",
		KeyPSS:           "RR .... R. .R ???",
	}
}

// Problems returns every problem of the table.
func Problems() map[Problem]bool {
	all := map[Problem]bool{}
	for p := range problems() {
		all[p] = true
	}
	return all
}

// The sizes of a chain in bytes that the strictest family (Java) and the most patient (Go) accept, and its most certificates.
const (
	StrictestChain = 32 << 10
	shortestChain  = 10
	LargestChain   = 256 << 10
)

// Chain is what families limit of a served chain: how many certificates are sent, the bytes of all and of the leaf, and how many
// intermediates the path from the leaf to its root has.
type Chain struct{ Certificates, Bytes, Leaf, Intermediates int }

const (
	// largestNSS is the most bytes of a leaf that NSS reads.
	largestNSS = 1<<16 - 1
	// deepest is the most intermediates of a path that NSS and rustls accept. Chromium was seen to accept deepSeen, and to refuse tooDeep.
	deepest, deepSeen, tooDeep = 6, 9, 34
)

// AllTake reports whether no family refuses a chain.
func AllTake(c Chain) bool {
	return c.Certificates <= shortestChain && c.Bytes <= StrictestChain && c.Intermediates <= deepest
}

// OfChain returns which families refuse a chain. The limits are measured.
func OfChain(c Chain) finding.Clients {
	limits := map[string]struct{ certificates, bytes, leaf, intermediates int }{ // no number: any
		"Java": {certificates: shortestChain, bytes: StrictestChain}, "rustls": {bytes: 64 << 10, intermediates: deepest},
		"Chromium": {bytes: 100 << 10, intermediates: tooDeep - 1},
		"OpenSSL":  {bytes: 100 << 10}, "curl": {bytes: 100 << 10}, "Python": {bytes: 100 << 10}, "Node": {bytes: 100 << 10},
		"GnuTLS": {certificates: 16, bytes: 128 << 10}, "Firefox (NSS)": {bytes: 128 << 10, leaf: largestNSS, intermediates: deepest},
		"Go": {bytes: LargestChain},
	}
	over := func(n, most int) bool { return most > 0 && n > most }
	var out finding.Clients
	for _, family := range Families() {
		switch limit, known := limits[family]; {
		case known && (over(c.Certificates, limit.certificates) || over(c.Bytes, limit.bytes) || over(c.Leaf, limit.leaf) || over(c.Intermediates, limit.intermediates)):
			out.RefusedBy = append(out.RefusedBy, family)
		case !known, family == "Chromium" && c.Intermediates > deepSeen:
			out.NotKnown = append(out.NotKnown, family)
		default:
			out.AcceptedBy = append(out.AcceptedBy, family)
		}
	}
	return out
}

// OfLargeHello returns which families fail where a large ClientHello is lost: those that offer post-quantum key exchange (X25519MLKEM768) as they
// come, with about 1,200 bytes of key. What is built on OpenSSL does from 3.5 on, whatever its own version.
func OfLargeHello() finding.Clients {
	return finding.Clients{
		RefusedBy: []string{"Chromium", "Firefox (NSS)", "OpenSSL 3.5 and later", "Go 1.24 and later", "Apple"},
		NotKnown:  []string{"curl", "Python", "Node", "Java", "GnuTLS", "rustls", "Windows", "Android"},
	}
}

// ByOnly is for what only some of the families that were measured refuse.
func ByOnly(refusing ...string) finding.Clients {
	var out finding.Clients
	for _, family := range Families() {
		switch {
		case slices.Contains(refusing, family):
			out.RefusedBy = append(out.RefusedBy, family)
		case slices.Contains([]string{"Windows", "Android", "Apple"}, family):
			out.NotKnown = append(out.NotKnown, family)
		default:
			out.AcceptedBy = append(out.AcceptedBy, family)
		}
	}
	return out
}
