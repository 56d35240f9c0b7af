package incident

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"certdrift/internal/finding"
)

// An incident with ten thousand endpoints of long names is a record that the store takes: DynamoDB's limit is 400 KB an
// item, name and value.
func TestARecordFitsItsItem(t *testing.T) {
	for _, filler := range []string{"é", "&<", "\"\\"} {
		fits(t, filler)
	}
}

// fits opens an incident with names of 195 bytes.
func fits(t *testing.T, filler string) {
	t.Helper()
	var fs []finding.Finding
	var names []string
	for i := range 10_000 {
		name := fmt.Sprintf("%05d%s", i, strings.Repeat(filler, 95))
		names = append(names, name)
		f := found(finding.CertNameMismatch, finding.Critical, name, "certificate:aa")
		f.Evidence = finding.Evidence{"names": []string{strings.Repeat("x", 2000)}}
		fs = append(fs, f)
	}
	s := newScript(t)
	s.round(full(names), fs, Opened)
	for _, r := range s.table.load(t) {
		text, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		if len(text) > 390<<10 {
			t.Errorf("%q: a record of %d KB", filler, len(text)>>10)
		}
		if len(r.Parts) < 100 || len(r.Affects) < 80 || r.AffectsCount != 10_000 || len(r.Parts)+r.Overflow != 10_000 {
			t.Errorf("%q: it holds %d parts and %d more, %d names of %d", filler, len(r.Parts), r.Overflow, len(r.Affects), r.AffectsCount)
		}
	}
}
