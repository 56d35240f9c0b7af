package docs_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// testsOf returns the tests and fuzz targets of a package.
func testsOf(t *testing.T, dir string) map[string]bool {
	t.Helper()
	have := map[string]bool{}
	for _, file := range glob(t, filepath.Join("..", dir, "*_test.go")) {
		for _, m := range regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`).FindAllStringSubmatch(read(t, file), -1) {
			have[m[1]] = true
		}
	}
	return have
}

// Every test that the document names is in the package named before it, and all 32 faults have one.
func TestReliabilityNamesTestsThatExist(t *testing.T) {
	text := read(t, "reliability.md")
	packages := map[string]map[string]bool{}
	dir, row := "", 0
	for line := range strings.Lines(text) {
		if m := regexp.MustCompile(`^\| (\d+) \|`).FindStringSubmatch(line); m != nil {
			if row++; strconv.Itoa(row) != m[1] {
				t.Errorf("row %d is numbered %s", row, m[1])
			}
			if cells := strings.Split(line, "|"); len(cells) != 7 || !regexp.MustCompile("`[a-z0-9/]+` (Test|Fuzz)").MatchString(cells[5]) {
				t.Errorf("row %d has no test, or not five columns: %s", row, line)
			}
		}
		for _, m := range regexp.MustCompile("`((?:internal|e2e)[a-z0-9/]*)`|\\b((?:Test|Fuzz)[A-Z]\\w*)").FindAllStringSubmatch(line, -1) {
			if m[1] != "" {
				dir = m[1]
				continue
			}
			if packages[dir] == nil {
				packages[dir] = testsOf(t, dir)
			}
			if !packages[dir][m[2]] {
				t.Errorf("%s is not in %s", m[2], dir)
			}
		}
	}
	if row != 32 {
		t.Errorf("%d faults, want the 32 of issue 10", row)
	}
}

// Every fuzz target has its row in the table of what fuzzing found.
func TestReliabilityListsEveryFuzzTarget(t *testing.T) {
	text := read(t, "reliability.md")
	_, fuzzing, ok := strings.Cut(text, "## Fuzzing")
	if !ok {
		t.Fatal("no section about fuzzing")
	}
	found := 0
	err := filepath.WalkDir("../internal", func(path string, _ os.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		dir := strings.TrimPrefix(filepath.ToSlash(filepath.Dir(path)), "../")
		for _, m := range regexp.MustCompile(`(?m)^func (Fuzz\w+)\(`).FindAllStringSubmatch(read(t, path), -1) {
			if found++; !strings.Contains(fuzzing, "| `"+dir+"` "+m[1]+" |") {
				t.Errorf("%s of %s has no row", m[1], dir)
			}
		}
		return nil
	})
	if err != nil || found < 20 {
		t.Errorf("%d fuzz targets found: %v", found, err)
	}
}
