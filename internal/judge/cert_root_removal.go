package judge

import (
	"fmt"
	"time"

	"certdrift/internal/chain"
	"certdrift/internal/clients"
	"certdrift/internal/finding"
	"certdrift/internal/prose"
)

// findRootRemoval reports a chain whose every path ends in a root that Mozilla stops trusting soon: by its schedule, or for certificates
// that are issued after a date.
func findRootRemoval(c *connection) []finding.Finding {
	if c.verdict() != chain.Trusted || len(c.built.Valid) == 0 {
		return nil
	}
	var out []finding.Finding
	now, soon := c.judgment.Now, c.judgment.Now.Add(c.judgment.policy.RootRemoval)
	if anchor, at := lastAnchor(c.built.Valid, func(a *chain.Anchor) time.Time { return a.Removal }); anchor != nil && !at.After(soon) {
		severity, beyond := finding.Warning, "; the certificate is valid beyond that"
		leaves, until := fmt.Sprintf("leaves Mozilla's trust store on %s (in %s)", at.Format(time.DateOnly), prose.Span(at.Sub(now))), "before that"
		switch {
		case !at.After(now):
			leaves, beyond, until = "was to leave Mozilla's trust store on "+at.Format(time.DateOnly), "; the copy in certdrift still has it", "now"
		case !c.leaf().NotAfter.After(at):
			severity, beyond = finding.Info, "; the certificate ends before that, the next one needs another root"
		}
		out = append(out, c.leavingRoot(anchor, severity, "removal", at, until,
			fmt.Sprintf("the root %s %s, by its schedule for keys of %d%s", certName(anchor.Certificate), leaves, anchor.Certificate.NotBefore.Year(), beyond)))
	}
	if anchor, at := lastAnchor(c.built.Valid, func(a *chain.Anchor) time.Time { return a.DistrustAfter }); anchor != nil && !at.After(soon) {
		out = append(out, c.leavingRoot(anchor, finding.Warning, "distrust_after", at, "when it is renewed",
			fmt.Sprintf("Mozilla does not trust what the root %s issues after %s: this certificate was issued before, a renewed one will be refused", certName(anchor.Certificate), prose.Stamp(at))))
	}
	return out
}

// lastAnchor returns the anchor that stays for longest, and until when; nil if one stays for good or no date is known.
func lastAnchor(paths []chain.Path, until func(*chain.Anchor) time.Time) (last *chain.Anchor, at time.Time) {
	for _, p := range paths {
		end := until(p.Anchor)
		if end.IsZero() {
			return nil, time.Time{}
		}
		if end.After(at) {
			last, at = p.Anchor, end
		}
	}
	return last, at
}

func (c *connection) leavingRoot(anchor *chain.Anchor, severity finding.Severity, fact string, at time.Time, until, summary string) finding.Finding {
	e := c.pathEvidence(c.certEvidence(anchor.Certificate))
	e[fact], e["source"] = at, "Mozilla Root Store Policy §7.4, wiki.mozilla.org/CA/Root_CA_Lifecycles"
	return refused(clients.RootLeaving, c.aboutCert(finding.CertRootRemoval, severity, anchor.Certificate, summary, e,
		c.replace("Have the certificate issued under a newer root of the CA, or by another CA, "+until+"; if the CA's newer root is cross-signed by this one, send a chain that ends in the newer root.")))
}
