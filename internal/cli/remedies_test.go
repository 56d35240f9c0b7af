package cli

import (
	"io/fs"
	"path/filepath"
	"strings"
	"testing"

	"certdrift/internal/certtest"
	"certdrift/internal/incident"
	"certdrift/internal/judge"
	"certdrift/internal/policy"
	"certdrift/internal/trust"
)

// TestRemediesOfSavedRounds: in no round that was ever saved do the remedies of one cause contradict each other, and the one of the cause
// comes first. The rounds are those of real servers with every defect, and those of accounts.
func TestRemediesOfSavedRounds(t *testing.T) {
	stores := &trust.Stores{}
	rounds, problems, several := 0, 0, 0
	for _, root := range []string{"../../e2e/servers/testdata/observations", "../judge/testdata/rounds"} {
		err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".json") {
				return err
			}
			seen, err := readRound(nil, path)
			if err != nil {
				return err
			}
			rounds++
			found := judge.Judge(judge.Input{Policy: policy.DefaultThresholds(), Roots: stores.Get, Now: seen.Finished, Round: seen.Round}).Findings
			for _, p := range incident.Problems(found) {
				remedies := p.Remedies()
				problems++
				if len(p.Findings) > 1 {
					several++
				}
				if text := certtest.Contradiction(remedies); text != "" {
					t.Errorf("%s: %s: %s", path, p.Cause().Code, text)
				}
				if first := strings.TrimSpace(p.Cause().Remedy); first != "" && remedies[0] != first {
					t.Errorf("%s: the remedy of the cause, %s, is not the first: %q", path, p.Cause().Code, remedies)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if rounds < 200 || problems < 200 || several < 10 {
		t.Errorf("only %d rounds with %d problems, %d of several findings: the test sees too little", rounds, problems, several)
	}
}
