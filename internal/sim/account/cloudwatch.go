package account

import (
	"context"
	"encoding/json"
	"math"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// CloudWatch is the metrics' API.
type CloudWatch struct{ account *Account }

// CloudWatch gives the client.
func (a *Account) CloudWatch() *CloudWatch { return &CloudWatch{a} }

// Datum is what was put.
type Datum struct {
	Namespace string
	types.MetricDatum
}

// Data are all data put so far, oldest first.
func (w *world) Data() []Datum {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.data)
}

// PutMetricData keeps data, within AWS's limits: 1,000 data and 1 MB a call, 150 values and 30 dimensions a datum,
// numbers only, from two weeks back to two hours ahead.
func (c *CloudWatch) PutMetricData(ctx context.Context, in *cloudwatch.PutMetricDataInput, _ ...func(*cloudwatch.Options)) (*cloudwatch.PutMetricDataOutput, error) {
	w := c.account.world
	if err := w.enter(ctx, "cloudwatch:PutMetricData", len(in.MetricData)); err != nil {
		return nil, err
	}
	if why := w.refusal(in); why != "" {
		return nil, apiError(http.StatusBadRequest, "InvalidParameterValue", why)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, d := range in.MetricData {
		w.data = append(w.data, Datum{Namespace: aws.ToString(in.Namespace), MetricDatum: d})
	}
	return &cloudwatch.PutMetricDataOutput{}, nil
}

func (w *world) refusal(in *cloudwatch.PutMetricDataInput) string {
	namespace := aws.ToString(in.Namespace)
	if namespace == "" || strings.HasPrefix(namespace, "AWS/") {
		return "The value for parameter Namespace is invalid."
	}
	if len(in.MetricData) == 0 || len(in.MetricData) > 1000 {
		return "The collection MetricData must have from 1 to 1000 members."
	}
	for _, d := range in.MetricData {
		if why := refusedDatum(d, w.options.Now()); why != "" {
			return why
		}
	}
	if body, err := json.Marshal(in); err != nil || len(body) > 1<<20 {
		return "The request is larger than 1 MB."
	}
	return ""
}

func refusedDatum(d types.MetricDatum, now time.Time) string {
	if name := aws.ToString(d.MetricName); name == "" || len(name) > 255 {
		return "The parameter MetricName must have from 1 to 255 characters."
	}
	if len(d.Dimensions) > 30 {
		return "The collection Dimensions must not have more than 30 members."
	}
	for _, dim := range d.Dimensions {
		if aws.ToString(dim.Name) == "" || aws.ToString(dim.Value) == "" || len(*dim.Value) > 1024 {
			return "A dimension must have a name and a value."
		}
	}
	numbers := slices.Concat(d.Values, d.Counts)
	if d.Value != nil {
		numbers = append(numbers, *d.Value)
	}
	switch {
	case d.Value != nil && len(d.Values) > 0, d.Value == nil && len(d.Values) == 0:
		return "A datum must have either Value or Values."
	case len(d.Values) > 150:
		return "The collection Values must not have more than 150 members."
	case len(d.Counts) > 0 && len(d.Counts) != len(d.Values):
		return "The collections Values and Counts must have the same size."
	case slices.ContainsFunc(numbers, func(v float64) bool { return math.IsNaN(v) || math.IsInf(v, 0) }):
		return "The value of a datum must be a number."
	case d.Timestamp != nil && (now.Sub(*d.Timestamp) > 14*24*time.Hour || d.Timestamp.Sub(now) > 2*time.Hour):
		return "The parameter Timestamp must be within two weeks before and two hours after now."
	}
	return ""
}

// STS is what tells who one is.
type STS struct{ account *Account }

// STS gives the client.
func (a *Account) STS() *STS { return &STS{a} }

// GetCallerIdentity gives the account's number and the actor.
func (c *STS) GetCallerIdentity(ctx context.Context, in *sts.GetCallerIdentityInput, _ ...func(*sts.Options)) (*sts.GetCallerIdentityOutput, error) {
	if err := c.account.enter(ctx, "sts:GetCallerIdentity", in); err != nil {
		return nil, err
	}
	element, _ := c.account.identity()
	return &sts.GetCallerIdentityOutput{Account: aws.String(c.account.ID()), Arn: aws.String(element["arn"].(string))}, nil
}
