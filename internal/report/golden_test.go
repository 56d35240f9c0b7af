package report

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
)

var update = flag.Bool("update", false, "write the golden files anew")

// writers are all formats by the name of their golden file.
func writers() map[string]func(io.Writer, Report) error {
	catalogue := []catalogue.Entry{{Code: finding.CertExpired, Title: "The certificate has expired.", Meaning: "Clients refuse it.", Remedy: "Renew it."}}
	return map[string]func(io.Writer, Report) error{
		"text.txt":        func(w io.Writer, r Report) error { return WriteText(w, r, Plain, 0) },
		"json.json":       WriteJSON,
		"junit.xml":       WriteJUnit,
		"github.txt":      WriteGitHub,
		"sarif.sarif":     func(w io.Writer, r Report) error { return WriteSARIF(w, r, catalogue) },
		"markdown.md":     WriteMarkdown,
		"prometheus.prom": WritePrometheus,
	}
}

func render(t testing.TB, write func(io.Writer, Report) error, r Report) string {
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
	r := Build(fixture(t))
	for name, write := range writers() {
		t.Run(name, func(t *testing.T) {
			got := render(t, write, r)
			compare(t, name, got)
			if again := render(t, write, Build(fixture(t))); again != got {
				t.Error("the same round gives another output the second time")
			}
		})
	}
}
