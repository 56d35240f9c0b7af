package finding

import (
	"encoding/json"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestSort holds the order of every output: it is the same however the findings come, and after a way through JSON.
func TestSort(t *testing.T) {
	fault := func(environment, file string, line, column int) Finding {
		return Finding{Code: ConfigInvalid, Severity: Critical, Environment: environment, Endpoint: "x", Summary: file,
			Subject: Subject{Source: Source{File: file, Line: line, Column: column}}}
	}
	want := []Finding{
		{Code: ConnectRefused, Severity: Critical, Environment: "b", Endpoint: "1"},
		{Code: ConfigInvalid, Severity: Critical, Environment: "b", Endpoint: "2"}, // a name that fits several load balancers
		{Code: CertExpired, Severity: Critical, Environment: "z"},
		fault("", "a.yaml", 2, 0),
		fault("y", "a.yaml", 9, 4),
		fault("b", "a.yaml", 9, 10),
		fault("a", "a.yaml", 10, 1),
		fault("a", "b.yaml", 1, 1),
		{Code: CertExpiring, Severity: Warning, Environment: "a"},
		{Code: HTTPSlow, Severity: Info, Environment: "a"},
	}
	raw, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	var read []Finding
	if err := json.Unmarshal(raw, &read); err != nil {
		t.Fatal(err)
	}
	for name, fs := range map[string][]Finding{"as made": want, "as read": read} {
		for range 20 {
			got := slices.Clone(fs)
			rand.Shuffle(len(got), func(i, j int) { got[i], got[j] = got[j], got[i] })
			Sort(got)
			after, err := json.Marshal(got)
			if err != nil {
				t.Fatal(err)
			}
			if string(after) != string(raw) {
				t.Fatalf("%s:\n%s\nwant\n%s", name, after, raw)
			}
		}
	}
}
