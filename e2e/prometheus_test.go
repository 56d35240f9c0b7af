package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"certdrift/e2e/debian"
)

// TestPrometheus follows docs/prometheus.md: a round's file, node_exporter's textfile collector, Prometheus with the page's configuration and
// rules. Every query of the Grafana dashboard has a result, and the rule about critical findings names the broken endpoint's.
func TestPrometheus(t *testing.T) {
	enabled(t)
	t.Parallel()
	debian.Install(t, map[string]string{"prometheus": "prometheus", "promtool": "prometheus", "prometheus-node-exporter": "prometheus-node-exporter"})
	for _, name := range []string{"prometheus", "promtool", "prometheus-node-exporter"} {
		if debian.Program(name) == "" {
			t.Skipf("%s is not on this machine: the snippets in docs/prometheus.md and the dashboard's queries were not tried", name)
		}
	}
	f := startFront(t, startMoto(t))
	w := makeWorld(t, asTester(f.url))
	w.theFour(t)
	w.attach(t, "a22e1d63f8ea522f9ac4b17d603e9f82", w.stale["production"])
	terminal, textfiles, dir := openTerminal(t, w, f.url), t.TempDir(), t.TempDir()
	file := filepath.Join(textfiles, "certdrift.prom")
	if _, status := terminal.certdrift(t, "check", "--format", "prometheus", "-o", file); status != 1 {
		t.Fatalf("check ends with %d", status)
	}
	text, err := os.ReadFile(file)
	check(t, err)
	lint := exec.CommandContext(t.Context(), "promtool", "check", "metrics")
	lint.Stdin = bytes.NewReader(text)
	if said, err := lint.CombinedOutput(); err != nil {
		t.Errorf("promtool check metrics: %v\n%s", err, said)
	}

	exporter, server := freeAddress(t), freeAddress(t)
	spawn(t, dir, "http://"+exporter+"/metrics", "prometheus-node-exporter", "--web.listen-address="+exporter, "--collector.disable-defaults", "--collector.textfile",
		"--collector.textfile.directory="+textfiles)
	config := strings.NewReplacer("localhost:9100", exporter, "scrape_interval: 1m", "scrape_interval: 1s\n    scrape_timeout: 1s").Replace(snippet(t, "prometheus.yml"))
	config = "global: {evaluation_interval: 1s}\n" + config
	rules := strings.Replace(snippet(t, "certdrift.rules.yml"), "for: 5m", "for: 0s", 1)
	check(t, os.WriteFile(filepath.Join(dir, "prometheus.yml"), []byte(config), 0o600))
	check(t, os.WriteFile(filepath.Join(dir, "certdrift.rules.yml"), []byte(rules), 0o600))
	if said, err := run(t.Context(), nil, "promtool", "check", "config", filepath.Join(dir, "prometheus.yml")); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	spawn(t, dir, "http://"+server+"/-/ready", "prometheus", "--config.file=prometheus.yml", "--storage.tsdb.path=data", "--web.listen-address="+server)

	p := prometheus{"http://" + server}
	p.until(t, "probe_success")
	for title, query := range dashboardQueries(t) {
		if got := p.ask(t, query); len(got) == 0 {
			t.Errorf("%s: %s has no result", title, query)
		}
	}
	if got := p.ask(t, `sum(certdrift_endpoints{environment=~".*",state="critical"})`); len(got) != 1 || got[0].Value[1] != "1" {
		t.Errorf("critical endpoints: %v, want 1", got)
	}
	fired := p.until(t, `ALERTS{alertname="CertdriftCritical",environment="production",alertstate="firing"}`)
	if code := fired[0].Metric["code"]; code != "drift-attached" {
		t.Errorf("the alert is about %q", code)
	}
	for _, name := range []string{"CertdriftIncomplete", "CertdriftSilent"} {
		if got := p.ask(t, `ALERTS{alertname="`+name+`"}`); len(got) != 0 {
			t.Errorf("%s fires: %v", name, got)
		}
	}
}

// spawn runs a server until the test ends, and waits until it is ready.
func spawn(t *testing.T, dir, at, name string, args ...string) {
	t.Helper()
	var log lockedBuffer
	cmd := exec.Command(debian.Program(name), args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, &log, &log
	check(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it has nothing to save
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("%s:\n%s", name, tail(log.bytes(), 3000))
		}
	})
	for end := time.Now().Add(60 * time.Second); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		if answer, err := http.Get(at); err == nil {
			answer.Body.Close()
			if answer.StatusCode == http.StatusOK {
				return
			}
		}
	}
	t.Fatalf("%s is not ready at %s", name, at)
}

// prometheus is the address of a server.
type prometheus struct{ url string }

type sampled struct {
	Metric map[string]string
	Value  [2]any
}

// ask is an instant query. https://prometheus.io/docs/prometheus/latest/querying/api/
func (p prometheus) ask(t *testing.T, query string) []sampled {
	t.Helper()
	answer, err := http.Get(p.url + "/api/v1/query?query=" + url.QueryEscape(query))
	check(t, err)
	defer answer.Body.Close()
	var got struct {
		Status, Error string
		Data          struct{ Result json.RawMessage }
	}
	check(t, json.NewDecoder(answer.Body).Decode(&got))
	if got.Status != "success" {
		t.Fatalf("%s: %s", query, got.Error)
	}
	var vector []sampled
	check(t, json.Unmarshal(got.Data.Result, &vector))
	return vector
}

// until asks until there is a result.
func (p prometheus) until(t *testing.T, query string) []sampled {
	t.Helper()
	for end := time.Now().Add(60 * time.Second); time.Now().Before(end); time.Sleep(300 * time.Millisecond) {
		if got := p.ask(t, query); len(got) > 0 {
			return got
		}
	}
	t.Fatalf("%s has no result", query)
	return nil
}

// TestGrafanaReadsTheDashboard: Grafana's own types know every key of the dashboard, and miss none.
func TestGrafanaReadsTheDashboard(t *testing.T) {
	enabled(t)
	t.Parallel()
	text, err := os.ReadFile(filepath.Join(root, "deploy", "grafana", "certdrift.json"))
	check(t, err)
	bin := moduleOfItsOwn(t, "grafana")
	for name, c := range map[string]struct {
		text string
		good bool
	}{
		"as it is":       {string(text), true},
		"an unknown key": {strings.Replace(string(text), `"gridPos"`, `"gridPosition"`, 1), false},
	} {
		cmd := exec.CommandContext(t.Context(), bin)
		cmd.Stdin = strings.NewReader(c.text)
		if out, err := cmd.CombinedOutput(); (err == nil) != c.good {
			t.Errorf("%s: %v: %s", name, err, out)
		}
	}
}

// dashboardQueries are the queries of the Grafana dashboard by title and number, for all environments.
func dashboardQueries(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "deploy", "grafana", "certdrift.json"))
	check(t, err)
	var dashboard struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	check(t, json.Unmarshal(text, &dashboard))
	out := map[string]string{}
	for _, panel := range dashboard.Panels {
		for i, target := range panel.Targets {
			out[fmt.Sprint(panel.Title, " ", i)] = strings.ReplaceAll(target.Expr, "$environment", ".*")
		}
	}
	if len(out) < 10 {
		t.Fatalf("only %d queries", len(out))
	}
	return out
}

// snippet is a file shown in docs/prometheus.md.
func snippet(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "docs", "prometheus.md"))
	check(t, err)
	m := regexp.MustCompile("(?s)<!-- " + regexp.QuoteMeta(name) + " -->\n```\\w+\n(.*?)```").FindSubmatch(text)
	if m == nil {
		t.Fatalf("docs/prometheus.md shows no %s", name)
	}
	return string(m[1])
}

// TestTheMetricStream lints the template in docs/prometheus.md.
func TestTheMetricStream(t *testing.T) {
	enabled(t)
	file := filepath.Join(t.TempDir(), "stream.yaml")
	check(t, os.WriteFile(file, []byte(snippet(t, "stream.yaml")), 0o600))
	if said, err := run(t.Context(), nil, filepath.Join(filepath.Dir(python(t)), "cfn-lint"), file); err != nil {
		t.Errorf("%v\n%s", err, said)
	}
}
