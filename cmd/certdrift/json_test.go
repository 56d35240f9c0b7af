package main

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

func jsonPath(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: jsonpath PATH VALUE|-N")
	}
	var doc any
	if err := json.Unmarshal([]byte(ts.ReadFile("stdout")), &doc); err != nil {
		ts.Fatalf("standard output is not one JSON document: %v", err)
	}
	got, err := lookUp(doc, args[0])
	if err != nil {
		ts.Fatalf("%v", err)
	}
	if (got == args[1]) == neg {
		ts.Fatalf("%s is %s", args[0], got)
	}
}

// lookUp gives the value at a path as text; a list gives -N, its length.
func lookUp(doc any, path string) (string, error) {
	for _, step := range strings.Split(path, ".") {
		switch v := doc.(type) {
		case map[string]any:
			inner, ok := v[step]
			if !ok {
				return "", fmt.Errorf("%s: nothing is called %q", path, step)
			}
			doc = inner
		case []any:
			i, err := strconv.Atoi(step)
			if err != nil || i >= len(v) {
				return "", fmt.Errorf("%s: no item %q among %d", path, step, len(v))
			}
			doc = v[i]
		default:
			return "", fmt.Errorf("%s: nothing below %q", path, step)
		}
	}
	if list, ok := doc.([]any); ok {
		return fmt.Sprintf("-%d", len(list)), nil
	}
	return fmt.Sprint(doc), nil
}
