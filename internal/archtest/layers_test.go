package archtest

import (
	"flag"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the table of layers in docs/architecture.md")

// layers lists every package of the project once, the lowest layer first. A package imports only from lower layers, not from its own
// or a higher one.
var layers = []struct {
	name, holds string
	packages    []string
}{
	{"arithmetic", "signatures by keys that sign much", []string{"internal/p384"}},
	{"target", "what to check, the names that AWS gives, and text formats", []string{"internal/arn", "internal/prose", "internal/target"}},
	{"observation", "what was seen", []string{"internal/observation"}},
	{"finding", "what was concluded", []string{"internal/finding"}},
	{"clients", "what clients refuse and trust", []string{"internal/clients"}},
	{"readings", "logic that several stages share", []string{"internal/alertpath", "internal/catalogue", "internal/chain", "internal/event", "internal/policy"}},
	{"topology", "the three truths of each endpoint, joined once", []string{"internal/topology"}},
	{"plan", "what applying declarations would do", []string{"internal/plan"}},
	{"judge, track", "findings from observations; incidents from findings", []string{"internal/incident", "internal/judge"}},
	{"publish", "messages, metrics and reports", []string{"internal/alert", "internal/metric", "internal/report"}},
	{"estimate", "what running certdrift costs", []string{"internal/cost"}},
	{"comparison", "declared, attached and served side by side, for pages", []string{"internal/report/comparison"}},
	{"pages", "the report as a web page, as text in a terminal and as a dashboard widget", []string{"internal/report/html", "internal/report/text", "internal/report/widget"}},
	{"probe's parts", "the parts of probing without sockets: allowed addresses, STARTTLS, revocation, redaction", []string{"internal/probe/netguard", "internal/probe/redact", "internal/probe/revocation", "internal/probe/starttls"}},
	{"forms", "grammars and errors shared by adapters", []string{"internal/awsio/awserr", "internal/yamldoc"}},
	{"adapters", "files, network and AWS, each behind one package", []string{
		"internal/awsio/bus", "internal/awsio/cloudwatch", "internal/awsio/hook", "internal/awsio/invoke", "internal/awsio/listener", "internal/awsio/sns",
		"internal/awsio/source", "internal/awsio/stack", "internal/awsio/state", "internal/awsio/trail",
		"internal/config", "internal/draft", "internal/fanout", "internal/manifest", "internal/probe", "internal/trust",
	}},
	{"round", "runs the stages in order; defines the interfaces that adapters implement", []string{"internal/config/schema", "internal/round"}},
	{"handlers", "what the functions' events ask for, and their responses", []string{"internal/lambda"}},
	{"boot", "wires the adapters together", []string{"internal/boot"}},
	{"simulation", "a certificate authority and servers for demo and tests", []string{"internal/sim/edge", "internal/sim/pki"}},
	{"simulated account", "an AWS account in memory", []string{"internal/certtest", "internal/sim/account"}},
	{"demo", "replays the incident with all of the layers below", []string{"internal/sim/demo"}},
	{"command line", "the commands", []string{"internal/cli"}},
	{"programs", "wiring", []string{"cmd/bundle", "cmd/certdrift", "cmd/manpages", "cmd/release", "functions/inspect", "functions/probe", "functions/verify", "functions/widget", "functions/worker"}},
	{"tools for tests", "programs that tests run, and the benchmark", []string{"bench", "bench/hello", "e2e/debian", "e2e/grafana", "e2e/oracle", "e2e/pack", "e2e/rootstores", "e2e/tally", "e2e/tlsclient"}},
	{"servers for tests", "real servers with every defect", []string{"e2e/servers"}},
	{"tests", "tests across packages", []string{"docs", "e2e", "e2e/accuracy", "e2e/browser", "internal/archtest"}},
}

// level is the index of a package's layer; -1 if it is in none.
func level(dir string) int {
	for i, l := range layers {
		if slices.Contains(l.packages, dir) {
			return i
		}
	}
	return -1
}

// misplaced says what is wrong with an import within the project; empty if nothing is.
func misplaced(dir, imported string) string {
	to, ours := strings.CutPrefix(imported, module+"/")
	if !ours {
		return ""
	}
	from, at := level(dir), level(to)
	switch {
	case from < 0:
		return dir + " is in no layer: add it to layers"
	case at < 0:
		return to + " is in no layer: add it to layers"
	case at > from:
		return fmt.Sprintf("upwards, from %q to %q", layers[from].name, layers[at].name)
	case at == from:
		return fmt.Sprintf("sideways: packages of %q may not import each other", layers[at].name)
	}
	return ""
}

func TestLayers(t *testing.T) {
	found := map[string]bool{}
	for _, f := range parse(t) {
		found[f.dir] = true
		if f.test {
			continue // tests may import what they need
		}
		for _, imported := range f.imports() {
			if fault := misplaced(f.dir, imported); fault != "" {
				t.Errorf("%s imports %q: %s", path.Join(f.dir, f.name), imported, fault)
			}
		}
	}
	for dir := range found {
		if level(dir) < 0 {
			t.Errorf("%s is in no layer: add it to layers", dir)
		}
	}
	seen := map[string]bool{}
	for _, l := range layers {
		for _, p := range l.packages {
			if !found[p] {
				t.Errorf("layer %q has %s, which does not exist", l.name, p)
			}
			if seen[p] {
				t.Errorf("%s is in two layers", p)
			}
			seen[p] = true
		}
	}
}

func TestMisplaced(t *testing.T) {
	for _, c := range []struct {
		dir, imported string
		ok            bool
	}{
		{"internal/judge", "certdrift/internal/finding", true},
		{"internal/judge", "crypto/x509", true},
		{"cmd/certdrift", "certdrift/internal/cli", true},
		{"internal/target", "certdrift/internal/observation", false},
		{"internal/observation", "certdrift/internal/finding", false},
		{"internal/incident", "certdrift/internal/judge", false},
		{"internal/probe", "certdrift/internal/awsio/listener", false},
		{"internal/awsio/listener", "certdrift/internal/probe", false},
		{"internal/boot", "certdrift/internal/sim/pki", false},
		{"internal/cli", "certdrift/functions/probe", false},
		{"internal/new", "certdrift/internal/target", false},
		{"internal/judge", "certdrift/internal/new", false},
	} {
		if got := misplaced(c.dir, c.imported); (got == "") != c.ok {
			t.Errorf("%s importing %s: %q, want it allowed: %t", c.dir, c.imported, got, c.ok)
		}
	}
}

// table renders the layers for the document, the highest first.
func table() string {
	var b strings.Builder
	b.WriteString("| layer | packages | holds |\n| --- | --- | --- |\n")
	for _, l := range slices.Backward(layers) {
		fmt.Fprintf(&b, "| %s | `%s` | %s |\n", l.name, strings.Join(l.packages, "` `"), l.holds)
	}
	return b.String()
}

// TestDocument checks the table in docs/architecture.md.
func TestDocument(t *testing.T) {
	const from, to = "<!-- layers: made by go test ./internal/archtest -update -->\n", "<!-- /layers -->\n"
	name := filepath.Join("..", "..", "docs", "architecture.md")
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, begun := strings.Cut(string(text), from)
	shown, tail, ended := strings.Cut(rest, to)
	if !begun || !ended {
		t.Fatalf("%s has no %q or no %q", name, from, to)
	}
	if *update {
		if err := os.WriteFile(name, []byte(head+from+table()+to+tail), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if shown != table() {
		t.Errorf("%s is out of date: run go test ./internal/archtest -update", name)
	}
}
