package incident

import (
	"testing"

	"certdrift/internal/finding"
	"certdrift/internal/policy"
)

// A prediction that happens is worth a notice: people were notified at the same severity that a certificate would expire,
// and now clients are rejecting it.
func TestAnExpiryThatComesIsNews(t *testing.T) {
	c := full([]string{"api"})
	cert := func(code finding.Code) []finding.Finding {
		return []finding.Finding{found(code, finding.Critical, "api", "certificate:aa")}
	}
	coming, come := cert(finding.CertExpiring), cert(finding.CertExpired)
	t.Run("once", func(t *testing.T) {
		s := newScript(t)
		s.round(c, coming, Opened)
		s.round(c, coming)
		if got := s.round(c, come, Opened); got[0].Before != finding.Critical || got[0].Severity != finding.Critical {
			t.Errorf("%s after %s", got[0].Severity, got[0].Before)
		}
		for range 3 {
			s.round(c, come)
		}
		s.round(c, coming) // another certificate that expires soon
		s.round(c, come)
		s.round(c, nil)
		s.round(c, nil, Recovered)
	})
	t.Run("although somebody has acknowledged it", func(t *testing.T) {
		s := newScript(t)
		s.round(c, coming, Opened)
		if _, err := s.table.save(t, Acknowledge(s.table.get(t, "production certificate:aa"), "ada", at(1), at(60*24*60))); err != nil {
			t.Fatal(err)
		}
		s.round(c, coming)
		s.round(c, come, Opened)
	})
	t.Run("again, where nobody knows whether it was sent", func(t *testing.T) {
		s := newScript(t)
		s.round(c, coming, Opened)
		s.table.run(t, Input{Policy: s.policy, Findings: come, Coverage: c, Now: at(s.minute)}, crashes)
		s.minute += 10
		if got := s.round(c, come, Opened); !got[0].Repetition {
			t.Error("the notice does not say that it may be a duplicate")
		}
		s.round(c, come)
	})
	t.Run("again, after a reminder that it is to come", func(t *testing.T) {
		for name, end := range map[string]fate{"recorded": lives, "sent, and never recorded": crashesOut} {
			t.Run(name, func(t *testing.T) {
				s := newScript(t)
				s.round(c, coming, Opened)
				if got := s.table.run(t, Input{Policy: s.policy, Findings: come, Coverage: c, Now: at(s.minute)}, end); len(got) != 1 {
					t.Fatalf("got %v", events(got))
				}
				s.minute++
				for range 3 {
					s.round(c, coming) // another certificate, which expires soon
				}
				s.minute += 25 * 60
				if got := s.round(c, coming, Reminder); !got[0].Predicted {
					t.Error("the reminder does not know that nothing has happened")
				}
				s.round(c, come, Opened)
				s.round(c, come)
			})
		}
	})
	t.Run("not after a reminder of less, while a silence covers it", func(t *testing.T) {
		s := newScript(t)
		ending := found(finding.CertExpiring, finding.Warning, "api", "certificate:aa")
		s.round(c, append(come, ending), Opened)
		s.policy.Silences = []policy.Silence{{Code: "cert-expired", Until: at(26 * 60), Reason: "known"}}
		s.minute += 25 * 60
		s.round(c, append(come, ending), Reminder)
		s.minute += 60
		s.round(c, append(come, ending))
	})
	t.Run("not where a silence covers it", func(t *testing.T) {
		s := newScript(t)
		s.policy.Silences = []policy.Silence{{Code: "cert-expired", Until: at(4), Reason: "known"}}
		s.round(c, coming, Opened)
		s.round(c, come)
		s.round(c, come)
		s.round(c, come)
		s.round(c, come, Opened) // the silence has ended
	})
	t.Run("a warning is not escalated", func(t *testing.T) {
		s := newScript(t)
		ending := []finding.Finding{found(finding.CertExpiring, finding.Warning, "api", "certificate:aa")}
		s.round(c, ending, Opened)
		s.round(c, append(ending, found(finding.CertLifetimeLong, finding.Warning, "api", "certificate:aa")))
	})
}
