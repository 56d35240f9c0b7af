// Package cost estimates what running certdrift costs a month, and what AWS's own monitors would charge for as many endpoints. It is
// pure: a model of a few measured constants and a dated table of prices.
package cost

import (
	"fmt"
	"time"
)

// Plan is what the cost depends on.
type Plan struct {
	Endpoints int
	// Workers is the stack's parameter; 0 for none.
	Workers int
	// MemoryMB is that of each function.
	MemoryMB                 int
	ProbeEvery, InspectEvery time.Duration
	// AllLines: each round logs a line for every endpoint, the healthy ones included.
	AllLines bool
	// MetricsUSD is what the custom metrics cost a month.
	MetricsUSD float64
}

// The model's constants, measured (docs/scale.md): processor time on one x86-64 core at full speed, of warm functions, for https endpoints
// with ECDSA certificates.
const (
	// CheckSeconds is what one endpoint takes of whoever probes it (e2e TestFanOut), JudgeSeconds of the function whose round it is
	// (internal/round BenchmarkFanOut).
	CheckSeconds = 0.0022
	JudgeSeconds = 0.00035
	// RoundSeconds is what a round takes without endpoints: reading the state, writing metrics, waiting for the slowest endpoint.
	RoundSeconds = 1.5
	// vCPU is the memory for which a function gets one processor.
	// https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html
	vCPU = 1769.0
	// ProbeTime is the time that a round of the probe function has for probing: its time-out without what a round keeps for publishing.
	ProbeTime = 47.0
	// InspectTime is the same of inspect, which does not use workers.
	InspectTime = 232.0
	// roundBytes is what a round logs, with Lambda's own lines; lineBytes the line of one endpoint.
	roundBytes = 1500.0
	lineBytes  = 300.0
	// awsTime is what a round of inspect waits for AWS.
	awsTime = 2.0
)

// AlarmMetrics is how many metrics the stack's alarms name, about three of a query among them.
const AlarmMetrics = 34

const month = 730 * time.Hour

// Seconds are how long invocations take.
type Seconds struct {
	Probe   float64 `json:"probe"`
	Worker  float64 `json:"worker,omitempty"`
	Inspect float64 `json:"inspect"`
}

// Seconds estimates how long invocations take.
func (p Plan) Seconds() Seconds {
	share := float64(p.MemoryMB) / vCPU
	if share > 1 {
		share = 1 // probing uses more than one processor only for what runs at the same time, which is not counted on
	}
	n := float64(p.Endpoints)
	alone := RoundSeconds + n*(CheckSeconds+JudgeSeconds)/share
	s := Seconds{Probe: alone, Inspect: alone + awsTime}
	if p.Workers > 0 {
		s.Worker = RoundSeconds + n/float64(p.Workers)*CheckSeconds/share
		s.Probe = s.Worker + n*JudgeSeconds/share
	}
	return s
}

// Fits reports whether rounds end in time, and before the next one begins.
func (p Plan) Fits() bool {
	s := p.Seconds()
	return s.Probe <= min(ProbeTime, p.ProbeEvery.Seconds()) && s.Inspect <= min(InspectTime, p.InspectEvery.Seconds())
}

// Line is one position of the bill.
type Line struct {
	Item       string  `json:"item"`
	Quantity   string  `json:"quantity"`
	MonthlyUSD float64 `json:"monthly_usd"`
}

// Lines returns the bill, largest parts by service in a stable order.
func (p Plan) Lines() []Line {
	s := p.Seconds()
	probes, inspects := float64(month/p.ProbeEvery), float64(month/p.InspectEvery)
	works := probes * float64(min(p.Workers, p.Endpoints))
	gb := float64(p.MemoryMB) / 1024
	seconds := probes*s.Probe + inspects*s.Inspect + works*s.Worker
	requests := probes + inspects + works
	logs := requests * roundBytes
	if p.AllLines {
		logs += (probes + inspects) * float64(p.Endpoints) * lineBytes
	}
	return []Line{
		{"metrics", "see above", p.MetricsUSD},
		{"PutMetricData", fmt.Sprintf("%.0f calls", probes+inspects), (probes + inspects) * putMetricData},
		{"alarms", fmt.Sprintf("%d metrics and one composite", AlarmMetrics), AlarmMetrics*alarmMetric + alarmComposite},
		{"Lambda, duration", fmt.Sprintf("%.0f GB-seconds", seconds*gb), seconds * gb * lambdaGBSecond},
		{"Lambda, requests", fmt.Sprintf("%.0f", requests), requests * lambdaRequest},
		{"logs", fmt.Sprintf("%.2f GB", logs/1e9), logs / 1e9 * logsGB},
		{"traces", fmt.Sprintf("%.0f", requests), requests * trace},
	}
}

// Other is what another monitor charges for as many endpoints.
type Other struct {
	Name       string  `json:"name"`
	MonthlyUSD float64 `json:"monthly_usd"`
	Note       string  `json:"note"`
}

// Others returns what AWS's own monitors charge.
func (p Plan) Others() []Other {
	n := float64(p.Endpoints)
	return []Other{
		{"CloudWatch Synthetics", n * float64(month/p.ProbeEvery) * canaryRun, "a canary for each endpoint, as often as probe runs; without its Lambda, logs and S3"},
		{"Route 53 health checks", n * healthCheck, "HTTPS, for endpoints in AWS, every 30 s; they do not look at certificates"},
	}
}

// Total returns the sum of the lines.
func Total(lines []Line) float64 {
	sum := 0.0
	for _, l := range lines {
		sum += l.MonthlyUSD
	}
	return sum
}
