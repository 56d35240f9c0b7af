// Package archtest tests the architecture: which packages may import which (layers_test.go), which open connections
// (dial_test.go), which are pure, that every package has a doc, and the wording (wording_test.go). Each rule has its reason.
package archtest

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

const module = "certdrift"

// pure packages judge, track and describe; they depend only on their arguments.
var pure = []string{
	"internal/arn", "internal/prose", "internal/target", "internal/observation", "internal/finding", "internal/catalogue", "internal/chain", "internal/judge", "internal/alertpath",
	"internal/incident", "internal/metric", "internal/alert", "internal/topology", "internal/plan", "internal/policy", "internal/report", "internal/event",
}

// sdk packages may know the AWS SDK.
var sdk = []string{"internal/awsio", "internal/boot", "internal/sim", "e2e"}

// lambdaLibrary is the one AWS library that is no SDK client: the functions and their handlers know it.
const lambdaLibrary = "github.com/aws/aws-lambda-go"

const noTemplates = "reflection in templates switches dead-code elimination off: the Lambda grows by half"

// excepted are packages that may import something that a rule forbids, each with the reason.
var excepted = map[string]struct{ imported, reason string }{
	"internal/report/html": {"html/template", "a page needs context-aware escaping; only the command line links it (TestFunctionsLinkNoTemplates)"},
	"internal/report/text": {"charm.land/lipgloss/v2/...", "it draws tables for terminals; only the command line links it (TestFunctionsLinkNoTemplates)"},
}

// rules lists imports that are forbidden in addition to the layers. A pattern ending in /... matches everything below.
var rules = []struct {
	packages  []string
	forbidden []string
	reason    string
}{
	{pure, []string{"net/http", "log/slog", "log", "os", "os/...", "math/rand", "math/rand/...", "net", "syscall"},
		"pure packages stay pure, so that any verdict can be reproduced from saved observations"},
	{pure, []string{"text/template", "html/template"}, noTemplates},
	{[]string{"functions", "internal/boot", "internal/lambda", "internal/round", "internal/probe", "internal/awsio", "internal/config"},
		[]string{"text/template", "html/template"}, noTemplates},
	{[]string{"internal/incident", "internal/metric", "internal/alert"}, []string{module + "/internal/judge"},
		"the stages after judge know findings, not rules"},
	{[]string{"functions"}, []string{module + "/internal/sim/..."},
		"the simulation is for the demo and for tests; it does not belong in a Lambda function"},
}

type file struct {
	dir, name string
	ast       *ast.File
	test      bool
}

func parse(t *testing.T) []file {
	t.Helper()
	files, err := tree()
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 20 {
		t.Fatalf("only %d files found: is the test looking in the right place?", len(files))
	}
	return files
}

// tree is parsed once for all tests of this package; nothing in it is changed.
var tree = sync.OnceValues(func() ([]file, error) {
	var files []file
	root := filepath.Join("..", "..")
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if name := d.Name(); p != root && (strings.HasPrefix(name, ".") || name == "testdata" || name == "bin") {
				return filepath.SkipDir
			}
			return nil
		}
		if filepath.Ext(p) != ".go" {
			return nil
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), p, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return fmt.Errorf("parsing %q: %w", p, err)
		}
		dir, err := filepath.Rel(root, filepath.Dir(p))
		if err != nil {
			return err
		}
		files = append(files, file{filepath.ToSlash(dir), filepath.Base(p), parsed, strings.HasSuffix(p, "_test.go")})
		return nil
	})
	return files, err
})

func (f file) imports() []string {
	var paths []string
	for _, spec := range f.ast.Imports {
		if p, err := strconv.Unquote(spec.Path.Value); err == nil {
			paths = append(paths, p)
		}
	}
	return paths
}

func within(dir string, roots []string) bool {
	return slices.ContainsFunc(roots, func(root string) bool { return dir == root || strings.HasPrefix(dir, root+"/") })
}

func matches(importPath, pattern string) bool {
	if base, ok := strings.CutSuffix(pattern, "/..."); ok {
		return importPath == base || strings.HasPrefix(importPath, base+"/")
	}
	return importPath == pattern
}

func TestImports(t *testing.T) {
	for _, f := range parse(t) {
		if f.test {
			continue
		}
		for _, imported := range f.imports() {
			if matches(imported, excepted[f.dir].imported) {
				continue
			}
			for _, r := range rules {
				for _, pattern := range r.forbidden {
					if within(f.dir, r.packages) && matches(imported, pattern) {
						t.Errorf("%s imports %q: %s", path.Join(f.dir, f.name), imported, r.reason)
					}
				}
			}
			if strings.HasPrefix(imported, "github.com/aws/") && !within(f.dir, sdk) &&
				(!strings.HasPrefix(imported, lambdaLibrary) || !within(f.dir, []string{"functions", "internal/lambda", "bench/hello"})) {
				t.Errorf("%s imports %q: only awsio, boot and the simulation know the AWS SDK", path.Join(f.dir, f.name), imported)
			}
			if within(f.dir, pure) && strings.Contains(imported, ".") {
				t.Errorf("%s imports %q: pure packages need the standard library only", path.Join(f.dir, f.name), imported)
			}
		}
	}
}

// TestFunctionsAreWiring checks that functions import Lambda and boot, never an SDK client.
func TestFunctionsAreWiring(t *testing.T) {
	for _, f := range parse(t) {
		if !within(f.dir, []string{"functions"}) || f.test {
			continue
		}
		for _, imported := range f.imports() {
			if strings.HasPrefix(imported, "github.com/aws/aws-sdk-go-v2") {
				t.Errorf("%s imports %q: clients are made in boot", path.Join(f.dir, f.name), imported)
			}
		}
	}
}

// TestFunctionsLinkNoTemplates checks everything that a function links, directly or not. The build tag is the Makefile's: without
// it, aws-lambda-go links net/rpc, which has a debugging page.
func TestFunctionsLinkNoTemplates(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", "-tags", "lambda.norpc", module+"/functions/...").Output()
	if err != nil {
		t.Fatalf("listing what the functions link: %v", err)
	}
	linked := strings.Fields(string(out))
	if !slices.Contains(linked, module+"/internal/boot") {
		t.Fatal("boot is not among what the functions link: is the test looking in the right place?")
	}
	for _, banned := range []string{"text/template", "html/template", module + "/internal/report/html", module + "/internal/report/text", "charm.land/lipgloss/v2", "github.com/spf13/cobra"} {
		if slices.Contains(linked, banned) {
			t.Errorf("a function links %s: %s", banned, noTemplates)
		}
	}
}

// TestPackageDocs checks that every package has a doc comment.
func TestPackageDocs(t *testing.T) {
	documented := map[string]bool{}
	for _, f := range parse(t) {
		name := f.ast.Name.Name
		if strings.HasSuffix(name, "_test") {
			continue
		}
		want := "Package " + name + " "
		if name == "main" {
			want = "Command "
		}
		documented[f.dir] = documented[f.dir] || f.ast.Doc != nil && strings.HasPrefix(f.ast.Doc.Text(), want)
	}
	for dir, ok := range documented {
		if !ok {
			t.Errorf("%s has no package doc (// Package … or, for a command, // Command …)", dir)
		}
	}
}

// TestNoInit checks that importing a package has no effects.
func TestNoInit(t *testing.T) {
	for _, f := range parse(t) {
		if f.test {
			continue
		}
		for _, d := range f.ast.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Name.Name == "init" && fn.Recv == nil {
				t.Errorf("%s has an init function: what it does belongs where it is called from", path.Join(f.dir, f.name))
			}
		}
	}
}

// TestNoClockInPurePackages checks that the time is an argument.
func TestNoClockInPurePackages(t *testing.T) {
	for _, f := range parse(t) {
		if f.test || !within(f.dir, pure) {
			continue
		}
		ast.Inspect(f.ast, func(n ast.Node) bool {
			sel, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			if id, ok := sel.X.(*ast.Ident); ok && id.Name == "time" && slices.Contains([]string{"Now", "Since", "Until", "Sleep", "After", "NewTimer", "NewTicker"}, sel.Sel.Name) {
				t.Errorf("%s calls time.%s: now is an argument in pure code", path.Join(f.dir, f.name), sel.Sel.Name)
			}
			return true
		})
	}
}
