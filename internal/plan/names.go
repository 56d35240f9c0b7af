package plan

import (
	"cmp"
	"slices"
	"strings"

	"certdrift/internal/finding"
	"certdrift/internal/prose"
	"certdrift/internal/target"
	"certdrift/internal/topology"
)

// declaredFor is what the configuration declares for the endpoints, each certificate once.
func (x effect) declaredFor() []Certificate {
	out := []Certificate{}
	seen := map[target.Declared]bool{}
	for _, e := range x.endpoints {
		d := e.Target.Declared
		if d == nil {
			continue
		}
		key := *d
		key.Source = target.Position{}
		if seen[key] {
			continue
		}
		seen[key] = true
		arn, c := x.DeclaredCertificate(*d)
		one := shown(c, arn)
		one.FingerprintSHA256, one.Issuer = cmp.Or(d.FingerprintSHA256, one.FingerprintSHA256), finding.Clean(d.Issuer, finding.QuoteLimit)
		out = append(out, one)
	}
	return out
}

// names are those that clients ask for, with what they would get: the endpoints' hosts, else those the manifest names.
func (x effect) names() []Name {
	names := topology.Hosts(x.endpoints)
	if len(names) == 0 {
		names = slices.Clone(x.declaration.Hosts)
	}
	out := []Name{}
	for _, name := range names {
		out = append(out, x.name(name))
	}
	return out
}

// name is what a client that asks for host would get, and gets now. Where that is not known, neither is its ARN.
func (x effect) name(host string) Name {
	one := Name{Name: finding.Clean(host, finding.QuoteLimit), Now: x.now(host)}
	candidates, all := x.after.Candidates(host, x.Now)
	covered := false
	switch {
	case x.byController(), x.declaration.UndecidedBecause != "":
	case len(candidates) == 0 && all:
		one.Covered, one.Problem = &covered, "no certificate"
		if x.declaration.RemovesListeners {
			one.Problem = "no listener"
		}
	case len(candidates) == 1 && all:
		c := candidates[0].Certificate
		one.ARN = finding.Clean(candidates[0].ARN, finding.QuoteLimit)
		if covered = c.Covers(host); c.Named() && (covered || !x.declaration.More) {
			one.Covered = &covered
		}
		one.Problem = x.problem(host, candidates[0], one.Covered)
	default:
		one.Candidates = candidateARNs(candidates, all)
	}
	return one
}

// now is the ARN of the certificate that clients of host get today; empty where that is not known.
func (x effect) now(host string) string {
	if x.listener == nil {
		return ""
	}
	if got, known := x.listener.Select(host); known && got != nil {
		return finding.Clean(got.ARN, finding.QuoteLimit)
	}
	return ""
}

// candidateARNs are the certificates of which a client gets one; none where others may be served as well, or one has no ARN yet.
func candidateARNs(candidates []*topology.Attachment, all bool) []string {
	var out []string
	for _, a := range candidates {
		if !all || a.ARN == "" {
			return nil
		}
		out = append(out, finding.Clean(a.ARN, finding.QuoteLimit))
	}
	return out[:min(len(out), topology.MaxNames)]
}

// problem is why clients of host would reject a certificate, or how it differs from what is declared for them; empty where neither is known.
func (x effect) problem(host string, a *topology.Attachment, covered *bool) string {
	c := a.Certificate
	_, end := c.Dates()
	switch {
	case x.reimported[a.ARN]:
		return ""
	case c.Missing() && c.Body() == nil:
		return "no longer exists"
	case covered != nil && !*covered:
		return "does not cover the name"
	case c.Expired(x.Now):
		return "expired " + prose.Day(end)
	}
	differs := topology.Same
	for _, e := range x.endpoints {
		if d := e.Target.Declared; d != nil && strings.EqualFold(e.Target.Host, host) {
			differs = max(differs, x.CompareDeclared(*d, a.ARN, a.Body()))
		}
	}
	switch differs {
	case topology.Different:
		return "not the declared certificate"
	case topology.Equivalent:
		return "the declared key and names under another ARN"
	}
	return ""
}
