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
			for _, g := range j.errorGroups(observation.Denied) {
				if g.Operation == observation.Credentials {
					found = append(found, g.finding(finding.ObserveDenied, "certdrift has no valid AWS credentials", credentialsRemedy))
					continue
				}
				action := finding.Clean(g.Operation, finding.QuoteLimit)
				f := g.finding(finding.ObserveDenied, "certdrift lacks the permission "+action+g.where()+g.concerned(), deniedRemedy(g))
				f.Evidence["action"] = action
				found = append(found, f)
			}
			return found
		},
	}
}

const credentialsRemedy = "Sign in (`aws sso login`, or `aws configure`), or set AWS_PROFILE to a working profile; " +
	"check with `aws sts get-caller-identity`. A Lambda function uses its role's credentials: check that the role still exists."

func deniedRemedy(g errorGroup) string {
	resource := "*"
	if g.Operation == "sts:AssumeRole" && len(g.resources) == 1 {
		resource = g.resources[0]
	}
	text := "Add to the policy of certdrift's role: " +
		`{"Effect": "Allow", "Action": "` + finding.Clean(g.Operation, finding.QuoteLimit) + `", "Resource": "` + resource + `"}`
	if g.Operation == "sts:AssumeRole" {
		text += "; and check that the other role's trust policy names certdrift's role and the same external ID"
	}
	return text
}
