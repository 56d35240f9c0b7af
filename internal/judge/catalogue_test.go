package judge

import (
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"certdrift/internal/catalogue"
	"certdrift/internal/finding"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// Every entry of the catalogue has exactly one rule, in the same order.
func TestRulesMatchTheCatalogue(t *testing.T) {
	var documented, judged []finding.Code
	for _, e := range catalogue.Entries() {
		documented = append(documented, e.Code)
	}
	for _, r := range rules() {
		judged = append(judged, r.Code)
	}
	if !slices.Equal(documented, judged) {
		t.Errorf("catalogue %v, rules %v", documented, judged)
	}
}

// Every rule stands in a file of its code's name, and has tests: in a file beside it or, for those of a chain, which are
// told apart only together, in one they share.
func TestEveryRuleHasItsFileAndTests(t *testing.T) {
	files, err := filepath.Glob("*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	var tests strings.Builder
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		tests.Write(b)
	}
	for _, r := range rules() {
		code := r.Code
		name := strings.ReplaceAll(string(code), "-", "_")
		if _, err := os.Stat(name + ".go"); err != nil {
			t.Errorf("%s: %v", code, err)
		}
		if !strings.Contains(tests.String(), "finding."+constantName(code)) {
			t.Errorf("%s: no test names finding.%s", code, constantName(code))
		}
	}
}

// constantName is the code's name in Go: "cert-expired" is CertExpired.
func constantName(code finding.Code) string {
	var name strings.Builder
	for _, word := range strings.Split(string(code), "-") {
		switch word {
		case "dns", "tls", "http", "acm":
			name.WriteString(strings.ToUpper(word))
		default:
			name.WriteString(strings.ToUpper(word[:1]) + word[1:])
		}
	}
	return name.String()
}
