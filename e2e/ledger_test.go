package e2e

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

const namespace = "Certdrift"

// ledger reads metrics back from CloudWatch.
type ledger struct{ api *cloudwatch.Client }

func newLedger(cfg aws.Config) *ledger { return &ledger{cloudwatch.NewFromConfig(cfg)} }

func dimensions(pairs []string) []types.Dimension {
	var all []types.Dimension
	for _, p := range pairs {
		name, value, _ := strings.Cut(p, "=")
		all = append(all, types.Dimension{Name: &name, Value: &value})
	}
	return all
}

// latest is the newest value of a series: the maximum of its last second with data.
func (l *ledger) latest(t *testing.T, metric string, dims ...string) float64 {
	t.Helper()
	now := time.Now()
	got, err := l.api.GetMetricStatistics(t.Context(), &cloudwatch.GetMetricStatisticsInput{
		Namespace: aws.String(namespace), MetricName: &metric, Dimensions: dimensions(dims), Period: aws.Int32(1),
		StartTime: aws.Time(now.Add(-time.Hour)), EndTime: aws.Time(now.Add(time.Minute)), Statistics: []types.Statistic{types.StatisticMaximum},
	})
	check(t, err)
	if len(got.Datapoints) == 0 {
		t.Errorf("no data for %s%v", metric, dims)
		return -1
	}
	newest := slices.MaxFunc(got.Datapoints, func(a, b types.Datapoint) int { return a.Timestamp.Compare(*b.Timestamp) })
	return aws.ToFloat64(newest.Maximum)
}

func (l *ledger) alarms(t *testing.T) []types.MetricAlarm {
	t.Helper()
	got, err := l.api.DescribeAlarms(t.Context(), &cloudwatch.DescribeAlarmsInput{})
	check(t, err)
	return got.MetricAlarms
}

// holdAlarms fails if an alarm names a certdrift series that nothing writes, or does not name the runbook's section and a command.
func (l *ledger) holdAlarms(t *testing.T) {
	t.Helper()
	got, err := l.api.ListMetrics(t.Context(), &cloudwatch.ListMetricsInput{Namespace: aws.String(namespace)})
	check(t, err)
	written := map[string]bool{}
	for _, m := range got.Metrics {
		written[series(aws.ToString(m.MetricName), m.Dimensions)] = true
	}
	for _, a := range l.alarms(t) {
		if text := aws.ToString(a.AlarmDescription); !strings.Contains(text, "docs/runbook.md: ") || !strings.Contains(text, " - run: ") {
			t.Errorf("alarm %s does not name the runbook's section and a command: %q", aws.ToString(a.AlarmName), aws.ToString(a.AlarmDescription))
		}
		if s := series(aws.ToString(a.MetricName), a.Dimensions); aws.ToString(a.Namespace) == namespace && !written[s] {
			t.Errorf("alarm %s watches %s, which nobody writes; written are %v", aws.ToString(a.AlarmName), s, written)
		}
	}
}

// holdDashboard fails unless the deployed dashboard shows every alarm, by ARN.
func (l *ledger) holdDashboard(t *testing.T, name string) {
	t.Helper()
	got, err := l.api.GetDashboard(t.Context(), &cloudwatch.GetDashboardInput{DashboardName: &name})
	check(t, err)
	var body struct {
		Widgets []struct {
			Type       string
			Properties struct{ Alarms []string }
		}
	}
	check(t, json.Unmarshal([]byte(aws.ToString(got.DashboardBody)), &body))
	var shown, there []string
	for _, w := range body.Widgets {
		if w.Type == "alarm" {
			shown = append(shown, w.Properties.Alarms...)
		}
	}
	all, err := l.api.DescribeAlarms(t.Context(), &cloudwatch.DescribeAlarmsInput{})
	check(t, err)
	for _, a := range all.MetricAlarms {
		there = append(there, aws.ToString(a.AlarmArn))
	}
	for _, a := range all.CompositeAlarms {
		there = append(there, aws.ToString(a.AlarmArn))
	}
	slices.Sort(shown)
	slices.Sort(there)
	if !slices.Equal(shown, there) {
		t.Errorf("the dashboard shows\n%v\nand the alarms are\n%v", shown, there)
	}
}

func series(name string, dims []types.Dimension) string {
	var parts []string
	for _, d := range dims {
		parts = append(parts, aws.ToString(d.Name)+"="+aws.ToString(d.Value))
	}
	slices.Sort(parts)
	return name + "{" + strings.Join(parts, ",") + "}"
}
