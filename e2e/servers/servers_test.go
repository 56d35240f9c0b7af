package servers

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"certdrift/e2e/debian"
	"certdrift/internal/finding"
)

// report is what is asked of certdrift's JSON.
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

// check runs certdrift as a user does.
func check(t *testing.T, binary, configuration string, args ...string) (out []byte, status int) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "certdrift.yaml")
	if err := os.WriteFile(file, []byte(configuration), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(binary, append([]string{"check", "-c", file}, args...)...)
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	if code := cmd.ProcessState.ExitCode(); code > 1 {
		t.Fatalf("exit status %d\n%s\n%s\n%s", code, said.Bytes(), out, configuration)
	}
	return out, cmd.ProcessState.ExitCode()
}

// TestServers holds certdrift, as it is typed, to the catalogue: each server gives the findings it must and no others.
func TestServers(t *testing.T) {
	if os.Getenv("CERTDRIFT_E2E") == "" {
		t.Skip("real servers are tried by make e2e")
	}
	binary := os.Getenv("CERTDRIFT_BINARY")
	if binary == "" {
		binary = filepath.Join(t.TempDir(), "certdrift")
		if out, err := exec.Command("go", "build", "-o", binary, "certdrift/cmd/certdrift").CombinedOutput(); err != nil {
			t.Fatalf("building certdrift: %v\n%s", err, out)
		}
	}
	debian.Install(t, map[string]string{"nginx": "nginx-light", "haproxy": "haproxy", "apache2": "apache2-bin", "openssl": "openssl"})
	for _, c := range All() {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			if c.Missing() {
				t.Skipf("%s is not on this machine", c.Needs)
			}
			l, err := NewLab()
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			asked, err := c.Start(l)
			if err != nil {
				t.Fatal(err)
			}
			out, status := check(t, binary, asked.Configuration(), "--format", "json")
			var r report
			if err := json.Unmarshal(out, &r); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			var got []finding.Code
			critical := false
			for _, f := range r.Findings {
				critical = critical || f.Severity == "critical"
				if f.Severity != "info" && !slices.Contains(got, f.Code) {
					got = append(got, f.Code)
				}
				if f.Summary == "" || f.Severity != "info" && (f.Remedy == "" || len(f.Evidence) == 0) {
					t.Errorf("%s without summary, evidence or remedy", f.Code)
				}
			}
			slices.Sort(got)
			if !slices.Equal(got, c.Want) || critical != (status == 1) {
				t.Errorf("got %q, want %q; exit status %d\n%s", got, c.Want, status, brief(r))
			}
			if os.Getenv("CERTDRIFT_SHOW") != "" {
				t.Log(brief(r))
			}
		})
	}
}

// TestAccuracyDocument: docs/accuracy.md speaks of every server (make accuracy writes it anew).
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

func brief(r report) string {
	var b strings.Builder
	b.WriteString(r.Verdict + "\n")
	for _, f := range r.Findings {
		evidence, _ := json.Marshal(f.Evidence)
		b.WriteString("  " + string(f.Code) + " " + f.Severity + " " + f.Address + ": " + f.Summary + "\n      " + string(evidence) + "\n      " + f.Remedy + "\n")
	}
	return b.String()
}
