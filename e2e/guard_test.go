package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
)

// guard checks the calls of each function against the policies of its role, as IAM would. The emulator cannot, because it treats
// every resource as "*".
type guard struct {
	mu       sync.Mutex
	policies map[string][]statement // by access key: a function has its own name as its key
	seen     map[string]bool        // "KEY service:Action", for the tests
	refused  []string               // in AWS's words, since the test last asked
}

// statement is one Allow of a policy. The template has no Deny.
type statement struct {
	Effect    string
	Action    oneOrMany
	Resource  oneOrMany
	Condition map[string]map[string]oneOrMany
}

type oneOrMany []string

func (o *oneOrMany) UnmarshalJSON(b []byte) error {
	var one string
	if json.Unmarshal(b, &one) == nil {
		*o = oneOrMany{one}
		return nil
	}
	return json.Unmarshal(b, (*[]string)(o))
}

// load reads the policies of a role in the stack; calls with key are checked against them from now on.
func (g *guard) load(ctx context.Context, api *iam.Client, key, role string) error {
	names, err := api.ListRolePolicies(ctx, &iam.ListRolePoliciesInput{RoleName: &role})
	if err != nil {
		return fmt.Errorf("listing the policies of %q: %w", role, err)
	}
	var all []statement
	for _, name := range names.PolicyNames {
		got, err := api.GetRolePolicy(ctx, &iam.GetRolePolicyInput{RoleName: &role, PolicyName: &name})
		if err != nil {
			return fmt.Errorf("reading the policy %q: %w", name, err)
		}
		text, err := url.QueryUnescape(aws.ToString(got.PolicyDocument))
		if err != nil {
			return fmt.Errorf("decoding the policy %q: %w", name, err)
		}
		var document struct{ Statement []statement }
		if err := json.Unmarshal([]byte(text), &document); err != nil {
			return fmt.Errorf("decoding the policy %q: %w", name, err)
		}
		all = append(all, document.Statement...)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.policies == nil {
		g.policies, g.seen = map[string][]statement{}, map[string]bool{}
	}
	g.policies[key] = all
	return nil
}

// denies returns the AWS error if the caller's role does not allow the call; empty if it does.
func (g *guard) denies(c call) string {
	g.mu.Lock()
	defer g.mu.Unlock()
	statements, guarded := g.policies[c.key]
	action := permission(c)
	if !guarded || action == "sts:GetCallerIdentity" { // the one call that everybody may make
		return ""
	}
	g.seen[c.key+" "+action] = true
	resource := resourceOf(c)
	for _, s := range statements {
		if s.Effect == "Allow" && matchesAny(s.Action, action) && matchesAny(s.Resource, resource) && s.holds(c) {
			return ""
		}
	}
	reason := fmt.Sprintf("User: arn:aws:sts::%s:assumed-role/%s is not authorized to perform: %s on resource: %s", account, c.key, action, resource)
	g.refused = append(g.refused, reason)
	return reason
}

// refusals returns the calls that were denied since the last call.
func (g *guard) refusals() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	all := g.refused
	g.refused = nil
	return all
}

// forbid removes one action from a function's permissions.
func (g *guard) forbid(key, action string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for i, s := range g.policies[key] {
		g.policies[key][i].Action = slices.DeleteFunc(slices.Clone(s.Action), func(a string) bool { return a == action })
	}
}

func (g *guard) made(key, action string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.seen[key+" "+action]
}

// holds evaluates the conditions that the template uses.
func (s statement) holds(c call) bool {
	for operator, conditions := range s.Condition {
		for key, want := range conditions {
			switch {
			case operator == "StringEquals" && key == "cloudwatch:namespace":
				var in any
				if fromCBOR(c.body, &in) != nil {
					return false
				}
				sent, _ := in.(map[string]any)
				namespace, _ := sent["Namespace"].(string)
				if !slices.Contains(want, namespace) {
					return false
				}
			case operator == "Null" && key == "events:source": // every entry has one
			case operator == "ForAllValues:StringEquals" && key == "events:source":
				var in struct{ Entries []struct{ Source string } }
				if json.Unmarshal(c.body, &in) != nil || len(in.Entries) == 0 {
					return false
				}
				for _, e := range in.Entries {
					if !slices.Contains(want, e.Source) {
						return false
					}
				}
			default:
				return false // unknown here: better to fail a test than to let a call through
			}
		}
	}
	return true
}

// permission is the name of the action in policies.
func permission(c call) string {
	service := c.service
	if service == "monitoring" {
		service = "cloudwatch"
	}
	if service == "s3" {
		return map[string]string{"GET": "s3:GetObject"}[c.action]
	}
	return service + ":" + c.action
}

// resourceOf is the ARN that a call is about, for services whose policies name resources; "*" for the others.
func resourceOf(c call) string {
	var body struct {
		TableName      string
		CertificateArn string
		Name, Rule     string
		Entries        []struct{ EventBusName string }
	}
	if c.target != "" {
		_ = json.Unmarshal(c.body, &body) // what does not fit leaves its field empty, and matches no policy
	}
	switch c.service {
	case "sns":
		if topic := c.form.Get("TopicArn"); topic != "" {
			return topic
		}
		return c.form.Get("SubscriptionArn") // its own: the policy names no resource for it
	case "dynamodb":
		return "arn:aws:dynamodb:" + region + ":" + account + ":table/" + strings.TrimPrefix(body.TableName, "arn:aws:dynamodb:"+region+":"+account+":table/")
	case "acm":
		if body.CertificateArn != "" {
			return body.CertificateArn
		}
	case "iam":
		if name := c.form.Get("ServerCertificateName"); name != "" {
			return "arn:aws:iam::" + account + ":server-certificate/" + name
		}
	case "ssm":
		return "arn:aws:ssm:" + region + ":" + account + ":parameter" + body.Name
	case "s3":
		return "arn:aws:s3:::" + strings.TrimPrefix(c.path, "/")
	case "lambda":
		return "arn:aws:lambda:" + region + ":" + account + ":function:" + path.Base(path.Dir(c.path))
	case "sts":
		return c.form.Get("RoleArn")
	case "codedeploy": // the call names a deployment, the policy its group
		return "arn:aws:codedeploy:" + region + ":" + account + ":deploymentgroup:monitoring/staging"
	case "events":
		if rule := body.Name + body.Rule; rule != "" {
			return "arn:aws:events:" + region + ":" + account + ":rule/" + rule
		}
		return "arn:aws:events:" + region + ":" + account + ":event-bus/default"
	}
	return "*"
}

func matchesAny(patterns []string, s string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool {
		if p == "*" {
			return true
		}
		// path.Match stops a star at a slash, IAM does not.
		ok, err := path.Match(strings.ReplaceAll(p, "/", "\x00"), strings.ReplaceAll(s, "/", "\x00"))
		return err == nil && ok
	})
}

func TestGuard(t *testing.T) {
	g := &guard{seen: map[string]bool{}, policies: map[string][]statement{"probe": {
		{Effect: "Allow", Action: oneOrMany{"sns:Publish"}, Resource: oneOrMany{"arn:aws:sns:us-west-2:111122223333:certdrift-alerts"}},
		{Effect: "Allow", Action: oneOrMany{"acm:Describe*"}, Resource: oneOrMany{"arn:aws:acm:*:111122223333:certificate/*"}},
	}}}
	publish := func(key, topic string) call {
		return call{key: key, service: "sns", action: "Publish", form: url.Values{"TopicArn": {topic}}}
	}
	describe := call{key: "probe", service: "acm", action: "DescribeCertificate", target: "CertificateManager.DescribeCertificate",
		body: []byte(`{"CertificateArn": "arn:aws:acm:eu-west-1:111122223333:certificate/1"}`)}
	for name, c := range map[string]struct {
		call   call
		denied bool
	}{
		"allowed":           {publish("probe", "arn:aws:sns:us-west-2:111122223333:certdrift-alerts"), false},
		"another resource":  {publish("probe", "arn:aws:sns:us-west-2:111122223333:other"), true},
		"another action":    {call{key: "probe", service: "sns", action: "Subscribe"}, true},
		"a star":            {describe, false},
		"nobody's function": {publish("tester", "arn:aws:sns:us-west-2:111122223333:other"), false},
		"who am I":          {call{key: "probe", service: "sts", action: "GetCallerIdentity"}, false},
	} {
		if got := g.denies(c.call); (got != "") != c.denied {
			t.Errorf("%s: %q", name, got)
		}
	}
}
