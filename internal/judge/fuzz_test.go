package judge

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"certdrift/internal/chain"
	"certdrift/internal/finding"
	"certdrift/internal/observation"
	"certdrift/internal/target"
)

// FuzzJudge mutates rounds as JSON. Whatever decodes is judged without a rule failing, twice alike, with known codes and
// severities, and with summaries that are safe to print.
func FuzzJudge(f *testing.F) {
	files, err := filepath.Glob(filepath.Join("testdata", "rounds", "*.json"))
	if err != nil || len(files) == 0 {
		f.Fatalf("no saved rounds: %v", err)
	}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		var s struct {
			Round json.RawMessage `json:"round"`
		}
		if err := json.Unmarshal(b, &s); err != nil {
			f.Fatal(err)
		}
		f.Add([]byte(s.Round))
	}
	known := map[finding.Code]bool{}
	for _, e := range Catalogue() {
		known[e.Code] = true
	}
	store := chain.NewStore(nil)
	f.Fuzz(func(t *testing.T, b []byte) {
		var round observation.Round
		if json.Unmarshal(b, &round) != nil {
			return
		}
		in := Input{Policy: DefaultPolicy(), Roots: func(target.Roots) *chain.Store { return store }, Now: noon, Round: round}
		out := Judge(in)
		for _, found := range out.Findings {
			if found.Cause == "certdrift:judge" {
				t.Fatalf("a rule failed: %v", found.Evidence)
			}
			if !known[found.Code] || found.Severity == finding.None || found.Summary == "" {
				t.Errorf("not a whole finding: %+v", found)
			}
			if strings.ContainsAny(found.Summary, "\x1b\r\n\u202e") {
				t.Errorf("%s: raw remote text in %q", found.Code, found.Summary)
			}
		}
		// Compared as they print: that is the contract.
		first, err := json.Marshal(out)
		if err != nil {
			t.Fatalf("findings that are no JSON: %v", err)
		}
		if second, _ := json.Marshal(Judge(in)); string(first) != string(second) {
			t.Errorf("two judgements of one round differ:\n%s\n%s", first, second)
		}
	})
}
