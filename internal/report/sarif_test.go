package report_test

import (
	"io"
	"testing"

	"github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif"

	"certdrift/internal/report"
)

// TestSARIFAgainstItsSchema reads what is written with a library, and holds it against the standard's own schema.
func TestSARIFAgainstItsSchema(t *testing.T) {
	for _, r := range []report.Report{report.Build(fixture(t)), poisoned(t, hostile), report.Build(report.Input{})} {
		doc, err := sarif.FromString(render(t, func(w io.Writer, r report.Report) error { return report.WriteSARIF(w, r, nil) }, r))
		if err != nil {
			t.Fatal(err)
		}
		// The library writes what it did not read as empty, which the schema forbids.
		run := doc.Runs[0]
		run.Language, run.Tool.Driver.Language, run.NewlineSequences = "en-US", "en-US", []string{"\n"}
		if err := doc.Validate(); err != nil {
			t.Error(err)
		}
		if got := len(doc.Runs[0].Results); got != len(r.Findings) {
			t.Errorf("%d results of %d findings", got, len(r.Findings))
		}
	}
}
