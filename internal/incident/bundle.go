package incident

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"certdrift/internal/finding"
	"certdrift/internal/policy"
)

// Bundle combines the notices of a round into messages: one cause, one message. Notices of one kind, environment, code and author become
// one (see Notice.OneCause); where more than Policy.StormAfter of a kind and environment are left, or no state shows what people know
// already, they become one summary. It is for the notices whose records were written, right before they are sent.
func Bundle(p policy.Alerting, notices []Notice) []Notice {
	var out []Notice
	for _, members := range partition(notices, kindOf) {
		causes := partition(members, causeOfNotice)
		storm := p.StormAfter > 0 && len(causes) > p.StormAfter || all(members, func(n Notice) bool { return n.Repetition })
		if storm {
			causes = [][]Notice{members}
		}
		for _, members := range causes {
			out = append(out, combine(members))
		}
	}
	slices.SortStableFunc(out, func(a, b Notice) int { return cmp.Compare(b.Severity, a.Severity) })
	return out
}

// kind is what the notices of one message have in common, whatever they are about. What is wrong with the alert path stays apart, by
// key: which path can carry it depends on the topic that it is about.
type kind struct {
	environment         string
	event               Event
	downgraded, removed bool
	path                string
}

func kindOf(n Notice) kind {
	k := kind{environment: n.Record.Environment, event: n.Event, downgraded: n.Downgraded, removed: n.Removed}
	if n.Record.Code == finding.AlertPathBroken {
		k.path = n.Record.Key
	}
	return k
}

// noticeCause is what one person did in one way.
type noticeCause struct {
	code   finding.Code
	author string
}

func causeOfNotice(n Notice) noticeCause {
	c := noticeCause{code: n.Record.Code}
	if len(n.Findings) > 0 && n.Findings[0].Attribution.Change != nil {
		by := n.Findings[0].Attribution.Change
		c.author = cmp.Or(by.Principal, by.Name) + "\x00" + by.Session
	}
	return c
}

// partition splits notices by what of returns, in the order of the first of each part.
func partition[K comparable](notices []Notice, of func(Notice) K) [][]Notice {
	at := map[K]int{}
	var parts [][]Notice
	for _, n := range notices {
		k := of(n)
		i, known := at[k]
		if !known {
			i = len(parts)
			at[k], parts = i, append(parts, nil)
		}
		parts[i] = append(parts[i], n)
	}
	return parts
}

// OneCause reports whether a combined notice is of incidents of one code and author, so that what is said of one holds for all.
func (n Notice) OneCause() bool {
	return n.Storm != nil && all(n.Storm, func(m Notice) bool { return causeOfNotice(m) == causeOfNotice(n.Storm[0]) })
}

// combine returns one notice for many: the worst one's, with what holds for all of them.
func combine(members []Notice) Notice {
	if len(members) == 1 {
		return members[0]
	}
	members = slices.Clone(members)
	slices.SortStableFunc(members, func(a, b Notice) int {
		return cmp.Or(cmp.Compare(b.Severity, a.Severity), cmp.Compare(b.Record.AffectsCount, a.Record.AffectsCount),
			cmp.Compare(a.Record.Key, b.Record.Key))
	})
	worst := members[0]
	worst.Storm = members
	worst.Findings = nil
	for _, m := range members {
		worst.Repetition = worst.Repetition || m.Repetition
		worst.Undelivered = worst.Undelivered && m.Undelivered
		worst.Predicted = worst.Predicted && m.Predicted
		worst.Remaining = max(worst.Remaining, m.Remaining)
		if m.Before != worst.Before || worst.Before == worst.Severity && m.Severity != worst.Severity {
			worst.Before = finding.None // it is news of some of them only
		}
		if len(m.Findings) > 0 && len(worst.Findings) < MaxFindings {
			worst.Findings = append(worst.Findings, m.Findings[0])
		}
		for _, url := range m.URLs {
			if len(worst.URLs) < maxURLs && !slices.Contains(worst.URLs, url) {
				worst.URLs = append(slices.Clip(worst.URLs), url)
			}
		}
		worst.Record.First = earlier(worst.Record.First, m.Record.First)
	}
	worst.Record.Affects, worst.Record.AffectsCount = union(members)
	return worst
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// union lists the endpoints that notices affect, each once, and counts them. Those beyond a record's list are counted as others.
func union(members []Notice) (names []string, count int) {
	set := map[string]bool{}
	for _, m := range members {
		for _, name := range m.Record.Affects {
			set[name] = true
		}
		count += m.Record.AffectsCount - len(m.Record.Affects)
	}
	return slices.Sorted(maps.Keys(set)), count + len(set)
}
