package judge

import (
	"certdrift/internal/finding"
	"certdrift/internal/observation"
)

func observeDenied() rule {
	return rule{
		Entry: Entry{
			Code: finding.ObserveDenied, Group: "certdrift itself",
			Severity: "warning; the conclusion is incomplete",
			Title:    "AWS refused certdrift a call",
			Meaning: "The role that certdrift runs with, or the one it assumes in another account, lacks a permission. What the call would " +
				"have shown is not judged, and nothing is concluded from its absence; the rest goes on.",
			Check:  "aws sts get-caller-identity; aws iam simulate-principal-policy --policy-source-arn ROLE --action-names ACTION",
			Remedy: "Add the statement that the finding shows to the role's policy (for another account: infra/member-role.yaml). For sts:AssumeRole look at the other role's trust policy and external id, too.",
			Source: "AWS Service Authorization Reference",
		},
		round: func(w *world) []finding.Finding {
			var found []finding.Finding
			for _, g := range w.troubles(observation.Denied) {
				if g.Operation == observation.Credentials {
					found = append(found, g.finding(finding.ObserveDenied, "there are no AWS credentials that work", credentialsRemedy))
					continue
				}
				action := finding.Clean(g.Operation, finding.QuoteLimit)
				f := g.finding(finding.ObserveDenied, "AWS refuses "+action+g.where()+g.concerned(), deniedRemedy(g))
				f.Evidence["action"] = action
				found = append(found, f)
			}
			return found
		},
	}
}

const credentialsRemedy = "Sign in (`aws sso login`, or `aws configure`), or name a profile that works (AWS_PROFILE); " +
	"`aws sts get-caller-identity` shows whether it does. A function has its role's: see that it still exists."

func deniedRemedy(g troubleGroup) string {
	resource := "*"
	if g.Operation == "sts:AssumeRole" && len(g.resources) == 1 {
		resource = g.resources[0]
	}
	text := "Add to the policy of certdrift's role: " +
		`{"Effect": "Allow", "Action": "` + finding.Clean(g.Operation, finding.QuoteLimit) + `", "Resource": "` + resource + `"}`
	if g.Operation == "sts:AssumeRole" {
		text += "; and see that the other role's trust policy names certdrift's role and the same external id"
	}
	return text
}
