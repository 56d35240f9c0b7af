package judge

import (
	"certdrift/internal/finding"
	"certdrift/internal/topology"
)

func listenerCertMissing() rule {
	return rule{
		Code: finding.ListenerCertMissing,
		listener: func(l *listener) []finding.Finding {
			var found []finding.Finding
			for _, a := range l.Attached {
				if a.Certificate == nil || !a.Record.Missing {
					continue
				}
				found = append(found, l.about(a, l.judgment.Removal(a.ARN), finding.ListenerCertMissing, finding.Critical,
					"listener "+l.Label()+" has a certificate attached that no longer exists: "+topology.ShortARN(a.ARN),
					"Attach a certificate that exists:\n"+l.AttachCommand(l.replacement(a), ""))...)
			}
			return found
		},
	}
}
