package judge

import (
	"fmt"

	"certdrift/internal/finding"
	"certdrift/internal/prose"
	"certdrift/internal/topology"
)

func listenerCertExpiring() rule {
	return rule{
		Code: finding.ListenerCertExpiring,
		listener: func(l *listener) []finding.Finding {
			var found []finding.Finding
			for _, a := range l.Attached {
				severity, left := l.judgment.Expiry(a.Certificate, l.judgment.policy)
				if severity == finding.None {
					continue
				}
				_, end := a.Dates()
				found = append(found, l.about(a, l.judgment.Import(a.ARN, a.Certificate, l.judgment.nearEnd(a.Certificate, end)), finding.ListenerCertExpiring, severity,
					fmt.Sprintf("listener %s: the attached certificate %s expires on %s, in %s", l.Label(), topology.ShortARN(a.ARN), prose.Day(end), prose.Span(left)),
					"Import the new certificate under the same ARN (aws acm import-certificate --certificate-arn "+topology.Shell(a.ARN)+" …), or attach another.")...)
			}
			return found
		},
	}
}
