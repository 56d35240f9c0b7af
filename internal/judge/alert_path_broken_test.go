package judge

import (
	"strings"
	"testing"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
)

func TestAlertPathBroken(t *testing.T) {
	const topic = "arn:aws:sns:us-west-2:111122223333:certdrift-alerts"
	s := newScene(t)
	s.https("api", host, ok("10.0.0.1", s.leaf(host)))
	s.none(finding.AlertPathBroken)

	fine := observation.Subscription{ARN: topic + ":1", Protocol: "email", Endpoint: "ops@example.org"}
	path := &observation.AlertPath{Environments: []string{"production"}, Topics: []observation.Topic{{ARN: topic, Read: true, Subscriptions: []observation.Subscription{fine}}}}
	s.round.AlertPath = path
	s.only()
	if !s.judge().Complete {
		t.Error("a whole alert path makes the round incomplete")
	}

	path.Topics[0].Subscriptions = append(path.Topics[0].Subscriptions, observation.Subscription{Protocol: "email", Endpoint: "new@example.org", Pending: true})
	f := s.one(finding.AlertPathBroken, finding.Warning)
	if f.Cause != "alerts:"+topic || f.Evidence["state"] != "unconfirmed" || !strings.Contains(f.Summary, "email new@example.org") || !strings.Contains(f.Remedy, "Confirm it") {
		t.Errorf("%+v", f)
	}

	path.Topics[0].Subscriptions = []observation.Subscription{{ARN: topic + ":2", Protocol: "sqs", Endpoint: "queue", FilterPolicy: `{"environment":["staging","none"]}`}, fine}
	path.Topics[0].Subscriptions[1].FilterPolicy = `{"environment":["none"]}`
	if f := s.one(finding.AlertPathBroken, finding.Critical); f.Environment != "production" || !strings.Contains(f.Remedy, "aws sns subscribe --topic-arn "+topic) {
		t.Errorf("%+v", f)
	}

	path.Topics[0] = observation.Topic{ARN: topic, Refused: "KMSDisabledException: the key is disabled"}
	if f := s.one(finding.AlertPathBroken, finding.Critical); f.AllEvidence()["refused"] != true || !strings.Contains(f.Summary, "KMSDisabledException") || f.Environment != "" {
		t.Errorf("%+v", f)
	}
	path.Topics[0] = observation.Topic{ARN: topic, Missing: true}
	if f := s.one(finding.AlertPathBroken, finding.Critical); f.AllEvidence()["refused"] != nil || !strings.Contains(f.Summary, "does not exist") {
		t.Errorf("%+v", f)
	}
	path.Topics[0] = observation.Topic{ARN: topic}
	s.none(finding.AlertPathBroken) // it could not be read: that is an observe error, and proves nothing
}
