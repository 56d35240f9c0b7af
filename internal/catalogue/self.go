package catalogue

import "certdrift/internal/finding"

// self are the entries of the class "certdrift itself".
func self() []Entry {
	return []Entry{
		{
			Code:     finding.ConfigInvalid,
			Severity: "critical",
			Title:    "The configuration or a manifest contains an error",
			Meaning: "An endpoint that can't be read is not monitored, and a manifest that can't be parsed is not compared, so problems " +
				"there go unnoticed. All other endpoints are still checked. A load balancer name that matches several load balancers is such an error too: certdrift " +
				"does not guess.",
			Check:  "certdrift validate -c certdrift.yaml",
			Remedy: "Fix the file at the line given. If a load balancer name matches several, add its region, or name the service instead.",
			Source: "certdrift's own rule: certdrift.schema.json",
		},
		{
			Code:     finding.ObserveDenied,
			Severity: "warning; the conclusion is incomplete",
			Title:    "certdrift lacks an AWS permission",
			Meaning: "The role that certdrift runs with, or the role that it assumes in another account, lacks a permission. certdrift does not check what the call would " +
				"have returned, and concludes nothing from its absence; all other checks continue.",
			Check:  "aws sts get-caller-identity; aws iam simulate-principal-policy --policy-source-arn ROLE --action-names ACTION",
			Remedy: "Add the statement shown in the finding to the role's policy (for another account: infra/member-role.yaml). For sts:AssumeRole, also check the other role's trust policy and external ID.",
			Source: "AWS Service Authorization Reference",
		},
		{
			Code:     finding.ObserveThrottled,
			Severity: "warning; the conclusion is incomplete",
			Title:    "AWS throttled certdrift's calls",
			Meaning: "The API kept throttling calls until the round's retries were exhausted. The account's request quota is shared with " +
				"controllers, Terraform and other monitors. certdrift does not check what the call would have returned in this round.",
			Check:  "aws cloudtrail lookup-events --region REGION --lookup-attributes AttributeKey=EventName,AttributeValue=OPERATION",
			Remedy: "Throttling usually passes. If it persists, inspect less often, limit load_balancers to regions and tags, or request a higher quota from AWS.",
			Source: "Elastic Load Balancing, ACM, CloudTrail: API throttling",
		},
		{
			Code:     finding.ObserveIncomplete,
			Severity: "warning; the conclusion is incomplete. info where a name has more addresses than certdrift connects to, or a server does not answer the question for a second certificate",
			Title:    "Some checks could not be run",
			Meaning: "The round ended before it reached an endpoint, a call failed for a reason other than permissions or throttling, a rule failed, or a " +
				"declared ARN could not be compared because no listener was readable and the ARN's certificate is unknown. A file under `manifests:` that has an object which " +
				"certdrift does not read and which may put a certificate on a load balancer, or one that names a certificate for a listener that is not known, is named, too: nothing compared it. The same goes if the Date of most servers' " +
				"responses (of two hosts at least) contradicts certdrift's clock by more than five minutes: expiry then cannot be judged. " +
				"A server is asked whether it has a second certificate, ECDSA beside RSA or the reverse; one that neither shows it nor rejects such a client may have a bad one. " +
				"Other verdicts are not affected, but “no finding” means less than usual.",
			Check:  "certdrift check --save observations.json; jq .troubles observations.json",
			Remedy: "Give the round more time or memory, or fewer endpoints, and fix what the evidence names. For a file: name what its tool renders under `manifests:`, or leave it out. For an ARN: allow certdrift to read ACM or IAM, or provide the certificate as a file (certificates: [{arn, file}]).",
			Source: "certdrift's own rule",
		},
		{
			Code:     finding.AlertPathBroken,
			Severity: "critical where nobody receives the critical alerts of an environment, the topic is gone or accepts no messages, or a schedule of certdrift is disarmed; else warning",
			Title:    "Alerts are not delivered",
			Meaning: "A subscription that is unconfirmed, was ended, or has a filter policy that matches no alert delivers nothing, and neither " +
				"does a topic that is gone or rejects messages. Nothing else reveals this: certdrift keeps sending alerts, and nobody receives them. " +
				"The same goes for certdrift's own stack: if somebody disables, deletes or changes its rules, no rounds start, and without its alarms nobody " +
				"is notified that they don't. The finding is sent over every path that still works: other subscriptions, the chat topic, the event bus, metrics, this report.",
			Check: "certdrift alert --topic ARN -c certdrift.yaml; aws sns list-subscriptions-by-topic --topic-arn ARN",
			Remedy: "Have the subscription confirmed (the confirmation email is valid for two days; after that, subscribe again), fix its filter policy, or delete " +
				"it. If the topic is gone, redeploy the stack. If it rejects messages, check its policy, its key's policy, and the role's permission to publish. " +
				"Then run `certdrift alert --test` to see who receives it. Rules and alarms: enable them again with the command in the finding.",
			Source: "Amazon SNS Developer Guide: subscription filter policies, subscription confirmation",
		},
	}
}
