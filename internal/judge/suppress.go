package judge

import (
	"certdrift/internal/finding"
	"certdrift/internal/topology"
)

// suppressExplained gives one cause one finding: a name mismatch caused by a drift becomes evidence of the drift's finding,
// where what is served is what is attached. Any other problem of that certificate stays a finding of its own, of the same
// cause, since one fix ends both.
func suppressExplained(fs []finding.Finding, j *judgment) []finding.Finding {
	kept := fs[:0:0]
	var explained []finding.Finding
	outdated := outdatedManifests(fs)
	for _, f := range fs {
		if f.Code == finding.DriftDeclared && outdated[f.Environment+"/"+f.Endpoint] && j.Endpoint(f.Environment+"/"+f.Endpoint).Target.Declared == nil {
			continue // only the manifest declares something, and it is wrong
		}
		e := j.Endpoint(f.Environment + "/" + f.Endpoint)
		if e == nil || !ofServedCertificate(f) || !e.ServesAttached(f.Address) {
			kept = append(kept, f)
			continue
		}
		d := e.Drift()
		switch {
		case f.Code == finding.CertNameMismatch && d.Breaks(e):
			explained = append(explained, f)
			continue
		case d != nil && d.Relation == topology.Different, f.Code == finding.CertNameMismatch:
			f.Cause = e.Listener.Cause()
		}
		kept = append(kept, f)
	}
	return addMismatches(deferToDrift(kept), explained)
}

// deferToDrift leaves one remedy for one cause: what reattaching the declared certificate fixes refers to it. Renewing or importing a
// certificate that should not be there would help nobody.
func deferToDrift(fs []finding.Finding) []finding.Finding {
	drifts := map[string]finding.Finding{}
	for _, f := range fs {
		if f.Code == finding.DriftAttached && !f.DeclarationOutdated() {
			drifts[f.Cause] = f
		}
	}
	for i, f := range fs {
		if drift, found := drifts[f.Cause]; found && f.Code.FixedBy(drift.Code) {
			fs[i].Remedy = "Reattaching the declared certificate fixes this too: see " + string(drift.Code) + " on listener " + drift.Listener + "."
		}
	}
	return fs
}

// outdatedManifests are the endpoints (ENVIRONMENT/NAME) of which a finding says that their manifest is not right.
func outdatedManifests(fs []finding.Finding) map[string]bool {
	out := map[string]bool{}
	for _, f := range fs {
		if f.Code == finding.DriftManifest {
			for _, key := range endpointKeys(f) {
				out[key] = true
			}
		}
	}
	return out
}

// addMismatches puts mismatches into the evidence of their drift findings; one without stays a finding.
func addMismatches(fs, mismatches []finding.Finding) []finding.Finding {
	drifts := map[string]finding.Evidence{}
	for _, f := range fs {
		if f.Code != finding.DriftAttached {
			continue
		}
		drifts[f.Environment+"/"+f.Endpoint] = f.Evidence
		for _, key := range f.Affects {
			drifts[key] = f.Evidence
		}
	}
	for _, m := range mismatches {
		key := m.Environment + "/" + m.Endpoint
		evidence := drifts[key]
		if evidence == nil {
			fs = append(fs, m)
			continue
		}
		if m.Address != "" {
			key += " at " + m.Address
		}
		lines, _ := evidence["name_mismatches"].([]string)
		evidence["name_mismatches"] = append(lines, key+": "+m.Summary)
	}
	return fs
}
