package judge

import (
	"crypto/x509"
	"maps"
	"slices"
	"strings"

	"certdrift/internal/target"
)

// relation is how a certificate stands to another, or to a declaration. The order is by how bad it is.
type relation int

const (
	same     relation = iota // the same certificate, or what the same ARN holds today
	unknown                  // there is too little to compare
	twin                     // another one with the same key and names: no client notices, yet it lives its own life
	distinct                 // another certificate
)

// meets tells how a certificate, known by its ARN, its body or both, stands to what is declared. Each part that is
// declared must hold.
func (w *world) meets(d target.Declared, arn string, leaf *x509.Certificate) relation {
	r := same
	if d.ARN != "" {
		r = max(r, w.meetsARN(d.ARN, arn, leaf))
	}
	if d.FingerprintSHA256 != "" {
		r = max(r, w.meetsFingerprint(d.FingerprintSHA256, leaf))
	}
	if d.Issuer != "" {
		r = max(r, meetsIssuer(d.Issuer, leaf))
	}
	return r
}

// meetsARN compares by certificate where both bodies are known. The same ARN is the same certificate, whatever was
// imported or renewed under it.
func (w *world) meetsARN(declared, arn string, leaf *x509.Certificate) relation {
	if declared == arn {
		return same
	}
	d := w.body(declared)
	if d == nil || d.leaf == nil || leaf == nil {
		if arn != "" {
			return distinct
		}
		return unknown
	}
	switch {
	case d.leaf.Equal(leaf) && arn == "":
		return same
	case d.leaf.Equal(leaf), twins(d.leaf, leaf):
		return twin
	}
	return distinct
}

func (w *world) meetsFingerprint(declared string, leaf *x509.Certificate) relation {
	switch {
	case leaf == nil:
		return unknown
	case fingerprint(leaf) == declared:
		return same
	}
	if d := w.fingerprinted[declared]; d != nil && twins(d.leaf, leaf) {
		return twin
	}
	return distinct
}

// byFingerprint indexes certificates: a later store's goes before an earlier one's, the smallest ARN before others.
func byFingerprint(stores ...map[string]*held) map[string]*held {
	index := map[string]*held{}
	for _, store := range stores {
		for _, arn := range slices.Backward(slices.Sorted(maps.Keys(store))) {
			if fp := store[arn].fingerprint(); fp != "" {
				index[fp] = store[arn]
			}
		}
	}
	return index
}

func meetsIssuer(declared string, leaf *x509.Certificate) relation {
	if leaf == nil {
		return unknown
	}
	if leaf.Issuer.CommonName == declared || slices.Equal(splitDN(leaf.Issuer.String()), splitDN(declared)) {
		return same
	}
	reversed := splitDN(declared) // as `openssl x509 -issuer` prints it: the country first
	slices.Reverse(reversed)
	if slices.Equal(splitDN(leaf.Issuer.String()), reversed) {
		return same
	}
	return distinct
}

// splitDN takes a distinguished name (RFC 4514) apart, so that blanks around its separators don't matter.
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

// declaredBody is the certificate that is declared, with its ARN where one is known; nil where it is not known.
func (w *world) declaredBody(d target.Declared) (arn string, h *held) {
	if d.ARN != "" {
		return d.ARN, w.body(d.ARN)
	}
	if d.FingerprintSHA256 != "" {
		if h := w.fingerprinted[d.FingerprintSHA256]; h != nil {
			return h.record.ARN, h
		}
	}
	return "", nil
}

// declaredEvidence shows what is declared.
func (w *world) declaredEvidence(d target.Declared) map[string]any {
	arn, h := w.declaredBody(d)
	out := h.evidence(arn)
	if d.FingerprintSHA256 != "" {
		out["fingerprint_sha256"] = d.FingerprintSHA256
	}
	if d.Issuer != "" {
		out["issuer"] = d.Issuer
	}
	if at := place(d.Source); at != "" {
		out["at"] = at
	}
	return out
}

// declaredLabel names what is declared in a summary.
func (w *world) declaredLabel(d target.Declared) string {
	arn, h := w.declaredBody(d)
	switch {
	case arn != "" || h != nil:
		return h.label(arn)
	case d.FingerprintSHA256 != "":
		return "certificate " + d.FingerprintSHA256[:min(len(d.FingerprintSHA256), 16)] + "…"
	}
	return "one, issued by " + d.Issuer
}

// declared is what the configuration declares for the endpoint or, where it is silent, the one manifest that speaks of
// it; nil where nobody does.
func (e *endpoint) declared() *target.Declared {
	if e.Target.Declared != nil {
		return e.Target.Declared
	}
	if len(e.declarations) == 1 && len(e.declarations[0].ARNs) == 1 {
		d := e.declarations[0]
		return &target.Declared{ARN: d.ARNs[0], Source: d.Source}
	}
	return nil
}
