package catalogue

import "certdrift/internal/finding"

// self are the entries of the class "certdrift itself".
func self() []Entry {
	return []Entry{
		{
			Code:     finding.ConfigInvalid,
			Severity: "critical",
			Title:    "The configuration or a manifest has a mistake",
			Meaning: "An endpoint that cannot be read is not watched, and a template that cannot be parsed is not compared: nobody would hear " +
				"of trouble there. The others still run. A load balancer's name that fits several is such a mistake too: certdrift " +
				"does not guess.",
			Check:  "certdrift validate -c certdrift.yaml",
			Remedy: "Mend the file at the line named. Where a load balancer's name fits several, add its region, or name the service.",
			Source: "certdrift's own rule: certdrift.schema.json",
		},
		{
			Code:     finding.ObserveDenied,
			Severity: "warning; the conclusion is incomplete",
			Title:    "AWS refused certdrift a call",
			Meaning: "The role that certdrift runs with, or the one it assumes in another account, lacks a permission. What the call would " +
				"have shown is not judged, and nothing is concluded from its absence; the rest goes on.",
			Check:  "aws sts get-caller-identity; aws iam simulate-principal-policy --policy-source-arn ROLE --action-names ACTION",
			Remedy: "Add the statement that the finding shows to the role's policy (for another account: infra/member-role.yaml). For sts:AssumeRole look at the other role's trust policy and external id, too.",
			Source: "AWS Service Authorization Reference",
		},
		{
			Code:     finding.ObserveThrottled,
			Severity: "warning; the conclusion is incomplete",
			Title:    "AWS throttled certdrift's calls",
			Meaning: "The API went on refusing calls for their rate until the round's retries were used up. Others share the account's rate: " +
				"controllers, Terraform, other monitors. What the call would have shown is not judged in this round.",
			Check:  "aws cloudtrail lookup-events --region REGION --lookup-attributes AttributeKey=EventName,AttributeValue=OPERATION",
			Remedy: "Mostly it passes. If it stays: inspect less often, narrow load_balancers to regions and tags, or ask AWS for a higher rate.",
			Source: "Elastic Load Balancing, ACM, CloudTrail: API throttling",
		},
		{
			Code:     finding.ObserveIncomplete,
			Severity: "warning; the conclusion is incomplete. info where a name has more addresses than are dialled",
			Title:    "certdrift could not see or judge all it should",
			Meaning: "The round ended before an endpoint's turn, a call failed for another reason than permission or rate, a rule failed, or a " +
				"declared ARN could be held against nothing, since no listener was readable and nobody says what the ARN holds. No " +
				"verdict on the rest is affected, but “no finding” means less than usual.",
			Check:  "certdrift check --save observations.json; jq .troubles observations.json",
			Remedy: "Give the round more time or memory, or fewer endpoints; mend what the evidence names. For an ARN: let certdrift read ACM or IAM, or give the certificate as a file (certificates: [{arn, file}]).",
			Source: "certdrift's own rule",
		},
		{
			Code:     finding.AlertPathBroken,
			Severity: "critical where the critical alerts of an environment reach nobody, or the topic is gone or takes no message; else warning",
			Title:    "Alerts do not arrive",
			Meaning: "A subscription that nobody confirmed, that somebody ended, or whose filter policy lets no alert through is silent, and so " +
				"is a topic that is gone or that refuses messages. Nothing else shows it: certdrift goes on alerting, and nobody hears. " +
				"The finding takes whatever path still works: other subscriptions, the chat topic, the event bus, metrics, this report.",
			Check: "certdrift alert --topic ARN -c certdrift.yaml; aws sns list-subscriptions-by-topic --topic-arn ARN",
			Remedy: "Have the subscription confirmed (a mail waits for it, two days long; after that subscribe again), mend its filter policy, or end " +
				"it. Where the topic is gone, deploy the stack again; where it refuses, look at its policy, its key's policy, and the role's right to publish. " +
				"Then `certdrift alert --test` shows who is reached.",
			Source: "Amazon SNS Developer Guide: subscription filter policies, subscription confirmation",
		},
	}
}
