package metric

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"fmt"
	"math"
	"math/big"
	"os"
	"strings"
	"testing"
	"time"

	"certdrift/internal/finding"
	"certdrift/internal/incident"
	"certdrift/internal/observation"
	"certdrift/internal/policy"
	"certdrift/internal/target"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

var now = time.Date(2026, 11, 23, 0, 30, 0, 0, time.UTC)

// leaf is a certificate with a life of a hundred days, of which so many are left.
func leaf(t *testing.T, daysLeft int) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	end := now.Add(time.Duration(daysLeft) * 24 * time.Hour)
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: end.Add(-100 * 24 * time.Hour), NotAfter: end}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func probed(env, name string, certs ...[]byte) observation.Endpoint {
	e := observation.Endpoint{Target: target.Endpoint{Environment: env, Name: name}, Probed: true}
	for _, der := range certs {
		e.Addresses = append(e.Addresses, observation.Address{
			Phases: observation.Phases{Total: 120 * time.Millisecond}, TLS: &observation.TLS{Chain: [][]byte{der}},
		})
	}
	return e
}

// figures are data as "Name{dimension values} value", which is how one would write them down.
func figures(data []Datum) map[string]float64 {
	out := map[string]float64{}
	for _, d := range data {
		var values []string
		for _, dim := range d.Dimensions {
			values = append(values, dim.Value)
		}
		v := d.Value
		if d.Values != nil {
			v = d.Values[0]
		}
		out[d.Name+"{"+strings.Join(values, " ")+"}"] = v
	}
	return out
}

func example(t *testing.T) Input {
	expired := probed("production", "api", leaf(t, 50), leaf(t, -30))
	expired.Target.PerEndpointMetrics = true
	late := probed("staging", "ui", leaf(t, 25))
	late.Delay = 3500 * time.Millisecond
	return Input{
		Function: "probe", Now: now, Daily: true,
		Round: observation.Round{
			Endpoints: []observation.Endpoint{
				expired, probed("production", "ui", leaf(t, 60)), {Target: target.Endpoint{Environment: "production", Name: "late"}},
				late,
			},
			ObserveErrors: []observation.ObserveError{{Kind: observation.Denied}},
		},
		Findings: []finding.Finding{
			{Code: finding.CertExpired, Severity: finding.Critical, Environment: "production", Endpoint: "api"},
			{Code: finding.ObserveDenied, Severity: finding.Warning},
		},
		Incidents: []incident.Record{
			{Environment: "production", Severity: finding.Critical, Opened: now, Silenced: &incident.Silenced{Until: now.Add(time.Hour)}},
			{Environment: "production", Severity: finding.Critical, Opened: now, Closed: now},
			{Environment: "staging", Severity: finding.Warning},
		},
	}
}

func TestOf(t *testing.T) {
	want := map[string]float64{
		"EndpointsUp{production}": 1, "EndpointsDown{production}": 1, "EndpointsUnseen{production}": 1,
		"EndpointsUp{staging}": 1, "EndpointsDown{staging}": 0, "EndpointsUnseen{staging}": 0,
		"EndpointsDue{probe}": 4, "EndpointsChecked{probe}": 3,
		"EndpointsUp{none}": 0, "EndpointsDown{none}": 0, "EndpointsUnseen{none}": 0,
		"Findings{production critical}": 1, "Findings{production warning}": 0, "Findings{production info}": 0,
		"Findings{staging critical}": 0, "Findings{staging warning}": 0, "Findings{staging info}": 0,
		"Findings{none critical}": 0, "Findings{none warning}": 1, "Findings{none info}": 0,
		"LifetimeLeft{production}": -30, "LifetimeLeft{staging}": 25, "DaysLeft{production}": -30, "DaysLeft{staging}": 25,
		"ProbeDuration{production}": 120, "ProbeDuration{staging}": 120,
		"IncidentsOpen{production critical}": 1, "IncidentsOpen{production warning}": 0, "IncidentsSilenced{production}": 1,
		"IncidentsOpen{staging critical}": 0, "IncidentsOpen{staging warning}": 0, "IncidentsSilenced{staging}": 0,
		"IncidentsOpen{none critical}": 0, "IncidentsOpen{none warning}": 0, "IncidentsSilenced{none}": 0,
		"Heartbeat{probe}": 1, "Troubles{probe}": 1, "SchedulingDelay{probe}": 3500,
		"EndpointUp{production api}": 0, "EndpointDuration{production api}": 120,
		"EndpointLifetimeLeft{production api}": -30, "EndpointDaysLeft{production api}": -30,
	}
	if diff := cmp.Diff(want, figures(Of(example(t)))); diff != "" {
		t.Errorf("figures (-want +got):\n%s", diff)
	}
}

func TestANarrowedRoundCountsNoEnvironment(t *testing.T) {
	in := example(t)
	in.Narrowed = true
	for name := range figures(Of(in)) {
		if strings.HasPrefix(name, "EndpointsDown") || strings.HasPrefix(name, "IncidentsOpen") || strings.HasPrefix(name, "Findings") {
			t.Errorf("%s from a part of the environment", name)
		}
	}
}

func TestUnknownIncidentsAreNotZero(t *testing.T) {
	in := example(t)
	in.StateUnread = true
	for name := range figures(Of(in)) {
		if strings.HasPrefix(name, "Incidents") {
			t.Errorf("%s though the state could not be read", name)
		}
	}
}

func TestSeriesOfAnEndpointWhileItFails(t *testing.T) {
	in := example(t)
	in.Round.Endpoints[0].Target.PerEndpointMetrics = false
	if _, ok := figures(Of(in))["EndpointUp{production api}"]; ok {
		t.Error("series that nobody asked for")
	}
	in.WhileFailing = true
	got := figures(Of(in))
	if _, ok := got["EndpointUp{production api}"]; !ok {
		t.Error("no series for an endpoint that fails")
	}
	if _, ok := got["EndpointUp{production ui}"]; ok {
		t.Error("series for an endpoint that works")
	}
}

func critical(e observation.Endpoint) finding.Finding {
	return finding.Finding{Code: finding.CertExpired, Severity: finding.Critical, Environment: e.Target.Environment, Endpoint: e.Target.Name}
}

// However many endpoints there are, the number of series stays.
func TestTheNumberOfSeriesIsFixed(t *testing.T) {
	in := Input{Function: "probe", Now: now, Policy: policy.DefaultThresholds()}
	der := leaf(t, 50)
	for i := range 1000 {
		in.Round.Endpoints = append(in.Round.Endpoints, probed([]string{"a", "b"}[i%2], fmt.Sprint(i), der))
	}
	allDay, hourly := SeriesCount(Inventory{Environments: 2, Functions: 1})
	// The round writes all but the count of ignored events, which is written when there is one.
	if got := len(append(Of(in), Ignored("probe", now)...)); got != allDay || hourly != 0 {
		t.Errorf("%d series, %d and %d counted", got, allDay, hourly)
	}
}

// TestThresholdsAreThePolicys: each in the policy's own terms, and none that it does not have.
func TestThresholdsAreThePolicys(t *testing.T) {
	for name, c := range map[string]struct {
		warning, critical policy.Threshold
		narrowed          bool
		want              map[string]float64
	}{
		"the default": {policy.DefaultThresholds().ExpiryWarning, policy.DefaultThresholds().ExpiryCritical, false,
			map[string]float64{"ExpiryThreshold{warning lifetime}": 25, "ExpiryThreshold{critical lifetime}": 10}},
		"in days": {policy.Threshold{Duration: 21 * 24 * time.Hour}, policy.Threshold{Duration: 36 * time.Hour}, false,
			map[string]float64{"ExpiryThreshold{warning days}": 21, "ExpiryThreshold{critical days}": 1.5}},
		"one of each": {policy.Threshold{Share: 1.0 / 3}, policy.Threshold{Duration: 7 * 24 * time.Hour}, false,
			map[string]float64{"ExpiryThreshold{warning lifetime}": 33.33, "ExpiryThreshold{critical days}": 7}},
		"none":             {want: map[string]float64{}},
		"an event's round": {policy.Threshold{Share: 0.25}, policy.Threshold{Share: 0.1}, true, map[string]float64{}},
	} {
		got := map[string]float64{}
		for series, value := range figures(Of(Input{Function: "probe", Now: now, Narrowed: c.narrowed, Policy: policy.Thresholds{ExpiryWarning: c.warning, ExpiryCritical: c.critical}})) {
			if strings.HasPrefix(series, ExpiryThreshold) {
				got[series] = value
			}
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// What CloudWatch takes: known names and dimensions, no empty or foreign value, no NaN, at most 150 values.
func TestEveryDatumIsDefinedAndTaken(t *testing.T) {
	defined := map[string]Definition{}
	for _, d := range Definitions() {
		defined[d.Name] = d
	}
	in := example(t)
	in.PerCertificate, in.Policy = true, policy.DefaultThresholds()
	for _, d := range Of(in) {
		want, ok := defined[d.Name]
		if !ok || d.Unit != want.Unit || len(d.Dimensions) != len(want.Dimensions) {
			t.Errorf("%+v is not as defined", d)
			continue
		}
		for i, dim := range d.Dimensions {
			if dim.Name != want.Dimensions[i] || dim.Value == "" {
				t.Errorf("%s: dimension %+v", d.Name, dim)
			}
		}
	}
	for name, want := range map[string]string{"接口\n": "???", "": "none", "  ": "none", ":lead": "?lead", strings.Repeat("x", 300): strings.Repeat("x", 255)} {
		if got := valueOf(name); got != want {
			t.Errorf("dimension value of %q is %q", name, got)
		}
	}
}

func TestDistribution(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.Float64Range(0, 900_000), 1, 2000).Draw(t, "values")
		distinct, counts := distribution(values)
		if len(distinct) > MaxValues || len(distinct) != len(counts) {
			t.Fatalf("%d values, %d counts", len(distinct), len(counts))
		}
		sum, total, exact := 0.0, 0.0, 0.0
		for i, v := range distinct {
			if i > 0 && v <= distinct[i-1] {
				t.Fatalf("values do not rise at %d", i)
			}
			sum += counts[i]
			total += v * counts[i]
		}
		for _, v := range values {
			exact += v
		}
		if sum != float64(len(values)) {
			t.Fatalf("%v counted of %d", sum, len(values))
		}
		if math.Abs(total-exact) > 0.15*exact+float64(len(values)) {
			t.Fatalf("the sum went from %v to %v", exact, total)
		}
	})
}

func TestTheDocumentListsEverySeries(t *testing.T) {
	text, err := os.ReadFile("../../docs/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range Definitions() {
		row := fmt.Sprintf("| `%s` | %s | %s |", d.Name, strings.Join(d.Dimensions, ", "), d.Unit)
		if !strings.Contains(string(text), row) || !strings.Contains(string(text), "| "+d.Meaning+" |\n") {
			t.Errorf("docs/metrics.md lacks %q, or its meaning", row)
		}
	}
	for _, i := range []Inventory{{2, 2, 0, 0}, {3, 2, 0, 0}, {2, 2, 10, 0}, {2, 2, 1000, 0}, {2, 2, 0, 20}} {
		allDay, hourly := SeriesCount(i)
		row := fmt.Sprintf("| %d | %d | %d | %d", i.Environments, i.Endpoints, i.Certificates, allDay)
		end := fmt.Sprintf("| %.2f |", MonthlyUSD(allDay, hourly))
		found := false
		for line := range strings.Lines(string(text)) {
			found = found || strings.HasPrefix(line, row) && strings.HasSuffix(line, end+"\n")
		}
		if !found {
			t.Errorf("docs/metrics.md lacks the price %s … %s", row, end)
		}
	}
}

func TestMonthlyUSD(t *testing.T) {
	for series, want := range map[int]float64{0: 0, 10: 3, 10_000: 3000, 20_000: 4000, 1_000_000: 3000 + 24_000 + 37_500, 1_000_100: 64_502} {
		if got := MonthlyUSD(series, 0); math.Abs(got-want) > 0.001 {
			t.Errorf("%d series: %v USD, want %v", series, got, want)
		}
	}
}
