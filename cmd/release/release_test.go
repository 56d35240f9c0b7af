package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const root = "../.."

// written is the template that the command writes, read back.
func written(t *testing.T, r release) map[string]any {
	t.Helper()
	out := filepath.Join(t.TempDir(), "template.json")
	if err := write(filepath.Join(root, "template.yaml"), out, r); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	var template map[string]any
	if err := json.Unmarshal(text, &template); err != nil {
		t.Fatal(err)
	}
	return template
}

func at(v any, keys ...string) any {
	for _, key := range keys {
		m, _ := v.(map[string]any)
		v = m[key]
	}
	return v
}

func TestParse(t *testing.T) {
	got, err := parse([]byte(`
A: &a {Ref: !Ref X, List: [!GetAtt Nested.Outputs.Arn, !Sub "${X}-y", !If [C, !Ref "AWS::NoValue", 3]]}
B: *a
C: !Not [!Condition D]
"rate(1 minute)": >-
  two
  lines
N: !GetAtt [a, b]
Date: "2012-10-17"
`))
	if err != nil {
		t.Fatal(err)
	}
	a := map[string]any{"Ref": map[string]any{"Ref": "X"}, "List": []any{
		map[string]any{"Fn::GetAtt": []any{"Nested", "Outputs.Arn"}}, map[string]any{"Fn::Sub": "${X}-y"},
		map[string]any{"Fn::If": []any{"C", map[string]any{"Ref": "AWS::NoValue"}, uint64(3)}},
	}}
	want := map[string]any{
		"A": a, "B": a, "C": map[string]any{"Fn::Not": []any{map[string]any{"Condition": "D"}}}, "rate(1 minute)": "two lines",
		"N": map[string]any{"Fn::GetAtt": []any{"a", "b"}}, "Date": "2012-10-17",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestParseRefuses(t *testing.T) {
	for name, text := range map[string]string{
		"an unknown alias": "A: *a", "a merge key": "A: &a {x: 1}\nB: {<<: *a}", "a list": "- a", "two documents": "A: 1\n---\nB: 2", "nothing": "", "no YAML": "a: [",
	} {
		if got, err := parse([]byte(text)); err == nil {
			t.Errorf("%s is read as %v", name, got)
		}
	}
}

// TestNothingIsLocal: what the released template needs is in the release's bucket, under the names of the release's files.
func TestNothingIsLocal(t *testing.T) {
	template := written(t, release{version: "v1.2.3"})
	functions := 0
	for id, r := range at(template, "Resources").(map[string]any) {
		switch at(r, "Type") {
		case "AWS::Serverless::Function":
			functions++
			if key := at(r, "Properties", "CodeUri", "Key", "Fn::Sub"); key != "${ReleasePrefix}"+id+"_v1.2.3_${Architecture}.zip" {
				t.Errorf("%s has its code in %v", id, key)
			}
			if at(r, "Properties", "CodeUri", "Bucket", "Ref") != "ReleaseBucket" || at(r, "Metadata") != nil {
				t.Errorf("%s: %v", id, r)
			}
		case "AWS::CloudFormation::Stack":
			url, _ := at(r, "Properties", "TemplateURL", "Fn::Sub").(string)
			_, file, ok := strings.Cut(url, "https://${ReleaseBucket}.s3.${AWS::Region}.${AWS::URLSuffix}/${ReleasePrefix}")
			if _, err := os.Stat(filepath.Join(root, file)); !ok || err != nil {
				t.Errorf("%s is at %q: %v", id, url, err)
			}
		}
	}
	text, err := os.ReadFile(filepath.Join(root, "template.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if want := strings.Count(string(text), "Type: AWS::Serverless::Function\n"); functions != want || want == 0 {
		t.Errorf("%d functions, the source has %d", functions, want)
	}
	if at(template, "Globals", "Function", "CodeUri") != nil || at(template, "Parameters", "ReleasePrefix", "Default") != "certdrift/v1.2.3/" {
		t.Error("the globals name code, or the prefix is not the version's")
	}
}

// TestTheRestIsTheSame: but for what a release adds, its template is the source tree's.
func TestTheRestIsTheSame(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "template.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	source, err := parse(text)
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := json.Marshal(source)
	if err != nil {
		t.Fatal(err)
	}
	var want map[string]any
	if err := json.Unmarshal(encoded, &want); err != nil {
		t.Fatal(err)
	}
	got := written(t, release{version: "v1.2.3"})
	added := func(section string, n int) {
		have, old := at(got, section).(map[string]any), at(want, section).(map[string]any)
		for id := range have {
			if _, ok := old[id]; !ok {
				delete(have, id)
				n--
			}
		}
		if n != 0 {
			t.Errorf("%s: the number of additions is off by %d", section, -n)
		}
	}
	added("Parameters", 3)
	added("Rules", 1)
	added("Metadata", 1)
	for _, template := range []map[string]any{got, want} {
		delete(at(template, "Globals", "Function").(map[string]any), "CodeUri")
		delete(at(template, "Globals", "Function").(map[string]any), "Architectures")
		delete(at(template, "Metadata", "AWS::CloudFormation::Interface").(map[string]any), "ParameterGroups")
		for _, name := range []string{"ConfigBucket", "ConfigParameter"} {
			delete(at(template, "Parameters", name).(map[string]any), "Description")
		}
		for _, r := range at(template, "Resources").(map[string]any) {
			delete(at(r, "Properties").(map[string]any), "CodeUri")
			delete(at(r, "Properties").(map[string]any), "TemplateURL")
			delete(r.(map[string]any), "Metadata")
		}
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// TestNestedTemplatesHaveNoAliases: CloudFormation accepts none, and they say the same without.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-formats.html
func TestNestedTemplatesHaveNoAliases(t *testing.T) {
	dir := t.TempDir()
	if err := write(filepath.Join(root, "template.yaml"), filepath.Join(dir, "template.json"), release{version: "v1.2.3"}); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(root, "infra", "*.yaml"))
	if err != nil || len(files) < 4 {
		t.Fatal(files, err)
	}
	expanded := 0
	for _, file := range files {
		before, after := read(t, file), read(t, filepath.Join(dir, "infra", filepath.Base(file)))
		r := reader{anchors: map[string]any{}}
		if _, err := r.template(after); err != nil || len(r.anchors) > 0 {
			t.Errorf("%s: %v, %d anchors", file, err, len(r.anchors))
		}
		if !bytes.Equal(before, after) {
			expanded++
		}
		want, err := parse(before)
		if err != nil {
			t.Fatal(err)
		}
		got, err := parse(after)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, got, cmp.Transformer("number", func(n uint64) float64 { return float64(n) })); d != "" {
			t.Errorf("%s: %s", file, d)
		}
	}
	if expanded == 0 {
		t.Error("no nested template has an alias: this tests nothing")
	}
}

func read(t *testing.T, file string) []byte {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// TestApplication holds the metadata to what the Serverless Application Repository requires of it.
// https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/serverless-sam-template-publishing-applications-metadata-properties.html
func TestApplication(t *testing.T) {
	for version, want := range map[string]string{
		"v1.2.3": "1.2.3", "1.2.3": "1.2.3", "v1.2.3-rc.1": "1.2.3-rc.1", "1a28ac4": "0.0.0-dev-1a28ac4", "unknown-dirty": "0.0.0-dev-unknown-dirty",
		"v01.2.3": "0.0.0-dev-v01-2-3", "v1.2.3-4-g1a28ac4": "1.2.3-4-g1a28ac4",
	} {
		if got := (release{version: version}).semantic(); got != want {
			t.Errorf("%s is the version %s, want %s", version, got, want)
		}
	}
	a := written(t, release{version: "v1.2.3", bucket: "releases-us-west-2"})
	m := at(a, "Metadata", "AWS::ServerlessRepo::Application").(map[string]any)
	for name, pattern := range map[string]string{
		"Name": `^[a-zA-Z0-9\-]{1,140}$`, "Description": `^.{1,256}$`, "Author": `^[a-z0-9](([a-z0-9]|-[a-z0-9])*[a-z0-9])?$`,
		"SpdxLicenseId": `^Apache-2\.0$`, "LicenseUrl": `^s3://releases-us-west-2/certdrift/v1\.2\.3/LICENSE$`, "ReadmeUrl": `^s3://\S+/README\.md$`, "SemanticVersion": `^1\.2\.3$`,
	} {
		if got := fmt.Sprint(m[name]); !regexp.MustCompile(pattern).MatchString(got) {
			t.Errorf("%s is %q", name, got)
		}
	}
	labels := m["Labels"].([]any)
	if len(labels) > 10 || !slices.IsSortedFunc(labels, func(a, b any) int { return strings.Compare(a.(string), b.(string)) }) {
		t.Errorf("labels %v", labels)
	}
	if got := at(a, "Parameters", "ReleaseBucket", "Default"); got != "releases-us-west-2" {
		t.Errorf("the bucket is %v", got)
	}
	plain := written(t, release{version: "v1.2.3"})
	if p := at(plain, "Parameters", "ReleaseBucket").(map[string]any); p["Default"] != nil {
		t.Errorf("a bucket by default: %v", p)
	}
	if names := slices.Sorted(maps.Keys(at(plain, "Metadata", "AWS::ServerlessRepo::Application").(map[string]any))); slices.Contains(names, "LicenseUrl") {
		t.Errorf("without a bucket there is no place for a license: %v", names)
	}
}

func TestRewriteRefuses(t *testing.T) {
	for name, text := range map[string]string{
		"no parameters": "Resources: {}", "no layout": "Parameters: {A: {}}\nMetadata: {}",
		"no function": "Parameters: {}\nMetadata: {\"AWS::CloudFormation::Interface\": {ParameterGroups: []}}\nRules: {}\nGlobals: {Function: {}}\nResources: {A: {Type: T}}",
	} {
		template, err := parse([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		if err := (release{version: "v1"}).rewrite(template); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
