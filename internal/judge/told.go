package judge

import (
	"slices"
	"strings"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
)

// Standing is how a change stands to what is declared.
type Standing string

// The standings. Undeclared: nobody declares a certificate for its listeners. Gone: none of its listeners is there, and
// nobody misses them.
const (
	Agrees     Standing = "agrees"
	Differs    Standing = "differs"
	Undeclared Standing = "undeclared"
	Gone       Standing = "gone"
)

// Told is a change that an event or CloudTrail told of, and what the round makes of it. One that agrees is no finding, but
// worth a record.
type Told struct {
	observation.Change
	Standing Standing
	// Listeners are those that the change concerns, NAME:PORT; Codes what is wrong with them. Both are sorted.
	Listeners []string
	Codes     []finding.Code
}

// told weighs each change by the findings about its listeners.
func (w *world) told(all []finding.Finding) []Told {
	out := make([]Told, 0, len(w.round.Changes))
	for _, c := range w.round.Changes {
		t := Told{Change: c, Standing: Gone}
		for _, l := range w.listeners {
			if !l.concerns(c) {
				continue
			}
			t.Listeners = append(t.Listeners, l.label())
			switch {
			case l.declaredBy():
				t.Standing = Agrees
			case t.Standing == Gone:
				t.Standing = Undeclared
			}
		}
		t.weigh(all)
		slices.Sort(t.Listeners)
		out = append(out, t)
	}
	return out
}

// weigh adds what is found of the change's listeners: drift, or their absence, is what disagrees.
func (t *Told) weigh(all []finding.Finding) {
	for _, f := range all {
		if f.Severity < finding.Warning || !t.concerns(f) {
			continue
		}
		t.Codes = append(t.Codes, f.Code)
		if strings.HasPrefix(string(f.Code), "drift-") || f.Code == finding.ListenerMissing {
			t.Standing = Differs
		}
	}
	slices.Sort(t.Codes)
	t.Codes = slices.Compact(t.Codes)
}

// concerns reports whether a finding is about one of the change's listeners, or of its load balancer that is gone.
func (t *Told) concerns(f finding.Finding) bool {
	if region, ok := f.Evidence["region"].(string); f.Listener == "" || ok && t.Region != "" && region != t.Region && t.LoadBalancer != "" {
		return false
	}
	name, _, _ := strings.Cut(f.Listener, ":")
	return slices.Contains(t.Listeners, f.Listener) || t.LoadBalancer != "" && f.Code == finding.ListenerMissing && namesLoadBalancer(t.LoadBalancer, name)
}

// declaredBy reports whether anybody declares a certificate for the listener.
func (l *listener) declaredBy() bool {
	return len(l.declarations) > 0 || slices.ContainsFunc(l.endpoints, func(e *endpoint) bool { return e.declared() != nil })
}
