package topology

import (
	"cmp"
	"slices"
	"time"

	"certdrift/internal/observation"
)

// clockTolerance is how far two clocks may be apart without contradicting each other. AWS rejects requests beyond it, too.
const clockTolerance = 5 * time.Minute

// Clock is how this machine's clock compares with those of the servers it probed, according to the Date of their responses.
type Clock struct {
	// Hosts is how many hosts dated a response.
	Hosts int
	// Contradict are the endpoints (ENVIRONMENT/NAME) whose hosts contradict this machine's clock, in the same direction;
	// ContradictHosts is how many hosts they have.
	Contradict      []string
	ContradictHosts int
	// Ahead is how far this machine's clock is ahead of those of the hosts that contradict it, by the median; negative if it is
	// behind.
	Ahead time.Duration
}

// Most reports whether most of the hosts contradict this machine's clock; it may be one of one.
func (c Clock) Most() bool { return 2*c.ContradictHosts > c.Hosts }

// InDoubt reports whether this machine's clock is probably wrong: most hosts contradict it, two at least. One host alone may be wrong
// itself.
func (c Clock) InDoubt() bool { return c.Most() && c.ContradictHosts > 1 }

// Clock compares this machine's clock with the servers'.
func (t *Topology) Clock() Clock {
	byHost := map[string]time.Duration{}
	for _, e := range t.Endpoints {
		for _, ahead := range e.ahead() {
			if known, ok := byHost[e.Target.Host]; !ok || ahead.Abs() < known.Abs() {
				byHost[e.Target.Host] = ahead // any address that agrees will do
			}
		}
	}
	early, late := contradiction(byHost, 1), contradiction(byHost, -1)
	offsets := early
	if len(late) > len(early) {
		offsets = late
	}
	c := Clock{Hosts: len(byHost), ContradictHosts: len(offsets)}
	if len(offsets) == 0 {
		return c
	}
	c.Ahead = offsets[len(offsets)/2]
	for _, e := range t.Endpoints {
		if ahead := byHost[e.Target.Host]; ahead.Abs() > clockTolerance && (ahead > 0) == (c.Ahead > 0) {
			c.Contradict = append(c.Contradict, e.Target.Key())
		}
	}
	return c
}

// contradiction returns the offsets beyond the tolerance in one direction, sorted.
func contradiction(byHost map[string]time.Duration, sign time.Duration) []time.Duration {
	var out []time.Duration
	for _, ahead := range byHost {
		if sign*ahead > clockTolerance {
			out = append(out, ahead)
		}
	}
	slices.SortFunc(out, cmp.Compare)
	return out
}

// ahead returns how far this machine's clock is ahead of that of each address that dated its response.
func (e *Endpoint) ahead() []time.Duration {
	if !e.Probed {
		return nil
	}
	var out []time.Duration
	for _, a := range e.Addresses {
		if ahead, ok := Ahead(a); ok {
			out = append(out, ahead)
		}
	}
	return out
}

// Ahead returns how far this machine's clock is ahead of that of an address, and whether that dated its response.
func Ahead(a observation.Address) (time.Duration, bool) {
	if a.HTTP == nil || a.HTTP.Date.IsZero() || a.Started.IsZero() {
		return 0, false
	}
	return answeredAt(a).Sub(a.HTTP.Date), true
}

func answeredAt(a observation.Address) time.Time {
	p := a.Phases
	return a.Started.Add(p.Connect + p.StartTLS + p.TLS + p.FirstByte)
}
