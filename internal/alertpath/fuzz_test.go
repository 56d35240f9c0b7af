package alertpath

import (
	"testing"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
)

// FuzzFilter: a filter policy that anybody may write is never a reason to fail, and an empty one lets all through.
func FuzzFilter(f *testing.F) {
	for _, policy := range []string{
		``, `{}`, `{"severity":["critical",{"exists":false}]}`, `{"environment":[{"anything-but":{"prefix":"prod"}}]}`, `{"environment":[{"wildcard":"*a*b*"}]}`,
		`{"$or":[{"severity":["warning"]},{"$or":[{"environment":["production"]}]}]}`, `{"severity":[{"numeric":[">",1]}]}`, `{"environment":[{"cidr":"10.0.0.0/8"}]}`, `[]`, `null`, `{"a":null}`,
	} {
		f.Add(policy, "production")
	}
	f.Fuzz(func(t *testing.T, policy, environment string) {
		parsed, err := ParseFilter(policy)
		if err != nil {
			return
		}
		sent := attributes(environment, finding.Critical, finding.CertExpired, "opened", "send")
		if passes := parsed.Passes(sent); passes != parsed.Passes(sent) || parsed.Empty() && !passes {
			t.Fatalf("%q lets a message through: %v", policy, passes)
		}
		_, _, _ = parsed.Unclear(), parsed.Mentions("environment"), parsed.Values("environment")
		topic := observation.Topic{ARN: "arn:aws:sns:us-west-2:111122223333:t", Read: true, Subscriptions: []observation.Subscription{
			{ARN: "arn:aws:sns:us-west-2:111122223333:t:1", Protocol: "email", FilterPolicy: policy},
		}}
		_ = Alerts{Environments: []string{environment}}.Problems([]observation.Topic{topic})
	})
}

// FuzzWildcard: a pattern without an asterisk matches itself only, and one around a text matches it.
func FuzzWildcard(f *testing.F) {
	f.Add("a*b", "axb")
	f.Add("*", "")
	f.Fuzz(func(t *testing.T, pattern, value string) {
		if wildcard(pattern, value) && !wildcard("*"+pattern+"*", value) {
			t.Fatalf("%q matches %q, and with asterisks around it does not", pattern, value)
		}
		if !wildcard("*", value) {
			t.Fatalf("* does not match %q", value)
		}
	})
}
