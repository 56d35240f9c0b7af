package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sns"
)

// The template is deployed with its parameters in the combinations that matter, to check conditions and permissions. The packages
// are empty: nothing runs.
func TestWhatCanBeChosen(t *testing.T) {
	enabled(t)
	t.Parallel()
	always := []string{"logs", "publish", "read-history", "read-listeners", "read-stack", "vpc"}
	for name, c := range map[string]struct {
		parameters []string
		config     string
		policies   []string // of the probe's role, beyond those that are always there
		filters    []string // of the subscriptions
	}{
		"nothing": {nil, "certdrift.yaml", nil, nil},
		"S3, encrypted, with files and manifests": {
			[]string{"AlertEmail=a@example.org", "ConfigBucket=conf-b", "ConfigKey=x/c.yaml", "ConfigFiles=x/*", "ManifestBucket=conf-m", "ManifestPrefix=k8s/",
				"ConfigKmsKeyArn=arn:aws:kms:us-west-2:111122223333:key/0b7d2f3a-52c7-4f0e-9d1b-6a8f5a2f1c01"},
			"s3://conf-b/x/c.yaml", []string{"configuration-in-s3", "configuration-key", "manifests"}, []string{"email "},
		},
		"SSM, and all recipients": {
			[]string{"ConfigParameter=/certdrift/config", "TeamEmail=b@example.org", "TeamEnvironments=staging,dev", "Chat=true", "AlertSms=+491713920010", "AlertEnvironments=production,demo"},
			"ssm:///certdrift/config", []string{"configuration-in-ssm"}, []string{
				`email {"environment":["staging","dev"]}`,
				`sms {"$or":[{"environment":["production","demo"]},{"environment":["none",{"exists":false}]}],"severity":["critical",{"exists":false}],"sms":["send",{"exists":false}]}`,
			},
		},
		"S3 before SSM, in a VPC, with members": {
			[]string{"ConfigBucket=conf-b", "ConfigParameter=/certdrift/config", "SubnetIds=subnet-1,subnet-2", "SecurityGroupIds=sg-1",
				"MemberRoleArns=arn:aws:iam::222233334444:role/a,arn:aws:iam::222233334445:role/b", "MemberAccounts=222233334444,222233334445"},
			"s3://conf-b/certdrift.yaml", []string{"configuration-in-s3", "member-accounts"}, nil,
		},
		"workers": {[]string{"Workers=20"}, "certdrift.yaml", []string{"workers"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			endpoint := "http://" + startMoto(t)
			s := deployEmpty(t, endpoint, c.parameters)
			probe := s.Functions["certdrift-probe"]
			if s.Status != "CREATE_COMPLETE" || probe.Environment["CERTDRIFT_CONFIG"] != c.config {
				t.Errorf("%s, and probe reads %q", s.Status, probe.Environment["CERTDRIFT_CONFIG"])
			}
			wants := slices.Contains(c.parameters, "Chat=true")
			if got := s.Outputs["ChatTopicArn"] != "" && probe.Environment["CERTDRIFT_CHAT_TOPIC_ARN"] == s.Outputs["ChatTopicArn"]; got != wants {
				t.Errorf("a topic for chat: %v, want %v: %v", got, wants, probe.Environment)
			}
			worker, probes := s.Functions["certdrift-worker"]
			wants = slices.Contains(c.parameters, "Workers=20")
			if probes != wants || probe.Environment["CERTDRIFT_WORKER_ARN"] != worker.ARN || probe.Environment["CERTDRIFT_WORKERS"] != map[bool]string{true: "20"}[wants] {
				t.Errorf("a worker: %v, want %v: %v", probes, wants, probe.Environment)
			}
			list, err := iam.NewFromConfig(asTester(endpoint)).ListRolePolicies(t.Context(), &iam.ListRolePoliciesInput{RoleName: aws.String(probe.Role)})
			check(t, err)
			got, want := slices.Sorted(slices.Values(list.PolicyNames)), slices.Sorted(slices.Values(append(slices.Clone(always), c.policies...)))
			if !slices.Equal(got, want) {
				t.Errorf("probe's role has %s, want %s", strings.Join(got, ", "), strings.Join(want, ", "))
			}
			if got := filters(t, endpoint, s.Outputs["TopicArn"]); !slices.Equal(got, c.filters) {
				t.Errorf("subscribed are %q, want %q", got, c.filters)
			}
		})
	}
}

// filters are the subscriptions of a topic by protocol, each with its filter policy, sorted.
func filters(t *testing.T, endpoint, topic string) []string {
	t.Helper()
	api := sns.NewFromConfig(asTester(endpoint))
	list, err := api.ListSubscriptionsByTopic(t.Context(), &sns.ListSubscriptionsByTopicInput{TopicArn: &topic})
	check(t, err)
	var all []string
	for _, s := range list.Subscriptions {
		got, err := api.GetSubscriptionAttributes(t.Context(), &sns.GetSubscriptionAttributesInput{SubscriptionArn: s.SubscriptionArn})
		check(t, err)
		text := got.Attributes["FilterPolicy"]
		if text != "" {
			var policy map[string]any
			check(t, json.Unmarshal([]byte(text), &policy))
			sorted, err := json.Marshal(policy)
			check(t, err)
			text = string(sorted)
		}
		all = append(all, aws.ToString(s.Protocol)+" "+text)
	}
	slices.Sort(all)
	return all
}

// deployEmpty deploys the template with empty packages.
func deployEmpty(t *testing.T, endpoint string, parameters []string) *stack {
	t.Helper()
	packages := t.TempDir()
	for id := range readTemplate(t, "template.yaml").of("AWS::Serverless::Function") {
		check(t, os.WriteFile(filepath.Join(packages, id+".zip"), []byte("PK\x05\x06"+strings.Repeat("\x00", 18)), 0o600)) // an empty archive
	}
	script, err := filepath.Abs("deploy.py")
	check(t, err)
	args := append([]string{script, endpoint, "template.yaml", packages, t.TempDir()}, parameters...)
	out, err := run(t.Context(), []string{"AWS_REGION=" + region, "AWS_DEFAULT_REGION=" + region, "PYTHONDONTWRITEBYTECODE=1"}, python(t), args...)
	check(t, err)
	s := &stack{}
	check(t, json.Unmarshal(out, s))
	return s
}
