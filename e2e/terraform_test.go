package e2e

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"certdrift/e2e/debian"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/ext/tryfunc"
	"github.com/hashicorp/hcl/v2/hclparse"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	ctyfunction "github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
)

// terraform is the module in deploy/terraform, evaluated as Terraform does, but for the provider, which cannot be fetched by the tests.
type terraform struct {
	blocks  []*hclsyntax.Block
	context *hcl.EvalContext
}

func readTerraform(t *testing.T, variables map[string]string) *terraform {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, "deploy", "terraform", "*.tf"))
	check(t, err)
	m, parser := &terraform{}, hclparse.NewParser()
	for _, file := range files {
		parsed, faults := parser.ParseHCLFile(file)
		if faults.HasErrors() {
			t.Fatal(faults)
		}
		m.blocks = append(m.blocks, parsed.Body.(*hclsyntax.Body).Blocks...)
	}
	m.context = &hcl.EvalContext{
		Functions: map[string]ctyfunction.Function{
			"coalesce": stdlib.CoalesceFunc, "merge": stdlib.MergeFunc, "regex": stdlib.RegexFunc, "can": tryfunc.CanFunc,
		},
		Variables: map[string]cty.Value{"data": cty.ObjectVal(map[string]cty.Value{
			"aws_region":    cty.ObjectVal(map[string]cty.Value{"current": cty.ObjectVal(map[string]cty.Value{"id": cty.StringVal(region)})}),
			"aws_partition": cty.ObjectVal(map[string]cty.Value{"current": cty.ObjectVal(map[string]cty.Value{"dns_suffix": cty.StringVal("amazonaws.com")})}),
		})},
	}
	values := map[string]cty.Value{}
	for name, b := range m.of("variable") {
		switch given, ok := variables[name]; {
		case ok:
			values[name] = cty.StringVal(given)
		case b.Body.Attributes["default"] != nil:
			values[name] = m.value(t, b, "default")
		default:
			t.Fatalf("the variable %s has no value", name)
		}
	}
	for name := range variables {
		if _, ok := values[name]; !ok {
			t.Fatalf("there is no variable %s", name)
		}
	}
	m.context.Variables["var"] = cty.ObjectVal(values)
	for _, b := range m.blocks {
		if b.Type == "locals" {
			m.context.Variables["local"] = cty.ObjectVal(map[string]cty.Value{"prefix": m.value(t, b, "prefix")})
		}
	}
	return m
}

// of returns the blocks of a type by their last label.
func (m *terraform) of(kind string) map[string]*hclsyntax.Block {
	out := map[string]*hclsyntax.Block{}
	for _, b := range m.blocks {
		if b.Type == kind && len(b.Labels) > 0 {
			out[b.Labels[len(b.Labels)-1]] = b
		}
	}
	return out
}

func (m *terraform) value(t *testing.T, b *hclsyntax.Block, attribute string) cty.Value {
	t.Helper()
	v, faults := b.Body.Attributes[attribute].Expr.Value(m.context)
	if faults.HasErrors() {
		t.Fatalf("%s %v: %s: %v", b.Type, b.Labels, attribute, faults)
	}
	return v
}

// releasedTemplate is the template of a release with the version v0.1.0.
func releasedTemplate(t *testing.T) map[string]any {
	t.Helper()
	file := filepath.Join(t.TempDir(), "template.json")
	_, err := run(t.Context(), nil, "go", "run", "./cmd/release", "-version", "v0.1.0", "-o", file)
	check(t, err)
	text, err := os.ReadFile(file)
	check(t, err)
	var template map[string]any
	check(t, json.Unmarshal(text, &template))
	return template
}

// TestTerraformModule evaluates the module: it deploys the release's template, with parameters that the template has, and its outputs exist.
func TestTerraformModule(t *testing.T) {
	template := releasedTemplate(t)
	m := readTerraform(t, map[string]string{"release_bucket": "example-certdrift", "release_version": "v0.1.0", "alert_email": "ops@example.org"})
	stack := m.of("resource")["certdrift"]
	// https://github.com/hashicorp/terraform-provider-aws/blob/main/website/docs/r/cloudformation_stack.html.markdown
	arguments := []string{
		"capabilities", "depends_on", "disable_rollback", "iam_role_arn", "name", "notification_arns", "on_failure", "parameters", "policy_body", "policy_url",
		"tags", "template_body", "template_url", "timeout_in_minutes",
	}
	if stack == nil || stack.Labels[0] != "aws_cloudformation_stack" {
		t.Fatal("the module has no stack")
	}
	for name := range stack.Body.Attributes {
		if !slices.Contains(arguments, name) {
			t.Errorf("aws_cloudformation_stack has no argument %s", name)
		}
	}
	if got := m.value(t, stack, "template_url").AsString(); got != "https://example-certdrift.s3.us-west-2.amazonaws.com/certdrift/v0.1.0/template.json" {
		t.Errorf("the template is at %s", got)
	}
	given := m.value(t, stack, "parameters").AsValueMap()
	for name, v := range given {
		if within(template, "Parameters", name) == nil {
			t.Errorf("the template has no parameter %s", name)
		}
		if v.IsNull() || v.Type() != cty.String {
			t.Errorf("%s is %#v", name, v)
		}
	}
	for name, p := range within(template, "Parameters").(map[string]any) {
		if _, ok := given[name]; !ok && within(p, "Default") == nil {
			t.Errorf("the required parameter %s is not given", name)
		}
	}
	if given["ReleasePrefix"].AsString() != within(template, "Parameters", "ReleasePrefix", "Default") {
		t.Errorf("the prefix is %v", given["ReleasePrefix"])
	}
	for _, b := range m.of("output") {
		for _, name := range b.Body.Attributes["value"].Expr.Variables() {
			if name.RootName() != "aws_cloudformation_stack" {
				t.Errorf("the output %v is of %s", b.Labels, name.RootName())
			}
			if index, ok := name[len(name)-1].(hcl.TraverseIndex); ok && within(template, "Outputs", index.Key.AsString()) == nil {
				t.Errorf("the template has no output %s", index.Key.AsString())
			}
		}
	}
}

// TestTerraformVariables: each is used and described, and a mistyped value is rejected before anything is created.
func TestTerraformVariables(t *testing.T) {
	m := readTerraform(t, map[string]string{"release_bucket": "example-certdrift", "release_version": "v0.1.0"})
	used := map[string]bool{}
	for _, b := range m.blocks {
		if b.Type == "variable" {
			continue
		}
		for _, a := range b.Body.Attributes {
			for _, v := range a.Expr.Variables() {
				if attribute, ok := v[1].(hcl.TraverseAttr); ok && v.RootName() == "var" {
					used[attribute.Name] = true
				}
			}
		}
	}
	declared := m.of("variable")
	if got, want := slices.Sorted(maps.Keys(used)), slices.Sorted(maps.Keys(declared)); !slices.Equal(got, want) {
		t.Errorf("used are %v, declared %v", got, want)
	}
	for name, b := range declared {
		if b.Body.Attributes["description"] == nil || b.Body.Attributes["type"] == nil {
			t.Errorf("%s has no description, or no type", name)
		}
	}
	for value, good := range map[string]bool{"certdrift": true, "Team-B": true, "": false, "1st": false, strings.Repeat("a", 39): false, "a_b": false} {
		if m.accepts(t, "name", value) != good {
			t.Errorf("the name %q: accepted is %t", value, !good)
		}
	}
	for value, good := range map[string]bool{"example-certdrift": true, "s3://example": false, "a.b.c": false, "x": false} {
		if m.accepts(t, "release_bucket", value) != good {
			t.Errorf("the bucket %q: accepted is %t", value, !good)
		}
	}
}

// accepts evaluates a variable's validation.
func (m *terraform) accepts(t *testing.T, name, value string) bool {
	t.Helper()
	m.context.Variables["var"] = cty.ObjectVal(map[string]cty.Value{name: cty.StringVal(value)})
	for _, b := range m.of("variable")[name].Body.Blocks {
		if b.Type == "validation" {
			return m.value(t, b, "condition").True()
		}
	}
	t.Fatalf("%s has no validation", name)
	return false
}

// TestTerraformFormat has Terraform itself parse the module and check its format. `terraform validate` needs the provider.
func TestTerraformFormat(t *testing.T) {
	enabled(t)
	if debian.Program("terraform") == "" {
		t.Skip("terraform is not on this machine: deploy/terraform was parsed and evaluated, but not by Terraform")
	}
	if out, err := run(t.Context(), []string{"TF_CLI_CONFIG_FILE=" + os.DevNull, "CHECKPOINT_DISABLE=1"}, "terraform", "fmt", "-check", "-diff", "-recursive", "deploy/terraform"); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
