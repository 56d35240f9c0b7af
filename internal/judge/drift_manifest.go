package judge

import (
	"certdrift/internal/finding"
	"certdrift/internal/plan"
)

func driftManifest() rule {
	return rule{
		Code:  finding.DriftManifest,
		round: func(j *judgment) []finding.Finding { return plan.Findings(j.Topology, j.policy, j.onSchedule) },
	}
}
