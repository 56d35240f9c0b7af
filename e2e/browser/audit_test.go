package browser

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	cdpruntime "github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"certdrift/internal/finding"
	"certdrift/internal/report"
)

// auditors installs axe-core and html-validate, as testdata/package-lock.json pins them, and returns the directory of their modules. The
// test is skipped if npm is missing or cannot install them.
func auditors(t *testing.T) string {
	t.Helper()
	root, err := filepath.Abs(filepath.Join("..", "..", ".cache", "node"))
	check(t, err)
	modules := filepath.Join(root, "node_modules")
	lock, err := os.ReadFile(filepath.Join("testdata", "package-lock.json"))
	check(t, err)
	if installed, err := os.ReadFile(filepath.Join(root, "package-lock.json")); err == nil && string(installed) == string(lock) {
		if _, err := os.Stat(filepath.Join(modules, "html-validate")); err == nil {
			return modules
		}
	}
	npm, err := exec.LookPath("npm")
	if err != nil {
		t.Skip("no npm here, so axe-core and html-validate did not check the pages")
	}
	check(t, os.MkdirAll(root, 0o755))
	for _, name := range []string{"package.json", "package-lock.json"} {
		data, err := os.ReadFile(filepath.Join("testdata", name))
		check(t, err)
		check(t, os.WriteFile(filepath.Join(root, name), data, 0o600))
	}
	cmd := exec.CommandContext(t.Context(), npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--omit-lockfile-registry-resolved")
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Skipf("npm could not install axe-core and html-validate: %v\n%s", err, out[max(0, len(out)-500):])
	}
	return modules
}

// healthyReport is of URLs alone: nothing is declared and no listener is known.
func healthyReport(t *testing.T) report.Report {
	s := newScene(t)
	for _, name := range []string{"www", "api"} {
		s.endpoint("", name, s.leaf(50, name+".example.org", name+"..example.org").Served(), "", "", 2)
	}
	return s.report()
}

// pages are the kinds of reports, by name.
func pages(t *testing.T) map[string]report.Report {
	return map[string]report.Report{
		"incident": incidentReport(t), "plan": planReport(t), "healthy": healthyReport(t), "many": large(t, 60),
		"empty": report.Build(report.Input{FailOn: finding.Critical}),
	}
}

// TestAxe: axe-core finds nothing wrong with any page, in light and dark, on a desk and on a phone.
func TestAxe(t *testing.T) {
	if os.Getenv("CERTDRIFT_E2E") == "" {
		t.Skip("runs by `make e2e` only, which needs a browser")
	}
	axe, err := os.ReadFile(filepath.Join(auditors(t), "axe-core", "axe.min.js"))
	check(t, err)
	for name, r := range pages(t) {
		t.Run(name, func(t *testing.T) {
			ctx := chromium(t)
			address := written(t, r)
			for _, look := range []struct {
				scheme string
				width  int64
			}{{"light", 1280}, {"dark", 1280}, {"light", 390}, {"dark", 390}} {
				open(ctx, t, address, look.scheme, look.width)
				for _, v := range violations(ctx, t, string(axe)) {
					t.Errorf("%s, %d: %s", look.scheme, look.width, v)
				}
			}
		})
	}
}

func violations(ctx context.Context, t *testing.T, axe string) []string {
	t.Helper()
	yes := true
	got, err := chromedp.Call(ctx, cdpruntime.Evaluate, cdpruntime.EvaluateParams{
		Expression:   axe + `;axe.run().then(r => JSON.stringify(r.violations.map(v => v.id + ": " + v.help + " " + v.nodes.slice(0, 3).map(n => n.html.slice(0, 150)).join(" "))))`,
		AwaitPromise: &yes, ReturnByValue: &yes,
	})
	check(t, err)
	var text string
	check(t, json.Unmarshal(got.Result.Value, &text))
	var all []string
	check(t, json.Unmarshal([]byte(text), &all))
	return all
}

// TestHTMLIsValid: html-validate finds no error in any page.
func TestHTMLIsValid(t *testing.T) {
	if os.Getenv("CERTDRIFT_E2E") == "" {
		t.Skip("runs by `make e2e` only, which needs Node.js")
	}
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("no Node.js here, so html-validate did not check the pages")
	}
	modules := auditors(t)
	config, err := filepath.Abs(filepath.Join("testdata", "htmlvalidate.json"))
	check(t, err)
	args := []string{filepath.Join(modules, "html-validate", "bin", "html-validate.mjs"), "--config", config}
	for _, r := range pages(t) {
		args = append(args, strings.TrimPrefix(written(t, r), "file://"))
	}
	cmd := exec.CommandContext(t.Context(), node, args...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
