package judge

import (
	"certdrift/internal/finding"
	"certdrift/internal/observation"
)

func observeDenied() rule {
	return rule{
		Code: finding.ObserveDenied,
		round: func(j *judgment) []finding.Finding {
			var found []finding.Finding
			for _, g := range j.troubles(observation.Denied) {
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
