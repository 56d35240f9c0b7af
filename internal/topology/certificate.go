package topology

import (
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
	"certdrift/internal/policy"
	"certdrift/internal/prose"
)

// Certificate is a certificate as ACM, IAM, a file of the configuration or a server has it. Its methods take nil for one of
// which nothing is known.
type Certificate struct {
	Record observation.Certificate
	Leaf   *x509.Certificate // nil where the body is not known

	fingerprint string
}

// indexCertificates indexes records by ARN. A record may come twice, from the listing and from the lookup: the first
// with a body wins.
func indexCertificates(records []observation.Certificate) map[string]*Certificate {
	byARN := map[string]*Certificate{}
	for _, r := range records {
		c := &Certificate{Record: r}
		if len(r.Chain) > 0 {
			if leaf, err := x509.ParseCertificate(r.Chain[0]); err == nil {
				c.Leaf = leaf
			}
		}
		if old := byARN[r.ARN]; old == nil || old.Leaf == nil && c.Leaf != nil {
			byARN[r.ARN] = c
		}
	}
	return byARN
}

// byFingerprint indexes certificates: a later store's goes before an earlier one's, the smallest ARN before others.
func byFingerprint(stores ...map[string]*Certificate) map[string]*Certificate {
	out := map[string]*Certificate{}
	for _, store := range stores {
		for _, arn := range slices.Backward(sortedKeys(store)) {
			if fp := store[arn].Fingerprint(); fp != "" {
				out[fp] = store[arn]
			}
		}
	}
	return out
}

// Record is the record of ACM or IAM for an ARN; nil where the round has none.
func (t *Topology) Record(arn string) *Certificate { return t.certificates[arn] }

// Certificate is what an ARN holds: as AWS returned it, else the configuration's file; nil where neither is known.
func (t *Topology) Certificate(arn string) *Certificate {
	c := t.certificates[arn]
	if c != nil && c.Leaf != nil {
		return c
	}
	if f := t.files[arn]; f != nil && f.Leaf != nil {
		return f
	}
	return c
}

// Fingerprint is a certificate's SHA-256 in hexadecimal.
func Fingerprint(cert *x509.Certificate) string {
	sum := sha256.Sum256(cert.Raw)
	return hex.EncodeToString(sum[:])
}

// Fingerprint is the certificate's SHA-256 in hexadecimal; empty where its body is not known.
func (c *Certificate) Fingerprint() string {
	if c == nil || c.Leaf == nil {
		return ""
	}
	if c.fingerprint == "" {
		c.fingerprint = Fingerprint(c.Leaf)
	}
	return c.fingerprint
}

// Body is the parsed certificate; nil where not known.
func (c *Certificate) Body() *x509.Certificate {
	if c == nil {
		return nil
	}
	return c.Leaf
}

// Is reports whether the certificate is known to be cert.
func (c *Certificate) Is(cert *x509.Certificate) bool {
	return c != nil && c.Leaf != nil && cert != nil && c.Leaf.Equal(cert)
}

// Missing reports whether ACM or IAM has no certificate under the ARN.
func (c *Certificate) Missing() bool { return c != nil && c.Record.Missing }

// Names are the names the certificate covers: of the body, else of the record.
func (c *Certificate) Names() []string {
	switch {
	case c == nil:
		return nil
	case c.Leaf != nil:
		return Names(c.Leaf)
	}
	return c.Record.Names
}

// Names are the names a certificate covers: DNS names, then IP addresses.
func Names(cert *x509.Certificate) []string {
	names := slices.Clone(cert.DNSNames)
	for _, ip := range cert.IPAddresses {
		names = append(names, ip.String())
	}
	return names
}

// Dates are the validity; zero where not known.
func (c *Certificate) Dates() (notBefore, notAfter time.Time) {
	switch {
	case c == nil:
		return
	case c.Leaf != nil:
		return c.Leaf.NotBefore, c.Leaf.NotAfter
	}
	return c.Record.NotBefore, c.Record.NotAfter
}

// assumedLifetime stands in where a record has no beginning: the shorter guess warns later, and never for years.
const assumedLifetime = 90 * 24 * time.Hour

// Lifetime is how long the certificate is valid in all.
func (c *Certificate) Lifetime() time.Duration {
	begin, end := c.Dates()
	if begin.IsZero() || !end.After(begin) {
		return assumedLifetime
	}
	return end.Sub(begin)
}

// Expiry is how severe the policy takes what is left of the certificate's life; None where enough is, or nothing.
func (t *Topology) Expiry(c *Certificate, p policy.Thresholds) (severity finding.Severity, left time.Duration) {
	_, end := c.Dates()
	left = end.Sub(t.Now)
	if end.IsZero() || left < 0 {
		return finding.None, left
	}
	return p.Expiry(left, c.Lifetime()), left
}

// Expired reports whether the certificate is known to have expired.
func (c *Certificate) Expired(now time.Time) bool {
	_, end := c.Dates()
	return !end.IsZero() && now.After(end)
}

// newer reports whether the certificate was imported or issued after a time.
func (c *Certificate) newer(at time.Time) bool {
	begin, _ := c.Dates()
	return c.Record.Imported.After(at) || begin.After(at)
}

// Named reports whether it is known which names the certificate covers.
func (c *Certificate) Named() bool { return c != nil && (c.Leaf != nil || len(c.Record.Names) > 0) }

// Covers reports whether the certificate covers host, as a client compares names (RFC 9525 §6).
func (c *Certificate) Covers(host string) bool {
	switch {
	case c == nil:
		return false
	case c.Leaf != nil:
		return chain.Covers(c.Leaf, host)
	case IsIP(host):
		return false
	}
	return slices.ContainsFunc(c.Record.Names, func(pattern string) bool { return MatchName(pattern, host) })
}

// MatchName reports whether a certificate's name covers a host: "*" stands for exactly one whole first label.
func MatchName(pattern, host string) bool {
	pattern, host = strings.ToLower(strings.TrimSuffix(pattern, ".")), strings.ToLower(strings.TrimSuffix(host, "."))
	if rest, ok := strings.CutPrefix(pattern, "*."); ok {
		_, parent, found := strings.Cut(host, ".")
		return found && parent == rest
	}
	return pattern != "" && pattern == host
}

// MaxNames is how many names of a certificate a finding lists.
const MaxNames = 20

// Fact is the certificate as a finding shows it; c may be nil.
func (c *Certificate) Fact(arn string) finding.Certificate {
	out := finding.Certificate{ARN: finding.Clean(arn, finding.QuoteLimit)}
	if c == nil {
		return out
	}
	out.Missing, out.FingerprintSHA256 = c.Record.Missing, c.Fingerprint()
	names := c.Names()
	if len(names) > MaxNames {
		out.NameCount = len(names)
	}
	if len(names) > 0 {
		out.Names = CleanAll(names[:min(len(names), MaxNames)])
	}
	if _, end := c.Dates(); !end.IsZero() {
		out.NotAfter = end.UTC()
	}
	return out
}

// Label names the certificate in a sentence: the last part of its ARN where it has one, its names, its end.
func (c *Certificate) Label(arn string) string {
	var facts []string
	if names := c.Names(); len(names) > 0 {
		text := strings.Join(CleanAll(names[:min(len(names), 3)]), ", ")
		if len(names) > 3 {
			text += ", …"
		}
		facts = append(facts, "for "+text)
	}
	if _, end := c.Dates(); !end.IsZero() {
		facts = append(facts, "until "+prose.Day(end))
	}
	name := "a certificate"
	if arn != "" {
		name = ShortARN(arn)
	} else if fp := c.Fingerprint(); fp != "" {
		name = "certificate " + fp[:16] + "…"
	}
	if len(facts) == 0 {
		return name
	}
	return name + " (" + strings.Join(facts, ", ") + ")"
}

// IsIP reports whether a host is an IP address, which no certificate's DNS name and no SNI can be.
func IsIP(host string) bool {
	_, err := netip.ParseAddr(host)
	return err == nil
}
