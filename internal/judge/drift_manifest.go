package judge

import (
	"certdrift/internal/finding"
	"certdrift/internal/plan"
)

func driftManifest() rule {
	return rule{Code: finding.DriftManifest, round: judgeManifests}
}

// judgeManifests reports the manifests that are not right. On schedule nothing of it is urgent: clients are served as before until
// somebody applies one, and what is served or attached wrongly by then has findings of its own.
func judgeManifests(j *judgment) []finding.Finding {
	found := plan.Findings(j.Topology, j.policy)
	if j.onSchedule {
		for i := range found {
			found[i].Severity = min(found[i].Severity, finding.Warning)
		}
	}
	return found
}
