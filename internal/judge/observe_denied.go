package judge

import (
	"cmp"
	"strings"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
)

func observeDenied() rule {
	return rule{
		Code: finding.ObserveDenied,
		round: func(j *judgment) []finding.Finding {
			var found []finding.Finding
			for _, g := range j.errorGroups(observation.Denied) {
				found = append(found, g.denied())
			}
			return found
		},
	}
}

// denied is the finding about calls that AWS refused, or that could not be made without credentials.
func (g errorGroup) denied() finding.Finding {
	if g.Operation == observation.Credentials {
		return g.finding(finding.ObserveDenied, "certdrift has no valid AWS credentials", SignIn+functionsRole)
	}
	if g.WithoutCredentials() {
		code, _, _ := strings.Cut(finding.Clean(g.Detail, finding.QuoteLimit), ":")
		return g.finding(finding.ObserveDenied, "AWS rejects certdrift's credentials"+g.where()+": "+code, SignIn+functionsRole+
			" If they work in other regions only, the account has not enabled this one: enable it, or remove it from the configuration.")
	}
	action := finding.Clean(cmp.Or(refusedAction(g.Detail), g.Operation), finding.QuoteLimit)
	f := g.finding(finding.ObserveDenied, "certdrift lacks the permission "+action+g.where()+g.concerned(), g.deniedRemedy(action))
	f.Evidence["action"] = action
	return f
}

// refusedAction is the action that AWS says was not allowed: it may be another one than was called, such as sts:AssumeRole for the role of a
// profile. Empty where AWS does not say.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
func refusedAction(detail string) string {
	_, rest, found := strings.Cut(detail, "not authorized to perform: ")
	action, _, _ := strings.Cut(rest, " ")
	if service, name, ok := strings.Cut(action, ":"); !found || !ok || service == "" || name == "" {
		return ""
	}
	return action
}

// SignIn is what to do where certdrift has no credentials that work.
const SignIn = "Sign in (`aws sso login`, or `aws configure`), or set AWS_PROFILE to a working profile; check with `aws sts get-caller-identity`."

const functionsRole = " A Lambda function uses its role's credentials: check that the role still exists."

func (g errorGroup) deniedRemedy(action string) string {
	if _, rest, found := strings.Cut(g.Detail, "explicit deny in "); found {
		policy, _, _ := strings.Cut(finding.Clean(rest, finding.QuoteLimit), ":")
		return "Allow " + action + " for certdrift's role in " + strings.TrimSuffix(policy, ".") + ": an explicit deny there overrides every policy that allows it."
	}
	resource := "*"
	if action == "sts:AssumeRole" && len(g.resources) == 1 {
		resource = g.resources[0]
	}
	text := "Add to the policy of certdrift's role: " +
		`{"Effect": "Allow", "Action": "` + action + `", "Resource": "` + resource + `"}`
	if action == "sts:AssumeRole" {
		text += "; and check that the other role's trust policy names certdrift's role and the same external ID"
	}
	return text
}
