// Package metric turns a round into CloudWatch metric data. It is pure. Each environment has a small fixed number of metrics,
// however many endpoints there are, since each metric costs money; endpoints have separate metrics only if configured.
package metric

import "time"

// Namespace is the namespace of all metrics.
const Namespace = "Certdrift"

// Unit is a CloudWatch StandardUnit.
type Unit string

// The units in use.
const (
	Count        Unit = "Count"
	Percent      Unit = "Percent"
	Milliseconds Unit = "Milliseconds"
	NoUnit       Unit = "None"
)

// Dimension is a name and a value. Values are never empty: CloudWatch rejects those.
type Dimension struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Datum is one value, or a distribution if Values is not nil. No value is ever NaN or infinite.
type Datum struct {
	Name       string      `json:"name"`
	Unit       Unit        `json:"unit"`
	Dimensions []Dimension `json:"dimensions,omitempty"`
	Value      float64     `json:"value"`
	// Values are distinct and ascending, at most MaxValues; Counts has how often each occurred. Value is unused then.
	Values []float64 `json:"values,omitempty"`
	Counts []float64 `json:"counts,omitempty"`
	At     time.Time `json:"at"`
}

// MaxValues is the maximum number of distinct values of a datum (PutMetricData's limit).
const MaxValues = 150
