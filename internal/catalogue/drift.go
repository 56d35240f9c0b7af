package catalogue

import "certdrift/internal/finding"

// drift are the entries of the class "drift".
func drift() []Entry {
	return []Entry{
		{
			Code:     finding.DriftAttached,
			Severity: "critical; a warning where the other certificate has the same key and names",
			Title:    "The listener has another certificate attached than the one declared",
			Meaning: "Somebody, or a stale template, changed the listener: what it gives the endpoint's clients is not what was " +
				"declared. Compared by certificate: one renewed or re-imported under the same ARN is no drift. Name mismatches that the " +
				"wrong certificate brings about stand in this finding's evidence; an expired one is told beside it. changed_by says who " +
				"did it: “confirmed” by CloudTrail's own record, or “claimed” by an event alone.",
			Check: "aws elb describe-load-balancers --region REGION --load-balancer-names NAME --query 'LoadBalancerDescriptions[].ListenerDescriptions[].Listener'; " +
				"aws elbv2 describe-listener-certificates --region REGION --listener-arn ARN",
			Remedy: "Put the declared certificate back by the command of the finding, then mend the manifest it names, or the next apply undoes it. " +
				"Where the attached one is the right one, the finding says so: mend the declaration instead.",
			Source: "certdrift's own rule: declared against attached",
		},
		{
			Code:     finding.DriftServed,
			Severity: "critical; a warning where the served certificate has the same key and names",
			Title:    "An address serves another certificate than the one attached",
			Meaning: "The listener's record and the handshake disagree: a node that did not take the change, DNS that leads elsewhere (another " +
				"load balancer, a CDN, a proxy in between), or connect_to at the wrong place. For a short while after a change both " +
				"are served: the finding waits for policy's settle time after a change that an event or CloudTrail told of.",
			Check:  "openssl s_client -connect ADDRESS:PORT -servername HOST </dev/null 2>/dev/null | openssl x509 -noout -fingerprint -sha256 -subject -enddate; dig +trace HOST",
			Remedy: "Follow the name to where it really leads. If the address is the load balancer's, wait a minute, attach the certificate once more, and open a case with AWS if it stays.",
			Source: "certdrift's own rule: attached against served",
		},
		{
			Code:     finding.DriftDeclared,
			Severity: "critical; a warning where the served certificate has the same key and names",
			Title:    "An endpoint serves another certificate than the one declared",
			Meaning: "Declared and served disagree, and no listener could be read that would tell where it went wrong: the endpoint has none " +
				"in AWS, or certdrift may not see it. Where the listener is readable, drift-attached and drift-served say it more exactly.",
			Check:  "openssl s_client -connect ADDRESS:PORT -servername HOST </dev/null 2>/dev/null | openssl x509 -noout -fingerprint -sha256 -issuer -subject -enddate",
			Remedy: "Install the declared certificate, or mend the declaration if what is served is right.",
			Source: "certdrift's own rule: declared against served",
		},
		{
			Code: finding.DriftManifest,
			Severity: "critical where applying would break an endpoint (before a deploy also where the certificate is within the policy's critical expiry), " +
				"undo a change made by hand, or attach another certificate than the " +
				"configuration declares; a warning where it changes less than that (another ARN with the same key and names; a default, or a " +
				"load balancer, that no endpoint gets; or, before a deploy, another good certificate, or one that ends soon where none is known to be attached)",
			Title: "A manifest declares another certificate than the configuration, or than what is attached",
			Meaning: "What a deploy would change. Kubernetes re-applies the annotation whenever it reconciles the Service, so a stale manifest " +
				"undoes a fix made by hand sooner or later. Where the manifest agrees with the configuration and only the listener differs, " +
				"drift-attached tells of it and the deploy mends it. An Ingress whose certificates the controller discovers declares none. Before a deploy " +
				"it is also told which listeners would go: a Service is no LoadBalancer any more, or an object has lost its TLS port. Where " +
				"two clusters of one account have an object of the same name, load_balancers.tags with the cluster's tag says which is meant.",
			Check:  "certdrift plan -f MANIFEST; kubectl diff -f MANIFEST",
			Remedy: "Mend the manifest at the file and line named, before the next apply; where the file is a Terraform plan, the code that it was made from.",
			Source: "cloud-provider-aws, service annotations; AWS Load Balancer Controller, Ingress annotations",
		},
	}
}
