package e2e

import (
	"encoding/json"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/iam"
)

// stack is a deployed certdrift.
type stack struct {
	Status    string              `json:"status"`
	Outputs   map[string]string   `json:"outputs"`
	Functions map[string]deployed `json:"functions"`

	front                  *front
	bus                    *bus
	probe, inspect, verify *function
}

// deploy packages the functions with the make targets that SAM calls, deploys the template, and starts the functions' binaries
// with the settings of the stack.
func deploy(t *testing.T, f *front, w *world, parameters ...string) *stack {
	t.Helper()
	packages, config := t.TempDir(), w.write(t)
	_, err := run(t.Context(), nil, "make", "zip", "PACKAGES="+packages, "LAMBDA_GOARCH="+runtime.GOARCH, "ZIP_LIMIT=20000000", // the limit is for arm64
		"CONFIG="+filepath.Join(config, "certdrift.yaml"))
	check(t, err)
	script, err := filepath.Abs("deploy.py")
	check(t, err)
	args := append([]string{script, f.url, "template.yaml", packages, t.TempDir(), "AlertEmail=ops@example.org", "AlertSms=+491713920010"}, parameters...)
	out, err := run(t.Context(), []string{"AWS_REGION=" + region, "AWS_DEFAULT_REGION=" + region, "PYTHONDONTWRITEBYTECODE=1"}, python(t), args...)
	check(t, err)
	s := &stack{front: f}
	check(t, json.Unmarshal(out, s))
	cfg := asTester(f.url)
	s.bus, err = readBus(t.Context(), eventbridge.NewFromConfig(cfg))
	check(t, err)
	s.probe = s.start(t, cfg, s.Outputs["ProbeFunctionName"], filepath.Join(packages, "ProbeFunction"))
	s.inspect = s.start(t, cfg, s.Outputs["InspectFunctionName"], filepath.Join(packages, "InspectFunction"))
	s.verify = s.start(t, cfg, s.Outputs["VerifyFunctionName"], filepath.Join(packages, "VerifyFunction"))
	return s
}

func (s *stack) start(t *testing.T, cfg aws.Config, name, dir string) *function {
	t.Helper()
	d, ok := s.Functions[name]
	if !ok {
		t.Fatalf("the stack has no function %q", name)
	}
	check(t, s.front.guard.load(t.Context(), iam.NewFromConfig(cfg), name, d.Role))
	return startFunction(t, name, d, dir, s.front.url)
}

// send delivers an event to the functions that match by the deployed rules, and returns their responses.
func (s *stack) send(t *testing.T, event []byte) map[string]summary {
	t.Helper()
	var e struct{ Detail json.RawMessage }
	check(t, json.Unmarshal(event, &e))
	s.front.trail.record(e.Detail)
	targets, err := s.bus.route(event)
	check(t, err)
	answers := map[string]summary{}
	for _, arn := range targets {
		if strings.HasSuffix(arn, ":certdrift-changes") { // inspect reads this queue
			answers[s.inspect.name] = s.inspect.mustInvoke(t, fromQueue(t, event))
		}
		for _, f := range []*function{s.probe, s.inspect} {
			if f.arn == arn {
				answers[f.name] = f.mustInvoke(t, event)
			}
		}
	}
	return answers
}

// fromQueue is an event as Lambda passes it from a queue.
func fromQueue(t *testing.T, event []byte) []byte {
	t.Helper()
	batch, err := json.Marshal(map[string]any{"Records": []any{map[string]any{"messageId": "1", "eventSource": "aws:sqs", "body": string(event)}}})
	check(t, err)
	return batch
}

// round triggers both schedules once.
func (s *stack) round(t *testing.T) (probe, inspect summary) {
	t.Helper()
	p := s.send(t, s.bus.tick(t, "probe-schedule"))[s.probe.name]
	i := s.send(t, s.bus.tick(t, "inspect-schedule"))[s.inspect.name]
	return p, i
}
