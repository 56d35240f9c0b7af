package plan

import (
	"cmp"
	"strconv"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
	"certdrift/internal/topology"
)

// passedOver is the row of an object that was not understood: what it would do to which listener nobody knows.
func passedOver(o observation.PassedOver) Row {
	object := finding.Clean(o.Object, finding.QuoteLimit)
	return Row{
		NotRead: true, Object: object, Source: o.Position, AttachedUnknown: NotLookedUp, Endpoints: []string{}, Declared: []Certificate{}, Attached: []Certificate{}, Would: []Certificate{},
		Names: []Name{}, Action: Unknown, Verdict: Undecided, Reasons: []string{},
		NotKnown: []string{"what " + topology.Position(o.Position) + " (" + object + ") attaches: " + o.Why}, Remedy: cmp.Or(o.Remedy, renderRemedy),
	}
}

// undecidedFindings name the rows that are undecided, one for each object: the file, the line, what is not known, and what to do.
func undecidedFindings(rows []Row) []finding.Finding {
	var order []Object
	of := map[Object]Row{}
	for _, r := range rows {
		at := Object{r.Object, r.Source, r.Generated}
		known, seen := of[at]
		if !seen {
			order = append(order, at)
			known = Row{Object: r.Object, Source: r.Source, Generated: r.Generated, Remedy: r.Remedy}
		}
		known.NotKnown = append(known.NotKnown, r.NotKnown...)
		of[at] = known
	}
	var found []finding.Finding
	for _, at := range order[:min(len(order), maxUndecided)] {
		found = append(found, undecidedFinding(of[at]))
	}
	if more := len(order) - len(found); more > 0 {
		last := &found[len(found)-1]
		last.Summary += ", and " + strconv.Itoa(more) + " more"
	}
	return found
}

// maxUndecided is how many objects have a finding of their own.
const maxUndecided = 100

func undecidedFinding(r Row) finding.Finding {
	notKnown := sorted(r.NotKnown)
	notKnown = notKnown[:min(len(notKnown), topology.MaxNames)]
	return finding.Finding{
		Code: finding.ObserveIncomplete, Severity: finding.Warning, Cause: UndecidedCause,
		Subject: finding.Subject{Source: finding.Source{
			File: finding.Clean(r.Source.File, finding.QuoteLimit), Line: r.Source.Line, Object: r.Object, Generated: r.Generated,
		}},
		Summary:  "not enough information to evaluate " + r.Object + ": " + firstOf(notKnown),
		Evidence: finding.Evidence{"not_known": notKnown}, Remedy: r.Remedy,
	}
}

// UndecidedCause is the cause of the findings that say what a plan could not decide.
const UndecidedCause = "certdrift:plan"

// firstOf is the first of some texts, and how many more there are.
func firstOf(texts []string) string {
	switch len(texts) {
	case 0:
		return "what it attaches is unknown"
	case 1:
		return texts[0]
	}
	return texts[0] + ", and " + strconv.Itoa(len(texts)-1) + " more"
}
