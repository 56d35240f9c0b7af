package judge

import (
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"certdrift/internal/chain"
	"certdrift/internal/finding"
	"certdrift/internal/target"
	"certdrift/internal/topology"
	"certdrift/internal/trust"
)

// TestCorpus runs every rule over the 1,300 certificates that zlint tests its lints with, each served alone and asked for
// by its first name, at a fixed time and against Mozilla's roots. testdata/zlint.md explains what surprises.
func TestCorpus(t *testing.T) {
	dir := corpus(t)
	files, err := filepath.Glob(filepath.Join(dir, "*.pem"))
	if err != nil || len(files) < 1000 {
		t.Fatalf("%d certificates in the corpus, %v", len(files), err)
	}
	store := trust.Mozilla()
	byKind := map[string][]string{}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		block, _ := pem.Decode(data)
		if block == nil || block.Type != "CERTIFICATE" {
			continue
		}
		name := strings.TrimSuffix(filepath.Base(file), ".pem")
		in := corpusInput(block.Bytes, store)
		conclusion := Judge(in)
		if again := Judge(in); fmt.Sprint(again) != fmt.Sprint(conclusion) {
			t.Errorf("%s: two judgements of one observation differ", name)
		}
		if !conclusion.Complete {
			t.Errorf("%s: a rule failed: %v", name, summaries(conclusion.Findings))
		}
		for _, f := range conclusion.Findings {
			kind := string(f.Code) + " " + f.Severity.String()
			if !slices.Contains(byKind[kind], name) {
				byKind[kind] = append(byKind[kind], name)
			}
			checkSafe(t, name, f)
		}
		byKind["certificates"] = append(byKind["certificates"], name)
	}
	compareCorpus(t, byKind)
}

// corpusInput is a round in which a certificate was served alone.
func corpusInput(der []byte, store *chain.Store) Input {
	s := server{chain: [][]byte{der}}
	if cert := first(der); cert != "" {
		s.host = cert
	}
	in := s.input()
	in.Roots = func(target.Roots) *chain.Store { return store }
	return in
}

// first is the first name that a certificate covers; a wildcard stands for one host below it.
func first(der []byte) string {
	cert, err := x509.ParseCertificate(der)
	if err != nil || len(topology.Names(cert)) == 0 {
		return ""
	}
	names := topology.Names(cert)
	return strings.Replace(names[0], "*.", "host.", 1)
}

func checkSafe(t *testing.T, name string, f finding.Finding) {
	t.Helper()
	text := f.Summary + f.Remedy + fmt.Sprint(f.Evidence)
	for _, r := range text {
		if r < 0x20 || r == 0x7f || r == 0x202e {
			t.Errorf("%s: %s passes %U on: %q", name, f.Code, r, text)
			return
		}
	}
	if len(f.Summary) > 2000 {
		t.Errorf("%s: a summary of %d bytes", name, len(f.Summary))
	}
}

// compareCorpus holds the counts against the golden file; where few certificates show a kind, against their names too.
func compareCorpus(t *testing.T, byKind map[string][]string) {
	t.Helper()
	const few = 12
	var b strings.Builder
	for _, kind := range slices.Sorted(maps.Keys(byKind)) {
		fmt.Fprintf(&b, "%5d  %s\n", len(byKind[kind]), kind)
		if names := byKind[kind]; len(names) <= few {
			for _, name := range names {
				fmt.Fprintf(&b, "         %s\n", name)
			}
		}
	}
	golden := filepath.Join("testdata", "zlint.golden")
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(golden, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if b.String() != string(want) {
		t.Errorf("the corpus is judged differently (go test ./internal/judge -run TestCorpus -update, and read the difference):\n%s", b.String())
	}
}

// corpus is the directory of zlint's test certificates, in the module cache. go.mod names the module as a tool: nothing
// imports it, and it is fetched here where it is not there yet.
func corpus(t *testing.T) string {
	t.Helper()
	out, err := exec.Command("go", "mod", "download", "-json", "github.com/zmap/zlint/v3").Output()
	var module struct{ Dir, Error string }
	if err == nil {
		err = json.Unmarshal(out, &module)
	}
	if err != nil || module.Dir == "" {
		t.Fatalf("fetching zlint's test certificates: %v %s", err, module.Error)
	}
	return filepath.Join(module.Dir, "testdata")
}
