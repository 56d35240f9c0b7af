package schema

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

var update = flag.Bool("update", false, "write certdrift.schema.json anew")

const checkedIn = "../../../certdrift.schema.json"

func TestCheckedInSchemaIsCurrent(t *testing.T) {
	made, err := Schema()
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(checkedIn, made, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	held, err := os.ReadFile(checkedIn)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(held), string(made)); diff != "" {
		t.Errorf("certdrift.schema.json is out of date; run go test ./internal/config/schema -update\n%s", diff)
	}
}

func compile(t *testing.T) *jsonschema.Schema {
	t.Helper()
	made, err := Schema()
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(made))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("certdrift.schema.json", doc); err != nil {
		t.Fatal(err)
	}
	compiled, err := compiler.Compile("certdrift.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return compiled
}

// instance reads a YAML file as JSON, which is what editors hold against the schema.
func instance(t *testing.T, name string) any {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	asJSON, err := yaml.YAMLToJSON(data)
	if err != nil {
		t.Fatal(err)
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(asJSON))
	if err != nil {
		t.Fatal(err)
	}
	return value
}

func TestGoodFilesFitTheSchema(t *testing.T) {
	names, err := filepath.Glob("../testdata/*.ok.yaml")
	if err != nil || len(names) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	compiled := compile(t)
	for _, name := range append(names, "../../../certdrift.example.yaml") {
		if err := compiled.Validate(instance(t, name)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSlipsDoNotFitTheSchema(t *testing.T) {
	compiled := compile(t)
	for _, name := range []string{"keys", "durations", "list"} {
		data, err := os.ReadFile("../testdata/" + name + ".bad.yaml")
		if err != nil {
			t.Fatal(err)
		}
		var value any
		if name == "keys" { // repeated keys, tags and aliases are no JSON
			data = []byte("version: 1\npolciy: {}\n")
		}
		if err := yaml.Unmarshal(data, &value); err != nil {
			t.Fatal(err)
		}
		if err := compiled.Validate(value); err == nil {
			t.Errorf("%s.bad.yaml fits the schema", name)
		}
	}
}
