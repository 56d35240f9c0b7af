package judge

import (
	"slices"
	"strings"

	"certdrift/internal/arn"
	"certdrift/internal/finding"
)

// changeStatuses evaluates each change by the findings about its listeners.
func (j *judgment) changeStatuses(all []finding.Finding) []finding.ChangeStatus {
	out := make([]finding.ChangeStatus, 0, len(j.Round.Changes))
	for _, c := range j.Round.Changes {
		s := finding.ChangeStatus{Change: c, Agreement: finding.Gone}
		for _, l := range j.Listeners {
			if !l.ConcernedBy(c) {
				continue
			}
			s.Listeners = append(s.Listeners, l.Label())
			switch {
			case l.HasDeclaration():
				s.Agreement = finding.Agrees
			case s.Agreement == finding.Gone:
				s.Agreement = finding.Undeclared
			}
		}
		evaluate(&s, all)
		slices.Sort(s.Listeners)
		out = append(out, s)
	}
	return out
}

// evaluate adds what is found of the change's listeners: drift, or their absence, is what disagrees.
func evaluate(s *finding.ChangeStatus, all []finding.Finding) {
	for _, f := range all {
		if f.Severity < finding.Warning || !about(s, f) {
			continue
		}
		s.Codes = append(s.Codes, f.Code)
		if f.Code.Class() == finding.ClassDrift || f.Code == finding.ListenerMissing {
			s.Agreement = finding.Differs
		}
	}
	slices.Sort(s.Codes)
	s.Codes = slices.Compact(s.Codes)
}

// about reports whether a finding is about one of the change's listeners, or of its load balancer that is gone.
func about(s *finding.ChangeStatus, f finding.Finding) bool {
	if region := f.Subject.Listener.Region; f.Listener == "" || region != "" && s.Region != "" && region != s.Region && s.LoadBalancer != "" {
		return false
	}
	name, _, _ := strings.Cut(f.Listener, ":")
	return slices.Contains(s.Listeners, f.Listener) || s.LoadBalancer != "" && f.Code == finding.ListenerMissing && arn.NamesLoadBalancer(s.LoadBalancer, name)
}
