package servers

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"certdrift/e2e/debian"
	"certdrift/internal/finding"
)

// report is the part of certdrift's JSON that is checked.
type report struct {
	Verdict  string
	Findings []struct {
		Code              finding.Code
		Severity          string
		Summary, Remedy   string
		Address, Endpoint string
		Evidence          map[string]any
	}
}

// codes returns the codes of all findings except those of severity info, sorted and without duplicates.
func (r report) codes() []finding.Code {
	var all []finding.Code
	for _, f := range r.Findings {
		if f.Severity != "info" {
			all = append(all, f.Code)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// certdrift runs certdrift as a user does, in the directory of the configuration.
func certdrift(t *testing.T, binary, dir string, args ...string) (out []byte, status int) {
	t.Helper()
	cmd := exec.Command(binary, args...)
	cmd.Dir = dir
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	if code := cmd.ProcessState.ExitCode(); code > 1 {
		t.Fatalf("certdrift %q: exit status %d\n%s\n%s", args, code, said.Bytes(), out)
	}
	return out, cmd.ProcessState.ExitCode()
}

// check runs a check with a configuration, and saves the observations in observations.json of the directory.
func check(t *testing.T, binary, dir, configuration string) (r report, out []byte, status int) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, "certdrift.yaml"), []byte(configuration), 0o600); err != nil {
		t.Fatal(err)
	}
	out, status = certdrift(t, binary, dir, "check", "--format", "json", "--save", "observations.json")
	if err := json.Unmarshal(out, &r); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return r, out, status
}

// built returns the path of certdrift's binary; it skips the test unless real servers are to be tested.
func built(t *testing.T) string {
	t.Helper()
	if os.Getenv("CERTDRIFT_E2E") == "" {
		t.Skip("make e2e tests real servers")
	}
	debian.Install(t, Programs())
	if binary := os.Getenv("CERTDRIFT_BINARY"); binary != "" {
		return binary
	}
	binary := filepath.Join(t.TempDir(), "certdrift")
	if out, err := exec.Command("go", "build", "-o", binary, "certdrift/cmd/certdrift").CombinedOutput(); err != nil {
		t.Fatalf("building certdrift: %v\n%s", err, out)
	}
	return binary
}

// TestServers checks certdrift's command line against the catalogue: each server causes exactly the findings it must.
func TestServers(t *testing.T) {
	binary := built(t)
	for _, g := range Groups() {
		for _, c := range g.Cases {
			t.Run(c.Name, func(t *testing.T) {
				t.Parallel()
				if c.Missing() {
					t.Skipf("%s is not installed", c.Needs)
				}
				verify(t, binary, c, kept(g.Title, c.Name))
			})
		}
	}
}

// started starts a case's servers until the end of the test.
func started(t *testing.T, c Case) Target {
	t.Helper()
	l, err := NewLab()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	asked, err := c.Start(l)
	if err != nil {
		t.Fatal(err)
	}
	return asked
}

// verify starts a case's servers and checks certdrift's findings. Judging the saved observations must have the same result.
func verify(t *testing.T, binary string, c Case, corpus string) {
	t.Helper()
	asked := started(t, c)
	dir := t.TempDir()
	r, out, status := check(t, binary, dir, asked.Configuration())
	critical := false
	for _, f := range r.Findings {
		critical = critical || f.Severity == "critical"
		if f.Summary == "" || f.Severity != "info" && (f.Remedy == "" || len(f.Evidence) == 0) {
			t.Errorf("%s without summary, evidence or remedy", f.Code)
		}
	}
	if got := r.codes(); !slices.Equal(got, c.Want) || critical != (status == 1) {
		t.Errorf("got %q, want %q; exit status %d\n%s\n%s", got, c.Want, status, brief(r), asked.Configuration())
	}
	if os.Getenv("CERTDRIFT_SHOW") != "" {
		t.Log(brief(r))
	}
	again, statusAgain := certdrift(t, binary, dir, "judge", "observations.json", "--format", "json")
	if statusAgain != status || !bytes.Equal(again, out) {
		t.Errorf("the verdict on the saved observations differs (exit status %d):\n%s\nfrom the first (exit status %d):\n%s", statusAgain, again, status, out)
	}
	if *update && !t.Failed() {
		seen, err := os.ReadFile(filepath.Join(dir, "observations.json"))
		if err != nil {
			t.Fatal(err)
		}
		keep(t, corpus, seen)
	}
}

// TestAccuracyDocument: docs/accuracy.md lists every server (make accuracy rewrites it).
func TestAccuracyDocument(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "accuracy.md"))
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, c := range All() {
		if seen[c.Name] {
			t.Errorf("two servers are called %q", c.Name)
		}
		seen[c.Name] = true
		if !bytes.Contains(text, []byte("| "+c.Name+" | ")) {
			t.Errorf("%q is not in docs/accuracy.md", c.Name)
		}
	}
}

// TestServersTogether checks all servers in one round: what one of them does to certdrift does not change the verdict on the
// others.
func TestServersTogether(t *testing.T) {
	binary := built(t)
	var endpoints []string
	want := map[string][]finding.Code{}
	for i, c := range All() {
		if c.Missing() {
			continue
		}
		asked := started(t, c)
		if asked.Policy == "" { // a configuration has one
			name := fmt.Sprintf("s%d", i)
			want[name], endpoints = c.Want, append(endpoints, asked.Lines(name))
		}
	}
	all, _, _ := check(t, binary, t.TempDir(), Configuration("", endpoints...))
	t.Logf("%d servers", len(endpoints))
	each := map[string]*report{}
	for _, f := range all.Findings {
		if each[f.Endpoint] == nil {
			each[f.Endpoint] = &report{}
		}
		each[f.Endpoint].Findings = append(each[f.Endpoint].Findings, f)
	}
	for i, c := range All() {
		name := fmt.Sprintf("s%d", i)
		if _, asked := want[name]; !asked {
			continue
		}
		r := report{}
		if each[name] != nil {
			r = *each[name]
		}
		if got := r.codes(); !slices.Equal(got, c.Want) {
			t.Errorf("%s among the others: got %q, want %q\n%s", c.Name, got, c.Want, brief(r))
		}
	}
}

// TestNotHere: every finding that no server causes has a reason that is printed in docs/accuracy.md and still applies, and tests
// that exist.
func TestNotHere(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "accuracy.md"))
	if err != nil {
		t.Fatal(err)
	}
	used := map[string]bool{}
	for _, a := range NotHere() {
		used[a.Why] = true
		if a.Why == "" {
			t.Errorf("no server causes %q, without a reason", a.Codes)
		}
		for _, code := range a.Codes {
			if !regexp.MustCompile("(?m)^\\| [^|]*`" + string(code) + "`[^|]* \\| " + regexp.QuoteMeta(a.Why)).Match(text) {
				t.Errorf("docs/accuracy.md does not say why %s is not in it: `make accuracy`", code)
			}
		}
		for _, where := range a.Where {
			folder, test, _ := strings.Cut(where, " ")
			if !declares(t, filepath.Join("..", "..", folder), "func "+test+"(") {
				t.Errorf("%s is not a test", where)
			}
		}
	}
	for of, a := range absent {
		if !used[a.Why] {
			t.Errorf("servers cause %s: its reason for being absent is out of date", of)
		}
	}
}

func declares(t *testing.T, folder, function string) bool {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(folder, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	return slices.ContainsFunc(paths, func(path string) bool {
		b, err := os.ReadFile(path)
		return err == nil && bytes.Contains(b, []byte(function))
	})
}

func brief(r report) string {
	var b strings.Builder
	b.WriteString(r.Verdict + "\n")
	for _, f := range r.Findings {
		evidence, _ := json.Marshal(f.Evidence)
		b.WriteString("  " + string(f.Code) + " " + f.Severity + " " + f.Address + ": " + f.Summary + "\n      " + string(evidence) + "\n      " + f.Remedy + "\n")
	}
	return b.String()
}
