package judge

import (
	"encoding/json"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"certdrift/internal/chain"
	"certdrift/internal/finding"
	"certdrift/internal/observation"
	"certdrift/internal/policy"
	"certdrift/internal/target"
)

// FuzzJudge judges mutated rounds. Whatever decodes is judged without a rule failing, twice alike, with known codes and
// severities, and with summaries that are safe to print. Bytes alone seldom make another round out of JSON, so the seed
// moves its values about as well.
func FuzzJudge(f *testing.F) {
	for _, round := range savedJSON(f) {
		f.Add(round, uint64(0))
		f.Add(round, uint64(1))
	}
	f.Fuzz(func(t *testing.T, b []byte, seed uint64) {
		if round, ok := mutated(b, seed); ok {
			checkJudgement(t, round)
		}
	})
}

func TestJudgeOnMutatedRounds(t *testing.T) {
	tried := 0
	for i, b := range savedJSON(t) {
		for seed := range uint64(4) {
			if round, ok := mutated(b, seed+uint64(i)<<32); ok {
				tried++
				checkJudgement(t, round)
			}
		}
	}
	if tried < 600 {
		t.Errorf("only %d mutations were rounds: the test says little", tried)
	}
}

// savedJSON gives the saved rounds, and those that were seen of real servers, as they are.
func savedJSON(t testing.TB) [][]byte {
	t.Helper()
	var out [][]byte
	for _, pattern := range []string{"testdata/rounds/*.json", "../../e2e/servers/testdata/observations/*/*.json"} {
		files, err := filepath.Glob(filepath.FromSlash(pattern))
		if err != nil || len(files) == 0 {
			t.Fatalf("no saved rounds at %s: %v", pattern, err)
		}
		for _, file := range files {
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, b)
		}
	}
	return out
}

// mutated decodes a round after changing some of its values; seed 0 changes none.
func mutated(b []byte, seed uint64) (round observation.Round, ok bool) {
	if seed > 0 {
		var tree any
		if json.Unmarshal(b, &tree) != nil {
			return round, false
		}
		m := mutator{rand.New(rand.NewPCG(seed, 0)), nil}
		m.collect(tree)
		tree = m.change(tree)
		b, _ = json.Marshal(tree)
	}
	return round, json.Unmarshal(b, &round) == nil
}

// mutator changes a few values of a JSON tree, mostly into others of the same tree, so that much of it still decodes.
type mutator struct {
	*rand.Rand
	pool []any
}

func (m *mutator) collect(v any) {
	switch v := v.(type) {
	case map[string]any:
		for _, k := range slices.Sorted(maps.Keys(v)) {
			m.collect(v[k])
		}
	case []any:
		for _, e := range v {
			m.collect(e)
		}
	default:
		m.pool = append(m.pool, v)
	}
}

func (m *mutator) change(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for _, k := range slices.Sorted(maps.Keys(v)) {
			if m.IntN(60) == 0 {
				delete(v, k)
				continue
			}
			v[k] = m.change(v[k])
		}
		return v
	case []any:
		var out []any
		for _, e := range v {
			switch m.IntN(40) {
			case 0:
			case 1:
				out = append(out, e, e, nil)
			default:
				out = append(out, m.change(e))
			}
		}
		return out
	}
	if m.IntN(40) > 0 {
		return v
	}
	switch v := v.(type) {
	case string:
		return m.like(v, "", "\x1b[31m\r\n", "arn:", "443", "*", strings.Repeat("x.", 500))
	case float64:
		return m.like(v, 0.0, -1.0, 443.0, 1e9)
	case bool:
		return !v
	}
	return v
}

// like gives another value of the same kind: of the tree, or one of the odd ones.
func (m *mutator) like(v any, odd ...any) any {
	for range m.IntN(8) {
		if p := m.pool[m.IntN(len(m.pool))]; reflect.TypeOf(p) == reflect.TypeOf(v) {
			return p
		}
	}
	return odd[m.IntN(len(odd))]
}

func checkJudgement(t *testing.T, round observation.Round) {
	t.Helper()
	store := chain.NewStore(nil)
	in := Input{Policy: policy.DefaultThresholds(), Roots: func(target.Roots) *chain.Store { return store }, Now: noon, Round: round}
	out := Judge(in)
	for _, f := range out.Findings {
		if f.Cause == "certdrift:judge" {
			t.Fatalf("a rule failed: %v", f.Evidence)
		}
		if f.Severity == finding.None || f.Summary == "" || f.Remedy == "" || f.Evidence == nil {
			t.Errorf("not a whole finding: %+v", f)
		}
		if strings.ContainsAny(f.Summary, "\x1b\r\n\u202e") {
			t.Errorf("%s: raw remote text in %q", f.Code, f.Summary)
		}
	}
	if first := asJSON(t, out); first != asJSON(t, Judge(in)) {
		t.Errorf("two judgements of one round differ: %s", first)
	}
}
