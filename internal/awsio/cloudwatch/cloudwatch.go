// Package cloudwatch puts metric data to CloudWatch, within the limits of PutMetricData: 1,000 data and 1 MB a call,
// 150 values a datum, numbers only.
package cloudwatch

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"certdrift/internal/awsio/awserr"
	"certdrift/internal/metric"
)

const (
	maxData = 1000
	// maxBytes stays well below 1 MB: the size is estimated, and counted before compression.
	maxBytes      = 800_000
	maxDimensions = 30
)

// metricsAPI is what is asked of CloudWatch.
type metricsAPI interface {
	PutMetricData(context.Context, *cloudwatch.PutMetricDataInput, ...func(*cloudwatch.Options)) (*cloudwatch.PutMetricDataOutput, error)
}

// Gauge puts data into one namespace.
type Gauge struct {
	client    metricsAPI
	namespace string
}

// New makes a Gauge. An empty namespace is metric.Namespace.
func New(client metricsAPI, namespace string) *Gauge {
	if namespace == "" {
		namespace = metric.Namespace
	}
	return &Gauge{client: client, namespace: namespace}
}

// Put puts data in as few calls as the limits allow. A call that fails does not stop the next, and a datum that
// CloudWatch would refuse (NaN, no name) is left out, since it would take its whole batch with it; the error names
// both.
func (g *Gauge) Put(ctx context.Context, data []metric.Datum) error {
	var errs []error
	var good []types.MetricDatum
	for _, d := range data {
		made, err := convert(d)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		good = append(good, made...)
	}
	for _, batch := range batches(good) {
		_, err := g.client.PutMetricData(ctx, &cloudwatch.PutMetricDataInput{Namespace: aws.String(g.namespace), MetricData: batch})
		if err != nil {
			errs = append(errs, &awserr.Error{Doing: fmt.Sprintf("writing %d data points to the namespace %q", len(batch), g.namespace), Err: err})
		}
	}
	return errors.Join(errs...)
}

// convert makes the SDK's data of one: several, where it has more values than CloudWatch takes in one.
func convert(d metric.Datum) ([]types.MetricDatum, error) {
	if err := check(d); err != nil {
		return nil, fmt.Errorf("skipping the metric %q: %w", d.Name, err)
	}
	made := types.MetricDatum{MetricName: aws.String(d.Name), Unit: types.StandardUnit(d.Unit)}
	if !d.At.IsZero() {
		made.Timestamp = aws.Time(d.At)
	}
	for _, dim := range d.Dimensions {
		made.Dimensions = append(made.Dimensions, types.Dimension{Name: aws.String(dim.Name), Value: aws.String(dim.Value)})
	}
	if len(d.Values) == 0 {
		made.Value = aws.Float64(d.Value)
		return []types.MetricDatum{made}, nil
	}
	var out []types.MetricDatum
	for at := 0; at < len(d.Values); at += metric.MaxValues {
		part, end := made, min(at+metric.MaxValues, len(d.Values))
		part.Values = slices.Clone(d.Values[at:end])
		if len(d.Counts) > 0 {
			part.Counts = slices.Clone(d.Counts[at:end])
		}
		out = append(out, part)
	}
	return out, nil
}

// check finds what CloudWatch would refuse.
func check(d metric.Datum) error {
	switch {
	case d.Name == "" || len(d.Name) > 255:
		return errors.New("its name must have 1 to 255 characters")
	case len(d.Dimensions) > maxDimensions:
		return fmt.Errorf("%d dimensions are more than %d", len(d.Dimensions), maxDimensions)
	case len(d.Counts) > 0 && len(d.Counts) != len(d.Values):
		return fmt.Errorf("%d counts for %d values", len(d.Counts), len(d.Values))
	case d.Values != nil && len(d.Values) == 0:
		return errors.New("it is a distribution without values")
	}
	for _, dim := range d.Dimensions {
		if dim.Name == "" || dim.Value == "" {
			return fmt.Errorf("its dimension %q has no name or no value", dim.Name)
		}
	}
	for _, v := range append(slices.Concat(d.Values, d.Counts), d.Value) {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Errorf("%v is not a number that CloudWatch accepts", v)
		}
	}
	return nil
}

// batches parts data into calls.
func batches(data []types.MetricDatum) [][]types.MetricDatum {
	var out [][]types.MetricDatum
	from, size := 0, 0
	for i, d := range data {
		bytes := estimate(d)
		if i > from && (i-from == maxData || size+bytes > maxBytes) {
			out = append(out, data[from:i])
			from, size = i, 0
		}
		size += bytes
	}
	if from < len(data) {
		out = append(out, data[from:])
	}
	return out
}

// estimate is an upper bound of a datum's bytes on the wire (CBOR: nine a number, keys and strings by length).
func estimate(d types.MetricDatum) int {
	size := 100 + len(aws.ToString(d.MetricName)) + len(d.Unit) + 9*(len(d.Values)+len(d.Counts))
	for _, dim := range d.Dimensions {
		size += 20 + len(aws.ToString(dim.Name)) + len(aws.ToString(dim.Value))
	}
	return size
}
