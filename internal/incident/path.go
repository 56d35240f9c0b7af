package incident

import (
	"slices"

	"certdrift/internal/alertpath"
	"certdrift/internal/finding"
)

// AboutPath returns what of the input concerns the alert path, or what does not. The path's problems are confirmed even where
// nothing is remembered: a message that a topic did not take once says little, and the next round sends it again.
func (in Input) AboutPath(path bool) Input {
	in.Findings = slices.DeleteFunc(slices.Clone(in.Findings), func(f finding.Finding) bool { return (f.Code == finding.AlertPathBroken) != path })
	in.Records = slices.DeleteFunc(slices.Clone(in.Records), func(r Record) bool { return (r.Code == finding.AlertPathBroken) != path })
	if path && in.Records == nil {
		in.Records = []Record{}
	}
	return in
}

// Refuses reports whether the incident is that a topic took no message, and not known to be over.
func (r Record) Refuses(topicARN string) bool {
	return r.Closed.IsZero() && r.Code == finding.AlertPathBroken && r.hasCause(alertpath.Cause(topicARN)) &&
		slices.ContainsFunc(r.Parts, func(p Part) bool { return p.Refused })
}

func (r Record) hasCause(cause string) bool {
	return r.Cause == cause || slices.Contains(r.Causes, cause)
}

// ofPath: who is subscribed, and whether rules and alarms are armed, shows by reading; that a topic takes messages only by
// sending one.
func (c Coverage) ofPath(r *Record, p Part) evidence {
	covered := c.Subscriptions
	switch {
	case p.Refused:
		causes := append([]string{r.Cause}, r.Causes...)
		if c.Subscriptions && !slices.ContainsFunc(causes, func(cause string) bool { _, known := c.Taken[cause]; return known }) {
			return gone // alerts go to another topic now
		}
		covered = all(causes, func(cause string) bool { return c.Taken[cause] })
	case slices.ContainsFunc(p.RestsOn, func(f finding.Fact) bool { return f.Kind == finding.FactStack }):
		covered = c.Stack
	}
	if covered {
		return clean
	}
	return unknown
}
