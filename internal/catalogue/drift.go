package catalogue

import "certdrift/internal/finding"

// drift are the entries of the class "drift".
func drift() []Entry {
	return []Entry{
		{
			Code:     finding.DriftAttached,
			Severity: "critical; a warning where the other certificate has the same key and names",
			Title:    "The attached certificate is not the declared one",
			Meaning: "Somebody, or a stale manifest, changed the listener: the endpoint's clients get a certificate other than the " +
				"declared one. certdrift compares certificates, not ARNs: a renewal or re-import under the same ARN is not drift. Name mismatches caused by the " +
				"wrong certificate are listed in this finding's evidence; an expired certificate is reported separately. changed_by names who " +
				"made the change: “confirmed” by CloudTrail's own record, or “claimed” by an event alone.",
			Check: "aws elb describe-load-balancers --region REGION --load-balancer-names NAME --query 'LoadBalancerDescriptions[].ListenerDescriptions[].Listener'; " +
				"aws elbv2 describe-listener-certificates --region REGION --listener-arn ARN",
			Remedy: "Reattach the declared certificate with the command in the finding, then fix the manifest that the finding names, or the next apply will undo it. " +
				"If the attached certificate is the right one, the finding says so: fix the declaration instead.",
			Source: "certdrift's own rule: declared against attached",
		},
		{
			Code:     finding.DriftServed,
			Severity: "critical; a warning where the served certificate has the same key and names",
			Title:    "An address serves a different certificate than the one attached",
			Meaning: "The listener's configuration and the handshake disagree: a node did not pick up a change, DNS points elsewhere (another " +
				"load balancer, a CDN, a proxy in between), or connect_to points to the wrong place. For a short time after a change, both " +
				"certificates are served; after a change that an event or CloudTrail reported, the finding waits for the policy's settle time.",
			Check:  "openssl s_client -connect ADDRESS:PORT -servername HOST </dev/null 2>/dev/null | openssl x509 -noout -fingerprint -sha256 -subject -enddate; dig +trace HOST",
			Remedy: "Check where the name really resolves. If the address belongs to the load balancer, wait a minute, reattach the certificate, and open an AWS support case if the problem persists.",
			Source: "certdrift's own rule: attached against served",
		},
		{
			Code:     finding.DriftDeclared,
			Severity: "critical; a warning where the served certificate has the same key and names",
			Title:    "An endpoint serves a different certificate than the one declared",
			Meaning: "The declared and the served certificate differ, and no readable listener shows where the difference arises: the endpoint has no listener " +
				"in AWS, or certdrift lacks permission to read it. If the listener is readable, drift-attached and drift-served report the problem more precisely.",
			Check:  "openssl s_client -connect ADDRESS:PORT -servername HOST </dev/null 2>/dev/null | openssl x509 -noout -fingerprint -sha256 -issuer -subject -enddate",
			Remedy: "Install the declared certificate, or fix the declaration if the served certificate is right.",
			Source: "certdrift's own rule: declared against served",
		},
		{
			Code: finding.DriftManifest,
			Severity: "critical where applying would break an endpoint (before a deploy also where the certificate is within the policy's critical expiry), " +
				"undo a manual change, or attach a different certificate than the " +
				"configuration declares; a warning where it changes less than that (another ARN with the same key and names; a default certificate, or a " +
				"load balancer, that no endpoint uses; or, before a deploy, another good certificate, or one that expires soon where none is known to be attached). " +
				"Found on schedule, and not applied yet, it is a warning at most, sent by email only: nothing fails until then. plan, check and verify refuse it all the same",
			Title: "A manifest declares a different certificate than the configuration, or than the one attached",
			Meaning: "What a deploy would change. Kubernetes applies the annotation again whenever it reconciles the Service, so a stale manifest " +
				"sooner or later undoes a manual fix. If the manifest agrees with the configuration and only the listener differs, " +
				"drift-attached reports it and the deploy fixes it. An Ingress whose certificates the controller discovers declares none. Before a deploy, " +
				"the finding also lists the listeners that would be removed: a Service is no longer a LoadBalancer, or an object lost its TLS port. If " +
				"two clusters in one account have an object of the same name, set load_balancers.tags to the cluster's tag to select the right one.",
			Check:  "certdrift plan -f MANIFEST; kubectl diff -f MANIFEST",
			Remedy: "Fix the manifest at the file and line given before the next apply. If the file is a Terraform plan or a CloudFormation change set, fix the code that it was generated from.",
			Source: "cloud-provider-aws, service annotations; AWS Load Balancer Controller, Ingress annotations",
		},
	}
}
