package judge

import (
	"testing"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
)

func TestObserveThrottled(t *testing.T) {
	s := newScene(t)
	s.Round.ObserveErrors = []observation.ObserveError{
		{Kind: observation.Throttled, Operation: "elasticloadbalancing:DescribeListeners", Region: region},
		{Kind: observation.Throttled, Operation: "elasticloadbalancing:DescribeListeners", Region: region},
		{Kind: observation.Throttled, Operation: "elasticloadbalancing:DescribeListeners", Region: "eu-west-1"},
	}
	s.only(finding.ObserveThrottled, finding.ObserveThrottled)
	if c := s.judge(); c.Complete || finding.Worst(c.Findings) != finding.Warning {
		t.Errorf("complete %v, worst %v", c.Complete, finding.Worst(c.Findings))
	}
}
