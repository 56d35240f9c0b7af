package manifest

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"certdrift/internal/observation"
)

var update = flag.Bool("update", false, "write the golden files anew")

func list(declared []observation.Declaration, diagnostics []observation.Diagnostic) string {
	var b strings.Builder
	for _, d := range declared {
		fmt.Fprintf(&b, "%s:%d:%d %s port %d", filepath.Base(d.Source.File), d.Source.Line, d.Source.Column, d.Object, d.Port)
		for _, part := range []struct{ name, value string }{
			{"service", d.Service}, {"load balancer", d.LoadBalancer}, {"kind", string(d.Kind)}, {"group", d.Group},
			{"policy", d.Policy}, {"hosts", strings.Join(d.Hosts, " ")}, {"arns", strings.Join(d.ARNs, " ")},
		} {
			if part.value != "" {
				fmt.Fprintf(&b, "\n\t%s: %s", part.name, part.value)
			}
		}
		if d.Discovered {
			b.WriteString("\n\tdiscovered")
		}
		b.WriteString("\n")
	}
	for _, f := range diagnostics {
		fmt.Fprintf(&b, "fault %s:%d:%d %s\n\t%s\n", filepath.Base(f.File), f.Line, f.Column, f.Message, f.Hint)
	}
	return b.String()
}

// cases are the files directly in testdata.
func cases(t testing.TB) []string {
	t.Helper()
	yaml, _ := filepath.Glob("testdata/*.yaml")
	json, _ := filepath.Glob("testdata/*.json")
	if len(yaml) == 0 || len(json) == 0 {
		t.Fatal("no cases")
	}
	return append(yaml, json...)
}

// compare holds a result against a golden file, which -update writes anew.
func compare(t *testing.T, golden, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestRead(t *testing.T) {
	for _, name := range cases(t) {
		t.Run(filepath.Base(name), func(t *testing.T) {
			data, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			got := list(Read(name, data))
			compare(t, name+".golden", got)
		})
	}
}

// TestIncident reads the templates of the incident: what was right, and what the redeploy put back.
func TestIncident(t *testing.T) {
	const (
		production = "arn:aws:acm:us-west-2:111122223333:certificate/0b7d2f3a-52c7-4f0e-9d1b-6a8f5a2f1c01"
		staging    = "arn:aws:acm:us-west-2:111122223333:certificate/5e91c6d4-0a37-4c55-8f9e-2d3b7c4e8a02"
		foreign    = "arn:aws:iam::111122223333:server-certificate/web-monitoring-2017"
		expired    = "arn:aws:acm:us-west-2:111122223333:certificate/c4a8e1b2-7f63-4d2a-b0c9-91e5d6f7a803"
	)
	for dir, want := range map[string]map[string]string{
		"right": {"production/api": production, "production/ui": production, "staging/api": staging, "staging/ui": staging},
		"stale": {"production/api": foreign, "production/ui": foreign, "staging/api": expired, "staging/ui": expired},
	} {
		read := Load([]string{filepath.Join("testdata/incident", dir)}, Options{})
		declared, diagnostics := read.Declared, read.Diagnostics
		if len(diagnostics) > 0 {
			t.Fatal(diagnostics)
		}
		got := map[string]string{}
		for _, d := range declared {
			if d.Port != 443 || len(d.ARNs) != 1 || d.Source.Line != 11 {
				t.Errorf("%s: %+v", dir, d)
			}
			got[d.Service] = d.ARNs[0]
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: -want +got:\n%s", dir, diff)
		}
	}
}

// FuzzRead: it never panics, every fault and declaration has a place in the file, and reading twice gives the same.
func FuzzRead(f *testing.F) {
	for _, name := range cases(f) {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte("a: &a [*a]\nkind: List\nitems: &i [*i, *i, {kind: List, items: *i}]\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		declared, diagnostics := Read("file", data)
		lines := strings.Count(string(data), "\n") + strings.Count(string(data), "\r") + 1
		for _, d := range declared {
			if d.Source.File != "file" || d.Source.Line < 1 || d.Source.Line > lines || d.Source.Column < 1 {
				t.Fatalf("a declaration outside the file: %+v", d)
			}
			if len(d.ARNs) == 0 && !d.Discovered && len(d.Pending) == 0 && d.UndecidedBecause == "" {
				t.Fatalf("a declaration of nothing: %+v", d)
			}
		}
		for _, f := range diagnostics {
			if f.File != "file" || f.Line < 1 || f.Line > lines+1 || f.Column < 1 || f.Message == "" || f.Hint == "" {
				t.Fatalf("a diagnostic without position, message or hint: %+v", f)
			}
		}
		again, diagnosticsAgain := Read("file", data)
		if diff := cmp.Diff(list(declared, diagnostics), list(again, diagnosticsAgain)); diff != "" {
			t.Fatalf("reading twice differs:\n%s", diff)
		}
	})
}
