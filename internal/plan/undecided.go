package plan

import (
	"strconv"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
	"certdrift/internal/target"
	"certdrift/internal/topology"
)

// passedOver is the row of an object that was not understood: what it would do to which listener nobody knows.
func passedOver(o observation.PassedOver) Row {
	object := finding.Clean(o.Object, finding.QuoteLimit)
	return Row{
		Object: object, Source: o.Position, Endpoints: []string{}, Declared: []Certificate{}, Attached: []Certificate{}, Would: []Certificate{},
		Names: []Name{}, Action: Unknown, Verdict: Undecided, Reasons: []string{},
		NotKnown: []string{"what " + topology.Position(o.Position) + " (" + object + ") attaches: " + o.Why},
	}
}

// undecidedFindings name the rows that are undecided, one for each object: the file, the line, and what is not known.
func undecidedFindings(rows []Row) []finding.Finding {
	type place struct {
		object string
		source target.Position
	}
	var places []place
	missing := map[place][]string{}
	generated := map[place]bool{}
	for _, r := range rows {
		at := place{r.Object, r.Source}
		if missing[at] == nil {
			places = append(places, at)
		}
		missing[at], generated[at] = append(missing[at], r.NotKnown...), r.Generated
	}
	var found []finding.Finding
	for _, at := range places[:min(len(places), maxUndecided)] {
		notKnown := sorted(missing[at])
		found = append(found, undecidedFinding(at.object, at.source, generated[at], notKnown[:min(len(notKnown), topology.MaxNames)]))
	}
	if more := len(places) - len(found); more > 0 {
		last := &found[len(found)-1]
		last.Summary += ", and " + strconv.Itoa(more) + " more"
	}
	return found
}

// maxUndecided is how many objects have a finding of their own.
const maxUndecided = 100

func undecidedFinding(object string, source target.Position, generated bool, notKnown []string) finding.Finding {
	return finding.Finding{
		Code: finding.ObserveIncomplete, Severity: finding.Warning, Cause: "certdrift:plan",
		Subject: finding.Subject{Source: finding.Source{
			File: finding.Clean(source.File, finding.QuoteLimit), Line: source.Line, Object: object, Generated: generated,
		}},
		Summary:  "not enough information to evaluate " + object + ": " + firstOf(notKnown),
		Evidence: finding.Evidence{"not_known": notKnown},
		Remedy: "Run certdrift plan with access to AWS, or add what is missing to the configuration: certificates: [{arn: …, file: …}], and service or " +
			"load_balancer for the endpoints. Instead of a document that certdrift does not read, pass what its tool renders: manifests, or a plan as JSON.",
	}
}

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
