package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"certdrift/e2e/debian"

	"github.com/google/go-cmp/cmp"
)

// TestCDKConstruct has the CDK synthesize a stack with the construct in deploy/cdk: it is the release's template with the given values as
// defaults, the configuration, and what the CDK adds to every stack.
func TestCDKConstruct(t *testing.T) {
	enabled(t)
	modules, err := filepath.Abs(filepath.Join(root, ".cache", "cdk", "node_modules"))
	check(t, err)
	if _, err := os.Stat(filepath.Join(modules, "aws-cdk-lib")); err != nil || debian.Program("node") == "" {
		t.Skip("the AWS CDK could not be installed here, so the construct in deploy/cdk was not synthesized")
	}
	construct, err := filepath.Abs(filepath.Join(root, "deploy", "cdk"))
	check(t, err)
	dir := t.TempDir()
	want := releasedTemplate(t)
	text, err := json.Marshal(want)
	check(t, err)
	check(t, os.WriteFile(filepath.Join(dir, "template.json"), text, 0o600))
	program := fmt.Sprintf(`
const { App } = require('aws-cdk-lib');
const { Certdrift } = require(%q);
const app = new App({ outdir: %q });
const stack = new Certdrift(app, 'Monitoring', {
  releaseBucket: 'example-certdrift', template: %q, configuration: 'version: 1', alertEmail: 'ops@example.org', parameters: { LogLevel: 'WARN' },
});
console.log(JSON.stringify(stack.resolve([stack.topicArn, stack.verifyFunctionName, stack.stackName])));
app.synth();
`, construct, dir, filepath.Join(dir, "template.json"))
	check(t, os.WriteFile(filepath.Join(dir, "app.js"), []byte(program), 0o600))
	said, err := run(t.Context(), []string{"NODE_PATH=" + modules, "HOME=" + dir}, "node", filepath.Join(dir, "app.js"))
	check(t, err)
	if got := string(said); got != `[{"Fn::GetAtt":["Alerts","Outputs.TopicArn"]},{"Ref":"VerifyFunction"},"certdrift"]`+"\n" {
		t.Errorf("the construct's properties are %s", got)
	}

	synthesized, err := os.ReadFile(filepath.Join(dir, "Monitoring.template.json"))
	check(t, err)
	var got map[string]any
	check(t, json.Unmarshal(synthesized, &got))
	section := func(template map[string]any, name string) map[string]any { return template[name].(map[string]any) }
	for name, value := range map[string]string{
		"ReleaseBucket": "example-certdrift", "AlertEmail": "ops@example.org", "ConfigParameter": "/certdrift/config", "LogLevel": "WARN",
	} {
		within(want, "Parameters", name).(map[string]any)["Default"] = value
	}
	for id, r := range section(got, "Resources") {
		if within(r, "Type") == "AWS::SSM::Parameter" {
			if d := cmp.Diff(map[string]any{"Name": "/certdrift/config", "Tier": "Intelligent-Tiering", "Type": "String", "Value": "version: 1"}, within(r, "Properties")); d != "" {
				t.Error(d)
			}
			delete(section(got, "Resources"), id)
		}
	}
	delete(section(got, "Parameters"), "BootstrapVersion")
	delete(section(got, "Rules"), "CheckBootstrapVersion")
	// Parameters of nested stacks are strings.
	nested := within(want, "Resources", "Alarms", "Properties", "Parameters").(map[string]any)
	for _, name := range []string{"ProbeSlowMilliseconds", "InspectSlowMilliseconds"} {
		nested[name] = fmt.Sprint(nested[name])
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}
