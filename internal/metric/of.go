package metric

import (
	"cmp"
	"crypto/x509"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"certdrift/internal/finding"
	"certdrift/internal/incident"
	"certdrift/internal/observation"
	"certdrift/internal/target"
)

// Input is all that the figures depend on.
type Input struct {
	Round    observation.Round
	Findings []finding.Finding
	// Function is the one that runs: probe, inspect, verify.
	Function string
	Now      time.Time
	// Incidents are the records as they stand after the round.
	Incidents []incident.Record
	// Narrowed: the round looked at a part only (an event told of one load balancer). Figures of whole environments are
	// left out then: half a count is a wrong one.
	Narrowed bool
	// StateUnread: the incidents are not known; their figures are left out rather than nought.
	StateUnread bool
	// WhileFailing gives an endpoint series of its own for as long as a critical finding is about it; MaxFailing of them.
	WhileFailing bool
	// Daily: the figures that are written once a day are due. PerCertificate asks for those of certificates.
	Daily, PerCertificate bool
}

// MaxFailing bounds the endpoints that get series because they fail: an outage of all must not cost a thousand series.
const MaxFailing = 100

// Ignored is the figure of one event that no round followed.
func Ignored(function string, at time.Time) []Datum {
	return []Datum{{Name: EventsIgnored, Unit: Count, Dimensions: []Dimension{{Function, function}}, Value: 1, At: at}}
}

// Of gives a round's figures in a stable order: by name, then by dimensions. Every environment that has an endpoint gets
// its noughts too, so that an alarm comes back by itself.
func Of(in Input) []Datum {
	b := &builder{Input: in, down: downEndpoints(in.Findings)}
	b.add(Heartbeat, 1, Dimension{Function, b.function()})
	b.add(ObserveErrors, float64(len(in.Round.ObserveErrors)), Dimension{Function, b.function()})
	if !in.Narrowed {
		for _, env := range b.environments() {
			b.environment(env)
		}
	}
	b.endpoints()
	if in.Daily && in.PerCertificate && !in.Narrowed {
		b.certificates()
	}
	slices.SortStableFunc(b.data, compareData)
	return b.data
}

type builder struct {
	Input
	down map[string]bool // ENVIRONMENT/NAME of endpoints that a critical finding is about
	data []Datum
}

func (b *builder) add(name string, value float64, dimensions ...Dimension) {
	if math.IsNaN(value) || math.IsInf(value, 0) {
		return
	}
	b.data = append(b.data, Datum{Name: name, Unit: unitOf(name), Dimensions: dimensions, Value: value, At: b.Now})
}

// addAll adds a distribution; nothing where there are no values.
func (b *builder) addAll(name string, values []float64, dimensions ...Dimension) {
	if len(values) == 0 {
		return
	}
	d := Datum{Name: name, Unit: unitOf(name), Dimensions: dimensions, At: b.Now}
	d.Values, d.Counts = distribution(values)
	b.data = append(b.data, d)
}

func unitOf(name string) Unit {
	for _, d := range Definitions() {
		if d.Name == name {
			return d.Unit
		}
	}
	return NoUnit
}

func (b *builder) function() string {
	if b.Function == "" {
		return "certdrift"
	}
	return b.Function
}

// environments are those of the endpoints asked for, of findings and of open incidents, sorted.
func (b *builder) environments() []string {
	set := map[string]bool{}
	for _, e := range b.Round.Endpoints {
		set[e.Target.Environment] = true
	}
	for _, f := range b.Findings {
		set[f.Environment] = true
	}
	for _, r := range b.Incidents {
		if r.Open() {
			set[r.Environment] = true
		}
	}
	return slices.Sorted(maps.Keys(set))
}

// environment adds the figures of one environment.
func (b *builder) environment(env string) {
	dimension := Dimension{Environment, valueOf(env)}
	var up, down, unseen int
	var took []float64
	least := math.Inf(1)
	for _, e := range b.Round.Endpoints {
		if e.Target.Environment != env {
			continue
		}
		switch {
		case !e.Probed:
			unseen++
		case b.down[e.Target.Key()]:
			down++
		default:
			up++
		}
		took = append(took, durations(e)...)
		if share, _, ok := lifetime(e, b.Now); ok {
			least = min(least, share)
		}
	}
	b.add(EndpointsUp, float64(up), dimension)
	b.add(EndpointsDown, float64(down), dimension)
	b.add(EndpointsUnseen, float64(unseen), dimension)
	b.add(LifetimeLeft, least, dimension)
	b.addAll(ProbeDuration, took, dimension)
	b.findings(env, dimension)
	if !b.StateUnread {
		b.incidents(env, dimension)
	}
}

func (b *builder) findings(env string, dimension Dimension) {
	counts := map[finding.Severity]int{}
	for _, f := range b.Findings {
		if f.Environment == env {
			counts[f.Severity]++
		}
	}
	for _, s := range []finding.Severity{finding.Critical, finding.Warning, finding.Info} {
		b.add(Findings, float64(counts[s]), dimension, Dimension{Severity, s.String()})
	}
}

func (b *builder) incidents(env string, dimension Dimension) {
	counts := map[finding.Severity]int{}
	silenced := 0
	for _, r := range b.Incidents {
		if r.Environment != env || !r.Open() {
			continue
		}
		counts[r.Severity]++
		if r.Silenced != nil {
			silenced++
		}
	}
	for _, s := range []finding.Severity{finding.Critical, finding.Warning} {
		b.add(IncidentsOpen, float64(counts[s]), dimension, Dimension{Severity, s.String()})
	}
	b.add(IncidentsSilenced, float64(silenced), dimension)
}

// endpoints adds the series of endpoints' own, where they were asked for.
func (b *builder) endpoints() {
	failing := 0
	for _, e := range b.Round.Endpoints {
		if !e.Probed {
			continue
		}
		if e.Target.PerEndpointMetrics {
			b.endpoint(e)
		} else if b.WhileFailing && b.down[e.Target.Key()] && failing < MaxFailing {
			failing++
			b.endpoint(e)
		}
	}
}

// endpoint adds the series of an endpoint's own.
func (b *builder) endpoint(e observation.Endpoint) {
	dimensions := []Dimension{{Environment, valueOf(e.Target.Environment)}, {Endpoint, valueOf(e.Target.Name)}}
	up := 1.0
	if b.down[e.Target.Key()] {
		up = 0
	}
	b.add(EndpointUp, up, dimensions...)
	b.addAll(EndpointDuration, durations(e), dimensions...)
	share, left, ok := lifetime(e, b.Now)
	if !ok {
		return
	}
	b.add(EndpointLifetime, share, dimensions...)
	if b.Daily {
		b.add(EndpointDaysLeft, days(left), dimensions...)
	}
}

// downEndpoints are those that a critical finding is about.
func downEndpoints(fs []finding.Finding) map[string]bool {
	down := map[string]bool{}
	for _, f := range fs {
		if f.Severity != finding.Critical {
			continue
		}
		if f.Endpoint != "" {
			down[target.Endpoint{Environment: f.Environment, Name: f.Endpoint}.Key()] = true
		}
		for _, key := range f.Affects {
			down[key] = true
		}
	}
	return down
}

// durations are what each address took, in milliseconds, those that failed included.
func durations(e observation.Endpoint) []float64 {
	var ms []float64
	for _, a := range e.Addresses {
		if a.Phases.Total > 0 {
			ms = append(ms, float64(a.Phases.Total)/float64(time.Millisecond))
		}
	}
	return ms
}

// lifetime is the least that any address's own certificate has left: in percent of its whole life, and as a time. It is
// below zero once it has expired, so that the figure does not vanish when it matters most. Issuers are for the judge,
// who knows which path counts.
func lifetime(e observation.Endpoint, now time.Time) (percent float64, left time.Duration, ok bool) {
	for _, a := range e.Addresses {
		if a.TLS == nil || len(a.TLS.Chain) == 0 {
			continue
		}
		leaf, err := x509.ParseCertificate(a.TLS.Chain[0])
		if err != nil {
			continue
		}
		whole := leaf.NotAfter.Sub(leaf.NotBefore)
		if whole <= 0 {
			continue
		}
		l := leaf.NotAfter.Sub(now)
		if p := 100 * l.Seconds() / whole.Seconds(); !ok || p < percent {
			percent, left, ok = math.Round(100*p)/100, l, true
		}
	}
	return percent, left, ok
}

// days counts days to two decimals, rounded down.
func days(left time.Duration) float64 { return math.Floor(left.Hours()/24*100) / 100 }

// valueOf makes a name fit for a dimension's value: printable ASCII, 1 to 255 characters, not all blank, no colon first.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_Dimension.html
func valueOf(name string) string {
	if strings.TrimSpace(name) == "" {
		return NoEnvironment
	}
	if name[0] == ':' {
		name = "?" + name[1:]
	}
	name = strings.Map(func(r rune) rune {
		if r < 0x20 || r > 0x7e {
			return '?'
		}
		return r
	}, name)
	return name[:min(len(name), 255)]
}

func compareData(a, b Datum) int {
	return cmp.Or(cmp.Compare(a.Name, b.Name), slices.CompareFunc(a.Dimensions, b.Dimensions, func(x, y Dimension) int {
		return cmp.Compare(x.Value, y.Value)
	}))
}
