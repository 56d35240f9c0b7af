package e2e

import (
	"debug/elf"
	"fmt"
	"maps"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// byAWS are permissions that no code of certdrift uses: an AWS service calls on behalf of the function's role.
var byAWS = map[string]string{
	"logs:CreateLogStream": "Lambda", "logs:PutLogEvents": "Lambda", "xray:PutTraceSegments": "Lambda", "xray:PutTelemetryRecords": "Lambda",
	"sqs:SendMessage": "Lambda, for failed invocations", "sqs:ReceiveMessage": "Lambda's pollers", "sqs:DeleteMessage": "Lambda's pollers",
	"sqs:GetQueueAttributes": "Lambda's pollers", "kms:Decrypt": "SNS, S3 and SSM, for what is encrypted", "kms:GenerateDataKey": "SNS",
	"ec2:CreateNetworkInterface": "Lambda", "ec2:DescribeNetworkInterfaces": "Lambda", "ec2:DescribeSubnets": "Lambda",
	"ec2:DeleteNetworkInterface": "Lambda", "ec2:AssignPrivateIpAddresses": "Lambda", "ec2:UnassignPrivateIpAddresses": "Lambda",
}

// withoutPermission are operations that need none, or that the SDK links and never calls here.
var withoutPermission = map[string]string{
	"sts:GetCallerIdentity":      "everybody may",
	"dynamodb:DescribeEndpoints": "endpoint discovery, which is off",
	"s3:CreateSession":           "directory buckets only",
}

var operation = regexp.MustCompile(`/service/([a-z0-9]+)\.\(\*Client\)\.([A-Z]\w*)$`)

// callable are the actions that a function's binary can call, by the names that policies use: the linker keeps a method of an SDK client
// only if something reaches it.
func callable(t *testing.T, folder string) map[string]bool {
	t.Helper()
	path := filepath.Join(t.TempDir(), folder)
	// As the Makefile's build targets, so that the compiled packages are shared, but with symbols.
	_, err := run(t.Context(), []string{"CGO_ENABLED=0", "GOOS=linux", "GOARCH=" + runtime.GOARCH}, "go", "build", "-trimpath", "-buildvcs=false",
		"-tags", "lambda,lambda.norpc", "-gcflags=all=-l", "-o", path, "./functions/"+folder)
	check(t, err)
	binary, err := elf.Open(path)
	check(t, err)
	defer binary.Close()
	symbols, err := binary.Symbols()
	check(t, err)
	prefixes := map[string]string{"elasticloadbalancingv2": "elasticloadbalancing", "eventbridge": "events"}
	actions := map[string]bool{}
	for _, s := range symbols {
		if s.Name == "certdrift/internal/awsio/invoke.(*Function).Invoke" { // a request without a client of the SDK
			actions["lambda:InvokeFunction"] = true
		}
		m := operation.FindStringSubmatch(s.Name)
		if m == nil || m[2] == "Options" {
			continue
		}
		service := m[1]
		if prefix, ok := prefixes[service]; ok {
			service = prefix
		}
		action := service + ":" + m[2]
		if action == "s3:ListObjectsV2" {
			action = "s3:ListBucket"
		}
		if withoutPermission[action] == "" {
			actions[action] = true
		}
	}
	if len(actions) < 10 && folder != "worker" {
		t.Fatalf("%s can call only %v: the test no longer reads binaries right", folder, actions)
	}
	return actions
}

// granted are the actions of a role that certdrift's own code uses, those on a condition of the template included.
func granted(t *testing.T, role resource) map[string]bool {
	t.Helper()
	actions := map[string]bool{}
	statementsOf(role.Properties["Policies"], func(s map[string]any) {
		for _, action := range oneOrMore(s["Action"]) {
			if byAWS[fmt.Sprint(action)] == "" {
				actions[fmt.Sprint(action)] = true
			}
		}
	})
	return actions
}

func without(all, other map[string]bool) []string {
	return slices.Sorted(maps.Keys(maps.Collect(func(yield func(string, bool) bool) {
		for name := range all {
			if !other[name] && !yield(name, true) {
				return
			}
		}
	})))
}

// TestPermissionsAreThoseOfTheCode: each function's role grants exactly what its binary can call, none missing and none over, and so does the
// role of member accounts for what is read there.
func TestPermissionsAreThoseOfTheCode(t *testing.T) {
	enabled(t)
	tm := readTemplate(t, "template.yaml")
	elsewhere := map[string]bool{}
	for _, name := range []string{"Probe", "Inspect", "Verify", "Widget", "Worker"} {
		can, may := callable(t, strings.ToLower(name)), granted(t, tm.Resources[name+"Role"])
		if missing := without(can, may); len(missing) > 0 {
			t.Errorf("%s can call %v, which its role does not grant", name, missing)
		}
		if over := without(may, can); len(over) > 0 {
			t.Errorf("%s is granted %v, which it cannot call", name, over)
		}
		for action := range can {
			if service, _, _ := strings.Cut(action, ":"); slices.Contains([]string{"elasticloadbalancing", "acm", "iam", "cloudtrail"}, service) {
				elsewhere[action] = true
			}
		}
	}
	member := granted(t, infra(t, "member-role").Resources["Role"])
	if missing, over := without(elsewhere, member), without(member, elsewhere); len(missing)+len(over) > 0 {
		t.Errorf("the role of member accounts lacks %v, and grants %v without need", missing, over)
	}
}
