package cli

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// planFiles plans files without AWS, each named with -f, and returns the exit status and the output.
func planFiles(t *testing.T, files map[string]string) (int, string) {
	t.Helper()
	dir := t.TempDir()
	t.Chdir(dir)
	write(t, filepath.Join(dir, "certdrift.yaml"), fmt.Sprintf(tfConfig, tfByName))
	args := []string{"plan", "--offline"}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		write(t, filepath.Join(dir, name), files[name])
		args = append(args, "-f", name)
	}
	status, stdout, stderr := run(t, nil, nil, args...)
	return status, stdout + stderr
}

// stackSet is a change set that can be executed, with some changes.
func stackSet(changes ...string) string {
	return `{"ChangeSetName":"next","ChangeSetId":"` + stackSetID + `","StackName":"web","Status":"CREATE_COMPLETE","ExecutionStatus":"AVAILABLE","Changes":[` + strings.Join(changes, ",") + `]}`
}

const stackSetID = "arn:aws:cloudformation:eu-west-1:111122223333:changeSet/next/1"

// stackChange is one change; before and after are properties, empty for none.
func stackChange(action, kind, physical, before, after, more string) string {
	context := func(name, properties string) string {
		if properties == "" {
			return ""
		}
		return fmt.Sprintf(`,%q:%q`, name, `{"Properties":`+properties+`}`)
	}
	return fmt.Sprintf(`{"Type":"Resource","ResourceChange":{"Action":%q,"LogicalResourceId":"X","ResourceType":%q,"PhysicalResourceId":%q%s%s%s}}`,
		action, kind, physical, context("BeforeContext", before), context("AfterContext", after), more)
}

func stackListener(lb, protocol string, port int, certificate string) string {
	certificates := ""
	if certificate != "" {
		certificates = fmt.Sprintf(`,"Certificates":[{"CertificateArn":%q}]`, certificate)
	}
	return fmt.Sprintf(`{"LoadBalancerArn":%q,"Protocol":%q,"Port":"%d"%s}`, lb, protocol, port, certificates)
}

func stackClassic(blocks ...string) string {
	return `{"Listeners":[` + strings.Join(blocks, ",") + `]}`
}

func stackBlock(port int, protocol, certificate string) string {
	return fmt.Sprintf(`{"LoadBalancerPort":"%d","Protocol":%q,"SSLCertificateId":%q}`, port, protocol, certificate)
}

func stackListed(listener, certificate string) string {
	return fmt.Sprintf(`{"ListenerArn":%q,"Certificates":[{"CertificateArn":%q}]}`, listener, certificate)
}

const (
	inPlace     = `,"Replacement":"False"`
	anew        = `,"Replacement":"True","PolicyAction":"ReplaceAndDelete"`
	anewBeside  = `,"Replacement":"True","PolicyAction":"ReplaceAndRetain"`
	perhapsAnew = `,"Replacement":"Conditional"`
	retained    = `,"PolicyAction":"Retain"`
	unknownYet  = "{{changeSet:KNOWN_AFTER_APPLY}}"
)

// TestPlanOfChangeSets holds what executing a change set makes, changes and takes away, without AWS: the SNI list of a listener that exists
// is then unknown.
func TestPlanOfChangeSets(t *testing.T) {
	https, wrong := stackListener(tfALB, "HTTPS", 443, tfGood), stackListener(tfALB, "HTTPS", 443, tfWrong)
	elsewhere := strings.ReplaceAll(tfALB, "app/shop/", "app/shop2/")
	classic := stackClassic(stackBlock(443, "HTTPS", tfGood))
	listener := func(action, before, after, more string) string {
		physical := tfHTTPS
		if action == "Add" {
			physical = ""
		}
		return stackSet(stackChange(action, stackTypeListener, physical, before, after, more))
	}
	elb := func(action, before, after, more string) string {
		return stackSet(stackChange(action, stackTypeClassic, "shop", before, after, more))
	}
	listed := func(action, before, after, more string) string {
		return stackSet(stackChange(action, stackTypeListed, "listed", before, after, more))
	}
	good := stackSet(stackChange("Add", stackTypeListener, "", "", https, ""))
	nested := stackChange("Modify", "AWS::CloudFormation::Stack", "nested", `{"a":"b"}`, `{"a":"c"}`, inPlace+`,"ChangeSetId":"`+stackSetID+`"`)
	for name, c := range map[string]struct {
		text   string
		status int
	}{
		"a listener added":                            {good, 0},
		"a wrong one":                                 {listener("Add", "", wrong, ""), 1},
		"one whose certificate is made":               {listener("Add", "", stackListener(tfALB, "HTTPS", 443, unknownYet), ""), 3},
		"one whose certificate is hidden":             {listener("Add", "", stackListener(tfALB, "HTTPS", 443, "****"), ""), 3},
		"one whose load balancer is made":             {listener("Add", "", stackListener(unknownYet, "HTTPS", 443, tfGood), ""), 3},
		"an HTTP one":                                 {listener("Add", "", stackListener(tfALB, "HTTP", 80, ""), ""), 0},
		"HTTPS without a certificate":                 {listener("Add", "", stackListener(tfALB, "HTTPS", 443, ""), ""), 2},
		"a listener, another certificate":             {listener("Modify", wrong, https, inPlace), 3},
		"a listener, other actions":                   {listener("Modify", https, https, inPlace), 3},
		"a listener made plain":                       {listener("Modify", https, stackListener(tfALB, "HTTP", 443, ""), inPlace), 1},
		"a listener moved":                            {listener("Modify", https, stackListener(tfALB, "HTTPS", 8443, tfGood), inPlace), 1},
		"a listener replaced elsewhere":               {listener("Modify", https, stackListener(elsewhere, "HTTPS", 443, tfGood), anew), 1},
		"a listener replaced, the old one kept":       {listener("Modify", https, stackListener(elsewhere, "HTTPS", 443, tfGood), anewBeside), 3},
		"a listener replaced, perhaps":                {listener("Modify", https, stackListener(unknownYet, "HTTPS", 443, tfGood), perhapsAnew), 3},
		"a listener removed":                          {listener("Remove", https, "", ""), 1},
		"a listener removed, and kept":                {listener("Remove", https, "", retained), 0},
		"a listener removed, values not shown":        {listener("Remove", "", "", ""), 3},
		"a listener imported":                         {listener("Import", "", https, ""), 0},
		"a listener that depends":                     {listener("Dynamic", "", "", ""), 3},
		"a listener of an action that is new":         {listener("Migrate", https, https, ""), 3},
		"a certificate added to a list":               {listed("Add", "", stackListed(tfHTTPS, tfGood), ""), 3},
		"the declared certificate leaves a list":      {listed("Remove", stackListed(tfHTTPS, tfGood), "", ""), 1},
		"it leaves a list, and is kept":               {listed("Remove", stackListed(tfHTTPS, tfGood), "", retained), 0},
		"it takes another's place in a list":          {listed("Modify", stackListed(tfHTTPS, tfGood), stackListed(tfHTTPS, tfOther), inPlace), 1},
		"it stays in a list beside another":           {listed("Modify", stackListed(tfHTTPS, tfGood), strings.Replace(stackListed(tfHTTPS, tfGood), "}]", `},{"CertificateArn":"`+tfOther+`"}]`, 1), inPlace), 3},
		"a classic load balancer, another":            {elb("Modify", stackClassic(stackBlock(443, "HTTPS", tfWrong)), classic, inPlace), 0},
		"a classic load balancer, a wrong one":        {elb("Modify", classic, stackClassic(stackBlock(443, "SSL", tfWrong)), inPlace), 1},
		"a classic load balancer, a block less":       {elb("Modify", classic, stackClassic(), inPlace), 1},
		"a classic load balancer, something else":     {elb("Modify", classic, classic, inPlace), 3},
		"a classic load balancer removed":             {elb("Remove", classic, "", ""), 1},
		"a classic load balancer removed, and kept":   {elb("Remove", classic, "", retained), 0},
		"a classic load balancer under another name":  {elb("Modify", classic, strings.Replace(classic, "{", `{"LoadBalancerName":"other",`, 1), anew), 1},
		"a load balancer removed":                     {stackSet(stackChange("Remove", "AWS::ElasticLoadBalancingV2::LoadBalancer", tfALB, `{"Name":"shop"}`, "", "")), 3},
		"a load balancer removed, and kept":           {stackSet(stackChange("Remove", "AWS::ElasticLoadBalancingV2::LoadBalancer", tfALB, `{"Name":"shop"}`, "", retained)), 0},
		"only a queue":                                {stackSet(stackChange("Modify", "AWS::SQS::Queue", "q", `{"a":"b"}`, `{"a":"c"}`, inPlace)), 0},
		"a nested stack without its set":              {stackSet(strings.ReplaceAll(nested, stackSetID, stackSetID+"2")), 3},
		"a nested stack with its set":                 {stackSet(nested) + "\n" + strings.Replace(good, `"AVAILABLE"`, `"UNAVAILABLE","ParentChangeSetId":"x"`, 1), 0},
		"a nested stack removed":                      {stackSet(stackChange("Remove", "AWS::CloudFormation::Stack", "nested", `{"a":"b"}`, "", "")), 3},
		"a nested stack whose set was not made":       {stackSet(stackChange("Modify", "AWS::CloudFormation::Stack", "nested", `{"a":"b"}`, `{"a":"c"}`, inPlace)), 3},
		"no values":                                   {stackSet(stackChange("Add", stackTypeListener, "", "", "", "")), 3},
		"half of the values":                          {listener("Modify", "", https, inPlace), 3},
		"values that are cut":                         {strings.Replace(good, `]}}"`, `]"`, 1), 3},
		"one page of several":                         {strings.Replace(good, `{"`, `{"NextToken":"x","`, 1), 3},
		"a set that does not say whether it is whole": {strings.Replace(good, `"Status":"CREATE_COMPLETE",`, "", 1), 3},
		"a set that is being made":                    {strings.Replace(good, "CREATE_COMPLETE", "CREATE_IN_PROGRESS", 1), 2},
		"a set that failed":                           {strings.Replace(good, `"CREATE_COMPLETE"`, `"FAILED","StatusReason":"Template error"`, 1), 2},
		"a set without changes":                       {strings.Replace(stackSet(), `"CREATE_COMPLETE"`, `"FAILED","StatusReason":"The submitted information didn't contain changes. Submit different information to create a change set."`, 1), 0},
		"a set that was executed":                     {strings.Replace(good, "AVAILABLE", "EXECUTE_COMPLETE", 1), 2},
		"a set that is out of date":                   {strings.Replace(good, "AVAILABLE", "OBSOLETE", 1), 2},
		"a set that is not available":                 {strings.Replace(good, "AVAILABLE", "UNAVAILABLE", 1), 2},
		"a key that is deleted":                       {stackSet(stackChange("Remove", "AWS::IAM::ServerCertificate", "web", `{"Path":"/"}`, "", "")), 3},
		"a key that is deleted and stays":             {stackSet(stackChange("Remove", "AWS::IAM::ServerCertificate", "web", `{"Path":"/"}`, "", retained)), 0},
		"a change of nothing":                         {stackSet(`{"Type":"Hook"}`), 3},
		"a change of some kind":                       {listener("Modify", https, https, ""), 3},
		"the changes alone":                           {`[` + stackChange("Remove", stackTypeListener, tfHTTPS, "", "", "") + `]`, 3},
	} {
		if status, out := planFiles(t, map[string]string{"set.json": c.text}); status != c.status {
			t.Errorf("%s: exit status %d, want %d\n%s\n%s", name, status, c.status, c.text, out)
		}
	}
}

// TestPlanOfTemplates: a template is compared with the configuration, and what it leaves open is undecided.
func TestPlanOfTemplates(t *testing.T) {
	template := func(resources string) string { return "Resources:\n" + resources }
	classic := func(certificate string) string {
		return template("  Web:\n    Type: AWS::ElasticLoadBalancing::LoadBalancer\n    Properties:\n      LoadBalancerName: shop\n      Listeners:\n" +
			"        - {LoadBalancerPort: 443, Protocol: HTTPS, InstancePort: 80, SSLCertificateId: " + certificate + "}\n")
	}
	parameter := "Parameters: {Certificate: {Type: String, Default: \"" + tfGood + "\"}}\n" + classic("!Ref Certificate")
	given := func(certificate string) string {
		return `[{"ParameterKey":"Certificate","ParameterValue":"` + certificate + `"}]`
	}
	nested := template("  Nested: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: ./b.yaml}}\n")
	twoPerhaps := "Parameters: {Stage: {Type: String}}\nConditions: {Staging: !Equals [!Ref Stage, staging]}\n" +
		template("  L:\n    Type: AWS::ElasticLoadBalancingV2::Listener\n    Properties:\n      Port: 443\n      Protocol: HTTPS\n      Certificates:\n        - CertificateArn: "+tfGood+
			"\n        - !If [Staging, {CertificateArn: \""+tfOther+"\"}, !Ref AWS::NoValue]\n")
	never := "Conditions: {Never: !Equals [a, b]}\n" + strings.Replace(classic(tfGood), "Properties:", "Condition: Never\n    Properties:", 1)
	queue := template("  Queue: {Type: AWS::SQS::Queue, Properties: {Tags: [{Key: Name, Value: !Ref AWS::StackName}]}}\n")
	for name, c := range map[string]struct {
		files  map[string]string
		status int
		says   string
	}{
		"a wrong certificate":                {map[string]string{"a.yaml": classic(tfWrong)}, 1, "the configuration declares another certificate"},
		"the declared one":                   {map[string]string{"a.yaml": classic(tfGood)}, 3, "which certificates shop:443 holds now"},
		"a default":                          {map[string]string{"a.yaml": parameter}, 3, "the parameter Certificate (default"},
		"a value for it":                     {map[string]string{"a.yaml": parameter, "b.json": given(tfWrong)}, 1, "the configuration declares another certificate"},
		"a value for it, of CodePipeline":    {map[string]string{"a.yaml": parameter, "b.json": `{"Parameters":{"Certificate":"` + tfWrong + `"}}`}, 1, "the configuration declares another certificate"},
		"two values for it":                  {map[string]string{"a.yaml": parameter, "b.json": given(tfWrong), "c.json": given(tfGood)}, 3, "for which the files have several values"},
		"the value that it has":              {map[string]string{"a.yaml": parameter, "b.json": `[{"ParameterKey":"Certificate","UsePreviousValue":true}]`}, 3, "whose value stays as it is"},
		"values alone":                       {map[string]string{"b.json": given(tfGood)}, 2, "no file contains"},
		"a nested template elsewhere":        {map[string]string{"a.yaml": nested}, 3, "a.yaml:2 (Stack Nested)"},
		"a nested template here":             {map[string]string{"a.yaml": nested, "b.yaml": queue}, 0, "No load balancer's"},
		"a nested template with a wrong one": {map[string]string{"a.yaml": nested, "b.yaml": classic(tfWrong)}, 1, "b.yaml"},
		"a condition that does not hold":     {map[string]string{"a.yaml": never}, 3, "whether an earlier deployment made"},
		"a queue":                            {map[string]string{"a.yaml": queue}, 0, "No load balancer's"},
		"SAM's function":                     {map[string]string{"a.yaml": "Transform: AWS::Serverless-2016-10-31\n" + template("  F: {Type: AWS::Serverless::Function, Properties: {CodeUri: .}}\n")}, 0, "No load balancer's"},
		"a macro":                            {map[string]string{"a.yaml": "Transform: Listeners\n" + queue}, 3, "the macro \"Listeners\""},
		"no resources":                       {map[string]string{"a.yaml": "AWSTemplateFormatVersion: \"2010-09-09\"\nDescription: nothing\n"}, 2, "no Resources"},
		"a template in a ConfigMap":          {map[string]string{"a.yaml": "apiVersion: v1\nkind: ConfigMap\ndata:\n  t.yaml: |\n    Type: AWS::ElasticLoadBalancingV2::Listener\n"}, 3, "ConfigMap"},
		"a template of get-template":         {map[string]string{"a.json": `{"TemplateBody":"Resources: {L: {Type: \"AWS::ElasticLoadBalancingV2::Listener\"}}"}`}, 3, "a document without a kind"},
		"a load balancer without any":        {map[string]string{"a.yaml": template("  LB: {Type: AWS::ElasticLoadBalancingV2::LoadBalancer, Properties: {Name: shop}}\n")}, 3, "shop"},
		"what the CDK writes beside":         {map[string]string{"a.yaml": queue, "manifest.json": `{"version":"1","artifacts":{"Web":{"type":"aws:cloudformation:stack","properties":{"x":"` + tfGood + `"}}}}`, "tree.json": `{"version":"tree-0.1","tree":{"x":"` + tfGood + `"}}`}, 0, "No load balancer's"},
		"another tool's artifacts":           {map[string]string{"a.yaml": queue, "b.json": `{"version":"1","artifacts":{"x":"` + tfGood + `"}}`}, 3, "b.json:1"},
		"parameters of another tool":         {map[string]string{"a.yaml": queue, "b.json": `{"Parameters":{"x":"` + tfGood + `"},"Charts":[]}`}, 3, "b.json:1"},
		"a second certificate, perhaps":      {map[string]string{"a.yaml": twoPerhaps}, 3, "the condition Staging depends on"},
	} {
		if status, out := planFiles(t, c.files); status != c.status || !strings.Contains(out, c.says) {
			t.Errorf("%s: exit status %d, want %d and %q\n%s", name, status, c.status, c.says, out)
		}
	}
}

// TestPlanOfThisProject reads certdrift's own templates, a SAM application with nested stacks: with all of them in the input nothing is
// left open.
func TestPlanOfThisProject(t *testing.T) {
	config := filepath.Join(t.TempDir(), "certdrift.yaml")
	write(t, config, fmt.Sprintf(tfConfig, tfByName))
	for _, c := range []struct {
		args   []string
		status int
		says   string
	}{
		{[]string{"-f", "../../template.yaml", "-f", "../../infra"}, 0, "No load balancer's certificate is declared"},
		{[]string{"-f", "../../template.yaml"}, 3, "it makes another stack, whose template is not in the input"},
	} {
		status, stdout, stderr := run(t, nil, nil, append([]string{"plan", "--offline", "-c", config}, c.args...)...)
		if status != c.status || !strings.Contains(stdout, c.says) {
			t.Errorf("%v: exit status %d, want %d and %q\n%s%s", c.args, status, c.status, c.says, stdout, stderr)
		}
	}
}
