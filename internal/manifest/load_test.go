package manifest

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// service is a manifest that declares one listener.
func service(name string) string {
	return "apiVersion: v1\nkind: Service\nmetadata:\n  name: " + name + "\n  annotations:\n" +
		"    service.beta.kubernetes.io/aws-load-balancer-ssl-cert: arn:aws:acm:us-west-2:111122223333:certificate/a1\n" +
		"spec: {type: LoadBalancer, ports: [{port: 443}]}\n"
}

// folder writes manifests named after their paths into a new directory.
func folder(t *testing.T, paths ...string) string {
	t.Helper()
	root := t.TempDir()
	for _, path := range paths {
		full := filepath.Join(root, path)
		if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
			t.Fatal(err)
		}
		name := strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
		if err := os.WriteFile(full, []byte(service(name)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func TestLoadFindsFiles(t *testing.T) {
	dir := folder(t, "k8s/a.yaml", "k8s/sub/b.yml", "k8s/sub/deep/c.yaml", "k8s/notes.txt", "k8s/.git/d.yaml", "other.yaml")
	if err := os.Symlink("../../other.yaml", filepath.Join(dir, "k8s/sub/link.yaml")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("k8s/sub", filepath.Join(dir, "current")); err != nil {
		t.Fatal(err)
	}
	remote := func(path string) ([]File, error) {
		return []File{{path + "r.yaml", []byte(service("r"))}}, nil
	}
	for name, test := range map[string]struct{ paths, want []string }{
		"a file":           {[]string{"other.yaml"}, []string{"other.yaml"}},
		"a directory":      {[]string{"k8s"}, []string{"k8s/a.yaml", "k8s/sub/b.yml", "k8s/sub/deep/c.yaml", "k8s/sub/link.yaml"}},
		"a linked one":     {[]string{"current"}, []string{"current/b.yml", "current/deep/c.yaml", "current/link.yaml"}},
		"here":             {[]string{"./k8s/sub/deep/"}, []string{"k8s/sub/deep/c.yaml"}},
		"a glob":           {[]string{"k8s/*.yaml"}, []string{"k8s/a.yaml"}},
		"a glob of dirs":   {[]string{"k8s/s*"}, []string{"k8s/sub/b.yml", "k8s/sub/deep/c.yaml", "k8s/sub/link.yaml"}},
		"a deep glob":      {[]string{"k8s/**/c.yaml"}, []string{"k8s/sub/deep/c.yaml"}},
		"one file twice":   {[]string{"k8s/a.yaml", "k8s/*.yaml"}, []string{"k8s/a.yaml"}},
		"standard input":   {[]string{"-"}, []string{"standard input"}},
		"a remote prefix":  {[]string{"s3://bucket/k8s/"}, []string{"s3://bucket/k8s/r.yaml"}},
		"an absolute path": {[]string{filepath.Join(dir, "k8s/*.yaml")}, []string{filepath.Join(dir, "k8s/a.yaml")}},
	} {
		t.Run(name, func(t *testing.T) {
			read := Load(test.paths, Options{Dir: dir, Stdin: strings.NewReader(service("stdin")), Remote: remote})
			declared, diagnostics := read.Declared, read.Diagnostics
			if len(diagnostics) > 0 {
				t.Fatal(diagnostics)
			}
			var got []string
			for _, d := range declared {
				got = append(got, d.Source.File)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestLoadNamesWhatItCannotRead(t *testing.T) {
	dir := folder(t, "k8s/a.yaml", "empty/notes.txt")
	broken := func(string) ([]File, error) { return nil, errors.New("AccessDenied\x1b[31m") }
	for name, test := range map[string]struct {
		path string
		opts Options
		want string
	}{
		"no path":       {"", Options{}, "the path is empty"},
		"missing":       {"k9s", Options{}, "does not exist"},
		"empty":         {"empty", Options{}, "no manifests"},
		"no match":      {"k8s/*.json", Options{}, "no manifests"},
		"bad glob":      {"k8s/[", Options{}, "pattern"},
		"no stdin":      {"-", Options{}, "not available"},
		"empty stdin":   {"-", Options{Stdin: strings.NewReader("\n")}, "is empty"},
		"no remote":     {"s3://bucket/k8s/", Options{}, "cannot read it here"},
		"broken remote": {"s3://bucket/k8s/", Options{Remote: broken}, `AccessDenied\x1b`},
	} {
		t.Run(name, func(t *testing.T) {
			test.opts.Dir = dir
			read := Load([]string{test.path, "k8s/a.yaml"}, test.opts)
			declared, diagnostics := read.Declared, read.Diagnostics
			if len(diagnostics) != 1 || !strings.Contains(diagnostics[0].Message, test.want) || diagnostics[0].Hint == "" || diagnostics[0].File == "" {
				t.Errorf("diagnostics: %+v, want one with %q", diagnostics, test.want)
			}
			if len(declared) != 1 {
				t.Errorf("the good file gave %d declarations", len(declared))
			}
		})
	}
}

// TestLoadReadsPipes: a pipe that is named is read, as kubectl reads /dev/stdin and <(…). One that lies in a directory, or where nobody
// is there to write, would hold up everything.
func TestLoadReadsPipes(t *testing.T) {
	for name, c := range map[string]struct {
		stdin    bool
		declared int
		wrong    string
	}{"a command line": {true, 1, ""}, "a round": {false, 0, "not a regular file"}} {
		t.Run(name, func(t *testing.T) {
			read, write, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { read.Close() })
			if _, err := write.WriteString(service("api")); err != nil {
				t.Fatal(err)
			}
			write.Close()
			opts := Options{}
			if c.stdin {
				opts.Stdin = strings.NewReader("")
			}
			got := Load([]string{fmt.Sprintf("/dev/fd/%d", read.Fd())}, opts)
			if len(got.Declared) != c.declared || (len(got.Diagnostics) > 0) != (c.wrong != "") || c.wrong != "" && !strings.Contains(got.Diagnostics[0].Message, c.wrong) {
				t.Errorf("%d declarations, %+v", len(got.Declared), got.Diagnostics)
			}
		})
	}
	dir := folder(t, "a.yaml")
	if err := syscall.Mkfifo(filepath.Join(dir, "b.yaml"), 0o600); err != nil {
		t.Fatal(err)
	}
	got := Load([]string{dir}, Options{Stdin: strings.NewReader("")})
	if len(got.Declared) != 1 || len(got.Diagnostics) != 1 || !strings.Contains(got.Diagnostics[0].Message, "not a regular file") {
		t.Errorf("a pipe in a directory: %+v", got)
	}
}

// TestLoadReadsStandardInputOnce: two names for it are one input.
func TestLoadReadsStandardInputOnce(t *testing.T) {
	got := Load([]string{"-", "-"}, Options{Stdin: strings.NewReader(service("api"))})
	if len(got.Declared) != 1 || len(got.Diagnostics) > 0 {
		t.Errorf("%+v", got)
	}
}

func TestLoadTakesTheNamespace(t *testing.T) {
	declared := Load([]string{"-"}, Options{Stdin: strings.NewReader(service("api")), Namespace: "staging"}).Declared
	if len(declared) != 1 || declared[0].Service != "staging/api" {
		t.Errorf("%+v", declared)
	}
}
