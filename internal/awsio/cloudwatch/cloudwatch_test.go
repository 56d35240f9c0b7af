package cloudwatch_test

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"certdrift/internal/awsio/cloudwatch"
	"certdrift/internal/metric"
	"certdrift/internal/sim/account"
)

func now() time.Time { return time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC) }

func many(n int, make func(i int) metric.Datum) []metric.Datum {
	var out []metric.Datum
	for i := range n {
		d := make(i)
		d.Unit, d.At = metric.Count, now()
		out = append(out, d)
	}
	return out
}

func rising(n int) (values []float64) {
	for i := range n {
		values = append(values, float64(i))
	}
	return values
}

// The simulated account holds AWS's limits, so that what arrives there is what CloudWatch takes.
func TestEverythingArrives(t *testing.T) {
	long := strings.Repeat("d", 1000)
	tests := []struct {
		name   string
		data   []metric.Datum
		values int // that must arrive
	}{
		{"nothing", nil, 0},
		{"one figure", many(1, func(int) metric.Datum { return metric.Datum{Name: "Up", Value: 3} }), 1},
		{"more than a call takes", many(2500, func(i int) metric.Datum { return metric.Datum{Name: fmt.Sprintf("M%d", i), Value: 1} }), 2500},
		{"more bytes than a call takes", many(900, func(i int) metric.Datum {
			return metric.Datum{Name: "Up", Value: 1, Dimensions: []metric.Dimension{{Name: "Environment", Value: long}, {Name: "Endpoint", Value: fmt.Sprint(i)}}}
		}), 900},
		{"a distribution", many(1, func(int) metric.Datum {
			return metric.Datum{Name: "Duration", Values: []float64{1, 2}, Counts: []float64{5, 6}}
		}), 2},
		{"more values than a datum takes", many(3, func(int) metric.Datum {
			return metric.Datum{Name: "Duration", Values: rising(400), Counts: rising(400)}
		}), 1200},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			a := account.New(account.Options{Now: now})
			if err := cloudwatch.New(a.CloudWatch(), "").Put(t.Context(), test.data); err != nil {
				t.Fatal(err)
			}
			values := 0
			for _, d := range a.Data() {
				if d.Namespace != "Certdrift" || !d.Timestamp.Equal(now()) {
					t.Fatalf("%+v", d)
				}
				values += max(1, len(d.Values))
			}
			if values != test.values {
				t.Errorf("%d values arrived, not %d", values, test.values)
			}
		})
	}
}

func TestABadFigureDoesNotStopTheOthers(t *testing.T) {
	a := account.New(account.Options{Now: now})
	err := cloudwatch.New(a.CloudWatch(), "Mine").Put(t.Context(), []metric.Datum{
		{Name: "NotANumber", Value: math.NaN()},
		{Name: "Endless", Values: []float64{1, math.Inf(1)}, Counts: []float64{1, 1}},
		{Name: "Uneven", Values: []float64{1, 2}, Counts: []float64{1}},
		{Name: "Nameless", Value: 1, Dimensions: []metric.Dimension{{Name: "Environment"}}},
		{Name: "Good", Value: 1},
	})
	for _, name := range []string{"NotANumber", "Endless", "Uneven", "Nameless"} {
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("the error does not name %s: %v", name, err)
		}
	}
	if got := a.Data(); len(got) != 1 || *got[0].MetricName != "Good" || got[0].Namespace != "Mine" {
		t.Errorf("arrived: %+v", got)
	}
}

func TestAFailedCallDoesNotStopTheNext(t *testing.T) {
	a := account.New(account.Options{Now: now})
	a.Throttle("cloudwatch:PutMetricData", 1)
	err := cloudwatch.New(a.CloudWatch(), "").Put(t.Context(), many(1500, func(i int) metric.Datum { return metric.Datum{Name: fmt.Sprintf("M%d", i)} }))
	if err == nil || !strings.Contains(err.Error(), "Rate exceeded") {
		t.Errorf("error %v", err)
	}
	if got := len(a.Data()); got != 500 {
		t.Errorf("%d arrived", got)
	}
}
