package cost_test

import (
	"math"
	"testing"
	"time"

	"certdrift/internal/cost"
)

func plan(endpoints, workers, memory int) cost.Plan {
	return cost.Plan{Endpoints: endpoints, Workers: workers, MemoryMB: memory, ProbeEvery: time.Minute, InspectEvery: 5 * time.Minute}
}

func usd(p cost.Plan, item string) float64 {
	for _, l := range p.Lines() {
		if l.Item == item {
			return l.MonthlyUSD
		}
	}
	return math.NaN()
}

// TestLambdaIsPricedAsAWSDoes: invocations by their number, and by memory and time.
func TestLambdaIsPricedAsAWSDoes(t *testing.T) {
	p := plan(1000, 4, 1024)
	s := p.Seconds()
	want := (43_800*s.Probe + 8_760*s.Inspect + 4*43_800*s.Worker) * 0.0000133334
	if got := usd(p, "Lambda, duration"); math.Abs(got-want) > 0.001 {
		t.Errorf("duration costs %v, want %v", got, want)
	}
	if got, want := usd(p, "Lambda, requests"), (43_800+8_760+4*43_800)*0.20/1e6; math.Abs(got-want) > 1e-6 {
		t.Errorf("requests cost %v, want %v", got, want)
	}
}

// TestTheCostIsLinear: ten times the endpoints on ten times the workers take a worker as long, and no metric and no alarm more.
func TestTheCostIsLinear(t *testing.T) {
	few, many := plan(10_000, 10, 1769), plan(100_000, 100, 1769)
	if a, b := few.Seconds().Worker, many.Seconds().Worker; a != b {
		t.Errorf("a worker takes %v, then %v", a, b)
	}
	for _, item := range []string{"metrics", "PutMetricData", "alarms"} {
		if usd(few, item) != usd(many, item) {
			t.Errorf("%s cost %v, then %v", item, usd(few, item), usd(many, item))
		}
	}
	if ratio := usd(many, "Lambda, duration") / usd(few, "Lambda, duration"); ratio < 6 || ratio > 11 {
		t.Errorf("ten times the endpoints cost %v times as much", ratio)
	}
}

func TestFits(t *testing.T) {
	for name, tt := range map[string]struct {
		plan cost.Plan
		fits bool
	}{
		"a few":                              {plan(10, 0, 256), true},
		"many on little memory":              {plan(20_000, 0, 256), false},
		"the same on workers":                {plan(20_000, 20, 1769), true},
		"judging alone is more than a round": {plan(1_000_000, 500, 1769), false},
		"inspect uses no workers":            {plan(100_000, 100, 1769), false},
	} {
		if got := tt.plan.Fits(); got != tt.fits {
			t.Errorf("%s: %v for %+v", name, got, tt.plan.Seconds())
		}
	}
}

func TestLinesOfEndpointsAreOptional(t *testing.T) {
	p := plan(1000, 0, 256)
	without := usd(p, "logs")
	p.AllLines = true
	if with := usd(p, "logs"); with < 5 || without > 0.1 {
		t.Errorf("logs cost %v, and %v with a line for each endpoint", without, with)
	}
}

func TestOthers(t *testing.T) {
	others := plan(100, 0, 256).Others()
	if len(others) != 2 || math.Abs(others[0].MonthlyUSD-100*43_800*0.0012) > 0.01 || others[1].MonthlyUSD != 150 {
		t.Errorf("%+v", others)
	}
}
