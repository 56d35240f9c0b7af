package catalogue

import "certdrift/internal/finding"

// listener are the entries of the class "listener".
func listener() []Entry {
	return []Entry{
		{
			Code:     finding.ListenerMissing,
			Severity: "critical",
			Title:    "The load balancer or listener that an endpoint names does not exist",
			Meaning: "The configuration names the load balancer and port that the endpoint is behind, but AWS reports no such load balancer " +
				"or listener: it was deleted or renamed (Kubernetes generates a new name for a new Service), or the configuration is " +
				"out of date. This is reported only if the absence is proven: not if a read was denied, cut short or limited.",
			Check: "aws elb describe-load-balancers --region REGION --load-balancer-names NAME; " +
				"aws elbv2 describe-load-balancers --region REGION --names NAME",
			Remedy: "Restore the listener (apply the manifest again), or fix load_balancer in certdrift.yaml. `service: NAMESPACE/NAME` " +
				"instead of the load balancer's name keeps working when the load balancer is recreated.",
			Source: "certdrift's own rule: the endpoint's `load_balancer`; Elastic Load Balancing API, DescribeLoadBalancers and DescribeListeners",
		},
		{
			Code:     finding.ListenerCertMissing,
			Severity: "critical; a warning where no endpoint would get the certificate",
			Title:    "An attached certificate no longer exists in ACM or IAM",
			Meaning: "The listener references a certificate that ACM or IAM no longer has. AWS usually refuses to delete a certificate in " +
				"use; if it happened anyway (IAM, another account, a race), nodes keep using their copy until they are replaced, and " +
				"then fail.",
			Check: "aws acm describe-certificate --region REGION --certificate-arn ARN; " +
				"aws iam get-server-certificate --server-certificate-name NAME",
			Remedy: "Attach a certificate that exists; the evidence contains the parts of the command. Then ask who deleted or renamed it: " +
				"changed_by names them, “confirmed” by CloudTrail's own record or “claimed” by an event alone.",
			Source: "AWS Certificate Manager API, DeleteCertificate; IAM User Guide, “Manage server certificates in IAM”",
		},
		{
			Code:     finding.ListenerCertExpired,
			Severity: "critical; a warning where no endpoint would get the certificate",
			Title:    "An attached certificate has expired",
			Meaning: "The listener serves, or would serve, an expired certificate: every client that validates certificates rejects it. AWS " +
				"never renews imported certificates or certificates in IAM.",
			Check:  "aws acm describe-certificate --region REGION --certificate-arn ARN --query Certificate.NotAfter",
			Remedy: "Attach a valid certificate, or import a new one under the same ARN (`aws acm import-certificate --certificate-arn ARN …`).",
			Source: "RFC 5280 §4.1.2.5 (validity)",
		},
		{
			Code:     finding.ListenerCertExpiring,
			Severity: "warning and critical by policy.expiry; at most a warning where no endpoint would get the certificate",
			Title:    "An attached certificate is about to expire",
			Meaning: "The certificate's remaining lifetime is at or below the policy's threshold (25 % and 10 % by default). ACM renews the " +
				"certificates it issued well before that; a certificate that gets here was imported, or its renewal is stuck " +
				"(acm-renewal-failing).",
			Check: "aws acm describe-certificate --region REGION --certificate-arn ARN --query 'Certificate.[NotAfter,RenewalSummary]'",
			Remedy: "Renew it: import the new certificate under the same ARN, so that no listener has to change. For certificates issued by " +
				"ACM see acm-renewal-failing.",
			Source: "AWS Certificate Manager User Guide, “Managed certificate renewal”",
		},
		{
			Code:     finding.ListenerNameUncovered,
			Severity: "critical",
			Title:    "No attached certificate covers an endpoint's hostname",
			Meaning: "The endpoint's clients reach this listener, and none of its certificates matches the hostname. This is checked from " +
				"the AWS configuration, so it is reported even if the endpoint itself can't be reached. If a wrong certificate was " +
				"attached in place of a declared one, drift-attached reports it instead.",
			Check: "aws elbv2 describe-listener-certificates --region REGION --listener-arn ARN; " +
				"aws acm describe-certificate --region REGION --certificate-arn ARN --query Certificate.SubjectAlternativeNames",
			Remedy: "Attach a certificate that covers the hostname: in place of the existing one (classic), or in addition to it (`aws " +
				"elbv2 add-listener-certificates`).",
			Source: "RFC 9525 §6 (verifying service identity)",
		},
		{
			Code:     finding.ListenerPolicyOld,
			Severity: "warning",
			Title:    "The security policy still allows TLS 1.0 or 1.1",
			Meaning: "Clients that support newer protocols use them, but the listener still accepts protocols that are deprecated and that " +
				"audits (PCI DSS) forbid. A classic listener without a negotiation policy produces no finding.",
			Check: "aws elbv2 describe-ssl-policies --region REGION --names POLICY --query 'SslPolicies[].SslProtocols'",
			Remedy: "Choose a policy such as ELBSecurityPolicy-TLS13-1-2-2021-06; on Kubernetes, set the annotation for the negotiation " +
				"policy or the SSL policy.",
			Source: "RFC 8996; Elastic Load Balancing, “Security policies for your Application Load Balancer”",
		},
		{
			Code: finding.ListenerPlaintext,
			Severity: "warning where an ALB's port 80 has a rule other than a redirect to https, or a probe of port 80 shows that nothing " +
				"redirects; info where only the application behind the load balancer could redirect and no endpoint probes port 80",
			Title: "Port 80 is open and does not redirect to https",
			Meaning: "In addition to TLS, the load balancer accepts and serves plain HTTP: what clients send there, cookies included, " +
				"travels unencrypted. A classic or network load balancer can't redirect by itself, so only a probe of port 80 (an " +
				"`http` endpoint) shows what the application does; if it redirects, there is no finding.",
			Check: "curl -sS -o /dev/null -D - http://HOST/",
			Remedy: "Redirect to https: on an ALB with a listener rule (alb.ingress.kubernetes.io/ssl-redirect), otherwise in the " +
				"application. Or close the port.",
			Source: "RFC 6797 §7.2 (a request over plain HTTP is redirected); Elastic Load Balancing, “Redirect actions”",
		},
		{
			Code:     finding.ListenerUnmanaged,
			Severity: "info",
			Title:    "Undeclared TLS listener",
			Meaning: "A listener in scope has certificates, but no endpoint is behind it and no manifest declares it, so a wrong certificate " +
				"there would go unnoticed. It may also be a leftover that costs money.",
			Check:  "aws elbv2 describe-listeners --region REGION --load-balancer-arn ARN",
			Remedy: "Add an endpoint for it (`certdrift init --from-aws` writes one), narrow load_balancers.tags, or delete it.",
			Source: "certdrift's own rule: `load_balancers` and what endpoints and manifests declare",
		},
		{
			Code:     finding.ACMRenewalFailing,
			Severity: "warning; critical once the certificate is within policy.expiry.critical of its expiry",
			Title:    "ACM cannot renew a certificate in use",
			Meaning: "ACM tried to renew the certificate and failed, or is still waiting for a validation close to the expiry (within " +
				"policy.expiry.warning). Nothing is broken yet, but when the certificate expires, every listener that uses it breaks at " +
				"once. The finding states ACM's reason in words.",
			Check: "aws acm describe-certificate --region REGION --certificate-arn ARN --query 'Certificate.[RenewalSummary,DomainValidationOptions]'; dig +short CNAME-NAME CNAME",
			Remedy: "Restore the CNAME records listed in the evidence and keep them permanently, or fix the CAA record; for email " +
				"validation, somebody has to follow the link. ACM then retries automatically.",
			Source: "AWS Certificate Manager User Guide, “Troubleshoot managed certificate renewal”; RFC 8659 (CAA)",
		},
		{
			Code:     finding.ACMRenewalIneligible,
			Severity: "warning; info for an imported certificate, which ACM never renews, until it is about to expire",
			Title:    "ACM will not renew a certificate in use",
			Meaning: "ACM reports that the certificate is not eligible for managed renewal: somebody has to renew it manually before it " +
				"expires. For an imported certificate this is expected; for one that ACM issued it is not (a private certificate " +
				"requested through the CA's own API, or one whose names are no longer validated).",
			Check:  "aws acm describe-certificate --region REGION --certificate-arn ARN --query 'Certificate.[Type,RenewalEligibility,NotAfter]'",
			Remedy: "Request a certificate from ACM with DNS validation and attach it, or schedule the manual renewal.",
			Source: "AWS Certificate Manager User Guide, “Managed certificate renewal”",
		},
	}
}
