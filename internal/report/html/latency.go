package html

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"certdrift/internal/report"
	"certdrift/internal/report/comparison"
)

// shownAddresses is how many addresses stand open, the slowest; the others are folded.
const shownAddresses = 30

// latency shows how long the phases of each probe took, the slowest first.
type latency struct {
	Legend []phase
	Rows   []probe
	Folded []probe
}

// probe is one address. Text tells the phases to whom does not see the bars.
type probe struct {
	Name, Address string
	Total         string
	Text          string
	Phases        []phase
	Failed        string
	took          float64
}

// phase is one bar. Width is in percent of the slowest probe.
type phase struct {
	Name, Class string
	Took        string
	From, Width float64
	ms          float64
}

func (b builder) latency() latency {
	var l latency
	most := 0.0
	for _, e := range b.Endpoints {
		for _, a := range e.Addresses {
			if a.Phases.Total <= 0 {
				continue
			}
			most = max(most, a.Phases.Total)
			p := probe{Name: comparison.Name(e), Address: a.Address, Total: milliseconds(a.Phases.Total), Phases: phases(a.Phases), took: a.Phases.Total}
			if a.Failure != nil {
				p.Failed = comparison.Failure(*a.Failure)
			}
			l.Rows = append(l.Rows, p)
		}
	}
	slices.SortStableFunc(l.Rows, func(x, y probe) int { return cmp.Compare(y.took, x.took) })
	for i := range l.Rows {
		l.Rows[i].scale(most)
	}
	if len(l.Rows) > shownAddresses {
		l.Rows, l.Folded = l.Rows[:shownAddresses], l.Rows[shownAddresses:]
	}
	if len(l.Rows) > 0 {
		l.Legend = phases(report.Phases{DNS: 1, Connect: 1, StartTLS: 1, TLS: 1, FirstByte: 1, Total: 6})
	}
	return l
}

// phases are those that took any time, in their order. What is left of the total is the rest: the body, redirects.
func phases(p report.Phases) []phase {
	rest := p.Total - p.DNS - p.Connect - p.StartTLS - p.TLS - p.FirstByte
	all := []phase{
		{Name: "DNS", Class: "dns", ms: p.DNS}, {Name: "connect", Class: "connect", ms: p.Connect},
		{Name: "STARTTLS", Class: "starttls", ms: p.StartTLS}, {Name: "TLS", Class: "tls", ms: p.TLS},
		{Name: "first byte", Class: "byte", ms: p.FirstByte}, {Name: "rest", Class: "rest", ms: rest},
	}
	return slices.DeleteFunc(all, func(p phase) bool { return p.ms < 0.0005 })
}

// scale lays the bars out against the slowest probe, and says them in words.
func (p *probe) scale(most float64) {
	at := 0.0
	for i := range p.Phases {
		bar := &p.Phases[i]
		bar.From, bar.Width = round(1000*at/most), round(1000*bar.ms/most)
		bar.Took = milliseconds(bar.ms)
		at += bar.ms
		if i > 0 {
			p.Text += ", "
		}
		p.Text += bar.Name + " " + bar.Took
	}
}

func round(x float64) float64 { return math.Round(x*100) / 100 }

func milliseconds(ms float64) string {
	switch {
	case ms >= 10_000:
		return fmt.Sprintf("%.1f s", ms/1000)
	case ms >= 10:
		return fmt.Sprintf("%.0f ms", ms)
	}
	return fmt.Sprintf("%.1f ms", ms)
}
