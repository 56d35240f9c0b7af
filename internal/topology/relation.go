package topology

import (
	"bytes"
	"crypto/x509"
	"slices"
	"strings"

	"certdrift/internal/finding"
	"certdrift/internal/target"
)

// Relation is how a certificate compares with another, or with a declaration. For the worst of several, see Worst.
type Relation int

// The relations.
const (
	NotCompared Relation = iota // too little is known. The zero value: what nobody compared is never the same
	Same                        // the same certificate, or whatever the same ARN holds today
	Equivalent                  // another one with the same key and names: no client notices, yet it expires and renews on its own
	Different                   // another certificate
)

// Worst returns the worst of relations, and NotCompared without any. What was not compared is worse than the same, since it
// may differ, and better than what is known to differ.
func Worst(relations ...Relation) Relation {
	if len(relations) == 0 {
		return NotCompared
	}
	order := [...]Relation{Same, NotCompared, Equivalent, Different}
	return slices.MaxFunc(relations, func(a, b Relation) int {
		return slices.Index(order[:], a) - slices.Index(order[:], b)
	})
}

// String returns the relation's name.
func (r Relation) String() string {
	switch r {
	case Same:
		return "same"
	case Equivalent:
		return "equivalent"
	case Different:
		return "different"
	}
	return "unknown"
}

// CompareDeclared compares a certificate, known by its ARN, its body or both, with what is declared. Each part that is
// declared must hold.
func (t *Topology) CompareDeclared(d target.Declared, arn string, body *x509.Certificate) Relation {
	r := Same
	if d.ARN != "" {
		r = Worst(r, t.CompareARN(d.ARN, arn, body))
	}
	if d.FingerprintSHA256 != "" {
		r = Worst(r, t.compareFingerprint(d.FingerprintSHA256, body))
	}
	if d.Issuer != "" {
		r = Worst(r, compareIssuer(d.Issuer, body))
	}
	return r
}

// CompareARN compares by certificate where both bodies are known. The same ARN is the same certificate, whatever was
// imported or renewed under it.
func (t *Topology) CompareARN(declared, arn string, body *x509.Certificate) Relation {
	if declared == arn {
		return Same
	}
	d := t.Certificate(declared).Body()
	if d == nil || body == nil {
		if arn != "" {
			return Different
		}
		return NotCompared
	}
	if r := CompareBodies(d, body); r != Same || arn == "" {
		return r
	}
	return Equivalent // one certificate under two ARNs
}

func (t *Topology) compareFingerprint(declared string, body *x509.Certificate) Relation {
	switch {
	case body == nil:
		return NotCompared
	case Fingerprint(body) == declared:
		return Same
	}
	if d := t.fingerprinted[declared]; d != nil && AreEquivalent(d.Leaf, body) {
		return Equivalent
	}
	return Different
}

func compareIssuer(declared string, body *x509.Certificate) Relation {
	if body == nil {
		return NotCompared
	}
	if body.Issuer.CommonName == declared || slices.Equal(splitDN(body.Issuer.String()), splitDN(declared)) {
		return Same
	}
	reversed := splitDN(declared) // as `openssl x509 -issuer` prints it: the country first
	slices.Reverse(reversed)
	if slices.Equal(splitDN(body.Issuer.String()), reversed) {
		return Same
	}
	return Different
}

// CompareBodies compares two certificates; nil is one that is not known.
func CompareBodies(a, b *x509.Certificate) Relation {
	switch {
	case a == nil || b == nil:
		return NotCompared
	case a.Equal(b):
		return Same
	case AreEquivalent(a, b):
		return Equivalent
	}
	return Different
}

// AreEquivalent reports whether two certificates have the same key and names: one can replace the other without a client
// noticing.
func AreEquivalent(a, b *x509.Certificate) bool {
	return bytes.Equal(a.RawSubjectPublicKeyInfo, b.RawSubjectPublicKeyInfo) && SameNames(Names(a), Names(b))
}

// SameNames reports whether two lists hold the same names, whatever their order, case and repetitions.
func SameNames(a, b []string) bool {
	fold := func(names []string) []string {
		out := make([]string, 0, len(names))
		for _, n := range names {
			out = append(out, strings.ToLower(n))
		}
		slices.Sort(out)
		return slices.Compact(out)
	}
	return slices.Equal(fold(a), fold(b))
}

// splitDN splits a distinguished name (RFC 4514) into its parts, so that blanks around its separators don't matter.
func splitDN(dn string) []string {
	var parts []string
	start := 0
	for i := 0; i <= len(dn); i++ {
		if i < len(dn) && dn[i] == '\\' {
			i++
			continue
		}
		if i < len(dn) && dn[i] != ',' && dn[i] != '+' {
			continue
		}
		key, value, _ := strings.Cut(dn[min(start, len(dn)):min(i, len(dn))], "=")
		parts = append(parts, strings.ToUpper(strings.TrimSpace(key))+"="+strings.TrimSpace(value))
		start = i + 1
	}
	return parts
}

// DeclaredCertificate is the certificate that is declared, with its ARN where one is known; nil where it is not known.
func (t *Topology) DeclaredCertificate(d target.Declared) (arn string, c *Certificate) {
	if d.ARN != "" {
		return d.ARN, t.Certificate(d.ARN)
	}
	if d.FingerprintSHA256 != "" {
		if c := t.fingerprinted[d.FingerprintSHA256]; c != nil {
			return c.Record.ARN, c
		}
	}
	return "", nil
}

// DeclaredFact is what is declared as a finding shows it.
func (t *Topology) DeclaredFact(d target.Declared) finding.Certificate {
	arn, c := t.DeclaredCertificate(d)
	out := c.Fact(arn)
	if d.FingerprintSHA256 != "" {
		out.FingerprintSHA256 = d.FingerprintSHA256
	}
	if d.Issuer != "" {
		out.Issuer = d.Issuer
	}
	out.At = Position(d.Source)
	return out
}

// DeclaredLabel names what is declared in a sentence.
func (t *Topology) DeclaredLabel(d target.Declared) string {
	arn, c := t.DeclaredCertificate(d)
	switch {
	case arn != "" || c != nil:
		return c.Label(arn)
	case d.FingerprintSHA256 != "":
		return "certificate " + d.FingerprintSHA256[:min(len(d.FingerprintSHA256), 16)] + "…"
	}
	return "one, issued by " + d.Issuer
}
