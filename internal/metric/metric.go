// Package metric turns a round into CloudWatch metric data. It is pure. There is a fixed handful of series per
// environment, however many endpoints there are, since each series costs money; an endpoint gets series of its own only
// where the configuration asks.
package metric

import "time"

// Namespace is where all of it is published.
const Namespace = "Certdrift"

// Unit is CloudWatch's word (StandardUnit).
type Unit string

// The units in use.
const (
	Count        Unit = "Count"
	Percent      Unit = "Percent"
	Milliseconds Unit = "Milliseconds"
	NoUnit       Unit = "None"
)

// Dimension is a name and a value. Values are never empty: CloudWatch refuses that.
type Dimension struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Datum is one figure, or a distribution where Values is not nil. No value is ever NaN or infinite.
type Datum struct {
	Name       string      `json:"name"`
	Unit       Unit        `json:"unit"`
	Dimensions []Dimension `json:"dimensions,omitempty"`
	Value      float64     `json:"value"`
	// Values are distinct and rising, at most MaxValues; Counts says how often each occurred. Value is unused then.
	Values []float64 `json:"values,omitempty"`
	Counts []float64 `json:"counts,omitempty"`
	At     time.Time `json:"at"`
}

// MaxValues is how many distinct values a datum may carry (PutMetricData's limit).
const MaxValues = 150
