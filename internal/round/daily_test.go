package round

import (
	"context"
	"strings"
	"testing"
	"time"

	"certdrift/internal/metric"
	"certdrift/internal/observation"
	"certdrift/internal/target"
)

// daily are a day's rounds of a function whose configuration asks for the figures of certificates.
type daily struct{ *fixture }

func newDaily(t *testing.T) *daily {
	t.Helper()
	d := &daily{newFixture(t)}
	d.request.Config.MetricsPerCertificate, d.request.Depth = true, Listeners
	d.now = time.Date(2026, 11, 23, 22, 30, 0, 0, time.UTC)
	return d
}

// written are the certificates' figures that so many rounds, so far from each other, put. Each is a cold start.
func (d *daily) written(n int, apart time.Duration) (values []float64) {
	d.figures.data = nil
	for range n {
		p := d.runner.Publisher
		d.runner.Publisher = &Publisher{Now: p.Now, Store: p.Store, Messengers: p.Messengers, Gauge: p.Gauge, Function: p.Function, By: p.By}
		_, _ = d.runner.Run(context.Background(), d.request)
		d.now = d.now.Add(apart)
	}
	for _, datum := range d.figures.data {
		if datum.Name == metric.CertificateDays {
			values = append(values, datum.Value)
		}
	}
	return values
}

func TestCertificatesAreCountedOnceADay(t *testing.T) {
	d := newDaily(t)
	if got := d.written(10, 5*time.Minute); len(got) != 1 || got[0] >= 0 {
		t.Errorf("the first day has the figures %v, want one below zero: the certificate has expired", got)
	}
	if got := d.written(60, 5*time.Minute); len(got) != 1 {
		t.Errorf("the next day has %d figures", len(got))
	}
	d.now = d.now.Add(24 * time.Hour)
	if got := d.written(10, 24*time.Hour); len(got) != 10 {
		t.Errorf("rounds once a day, none of them in the first hour, wrote %d figures in ten days", len(got))
	}
	if got := d.written(2, -48*time.Hour); len(got) != 2 {
		t.Errorf("a clock that goes back silences the figures: %v", got)
	}
	d.request.Config.MetricsPerCertificate = false
	if got := d.written(3, 24*time.Hour); len(got) > 0 {
		t.Errorf("nobody asked for %v", got)
	}
}

func TestTheDayIsKeptOnlyWhenItsFiguresArePut(t *testing.T) {
	d := newDaily(t)
	d.figures.down = true
	if got := d.written(3, time.Minute); len(got) > 0 {
		t.Fatalf("figures %v", got)
	}
	d.figures.down = false
	if got := d.written(3, time.Minute); len(got) != 1 {
		t.Errorf("after CloudWatch came back the day has the figures %v, want one", got)
	}
	d.request.Changes = []observation.Change{{LoadBalancer: "a1b2c3"}}
	if got := d.written(2, 24*time.Hour); len(got) > 0 {
		t.Errorf("a round that an event narrowed counted certificates: %v", got)
	}
	d.now = d.now.Add(-24 * time.Hour) // the day of the last of them
	d.request.Changes = nil
	if got := d.written(2, time.Minute); len(got) != 1 {
		t.Errorf("after a narrowed round the day has the figures %v, want one", got)
	}
}

// The figures of certificates are inspect's: probe puts none, even if it read a load balancer because of a problem, and
// keeps no day for them. It has a day for the endpoints' own figures.
func TestProbeKeepsADayForItsOwnFiguresOnly(t *testing.T) {
	d := newDaily(t)
	days := func() (n int) {
		loaded, err := d.runner.Publisher.Store.Load(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range loaded.Counters {
			if strings.HasPrefix(r.Key, "- daily:") {
				n++
			}
		}
		return n
	}
	d.request.Depth, d.request.Config.Scope = ListenersOnProblem, target.Scope{Enabled: true, Walk: true}
	if got := d.written(3, time.Minute); len(got) > 0 || d.account.asked == 0 {
		t.Errorf("probe, which asked AWS %d times, put the certificates' figures %v", d.account.asked, got)
	}
	if n := days(); n != 0 {
		t.Errorf("probe keeps %d days, and has no figures of once a day", n)
	}
	d.request.Config.Endpoints[0].PerEndpointMetrics = true
	d.probes["production/api"] = d.fit
	d.written(3, time.Minute)
	if n := days(); n != 1 {
		t.Errorf("with the endpoints' own figures probe keeps %d days, want one", n)
	}
	d.request.Config.Endpoints[0].PerEndpointMetrics = false
	d.runner.Publisher.Store, d.request.Depth = NewMemory(), Listeners
	if got := d.written(3, time.Minute); len(got) == 0 || days() != 1 {
		t.Errorf("inspect put the figures %v and keeps %d days", got, days())
	}
}

func TestADeadTableCountsInTheFirstHour(t *testing.T) {
	d := newDaily(t)
	d.runner.Publisher.Store = brokenStore{}
	if got := d.written(15, 5*time.Minute); len(got) > 0 {
		t.Errorf("half past ten at night has the figures %v", got)
	}
	d.now = time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)
	if got := d.written(24, 5*time.Minute); len(got) != 12 {
		t.Errorf("the first two hours of the day have %d figures, want those of the first", len(got))
	}
}

// An endpoint gets series of its own while it fails, where the configuration asks for that.
func TestSeriesWhileItFails(t *testing.T) {
	f := newFixture(t)
	series := func() (n int) {
		f.figures.data = nil
		f.run(t)
		for _, d := range f.figures.data {
			if d.Name == metric.EndpointUp {
				n++
			}
		}
		return n
	}
	if n := series(); n != 0 {
		t.Errorf("%d series that nobody asked for", n)
	}
	f.request.Config.MetricsWhileFailing = true
	if n := series(); n != 1 {
		t.Errorf("%d series of the endpoint that fails", n)
	}
	f.probes["production/api"] = f.fit
	if n := series(); n != 0 {
		t.Errorf("%d series of an endpoint that is well", n)
	}
}
