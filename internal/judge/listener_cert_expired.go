package judge

import (
	"certdrift/internal/finding"
	"certdrift/internal/prose"
	"certdrift/internal/topology"
)

func listenerCertExpired() rule {
	return rule{
		Code: finding.ListenerCertExpired,
		listener: func(l *listener) []finding.Finding {
			var found []finding.Finding
			for _, a := range l.Attached {
				if !a.Expired(l.judgment.Now) {
					continue
				}
				_, end := a.Dates()
				found = append(found, l.about(a, l.judgment.Import(a.ARN, a.Certificate, l.judgment.nearEnd(a.Certificate, end)), finding.ListenerCertExpired, finding.Critical,
					"listener "+l.Label()+" has an expired certificate attached: "+topology.ShortARN(a.ARN)+" expired on "+prose.Day(end),
					"Attach a valid certificate, or import one under the same ARN:\n"+l.AttachCommand(l.replacement(a), ""))...)
			}
			return found
		},
	}
}
