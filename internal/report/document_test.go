package report

import (
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"
)

// keysOf lists the keys of a type's JSON form as PATH KEY, each type once, by the first path that leads to it.
func keysOf(path string, t reflect.Type, seen map[reflect.Type]bool, add func(path, key string)) {
	for t.Kind() == reflect.Slice || t.Kind() == reflect.Pointer {
		if t.Kind() == reflect.Slice {
			path += "[]"
		}
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct || t == reflect.TypeFor[time.Time]() || seen[t] {
		return
	}
	seen[t] = true
	for i := range t.NumField() {
		f := t.Field(i)
		key, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if !f.IsExported() || key == "-" {
			continue
		}
		add(path, key)
		keysOf(strings.TrimPrefix(path+"."+key, "."), f.Type, seen, add)
	}
}

// TestDocumentNamesEveryKey holds docs/report.md against the document's own types, both ways.
func TestDocumentNamesEveryKey(t *testing.T) {
	made := map[string]bool{}
	keysOf("", reflect.TypeFor[Report](), map[reflect.Type]bool{}, func(path, key string) { made[path+" "+key] = true })
	text, err := os.ReadFile("../../docs/report.md")
	if err != nil {
		t.Fatal(err)
	}
	listed := map[string]bool{}
	path := ""
	heading, row := regexp.MustCompile("^## (?:The document|`(.+)`)$"), regexp.MustCompile("^\\| `([a-z_0-9]+)` \\| .+ \\|$")
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSuffix(line, "\n")
		if m := heading.FindStringSubmatch(line); m != nil {
			path = m[1]
		} else if m := row.FindStringSubmatch(line); m != nil {
			listed[path+" "+m[1]] = true
		} else if strings.HasPrefix(line, "| `") {
			t.Errorf("not understood: %s", line)
		}
	}
	for _, key := range []string{" verdict", "findings[] cause", "listeners[] mutual_tls"} {
		if !made[key] {
			t.Fatalf("the types have no %q: is the test looking in the right place?", key)
		}
	}
	for key := range made {
		if !listed[key] {
			t.Errorf("docs/report.md does not list %q", key)
		}
	}
	for key := range listed {
		if !made[key] {
			t.Errorf("docs/report.md lists %q, which is not written", key)
		}
	}
}
