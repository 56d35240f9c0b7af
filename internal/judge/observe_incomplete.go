package judge

import (
	"fmt"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
)

func observeIncomplete() rule {
	return rule{
		Code: finding.ObserveIncomplete,
		round: func(w *world) []finding.Finding {
			var found []finding.Finding
			for _, g := range w.troubles(observation.Incomplete) {
				what := finding.Clean(g.Operation, finding.QuoteLimit)
				if len(g.details) > 0 {
					what += ": " + g.details[0]
				}
				found = append(found, g.finding(finding.ObserveIncomplete, "incomplete"+g.where()+g.concerned()+": "+what,
					"Give the round more time, or mend what the evidence names, and run it again."))
			}
			found = append(found, w.uncomparedFindings()...)
			return append(found, w.passedOverFindings()...)
		},
		endpoint: func(e *endpoint) []finding.Finding {
			if e.DNS.Omitted <= 0 || !e.Probed {
				return nil
			}
			return []finding.Finding{e.finding(finding.ObserveIncomplete, finding.Info,
				fmt.Sprintf("%s has more addresses than certdrift dials: %d were left out", finding.Clean(e.Target.Host, finding.QuoteLimit), e.DNS.Omitted),
				finding.Evidence{"dialled": len(e.Addresses), "omitted": e.DNS.Omitted},
				"Name the addresses that matter in connect_to, in several endpoints if need be.")}
		},
	}
}

// passedOver are the endpoints that were to be probed and were not, and of which no trouble of the round says why. A round
// of certdrift's own has none; in a saved one the word may be lost.
func (w *world) passedOver() []*endpoint {
	if w.round.Planned {
		return nil // a plan asks AWS, not the endpoints
	}
	told := map[string]bool{}
	for _, t := range w.round.ObserveErrors {
		told[t.Environment+"/"+t.Endpoint] = true
	}
	var out []*endpoint
	for _, e := range w.endpoints {
		if !e.Probed && !told[e.Target.Key()] {
			out = append(out, e)
		}
	}
	return out
}

func (w *world) passedOverFindings() []finding.Finding {
	var found []finding.Finding
	for _, g := range byEnvironment(w.passedOver()) {
		f := finding.Finding{
			Code: finding.ObserveIncomplete, Severity: finding.Warning, Cause: "certdrift:probe",
			Summary:  "not probed, and the round does not say why: " + some(hosts(g.endpoints)),
			Evidence: finding.Evidence{"operation": "probe"},
			Remedy:   "Probe the endpoints anew: nothing is known of them.",
		}
		suffer(&f, g.endpoints)
		found = append(found, f)
	}
	return found
}

// uncomparedFindings names the endpoints whose declared ARN could not be compared, those of an environment together.
func (w *world) uncomparedFindings() []finding.Finding {
	var found []finding.Finding
	for _, g := range byEnvironment(w.uncompared()) {
		var arns []string
		for _, e := range g.endpoints {
			arns = append(arns, e.Target.Declared.ARN)
		}
		f := finding.Finding{
			Code: finding.ObserveIncomplete, Severity: finding.Warning, Cause: "certdrift:declared",
			Summary:  "the declared certificate could not be compared for " + some(hosts(g.endpoints)) + ": no listener was readable, and what the ARN holds is not known",
			Evidence: finding.Evidence{"arns": cleanAll(arns[:min(len(arns), shownNames)])},
			Remedy:   "Let certdrift read the load balancer and ACM or IAM, or give the certificate as a file: certificates: [{arn: …, file: …}].",
		}
		suffer(&f, g.endpoints)
		found = append(found, f)
	}
	return found
}
