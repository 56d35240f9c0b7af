package judge

import (
	"fmt"
	"time"

	"certdrift/internal/finding"
)

func listenerCertExpiring() rule {
	return rule{
		Code: finding.ListenerCertExpiring,
		listener: func(l *listener) []finding.Finding {
			var found []finding.Finding
			for _, a := range l.attached {
				severity, left := l.world.nearing(a.held)
				if severity == finding.None {
					continue
				}
				_, end := a.dates()
				found = append(found, l.about(a, l.world.origin(a.ARN, a.held, l.world.spent(a.held, end)), finding.ListenerCertExpiring, severity,
					fmt.Sprintf("listener %s: the attached certificate %s ends %s, in %s", l.label(), shortARN(a.ARN), day(end), daysWords(left)),
					"Import the successor under the same ARN (aws acm import-certificate --certificate-arn "+shell(a.ARN)+" …), or attach another.")...)
			}
			return found
		},
	}
}

// assumedLifetime stands in where a record gives no beginning: the shorter guess warns later, and never for years.
const assumedLifetime = 90 * 24 * time.Hour

// nearing weighs what is left of a certificate's life by the policy; None where enough is, or nothing.
func (w *world) nearing(h *held) (finding.Severity, time.Duration) {
	_, end := h.dates()
	left := end.Sub(w.now)
	if end.IsZero() || left < 0 {
		return finding.None, left
	}
	return expirySeverity(w.policy, left, h.lifetime()), left
}

// lifetime is how long the certificate is valid in all.
func (h *held) lifetime() time.Duration {
	begin, end := h.dates()
	if begin.IsZero() || !end.After(begin) {
		return assumedLifetime
	}
	return end.Sub(begin)
}

// daysWords tells a duration as people do.
func daysWords(d time.Duration) string {
	switch {
	case d < 2*time.Hour:
		return fmt.Sprintf("%d minutes", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d hours", int(d.Hours()))
	}
	return fmt.Sprintf("%d days", int(d.Hours()/24))
}
