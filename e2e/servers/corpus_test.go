package servers

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"certdrift/internal/chain"
	"certdrift/internal/cli"
	"certdrift/internal/finding"
	"certdrift/internal/judge"
	"certdrift/internal/observation"
	"certdrift/internal/policy"
	"certdrift/internal/target"
	"certdrift/internal/trust"
)

var update = flag.Bool("update", false, "keep the observations of servers that testdata lacks (with CERTDRIFT_E2E=1), and rewrite the verdicts on all of them")

// corpus contains what `certdrift check --save` observed of each server when it was added to the catalogue. Files in it never
// change, so that it also shows that older files are still read and judged alike.
const corpus = "testdata/observations"

// kept returns the path of a case's observations: a folder for each group, a file for each case.
func kept(group, name string) string { return filepath.Join(corpus, slug(group), slug(name)+".json") }

func slug(name string) string {
	words := strings.FieldsFunc(strings.ToLower(name), func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') })
	return strings.Join(words, "-")
}

// keep adds a case's observations to the corpus, unless it has them.
func keep(t *testing.T, path string, observations []byte) {
	t.Helper()
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, observations, 0o644); err != nil {
		t.Fatal(err)
	}
}

// judged returns the verdict of `certdrift judge`, run in this process; the trust stores of parts are read once for all.
func judged(t *testing.T, parts cli.Parts, args ...string) report {
	t.Helper()
	var out, said bytes.Buffer
	app := &cli.App{
		Stdin: strings.NewReader(""), Stdout: &out, Stderr: &said,
		Getenv: func(string) string { return "" }, Now: time.Now, Parts: parts,
	}
	if status := app.Run(t.Context(), append([]string{"judge", "--format", "json"}, args...)); status > 1 {
		t.Fatalf("certdrift judge %q: exit status %d\n%s", args, status, said.Bytes())
	}
	var r report
	if err := json.Unmarshal(out.Bytes(), &r); err != nil {
		t.Fatalf("%v\n%s", err, out.Bytes())
	}
	return r
}

// TestCorpus judges the saved observations of every server, without the servers: the findings are those of the catalogue, and
// the golden file pins their text.
func TestCorpus(t *testing.T) {
	parts := cli.Product()
	var all strings.Builder
	stray := files(t)
	for _, g := range Groups() {
		for _, c := range g.Cases {
			path := kept(g.Title, c.Name)
			if !stray[path] {
				t.Errorf("%q is new in the catalogue: `make corpus` keeps what is seen of it", c.Name)
				continue
			}
			delete(stray, path)
			r := judged(t, parts, path)
			if got := r.codes(); !slices.Equal(got, c.Want) {
				t.Errorf("%s: got %q, want %q\n%s", path, got, c.Want, brief(r))
			}
			fmt.Fprintf(&all, "%s: %s\n", strings.TrimPrefix(path, corpus+"/"), r.Verdict)
			for _, f := range r.Findings {
				fmt.Fprintf(&all, "    %-8s %s: %s\n", f.Severity, f.Code, f.Summary)
			}
		}
	}
	for path := range stray {
		t.Errorf("%s is of no server in the catalogue", path)
	}
	golden := filepath.Join("testdata", "verdicts.golden")
	if *update {
		if err := os.WriteFile(golden, []byte(all.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if all.String() != string(want) {
		t.Errorf("the verdicts on the corpus changed: look at the difference to %s after `make corpus`\n%s", golden, difference(string(want), all.String()))
	}
}

// TestCorpusLater: the same observations, judged years later, when every certificate has expired.
func TestCorpusLater(t *testing.T) {
	parts := cli.Product()
	count := 0
	for _, g := range Groups() {
		for _, c := range g.Cases {
			path := kept(g.Title, c.Name)
			if b, err := os.ReadFile(path); err != nil || len(c.Want) > 0 || !bytes.Contains(b, []byte(`"chain"`)) {
				continue // TestCorpus names what is missing
			}
			count++
			later := judged(t, parts, path, "--at", "2060-01-01").codes()
			if !slices.Contains(later, finding.CertExpired) && !slices.Contains(later, finding.CertChainExpired) { // one ends in the year 9999
				t.Errorf("%s: in 2060 it is %q", path, later)
			}
		}
	}
	if count < 50 {
		t.Errorf("%d healthy servers were judged, fewer than there are", count)
	}
}

// files returns the paths of the corpus.
func files(t *testing.T) map[string]bool {
	t.Helper()
	all := map[string]bool{}
	err := filepath.WalkDir(corpus, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			all[path] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// difference returns the first lines that differ.
func difference(want, got string) string {
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range min(len(w), len(g)) {
		if w[i] != g[i] {
			return fmt.Sprintf("line %d:\n-%s\n+%s", i+1, w[i], g[i])
		}
	}
	return fmt.Sprintf("%d lines instead of %d", len(g), len(w))
}

// TestCorpusCached: what is remembered of other chains, and of the same ones at another time, changes no verdict.
func TestCorpusCached(t *testing.T) {
	warm := &trust.Stores{}
	var rounds []observation.Round
	for path := range files(t) {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var round observation.Round
		if err := json.Unmarshal(b, &round); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		rounds = append(rounds, round)
	}
	judged := func(roots func(target.Roots) *chain.Store, round observation.Round, at time.Time) string {
		conclusion := judge.Judge(judge.Input{Policy: policy.DefaultThresholds(), Roots: roots, Now: at, Round: round})
		b, err := json.Marshal(conclusion)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	without := map[target.Roots]*chain.Store{target.Mozilla: trust.Mozilla()} // the system's roots change; these don't
	for range 2 {
		for _, later := range []time.Duration{0, 40 * 365 * 24 * time.Hour} {
			for _, round := range rounds {
				at := round.Finished.Add(later)
				cold := judged(func(name target.Roots) *chain.Store { return without[name] }, round, at)
				if got := judged(func(target.Roots) *chain.Store { return warm.Get(target.Mozilla) }, round, at); got != cold {
					t.Errorf("%s at %v: with caches\n%s\nwithout\n%s", round.Endpoints[0].Target.Key(), at, got, cold)
				}
			}
		}
	}
}
