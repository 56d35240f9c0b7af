package judge

import "certdrift/internal/finding"

func listenerCertExpired() rule {
	return rule{
		Code: finding.ListenerCertExpired,
		listener: func(l *listener) []finding.Finding {
			var found []finding.Finding
			for _, a := range l.attached {
				if !a.expired(l.world.now) {
					continue
				}
				_, end := a.dates()
				found = append(found, l.about(a, l.world.origin(a.ARN, a.held, l.world.spent(a.held, end)), finding.ListenerCertExpired, finding.Critical,
					"listener "+l.label()+" has an expired certificate attached: "+shortARN(a.ARN)+" ended "+day(end),
					"Attach a valid certificate, or import one under the same ARN:\n"+l.attachCommand(l.replacement(a), ""))...)
			}
			return found
		},
	}
}
