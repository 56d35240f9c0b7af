package topology

import (
	"slices"
	"strings"
	"time"

	"certdrift/internal/observation"
)

// Changes are those of the listener's certificates that an event or CloudTrail reported, oldest first.
func (l *Listener) Changes() []observation.Change {
	var out []observation.Change
	for _, c := range l.topology.Round.Changes {
		if l.ConcernedBy(c) && !ofRules(c) {
			out = append(out, c)
		}
	}
	slices.SortStableFunc(out, func(a, b observation.Change) int { return a.At.Compare(b.At) })
	return out
}

// ConcernedBy reports whether a change is of this listener, or of a certificate attached to it.
func (l *Listener) ConcernedBy(c observation.Change) bool {
	lb := l.LoadBalancer
	if c.Region != "" && c.Region != lb.Region && c.LoadBalancer+c.Listener != "" || c.Account != "" && lb.Account != "" && c.Account != lb.Account {
		return false
	}
	switch {
	case c.Listener != "":
		return c.Listener == l.ARN
	case c.LoadBalancer != "":
		return (c.LoadBalancer == lb.Name || c.LoadBalancer == lb.ARN) && (c.Port == 0 || c.Port == l.Port)
	}
	return slices.ContainsFunc(l.Attached, func(a *Attachment) bool { return c.Names(a.ARN) })
}

// ofRules reports whether a change is of a listener's rules (CreateRule, SetRulePriorities): it leaves the certificates as
// they are, so that its author attached none.
func ofRules(c observation.Change) bool { return strings.Contains(c.Event, "Rule") }

// Settling reports whether nodes may still be catching up: a reported change of the listener or its certificates is younger
// than settle. What ACM merely announces changes nothing.
func (l *Listener) Settling(settle time.Duration) bool {
	for _, c := range l.Changes() {
		if strings.HasPrefix(c.Event, "ACM ") && !slices.Contains([]string{"ACM Certificate Available", "ACM Certificate Rotated"}, c.Event) {
			continue
		}
		if age := l.topology.Now.Sub(c.At); age < settle && age > -time.Minute { // clocks differ a little
			return true
		}
	}
	return false
}

// AttachedBy is the newest change that attached the certificate, and the one before it; nil where none is known. A change
// that does not say which certificate it attached counts; one that attached another does not.
func (l *Listener) AttachedBy(arn string) (made, before *observation.Change) {
	changes := slices.DeleteFunc(l.Changes(), func(c observation.Change) bool { return c.Author == nil || c.LoadBalancer+c.Listener == "" })
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

// ByHand reports whether a person or a tool other than the manifests' own controllers made the change; c may be nil.
func ByHand(c *observation.Change) bool {
	if c == nil || c.Author == nil {
		return false
	}
	tool := strings.ToLower(c.Author.Tool)
	return strings.Contains(tool, "console") || strings.Contains(tool, "cli")
}
