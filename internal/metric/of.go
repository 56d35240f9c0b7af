package metric

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"certdrift/internal/finding"
	"certdrift/internal/incident"
	"certdrift/internal/observation"
	"certdrift/internal/policy"
)

// Input is everything that the metrics depend on.
type Input struct {
	Round    observation.Round
	Findings []finding.Finding
	// Function is the running function: probe, inspect, verify.
	Function string
	Now      time.Time
	// Policy is what the operator decides; its expiry thresholds are drawn beside what is left.
	Policy policy.Thresholds
	// Incidents are the records after the round.
	Incidents []incident.Record
	// Narrowed: the round checked only a part (an event named one load balancer). Metrics of whole environments are left out then,
	// since partial counts are wrong.
	Narrowed bool
	// StateUnread: the incidents are unknown; their metrics are left out instead of zero.
	StateUnread bool
	// WhileFailing adds metrics for endpoints with a critical finding, at most MaxFailing of them.
	WhileFailing bool
	// Daily: the metrics that are written once a day are due. PerCertificate includes those of certificates.
	Daily, PerCertificate bool
}

// MaxFailing is the maximum number of endpoints with metrics because they fail: a total outage must not create a thousand metrics.
const MaxFailing = 100

// Ignored is the metric of one event that started no round.
func Ignored(function string, at time.Time) []Datum {
	return []Datum{{Name: EventsIgnored, Unit: Count, Dimensions: []Dimension{{Function, function}}, Value: 1, At: at}}
}

// Of returns a round's metrics in a stable order: by name, then by dimensions. Zeros are written for every environment that has
// an endpoint, so that alarms recover by themselves.
func Of(in Input) []Datum {
	b := &builder{Input: in, down: downEndpoints(in.Findings)}
	b.add(Heartbeat, 1, Dimension{Function, b.function()})
	b.add(ObserveErrors, float64(len(in.Round.ObserveErrors)), Dimension{Function, b.function()})
	b.add(EndpointsDue, float64(len(in.Round.Endpoints)), Dimension{Function, b.function()})
	b.add(EndpointsChecked, float64(b.checked()), Dimension{Function, b.function()})
	if len(in.Round.Endpoints) > 0 {
		b.add(SchedulingDelay, float64(longestDelay(in.Round.Endpoints).Milliseconds()), Dimension{Function, b.function()})
	}
	if !in.Narrowed {
		for _, env := range b.environments() {
			b.environment(env)
		}
		b.threshold(finding.Warning, in.Policy.ExpiryWarning)
		b.threshold(finding.Critical, in.Policy.ExpiryCritical)
	}
	b.endpoints()
	if in.Daily && in.PerCertificate && !in.Narrowed {
		b.certificates()
	}
	slices.SortStableFunc(b.data, compareData)
	return b.data
}

// threshold adds one of the policy's, in the policy's own terms: a dashboard cannot read the configuration. A threshold of nothing is none.
func (b *builder) threshold(severity finding.Severity, t policy.Threshold) {
	switch {
	case t.Duration > 0:
		b.add(ExpiryThreshold, t.Duration.Hours()/24, Dimension{Severity, severity.String()}, Dimension{PartOf, OfDays})
	case t.Share > 0:
		b.add(ExpiryThreshold, math.Round(10000*t.Share)/100, Dimension{Severity, severity.String()}, Dimension{PartOf, OfLifetime})
	}
}

// longestDelay returns how long an endpoint waited for its turn at most. The figure is certdrift's own: where it grows towards the length of
// a round, there are more endpoints, or more that fail slowly, than the function can check in its time.
func longestDelay(endpoints []observation.Endpoint) time.Duration {
	var longest time.Duration
	for _, e := range endpoints {
		longest = max(longest, e.Delay)
	}
	return longest
}

type builder struct {
	Input
	down map[string]bool // ENVIRONMENT/NAME of endpoints with a critical finding
	data []Datum
}

func (b *builder) add(name string, value float64, dimensions ...Dimension) {
	if math.IsNaN(value) || math.IsInf(value, 0) {
		return
	}
	b.data = append(b.data, Datum{Name: name, Unit: unitOf(name), Dimensions: dimensions, Value: value, At: b.Now})
}

// addAll adds a distribution, if there are values.
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

func (b *builder) checked() int {
	n := 0
	for _, e := range b.Round.Endpoints {
		if e.Probed {
			n++
		}
	}
	return n
}

// environments returns those of the configured endpoints, the findings and the open incidents, sorted.
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

// environment adds the metrics of one environment.
func (b *builder) environment(env string) {
	dimension := Dimension{Environment, valueOf(env)}
	var up, down, unseen int
	var took []float64
	least, first := math.Inf(1), math.Inf(1)
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
		for _, leaf := range leaves(e) {
			first = min(first, days(leaf.NotAfter.Sub(b.Now)))
		}
	}
	b.add(EndpointsUp, float64(up), dimension)
	b.add(EndpointsDown, float64(down), dimension)
	b.add(EndpointsUnseen, float64(unseen), dimension)
	b.add(LifetimeLeft, least, dimension)
	b.add(DaysLeft, first, dimension)
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

// endpoints adds the metrics of single endpoints, if configured.
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

// endpoint adds the metrics of one endpoint.
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

// downEndpoints returns the endpoints with a critical finding.
func downEndpoints(fs []finding.Finding) map[string]bool {
	down := map[string]bool{}
	for _, f := range fs {
		if f.Severity != finding.Critical {
			continue
		}
		for _, key := range f.Endpoints() {
			down[key] = true
		}
	}
	return down
}

// durations returns the time that each address took, in milliseconds, including those that failed.
func durations(e observation.Endpoint) []float64 {
	var ms []float64
	for _, a := range e.Addresses {
		if a.Phases.Total > 0 {
			ms = append(ms, float64(a.Phases.Total)/float64(time.Millisecond))
		}
	}
	return ms
}

// lifetime returns the least that is left of any address's certificate: in percent of its lifetime, and as a duration. It is
// negative once expired, so that the metric does not disappear when it matters most. Issuers are left to judge, which knows the
// path that counts.
func lifetime(e observation.Endpoint, now time.Time) (percent float64, left time.Duration, ok bool) {
	for _, a := range e.Addresses {
		leaf := a.TLS.Leaf()
		if leaf == nil {
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

// valueOf turns a name into a valid dimension value: printable ASCII, 1 to 255 characters, not blank, no leading colon.
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
