package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestReleaseIsReproducible releases the same commit from two directories, the second time with nothing from the first one's build cache, and
// with the settings of another developer.
// One function stands for all: the others and the command are built by the same flags.
func TestReleaseIsReproducible(t *testing.T) {
	enabled(t)
	t.Parallel()
	var sums [2]string
	for i := range sums {
		clone, dist := filepath.Join(t.TempDir(), "clone"), filepath.Join(t.TempDir(), "dist")
		_, err := run(t.Context(), nil, "git", "clone", "--quiet", ".", clone)
		check(t, err)
		tools, err := filepath.Abs(filepath.Join(root, ".cache"))
		check(t, err)
		env := []string{}
		if i == 1 {
			env = append(env, "GOCACHE="+t.TempDir(), "GOFLAGS=-buildvcs=false -tags=elsewhere", "GOAMD64=v3", "GOARM64=v9.0", "GOFIPS140=latest")
		}
		_, err = run(t.Context(), env, "make", "-C", clone, "release", "DIST="+dist, "CACHE="+tools, "PLATFORMS=", "FUNCTIONS=WidgetFunction", "ARCHITECTURES=arm64")
		check(t, err)
		text, err := os.ReadFile(filepath.Join(dist, "checksums.txt"))
		check(t, err)
		sums[i] = string(text)
		for _, want := range []string{"WidgetFunction_", "certdrift-stack_", ".cdx.json", "certdrift.schema.json"} {
			if !strings.Contains(sums[i], want) {
				t.Errorf("no %s in checksums.txt:\n%s", want, text)
			}
		}
		materials, err := filepath.Glob(filepath.Join(dist, "*.cdx.json"))
		check(t, err)
		bill, err := os.ReadFile(materials[0])
		check(t, err)
		var sbom struct {
			Components []struct{ Name, Version string }
		}
		check(t, json.Unmarshal(bill, &sbom))
		names := map[string]string{}
		for _, c := range sbom.Components {
			names[c.Name] = c.Version
		}
		if names["github.com/aws/aws-lambda-go"] == "" || names["std"] == "" {
			t.Errorf("the bill of materials lacks aws-lambda-go or the standard library: %v", names)
		}
	}
	if sums[0] != sums[1] {
		t.Errorf("two builds of one commit differ:\n%s\n%s", sums[0], sums[1])
	}
}
