package e2e

import (
	"encoding/json"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// TestTheDashboardsWidget calls the widget's binary as a dashboard does, with the environment and role from the stack: a healthy
// account, a stale certificate attached, and what the role must not allow.
func TestTheDashboardsWidget(t *testing.T) {
	enabled(t)
	t.Parallel()
	f := startFront(t, startMoto(t))
	cfg := asTester(f.url)
	w := makeWorld(t, cfg)
	w.theFour(t)
	s := deploy(t, f, w)
	dir, config := t.TempDir(), w.write(t)
	_, err := run(t.Context(), nil, "make", "build-WidgetFunction", "ARTIFACTS_DIR="+dir, "LAMBDA_GOARCH="+runtime.GOARCH,
		"CONFIG="+filepath.Join(config, "certdrift.yaml"))
	check(t, err)
	name := strings.TrimSuffix(s.Outputs["ProbeFunctionName"], "probe") + "widget"
	widget := s.start(t, cfg, name, dir)

	call := func(event string) (answer string) {
		t.Helper()
		body, err := widget.invoke([]byte(event))
		check(t, err)
		if err := json.Unmarshal(body, &answer); err != nil {
			t.Fatalf("the widget answered %q: %v", body, err)
		}
		return answer
	}
	if answer := call(`{"describe": true}`); !strings.Contains(answer, "| `environment` |") {
		t.Errorf("asked what it is, the widget says %q", answer)
	}
	if s.front.guard.made(name, "elasticloadbalancing:DescribeLoadBalancers") {
		t.Error("asked what it is, the widget ran a round")
	}
	answer := call(`{"sort": "endpoint", "widgetContext": {"theme": "dark", "params": {}}}`)
	for _, want := range []string{">production<", ">ui</a>", "acm " + region + " certificate/", `"ok"`, "<cwdb-action", "5 endpoints"} {
		if !strings.Contains(answer, want) {
			t.Errorf("%s is not in the widget's table: %s", want, answer)
		}
	}
	if strings.Contains(answer, `class="critical">critical`) {
		t.Errorf("a healthy account shows problems: %s", answer)
	}
	if !s.front.guard.made(name, "dynamodb:Scan") {
		t.Error("the widget read no incidents")
	}
	for _, refused := range s.front.guard.refusals() {
		t.Errorf("the widget makes a call that its role does not allow: %s", refused)
	}
	for _, writes := range []string{"sns:Publish", "dynamodb:PutItem", "cloudwatch:PutMetricData", "events:PutEvents"} {
		if s.front.guard.made(name, writes) {
			t.Errorf("the widget calls %s: it is to look, and no more", writes)
		}
	}
}
