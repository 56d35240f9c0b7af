package e2e

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The procedure from the post-mortem: plan rejects the manifests, verify fails after staging, the command in each alert undoes the
// change, and verify passes again.
func TestTheGates(t *testing.T) {
	enabled(t)
	t.Parallel()
	f := startFront(t, startMoto(t))
	cfg := asTester(f.url)
	w := makeWorld(t, cfg)
	w.theFour(t)
	s := deploy(t, f, w)
	in := subscribe(t, cfg, s.Outputs["TopicArn"], "subscriber")
	c := openTerminal(t, w, f.url)

	t.Run("plan", func(t *testing.T) { plan(t, c, w) })
	t.Run("before", func(t *testing.T) { gate(t, c, s, "pass") })
	var alerts []message
	t.Run("apply", func(t *testing.T) { alerts = apply(t, s, w, in) })
	t.Run("between", func(t *testing.T) { gate(t, c, s, "fail") })
	t.Run("undo", func(t *testing.T) { undo(t, c, s, w, in, alerts) })
	if t.Failed() {
		for _, record := range remembered(t, cfg, s.Outputs["TableName"]) {
			t.Logf("remembered: %s", record)
		}
	}
	t.Run("after", func(t *testing.T) { gate(t, c, s, "pass") })
	for _, refused := range f.guard.refusals() {
		t.Errorf("a function makes a call that its role does not allow: %s", refused)
	}
}

// manifests copies the incident's manifests, adapted to this world.
func manifests(t *testing.T, w *world) (dir string) {
	t.Helper()
	dir = t.TempDir()
	from := filepath.Join(root, "internal", "manifest", "testdata", "incident")
	files := 0
	check(t, filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		files++
		text, err := os.ReadFile(path)
		check(t, err)
		to := filepath.Join(dir, strings.TrimPrefix(path, from))
		check(t, os.MkdirAll(filepath.Dir(to), 0o700))
		return os.WriteFile(to, []byte(w.here().Replace(string(text))), 0o600)
	}))
	if files != 8 {
		t.Fatalf("%d manifests, want 4 right and 4 stale", files)
	}
	return dir
}

// plan rejects what would break each of the four endpoints, and nothing else.
func plan(t *testing.T, c *terminal, w *world) {
	k8s := manifests(t, w)
	said, status := c.certdrift(t, "plan", "-c", "certdrift.yaml", "-f", filepath.Join(k8s, "stale"))
	if status != 1 {
		t.Errorf("plan of the stale manifests ends with %d, want 1:\n%s", status, said)
	}
	for _, e := range w.balanced {
		for _, want := range []string{e.host, e.balancer, filepath.Join("stale", e.environment, e.name+"-service.yaml")} {
			if !strings.Contains(said, want) {
				t.Errorf("plan of the stale manifests does not say %q:\n%s", want, said)
			}
		}
	}
	if said, status = c.certdrift(t, "plan", "-c", "certdrift.yaml", "-f", filepath.Join(k8s, "right")); status != 0 {
		t.Errorf("plan of the right manifests ends with %d, want 0:\n%s", status, said)
	}
}

// apply attaches the stale certificates to all four again, as the cluster did, and expects one alert each.
func apply(t *testing.T, s *stack, w *world, in *inbox) []message {
	for _, e := range w.balanced {
		w.attach(t, e.balancer, w.stale[e.environment])
	}
	for _, e := range w.balanced {
		s.send(t, sample(t, "classic-set-certificate-kubernetes-"+e.environment+"-"+e.name+".json", w))
	}
	all := append(in.take(t), settle(t, s, in, 2)...) // what the rounds would add
	drifted := about(all, "severity=critical", "code=drift-attached", "event=opened")
	if len(drifted) != 4 {
		t.Errorf("%d drift alerts, want one for each load balancer", len(drifted))
	}
	for _, e := range w.balanced {
		mine := slices.DeleteFunc(slices.Clone(all), func(m message) bool { return !strings.Contains(m.body, e.balancer) })
		if len(mine) != 1 {
			t.Errorf("%d alerts about %s, want one: %v", len(mine), e.balancer, mine)
			continue
		}
		a := readAlert(t, mine[0])
		if want := []string{e.environment + "/" + e.name}; !slices.Equal(a.Affects, want) {
			t.Errorf("the alert about %s says that it hits %q, want %q", e.balancer, a.Affects, want)
		}
		who := a.Findings[0].Evidence.ChangedBy
		if who.Name != "masters.cluster.example.org" || who.Tool != "Kubernetes cloud provider" {
			t.Errorf("the alert about %s names as its author %+v", e.balancer, who)
		}
	}
	for _, m := range all {
		if m.attributes["code"] != "drift-attached" {
			t.Errorf("beside the drift came %v", m)
		}
	}
	return drifted
}

// document has the fields of an alert that the tests read.
type document struct {
	Affects  []string
	Findings []struct {
		Evidence struct {
			Undo      string
			ChangedBy struct{ Name, Tool string } `json:"changed_by"`
		}
	}
}

func readAlert(t *testing.T, m message) document {
	t.Helper()
	var d document
	check(t, json.Unmarshal([]byte(m.body), &d))
	if len(d.Findings) == 0 {
		t.Fatalf("an alert without a finding: %v", m)
	}
	return d
}

// undo runs the command of each alert unchanged.
func undo(t *testing.T, c *terminal, s *stack, w *world, in *inbox, alerts []message) {
	for _, m := range alerts {
		command := readAlert(t, m).Findings[0].Evidence.Undo
		if !strings.HasPrefix(command, "aws elb set-load-balancer-listener-ssl-certificate ") {
			t.Fatalf("the alert says to undo it by %q", command)
		}
		if said, status := c.shell(t, command); status != 0 {
			t.Errorf("%s\nends with %d: %s", command, status, said)
		}
	}
	for _, e := range w.balanced {
		if now, err := w.attached(t.Context(), e.balancer); err != nil || now != w.right[e.environment] {
			t.Errorf("%s holds %s after the command of its alert, want %s: %v", e.balancer, now, w.right[e.environment], err)
		}
	}
	// Staging's certificate has also expired. The probe's rounds see the fix first; inspect's rounds follow.
	messages := settle(t, s, in, 5)
	if recovered := about(messages, "event=recovered", "code=drift-attached"); len(recovered) != len(messages) {
		t.Errorf("%d messages, want recoveries alone, of which those of one round and author are combined: %v", len(messages), messages)
	}
	for _, e := range w.balanced {
		if n := len(slices.DeleteFunc(slices.Clone(messages), func(m message) bool { return !strings.Contains(m.body, e.balancer) })); n != 1 {
			t.Errorf("%d messages about %s, want its recovery", n, e.balancer)
		}
	}
}

// gate gets a verdict on staging from the command line, from the function invoked by a pipeline, and from the function invoked by
// CodeDeploy.
func gate(t *testing.T, c *terminal, s *stack, verdict string) {
	status, hook := map[string]int{"pass": 0, "fail": 1}[verdict], map[string]string{"pass": "Succeeded", "fail": "Failed"}[verdict]
	said, got := c.certdrift(t, "verify", "-c", "certdrift.yaml", "--environment", "staging", "--wait", "0", "--interval", "1s")
	if got != status {
		t.Errorf("verify ends with %d, want %d:\n%s", got, status, said)
	}
	if strings.Contains(said, "production") {
		t.Errorf("verify of staging mentions production:\n%s", said)
	}
	if v := ask(t, s, `{"environment": "staging", "wait": "0s", "interval": "1s"}`); v.Verdict != verdict || v.Endpoints != 2 {
		t.Errorf("the function answers %+v, want %s of 2 endpoints", v, verdict)
	}
	// CodeDeploy sends only the two IDs, and verify then waits five minutes, which the test does not.
	execution := "hook-" + t.Name()
	v := ask(t, s, `{"DeploymentId": "d-ABCDEF123", "LifecycleEventHookExecutionId": "`+execution+`", "wait": "0s", "interval": "1s"}`)
	if reported := s.front.hooks.status(execution); v.Verdict != verdict || reported != hook {
		t.Errorf("the hook returns %+v and reports %q to CodeDeploy, want %s and %q", v, reported, verdict, hook)
	}
}

type verification struct {
	Verdict, Reason      string
	Endpoints, Listeners int
	Counts               map[string]int
}

func ask(t *testing.T, s *stack, input string) verification {
	t.Helper()
	body, err := s.verify.invoke([]byte(input))
	check(t, err)
	var v verification
	check(t, json.Unmarshal(body, &v))
	return v
}
