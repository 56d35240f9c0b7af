package judge

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"net/netip"
	"slices"
	"strings"
	"time"

	"certdrift/internal/chain"
	"certdrift/internal/finding"
	"certdrift/internal/observation"
)

// held is a certificate as ACM, IAM, a file of the configuration or a server holds it.
type held struct {
	record observation.Certificate
	leaf   *x509.Certificate // nil where the body is not known
	fp     string            // remembers fingerprint
}

func hold(records []observation.Certificate) map[string]*held {
	byARN := map[string]*held{}
	for _, r := range records {
		h := &held{record: r}
		if len(r.Chain) > 0 {
			if leaf, err := x509.ParseCertificate(r.Chain[0]); err == nil {
				h.leaf = leaf
			}
		}
		// The first with a body wins: a record may come twice, from the listing and from the lookup.
		if old := byARN[r.ARN]; old == nil || old.leaf == nil && h.leaf != nil {
			byARN[r.ARN] = h
		}
	}
	return byARN
}

// body is what an ARN holds: AWS's own word, else the configuration's file; nil where neither knows.
func (w *world) body(arn string) *held {
	h := w.certificates[arn]
	if h != nil && h.leaf != nil {
		return h
	}
	if f := w.files[arn]; f != nil && f.leaf != nil {
		return f
	}
	return h
}

func fingerprint(cert *x509.Certificate) string {
	sum := sha256.Sum256(cert.Raw)
	return hex.EncodeToString(sum[:])
}

func (h *held) fingerprint() string {
	if h == nil || h.leaf == nil {
		return ""
	}
	if h.fp == "" {
		h.fp = fingerprint(h.leaf)
	}
	return h.fp
}

// names are what the certificate covers: of the body, else of the record.
func (h *held) names() []string {
	switch {
	case h == nil:
		return nil
	case h.leaf != nil:
		return certNames(h.leaf)
	}
	return h.record.Names
}

func certNames(cert *x509.Certificate) []string {
	names := slices.Clone(cert.DNSNames)
	for _, ip := range cert.IPAddresses {
		names = append(names, ip.String())
	}
	return names
}

// dates are the validity; zero where not known.
func (h *held) dates() (notBefore, notAfter time.Time) {
	switch {
	case h == nil:
		return
	case h.leaf != nil:
		return h.leaf.NotBefore, h.leaf.NotAfter
	}
	return h.record.NotBefore, h.record.NotAfter
}

// expired reports whether the certificate is known to have ended.
func (h *held) expired(now time.Time) bool {
	_, end := h.dates()
	return !end.IsZero() && now.After(end)
}

// named reports whether it is known what the certificate covers.
func (h *held) named() bool { return h != nil && (h.leaf != nil || len(h.record.Names) > 0) }

// covers reports whether the certificate is for host, as a client compares names (RFC 9525 §6).
func (h *held) covers(host string) bool {
	switch {
	case h == nil:
		return false
	case h.leaf != nil:
		return chain.Covers(h.leaf, host)
	case isIP(host):
		return false
	}
	return slices.ContainsFunc(h.record.Names, func(pattern string) bool { return matchName(pattern, host) })
}

// matchName compares a certificate's name with a host: "*" stands for exactly one whole first label.
func matchName(pattern, host string) bool {
	pattern, host = strings.ToLower(strings.TrimSuffix(pattern, ".")), strings.ToLower(strings.TrimSuffix(host, "."))
	if rest, ok := strings.CutPrefix(pattern, "*."); ok {
		_, parent, found := strings.Cut(host, ".")
		return found && parent == rest
	}
	return pattern != "" && pattern == host
}

// twins reports whether two certificates have the same key and names: one stands for the other without a client noticing.
func twins(a, b *x509.Certificate) bool {
	return bytes.Equal(a.RawSubjectPublicKeyInfo, b.RawSubjectPublicKeyInfo) && sameNames(certNames(a), certNames(b))
}

func sameNames(a, b []string) bool {
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

// shownNames is how many names of a certificate evidence lists.
const shownNames = 20

// evidence shows a certificate for the side-by-side of a drift finding.
func (h *held) evidence(arn string) map[string]any {
	out := map[string]any{}
	if arn != "" {
		out["arn"] = finding.Clean(arn, finding.QuoteLimit)
	}
	if h == nil {
		return out
	}
	if h.record.Missing {
		out["missing"] = true
	}
	if fp := h.fingerprint(); fp != "" {
		out["fingerprint_sha256"] = fp
	}
	names := h.names()
	if len(names) > shownNames {
		out["names_in_all"] = len(names)
	}
	if len(names) > 0 {
		out["names"] = cleanAll(names[:min(len(names), shownNames)])
	}
	if _, end := h.dates(); !end.IsZero() {
		out["not_after"] = end.UTC()
	}
	return out
}

// side is one of the truths held side by side: the certificate, or a list where there are several.
func side(facts []map[string]any) any {
	if len(facts) == 1 {
		return facts[0]
	}
	return list(facts)
}

func list(facts []map[string]any) []any {
	out := make([]any, 0, len(facts))
	for _, f := range facts {
		out = append(out, f)
	}
	return out
}

func cleanAll(texts []string) []string {
	out := make([]string, 0, len(texts))
	for _, t := range texts {
		out = append(out, finding.Clean(t, finding.QuoteLimit))
	}
	return out
}

// label names a certificate in a summary: what it is for and how long, its ARN's last part where it has one.
func (h *held) label(arn string) string {
	var facts []string
	if names := h.names(); len(names) > 0 {
		text := strings.Join(cleanAll(names[:min(len(names), 3)]), ", ")
		if len(names) > 3 {
			text += ", …"
		}
		facts = append(facts, "for "+text)
	}
	if _, end := h.dates(); !end.IsZero() {
		facts = append(facts, "until "+day(end))
	}
	name := "a certificate"
	if arn != "" {
		name = shortARN(arn)
	} else if fp := h.fingerprint(); fp != "" {
		name = "certificate " + fp[:16] + "…"
	}
	if len(facts) == 0 {
		return name
	}
	return name + " (" + strings.Join(facts, ", ") + ")"
}

// shortARN is an ARN's resource, which tells one certificate from another within an account.
func shortARN(arn string) string {
	parts := strings.SplitN(arn, ":", 6)
	return finding.Clean(parts[len(parts)-1], finding.QuoteLimit)
}

func day(t time.Time) string { return t.UTC().Format("2006-01-02") }

// isIP reports whether a host is an IP address, which no certificate's DNS name and no SNI can be.
func isIP(host string) bool {
	_, err := netip.ParseAddr(host)
	return err == nil
}
