package archtest

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// deployed are the modules that the functions' binaries are built from. A new one is a decision, not a side effect.
var deployed = []string{
	"certdrift", "filippo.io/nistec", "github.com/aws/aws-lambda-go", "github.com/aws/aws-sdk-go-v2", "github.com/aws/smithy-go",
	"github.com/goccy/go-yaml", "golang.org/x/crypto", "golang.org/x/net", "golang.org/x/sync", "golang.org/x/text",
}

func fileText(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "..", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// TestFunctionsAreMadeOfKnownModules holds which modules' code is deployed.
func TestFunctionsAreMadeOfKnownModules(t *testing.T) {
	cmd := exec.Command("go", "list", "-deps", "-tags", "lambda,lambda.norpc", "-f", "{{with .Module}}{{.Path}}{{end}}", module+"/functions/...")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	modules := strings.Fields(string(out))
	slices.Sort(modules)
	for _, m := range slices.Compact(modules) {
		if !slices.ContainsFunc(deployed, func(known string) bool { return m == known || strings.HasPrefix(m, known+"/") }) {
			t.Errorf("the functions link %s: add it to the list if that is meant", m)
		}
	}
}

// TestDirectDependenciesAreNamed: go.mod says of no module that is imported here that only other modules need it, as `go mod tidy` would.
func TestDirectDependenciesAreNamed(t *testing.T) {
	imported := map[string]bool{}
	for _, f := range parse(t) {
		if within(f.dir, []string{"e2e/grafana", "e2e/oracle"}) {
			continue // modules of their own
		}
		for _, path := range f.imports() {
			imported[path] = true
		}
	}
	for _, m := range regexp.MustCompile(`(?m)^\s+(\S+) v\S+ // indirect`).FindAllStringSubmatch(fileText(t, "go.mod"), -1) {
		for path := range imported {
			if path == m[1] || strings.HasPrefix(path, m[1]+"/") {
				t.Errorf("%s is imported, and go.mod calls %s indirect", path, m[1])
			}
		}
	}
}

// TestDependenciesArePinned: Go modules by version and hash, and Go tools by version, so that a build is of what was tested.
func TestDependenciesArePinned(t *testing.T) {
	for dir, least := range map[string]int{"": 10, "e2e/oracle/": 10, "e2e/grafana/": 1} {
		mod, sum := fileText(t, dir+"go.mod"), fileText(t, dir+"go.sum")
		if strings.Contains(mod, "\nreplace ") || !strings.Contains(mod, "\ngo 1.") {
			t.Errorf("%sgo.mod replaces modules, or names no version of Go", dir)
		}
		required := regexp.MustCompile(`(?m)^(?:require|\s)\s*(\S+) (v\S+)`).FindAllStringSubmatch(mod, -1)
		if len(required) < least {
			t.Fatalf("only %d modules are found in %sgo.mod", len(required), dir)
		}
		for _, m := range required {
			if !strings.Contains(sum, m[1]+" "+m[2]+"/go.mod h1:") {
				t.Errorf("%sgo.sum has no hash of %s %s", dir, m[1], m[2])
			}
		}
	}
	for _, tool := range regexp.MustCompile(`go (?:install|run) \S+\.\S+/\S+`).FindAllString(fileText(t, "Makefile"), -1) {
		if !regexp.MustCompile(`@v?\$\((GOLANGCI|STATICCHECK|ACTIONLINT|CYCLONEDX)\)`).MatchString(tool) {
			t.Errorf("the Makefile runs %q, which is not one version", tool)
		}
	}
}

// TestPythonToolsAreHashed: what pip installs is listed completely, each package with its version and hashes, and pip checks them.
func TestPythonToolsAreHashed(t *testing.T) {
	makefile := fileText(t, "Makefile")
	if options := regexp.MustCompile(`(?m)^HASHED := .*$`).FindString(makefile); !strings.Contains(options, "--require-hashes") || !strings.Contains(options, "--only-binary :all:") {
		t.Errorf("pip installs what has no hash, or builds it: %q", options)
	}
	installed := regexp.MustCompile(`pip install (\S+) -r e2e/(\S+)\.txt`).FindAllStringSubmatch(makefile, -1)
	if len(installed) != strings.Count(makefile, "pip install") || len(installed) < 2 {
		t.Errorf("the Makefile installs something else than requirements: %q", installed)
	}
	exact := regexp.MustCompile(`(?m)^([\w.-]+)(\[[\w,]+\])?==([\w.]+)( ; [^\\\n]+)?((?: \\\n    --hash=sha256:[0-9a-f]{64})*)\n`)
	for _, m := range installed {
		if m[1] != "$(HASHED)" {
			t.Errorf("%s is installed without hashes", m[2])
		}
		name := "e2e/" + m[2] + ".txt"
		text, pinned := fileText(t, name), map[string]string{}
		for _, p := range exact.FindAllStringSubmatch(text, -1) {
			if pinned[p[1]] = p[3]; p[5] == "" {
				t.Errorf("%s: %s has no hash", name, p[1])
			}
		}
		for line := range strings.Lines(exact.ReplaceAllString(text, "")) {
			t.Errorf("%s: %q is not one version with its hashes", name, strings.TrimSpace(line))
		}
		for line := range strings.Lines(fileText(t, "e2e/"+m[2]+".in")) {
			if line = strings.TrimSpace(line); line == "" || strings.HasPrefix(line, "#") {
				continue
			}
			if p := exact.FindStringSubmatch(line + "\n"); p == nil || pinned[p[1]] != p[3] {
				t.Errorf("%s does not have %q: run make requirements", name, line)
			}
		}
	}
}
