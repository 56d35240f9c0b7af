package plan

import (
	"slices"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
	"certdrift/internal/topology"
)

// severity is the effect's; None where applying would change nothing, or would only restore what is declared.
func (x effect) severity() finding.Severity {
	if len(x.soon) > 0 {
		return max(x.changeSeverity(), finding.Warning)
	}
	return x.changeSeverity()
}

func (x effect) changeSeverity() finding.Severity {
	planned := x.Round.Planned
	changes := x.attached >= topology.Equivalent || x.configured >= topology.Equivalent
	broken := len(x.breaks) > 0 && (changes || planned || x.listener == nil)
	switch {
	case broken, x.configured == topology.Different:
		return finding.Critical
	case x.declaration.Listener != "": // whether a name is covered without it is for listener-name-uncovered
		if x.adds() && !planned {
			return finding.Warning
		}
		return finding.None
	case x.configured == topology.Equivalent:
		return finding.Warning
	case x.configured == topology.Same:
		return finding.None // what differs is attached: drift-attached reports it, and the deploy would fix it
	case x.attached == topology.Different && (!planned && len(x.endpoints) > 0 || x.undoes() != nil):
		return finding.Critical
	case x.attached >= topology.Equivalent, x.defaultChanges, len(x.dropped) > 0:
		return finding.Warning
	}
	return finding.None
}

// undoes is the change by hand that applying would undo; nil where none is known.
func (x effect) undoes() *observation.Change {
	if x.listener == nil || len(x.listener.Attached) == 0 || x.attached < topology.Equivalent {
		return nil
	}
	if made, _ := x.listener.AttachedBy(x.listener.Attached[0].ARN); topology.ByHand(made) {
		return made
	}
	return nil
}

// unauthored reports whether nobody knows whose change applying would undo, since CloudTrail could not be read.
func (x effect) unauthored() bool {
	if x.Round.HistoryUnread == "" || x.listener == nil || len(x.listener.Attached) == 0 || x.attached < topology.Equivalent || x.configured == topology.Same {
		return false
	}
	made, _ := x.listener.AttachedBy(x.listener.Attached[0].ARN)
	return made == nil
}

// right reports whether what is attached is good for every endpoint, and as the configuration declares it where it does.
func (x effect) right() bool {
	if x.listener == nil || len(x.endpoints) == 0 {
		return false
	}
	return !slices.ContainsFunc(x.endpoints, func(e *topology.Endpoint) bool {
		got, _ := x.listener.Select(e.Target.Host)
		return got == nil || !got.Named() || !got.Covers(e.Target.Host) || got.Expired(x.Now) || e.Drift() != nil
	})
}

// adds reports whether the declaration adds something to a listener's SNI list that is not attached yet.
func (x effect) adds() bool {
	return x.listener != nil && slices.ContainsFunc(x.declaration.ARNs, func(arn string) bool { return !x.listener.Has(arn) })
}
