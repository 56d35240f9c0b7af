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
	for _, f := range fs {
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
	return addMismatches(kept, explained)
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
