package judge

import "certdrift/internal/finding"

func listenerCertMissing() rule {
	return rule{
		Code: finding.ListenerCertMissing,
		listener: func(l *listener) []finding.Finding {
			var found []finding.Finding
			for _, a := range l.attached {
				if a.held == nil || !a.record.Missing {
					continue
				}
				found = append(found, l.about(a, l.world.removal(a.ARN), finding.ListenerCertMissing, finding.Critical,
					"listener "+l.label()+" has a certificate attached that no longer exists: "+shortARN(a.ARN),
					"Attach a certificate that exists:\n"+l.attachCommand(l.replacement(a), ""))...)
			}
			return found
		},
	}
}
