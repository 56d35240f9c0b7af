package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"certdrift/internal/sim/pki"
)

// lay writes files below a new folder.
func lay(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := write(filepath.Join(dir, name), []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// held are the files below a folder.
func held(t *testing.T, dir string) []string {
	t.Helper()
	var names []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, err := filepath.Rel(dir, path)
		names = append(names, filepath.ToSlash(name))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func ca(t *testing.T) string {
	t.Helper()
	root, err := pki.Root("bundle test root", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return string(root.PEM())
}

const endpoints = "environments:\n  production:\n    endpoints:\n      - {name: api, url: https://api.example.org}\n"

func TestBundleHoldsWhatTheConfigurationNames(t *testing.T) {
	dir := lay(t, map[string]string{
		"team.yaml":    "version: 1\ntrust: {ca_files: [trust/ca.pem]}\nmanifests: [k8s, charts/*.yaml, s3://bucket/k8s/]\n" + endpoints,
		"trust/ca.pem": ca(t), "trust/other.pem": "no", "k8s/a/service.yaml": "kind: Service", "k8s/README.md": "no",
		"charts/web.yaml": "kind: Ingress", "charts/values.txt": "no",
	})
	to := t.TempDir()
	if err := bundle(filepath.Join(dir, "team.yaml"), to); err != nil {
		t.Fatal(err)
	}
	want := []string{"certdrift.yaml", "charts/web.yaml", "k8s/a/service.yaml", "trust/ca.pem"}
	if diff := cmp.Diff(want, held(t, to)); diff != "" {
		t.Errorf("the package (-want +got):\n%s", diff)
	}
	info, err := os.Stat(filepath.Join(to, "trust", "ca.pem"))
	if err != nil || info.Mode().Perm() != 0o644 {
		t.Errorf("%v, %v: Lambda's user must be able to read it", info, err)
	}
}

func TestBundleRefusesWhatWouldFailInLambda(t *testing.T) {
	for name, tt := range map[string]struct {
		config string
		want   []string
	}{
		"faults":            {"version: 1\nenvironmnets: {}\n" + strings.Replace(endpoints, "https", "gopher", 1), []string{"team.yaml:2:1:", "team.yaml:6:", "hint: "}},
		"a missing CA":      {"version: 1\ntrust: {ca_files: [gone.pem]}\n" + endpoints, []string{"team.yaml:2:", "gone.pem"}},
		"missing manifests": {"version: 1\nmanifests: [k8s/*.yaml, gone/]\n" + endpoints, []string{`"k8s/*.yaml"`, `"gone/"`}},
		"a folder above":    {"version: 1\nmanifests: [../k8s]\n" + endpoints, []string{`"../k8s"`, "S3"}},
	} {
		t.Run(name, func(t *testing.T) {
			to := t.TempDir()
			err := bundle(filepath.Join(lay(t, map[string]string{"team.yaml": tt.config}), "team.yaml"), to)
			for _, want := range tt.want {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("error %v, want it to say %q", err, want)
				}
			}
			if got := held(t, to); len(got) > 0 {
				t.Errorf("%v was copied all the same", got)
			}
		})
	}
}

func TestTheExampleCanBeBundled(t *testing.T) {
	if err := bundle(filepath.Join("..", "..", "certdrift.example.yaml"), t.TempDir()); err != nil {
		t.Error(err)
	}
}
