package judge

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
)

// changes are those of the listener's certificates that an event or CloudTrail told of, oldest first.
func (l *listener) changes() []observation.Change {
	var out []observation.Change
	for _, c := range l.world.round.Changes {
		if l.concerns(c) && !ofRules(c) {
			out = append(out, c)
		}
	}
	slices.SortStableFunc(out, func(a, b observation.Change) int { return a.At.Compare(b.At) })
	return out
}

// concerns reports whether a change is of this listener, or of a certificate attached to it.
func (l *listener) concerns(c observation.Change) bool {
	lb := l.loadBalancer
	if c.Region != "" && c.Region != lb.Region && c.LoadBalancer+c.Listener != "" || c.Account != "" && lb.Account != "" && c.Account != lb.Account {
		return false
	}
	switch {
	case c.Listener != "":
		return c.Listener == l.ARN
	case c.LoadBalancer != "":
		return (c.LoadBalancer == lb.Name || c.LoadBalancer == lb.ARN) && (c.Port == 0 || c.Port == l.Port)
	}
	return slices.ContainsFunc(l.attached, func(a *attachment) bool { return c.Names(a.ARN) })
}

// ofRules reports whether a change is of a listener's rules (CreateRule, SetRulePriorities): it leaves the certificates as
// they are, so that its author attached none.
func ofRules(c observation.Change) bool { return strings.Contains(c.Event, "Rule") }

// settling reports whether nodes may still be catching up: a change of the listener or its certificates that was told of
// is younger than the policy's settle time. What ACM merely announces changes nothing.
func (l *listener) settling() bool {
	for _, c := range l.changes() {
		if strings.HasPrefix(c.Event, "ACM ") && !slices.Contains([]string{"ACM Certificate Available", "ACM Certificate Rotated"}, c.Event) {
			continue
		}
		if age := l.world.now.Sub(c.At); age < l.world.policy.Settle && age > -time.Minute { // clocks differ a little
			return true
		}
	}
	return false
}

// authored is the newest change that attached the certificate, and the one before it; nil where none is known. A change
// that does not say which certificate it attached counts; one that attached another does not.
func (l *listener) authored(arn string) (made, before *observation.Change) {
	changes := slices.DeleteFunc(l.changes(), func(c observation.Change) bool { return c.Author == nil || c.LoadBalancer+c.Listener == "" })
	for i := len(changes) - 1; i >= 0; i-- {
		c := &changes[i]
		if len(c.Certificates) > 0 && !slices.Contains(c.Certificates, arn) {
			continue
		}
		if i > 0 {
			before = &changes[i-1]
		}
		return c, before
	}
	return nil, nil
}

// blame adds to a finding's evidence who made the change that led to the attached certificate, and what was before.
// An import over the attached ARN that came after counts instead, where the finding may come of it. Where nobody is known
// changed_by is left out: a round looks up the author of what lacks it.
func (l *listener) blame(evidence finding.Evidence, arn string, imported deed) (made *observation.Change) {
	made, before := l.authored(arn)
	switch {
	case imported.Change != nil && (made == nil || imported.At.After(made.At)):
		evidence["changed_by"] = imported.evidence()
		return imported.Change
	case made == nil:
		evidence["author"] = l.world.unknownAuthor()
		return nil
	}
	evidence["changed_by"] = changeEvidence(made)
	if before != nil && len(before.Certificates) > 0 && !slices.Contains(before.Certificates, arn) {
		evidence["before"] = map[string]any{"arn": finding.Clean(before.Certificates[0], finding.QuoteLimit), "since": before.At.UTC()}
	}
	evidence["after"] = map[string]any{"arn": finding.Clean(arn, finding.QuoteLimit), "since": made.At.UTC()}
	return made
}

// unknownAuthor says that nobody is known, and why.
func (w *world) unknownAuthor() string {
	if why := w.round.HistoryUnread; why != "" {
		return "unknown: it could not be looked up in CloudTrail: " + finding.Clean(why, finding.QuoteLimit)
	}
	return "unknown: neither an event nor CloudTrail told of the change"
}

func changeEvidence(c *observation.Change) map[string]any {
	standing := "claimed"
	if c.Confirmed {
		standing = "confirmed"
	}
	out := map[string]any{"at": c.At.UTC(), "event": finding.Clean(c.Event, finding.QuoteLimit), "standing": standing}
	put := func(key, value string) {
		if value != "" {
			out[key] = finding.Clean(value, finding.QuoteLimit)
		}
	}
	put("event_id", c.EventID)
	if a := c.Author; a != nil {
		put("principal", a.Principal)
		put("name", a.Name)
		put("session", a.Session)
		put("tool", a.Tool)
		put("user_agent", a.UserAgent)
		put("source_ip", a.SourceIP)
	}
	return out
}

// announce adds to a finding's evidence what ACM's own event said of a certificate: a claim, to be held against the record
// that the finding rests on.
func (w *world) announce(evidence finding.Evidence, arn string) {
	for _, c := range w.round.Changes {
		if c.Author != nil || !slices.Contains(c.Certificates, arn) {
			continue
		}
		facts := map[string]any{}
		for name, value := range c.Facts {
			facts[finding.Clean(name, 64)] = finding.Clean(value, finding.QuoteLimit)
		}
		said := changeEvidence(&c)
		said["says"] = facts
		evidence["acm_event"] = said
	}
}

// byline says in a summary who made a change, what it was and when; empty where nobody is known.
func byline(c *observation.Change) string {
	if c == nil {
		return ""
	}
	who := finding.Clean(c.Author.Name, 64)
	if who == "" {
		who = finding.Clean(c.Author.Principal, 128)
	}
	if tool := finding.Clean(c.Author.Tool, 64); tool != "" {
		who += " (" + tool + ")"
	}
	text := "; " + cmp.Or(action(c.Event), "changed") + " by " + who + " at " + moment(c.At)
	if !c.Confirmed {
		text += ", as an event claims"
	}
	return text
}

// byHand reports whether a person or a tool other than the manifests' own controllers made the change.
func byHand(c *observation.Change) bool {
	if c == nil || c.Author == nil {
		return false
	}
	tool := strings.ToLower(c.Author.Tool)
	return strings.Contains(tool, "console") || strings.Contains(tool, "cli")
}
