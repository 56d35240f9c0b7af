package judge

import (
	"fmt"
	"slices"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
	"certdrift/internal/topology"
)

func observeIncomplete() rule {
	return rule{
		Code: finding.ObserveIncomplete,
		round: func(j *judgment) []finding.Finding {
			var found []finding.Finding
			for _, g := range j.errorGroups(observation.Incomplete) {
				what := finding.Clean(g.Operation, finding.QuoteLimit)
				if len(g.details) > 0 {
					what += ": " + g.details[0]
				}
				found = append(found, g.finding(finding.ObserveIncomplete, "some checks could not be run"+g.where()+g.concerned()+": "+what,
					"Give the round more time, or fix what the evidence names, and run it again."))
			}
			found = append(found, j.clockFindings()...)
			found = append(found, j.uncomparedFindings()...)
			found = append(found, j.unreadFindings()...)
			return append(found, j.passedOverFindings()...)
		},
		endpoint: func(e *endpoint) []finding.Finding {
			found := unknownOthers(e)
			if e.DNS.Omitted <= 0 || !e.Probed {
				return found
			}
			return append(found, e.finding(finding.ObserveIncomplete, finding.Info,
				fmt.Sprintf("%s has more addresses than certdrift connects to: %d were skipped", finding.Clean(e.Target.Host, finding.QuoteLimit), e.DNS.Omitted),
				finding.Evidence{"dialled": len(e.Addresses), "omitted": e.DNS.Omitted},
				"List the addresses that matter in connect_to, in several endpoints if necessary."))
		},
	}
}

// passedOver returns the endpoints that should have been probed and were not, without an observe error that says why.
// certdrift's own rounds have none; a saved round may have lost the error.
func (j *judgment) passedOver() []*topology.Endpoint {
	if j.Round.Planned {
		return nil // a plan reads AWS and does not probe
	}
	told := map[string]bool{}
	for _, t := range j.Round.ObserveErrors {
		told[t.Environment+"/"+t.Endpoint] = true
	}
	var out []*topology.Endpoint
	for _, e := range j.Endpoints {
		if !e.Probed && !told[e.Target.Key()] {
			out = append(out, e)
		}
	}
	return out
}

func (j *judgment) passedOverFindings() []finding.Finding {
	var found []finding.Finding
	for _, g := range topology.ByEnvironment(j.passedOver()) {
		f := finding.Finding{
			Code: finding.ObserveIncomplete, Severity: finding.Warning, Cause: "certdrift:probe",
			Summary:  "not probed for an unknown reason: " + topology.Some(topology.Hosts(g.Endpoints)),
			Evidence: finding.Evidence{"operation": "probe"},
			Remedy:   "Probe the endpoints again: their state is unknown.",
		}
		topology.Affect(&f, g.Endpoints)
		found = append(found, f)
	}
	return found
}

// uncomparedFindings returns a finding for each environment with endpoints whose declared ARN could not be compared.
func (j *judgment) uncomparedFindings() []finding.Finding {
	var found []finding.Finding
	for _, g := range topology.ByEnvironment(j.Uncompared()) {
		var arns []string
		for _, e := range g.Endpoints {
			arns = append(arns, e.Target.Declared.ARN)
		}
		f := finding.Finding{
			Code: finding.ObserveIncomplete, Severity: finding.Warning, Cause: "certdrift:declared",
			Summary:  "the declared certificate could not be compared for " + topology.Some(topology.Hosts(g.Endpoints)) + ": no listener was readable, and the ARN's certificate is unknown",
			Evidence: finding.Evidence{"arns": topology.CleanAll(arns[:min(len(arns), topology.MaxNames)])},
			Remedy:   "Allow certdrift to read the load balancer and ACM or IAM, or provide the certificate as a file: certificates: [{arn: …, file: …}].",
		}
		topology.Affect(&f, g.Endpoints)
		f.RestsOn = append(probeFacts(f, finding.FactHandshake), finding.Fact{Kind: finding.FactRound})
		found = append(found, f)
	}
	return found
}

// unreadObjects are the objects of the configuration's manifests that were compared with nothing: those that were not understood although they
// may put certificates on load balancers, and those that name a certificate for a listener that is not known. What a plan cannot compare are
// rows of its own.
func (j *judgment) unreadObjects() []observation.PassedOver {
	if j.Round.Planned {
		return nil
	}
	out := slices.Clone(j.Round.PassedOver)
	for _, d := range j.Declarations {
		if d.UndecidedBecause != "" && len(d.ARNs) > 0 {
			out = append(out, observation.PassedOver{Position: d.Source, Object: d.Object, Why: "not known is " + d.UndecidedBecause})
		}
	}
	return out
}

// maxUnread is how many files with such objects have a finding of their own.
const maxUnread = 20

// unreadFindings returns a finding for each file with objects that were not understood.
func (j *judgment) unreadFindings() []finding.Finding {
	var found []finding.Finding
	count, files := map[string]int{}, 0
	for _, o := range j.unreadObjects() {
		file := finding.Clean(o.File, finding.QuoteLimit)
		if count[file]++; count[file] > 1 {
			continue
		}
		if files++; files <= maxUnread {
			found = append(found, unreadFinding(o, file))
		}
	}
	for i, f := range found {
		if more := count[f.Subject.Source.File] - 1; more > 0 {
			found[i].Summary += fmt.Sprintf(" (and %d more in this file)", more)
		}
	}
	if more := files - len(found); more > 0 {
		found[len(found)-1].Summary += fmt.Sprintf(", and %d more files", more)
	}
	return found
}

func unreadFinding(o observation.PassedOver, file string) finding.Finding {
	object := finding.Clean(o.Object, finding.QuoteLimit)
	return finding.Finding{
		Code: finding.ObserveIncomplete, Severity: finding.Warning, Cause: "manifest:" + file,
		Subject:  finding.Subject{Source: finding.Source{File: file, Line: o.Line, Column: o.Column, Object: object}},
		Summary:  topology.Position(o.Position) + " (" + object + ") was compared with nothing: " + finding.Clean(o.Why, finding.QuoteLimit),
		Evidence: finding.Evidence{"operation": "manifests", "object": object, "why": finding.Clean(o.Why, finding.QuoteLimit)},
		Remedy:   "Name under manifests: what the tool renders instead of this file, or leave the file out if nothing deploys it.",
		RestsOn:  []finding.Fact{{Kind: finding.FactManifest, Resource: file}},
	}
}
