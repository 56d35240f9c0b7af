package judge

import (
	"certdrift/internal/finding"
	"certdrift/internal/observation"
)

// about makes the findings on one attached certificate: one for each environment whose endpoints get it; at most a
// warning where none would. made is the change of the certificate itself that they come of.
func (l *listener) about(a *attachment, made deed, code finding.Code, severity finding.Severity, summary, remedy string) []finding.Finding {
	groups := byEnvironment(l.wanted(a.ARN))
	if len(groups) == 0 {
		groups, severity = []group{{}}, min(severity, finding.Warning)
	}
	var found []finding.Finding
	for _, g := range groups {
		evidence := finding.Evidence{"certificate": a.evidence(a.ARN), "default": a.Default}
		l.world.announce(evidence, a.ARN)
		byline := l.accuse(evidence, made)
		f := l.finding(code, severity, g.endpoints, summary+byline, evidence, remedy)
		f.Cause = l.certificateCause(a)
		found = append(found, f)
	}
	return found
}

// certificateCause is the certificate, on whatever listeners it stands; but the listener where the certificate should
// not be there at all, since putting the declared one back ends both.
func (l *listener) certificateCause(a *attachment) string {
	for _, e := range l.endpoints {
		if d := e.drifted(); d != nil && d.relation == distinct && d.got != nil && d.got.ARN == a.ARN {
			return l.cause()
		}
	}
	return certificateCause(a.ARN, a.held)
}

func certificateCause(arn string, h *held) string {
	if fp := h.fingerprint(); fp != "" {
		return "certificate:" + fp
	}
	return "certificate:" + finding.Clean(arn, finding.QuoteLimit)
}

// replacement is the ARN to put in place of an attached certificate that is no good: what its endpoints declare, where
// they do and it is another; else a place-holder.
func (l *listener) replacement(a *attachment) string {
	for _, e := range l.endpoints {
		d := e.Target.Declared
		if d == nil {
			continue
		}
		if arn, h := l.world.declaredBody(*d); arn != "" && arn != a.ARN && !h.expired(l.world.now) {
			return arn
		}
	}
	return "ARN"
}

// couldServe reports whether the certificate a connection was served is one that the listener may choose for the host.
func (l *listener) couldServe(host string, c *connection) bool {
	got, _ := l.offer(host)
	if got != nil && c.serves(got.held) {
		return true
	}
	if l.loadBalancer.Kind == observation.Classic {
		return false
	}
	matching, _ := l.matching(host)
	for _, a := range matching {
		if c.serves(a.held) {
			return true
		}
	}
	return false
}
