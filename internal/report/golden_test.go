package report_test

import (
	"bytes"
	"flag"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"certdrift/internal/catalogue"
	"certdrift/internal/finding"
	"certdrift/internal/report"
	"certdrift/internal/report/text"
)

const (
	goodARN  = report.GoodARN
	staleARN = report.StaleARN
	hostile  = report.Hostile
)

var noon, fixture = report.Noon, report.Fixture

var update = flag.Bool("update", false, "write the golden files anew")

// writers are all formats by the name of their golden file.
func writers() map[string]func(io.Writer, report.Report) error {
	catalogue := []catalogue.Entry{{Code: finding.CertExpired, Title: "The certificate has expired.", Meaning: "Clients refuse it.", Remedy: "Renew it."}}
	return map[string]func(io.Writer, report.Report) error{
		"text.txt":        func(w io.Writer, r report.Report) error { return text.Write(w, r, text.Options{}) },
		"verbose.txt":     func(w io.Writer, r report.Report) error { return text.Write(w, r, text.Options{Verbose: true}) },
		"json.json":       report.WriteJSON,
		"junit.xml":       report.WriteJUnit,
		"github.txt":      report.WriteGitHub,
		"sarif.sarif":     func(w io.Writer, r report.Report) error { return report.WriteSARIF(w, r, catalogue) },
		"markdown.md":     report.WriteMarkdown,
		"prometheus.prom": report.WritePrometheus,
	}
}

func render(t testing.TB, write func(io.Writer, report.Report) error, r report.Report) string {
	t.Helper()
	var b bytes.Buffer
	if err := write(&b, r); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// compare holds a report against a file in testdata, which -update writes anew.
func compare(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("differs from %s (-update writes it anew):\n%s", path, diff)
	}
}

func TestGolden(t *testing.T) {
	r := report.Build(fixture(t))
	for name, write := range writers() {
		t.Run(name, func(t *testing.T) {
			got := render(t, write, r)
			compare(t, name, got)
			if again := render(t, write, report.Build(fixture(t))); again != got {
				t.Error("the same round gives another output the second time")
			}
		})
	}
}
