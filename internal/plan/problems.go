package plan

import (
	"fmt"
	"slices"
	"time"

	"certdrift/internal/finding"
	"certdrift/internal/policy"
	"certdrift/internal/prose"
	"certdrift/internal/topology"
)

// problems are what would be wrong after applying.
type problems struct {
	breaks []string
	// soon is what would be attached for the first time, and expires within the policy's warning.
	soon []string
	// ending: one of the two is about a certificate's end.
	ending bool
}

func (p problems) and(others problems) problems {
	return problems{slices.Concat(p.breaks, others.breaks), slices.Concat(p.soon, others.soon), p.ending || others.ending}
}

func breaks(format string, values ...any) problems {
	return problems{breaks: []string{fmt.Sprintf(format, values...)}}
}

// certificateProblems are those of a certificate that would be attached: gone, expired, or expiring sooner than the one
// that is attached now.
func (p planner) certificateProblems(l *topology.Listener, arn string, c *topology.Certificate, now *topology.Attachment) problems {
	if c == nil {
		return problems{}
	}
	_, end := c.Dates()
	name := topology.ShortARN(arn)
	switch {
	case c.Missing() && c.Leaf == nil:
		return breaks("%s no longer exists", name)
	case c.Expired(p.Now):
		return breaks("%s expired %s", name, prose.Day(end))
	case c.Record.Status == "REVOKED" && p.policy.Revocation != policy.RevocationOff:
		return breaks("%s is revoked, according to ACM", name)
	case c.Record.Status != "" && c.Leaf == nil && c.Record.Status != "ISSUED":
		return breaks("%s is not issued (%s): AWS refuses to attach it", name, finding.Clean(c.Record.Status, 64))
	}
	return p.expiryProblems(l, arn, c, now)
}

// expiryProblems are those of a certificate that expires soon: no deploy should attach it in place of one that lasts longer,
// nor where there is none, or none that is known. One that stays where it is belongs to the rules on what is attached.
func (p planner) expiryProblems(l *topology.Listener, arn string, c *topology.Certificate, now *topology.Attachment) problems {
	severity, left := p.Expiry(c, p.policy)
	if severity == finding.None || now != nil && now.ARN == arn || now == nil && l != nil && l.Has(arn) {
		return problems{}
	}
	_, end := c.Dates()
	text := fmt.Sprintf("%s expires %s, in %s", topology.ShortARN(arn), prose.Day(end), prose.Span(left))
	var current time.Time
	if now != nil {
		_, current = now.Dates()
	}
	first := current.IsZero() && p.Round.Planned
	switch {
	case current.After(end), first && severity == finding.Critical:
		return problems{breaks: []string{text}, ending: true}
	case first:
		return problems{soon: []string{text}, ending: true}
	}
	return problems{}
}
