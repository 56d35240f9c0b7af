package catalogue

import "certdrift/internal/finding"

// listener are the entries of the class "listener".
func listener() []Entry {
	return []Entry{
		{
			Code:     finding.ListenerMissing,
			Severity: "critical",
			Title:    "The load balancer or listener that an endpoint names is not there",
			Meaning: "The configuration says which load balancer and port the endpoint sits behind, AWS was asked, and it has none " +
				"such: it was deleted, renamed (Kubernetes makes a new name with a new Service), or the configuration is out of " +
				"date. Reported only where the absence is proven: not where a read was refused, cut short or narrowed.",
			Check: "aws elb describe-load-balancers --region REGION --load-balancer-names NAME; " +
				"aws elbv2 describe-load-balancers --region REGION --names NAME",
			Remedy: "Bring the listener back (re-apply the manifest), or mend load_balancer in certdrift.yaml. `service: NAMESPACE/NAME` instead of the load balancer's name survives a re-creation.",
			Source: "certdrift's own rule: the endpoint's `load_balancer`; Elastic Load Balancing API, DescribeLoadBalancers and DescribeListeners",
		},
		{
			Code:     finding.ListenerCertMissing,
			Severity: "critical; a warning where no endpoint would get the certificate",
			Title:    "An attached certificate is gone from ACM or IAM",
			Meaning: "The listener refers to a certificate that its store no longer has. AWS mostly refuses to delete one in use; where " +
				"it happened (IAM, another account, a race), nodes go on with their copy until they are replaced, and then fail.",
			Check: "aws acm describe-certificate --region REGION --certificate-arn ARN; " +
				"aws iam get-server-certificate --server-certificate-name NAME",
			Remedy: "Attach a certificate that exists; the evidence holds the command's parts. Then ask whoever deleted or renamed it: changed_by names them, “confirmed” " +
				"by CloudTrail's own record or “claimed” by an event alone.",
			Source: "AWS Certificate Manager API, DeleteCertificate; IAM User Guide, “Manage server certificates in IAM”",
		},
		{
			Code:     finding.ListenerCertExpired,
			Severity: "critical; a warning where no endpoint would get the certificate",
			Title:    "An attached certificate has expired",
			Meaning: "The listener serves, or would serve, a certificate that has ended: every client that validates refuses it. " +
				"Imported certificates and those of IAM are never renewed by AWS.",
			Check:  "aws acm describe-certificate --region REGION --certificate-arn ARN --query Certificate.NotAfter",
			Remedy: "Attach a valid certificate, or import a new one under the same ARN (`aws acm import-certificate --certificate-arn ARN …`).",
			Source: "RFC 5280 §4.1.2.5 (validity)",
		},
		{
			Code:     finding.ListenerCertExpiring,
			Severity: "warning and critical by policy.expiry; at most a warning where no endpoint would get the certificate",
			Title:    "An attached certificate is about to expire",
			Meaning: "Less of the certificate's life is left than the policy allows (25 % and 10 % by default). ACM renews what it issued " +
				"well before; a certificate that gets here was imported, or its renewal hangs (acm-renewal-failing).",
			Check:  "aws acm describe-certificate --region REGION --certificate-arn ARN --query 'Certificate.[NotAfter,RenewalSummary]'",
			Remedy: "Renew it: import the successor under the same ARN, and no listener has to change. For ACM's own see acm-renewal-failing.",
			Source: "AWS Certificate Manager User Guide, “Managed certificate renewal”",
		},
		{
			Code:     finding.ListenerNameUncovered,
			Severity: "critical",
			Title:    "No attached certificate covers an endpoint's name",
			Meaning: "The endpoint's clients reach this listener, and whichever of its certificates they get, the name does not match. " +
				"Seen from AWS's side, so it shows even where the endpoint itself can't be reached. Where a wrong certificate " +
				"was attached in place of a declared one, drift-attached says so instead.",
			Check: "aws elbv2 describe-listener-certificates --region REGION --listener-arn ARN; " +
				"aws acm describe-certificate --region REGION --certificate-arn ARN --query Certificate.SubjectAlternativeNames",
			Remedy: "Attach a certificate for the name: in place of the one there (classic), or beside it (`aws elbv2 add-listener-certificates`).",
			Source: "RFC 9525 §6 (verifying service identity)",
		},
		{
			Code:     finding.ListenerPolicyOld,
			Severity: "warning",
			Title:    "The security policy still allows TLS 1.0 or 1.1",
			Meaning: "Clients that can do better are served better; but the listener still takes protocols that are deprecated and that " +
				"audits (PCI DSS) forbid. A classic listener without a negotiation policy gives no finding.",
			Check:  "aws elbv2 describe-ssl-policies --region REGION --names POLICY --query 'SslPolicies[].SslProtocols'",
			Remedy: "Choose a policy such as ELBSecurityPolicy-TLS13-1-2-2021-06; on Kubernetes by the annotation for the negotiation or ssl policy.",
			Source: "RFC 8996; Elastic Load Balancing, “Security policies for your Application Load Balancer”",
		},
		{
			Code: finding.ListenerPlaintext,
			Severity: "warning where an ALB's port 80 answers by any rule but a redirect to https, or a probe of port 80 shows that nothing " +
				"redirects; info where only the application behind could redirect and nobody looked",
			Title: "Port 80 is neither closed nor redirects to https",
			Meaning: "Beside TLS the load balancer takes plain HTTP and serves it: what clients send there, cookies included, travels " +
				"unencrypted. A classic or network load balancer can't redirect itself, so only a probe of port 80 (an `http` endpoint) " +
				"shows what the application does; where it redirects there is no finding.",
			Check:  "curl -sS -o /dev/null -D - http://HOST/",
			Remedy: "Redirect: on an ALB by a listener rule (alb.ingress.kubernetes.io/ssl-redirect), else in the application; or close the port.",
			Source: "RFC 6797 §7.2 (a request over plain HTTP is redirected); Elastic Load Balancing, “Redirect actions”",
		},
		{
			Code:     finding.ListenerUnmanaged,
			Severity: "info",
			Title:    "A TLS listener that nothing declares",
			Meaning: "Within the scope that is walked there is a listener with certificates, but no endpoint sits behind it and no manifest " +
				"declares it: nobody would hear of a wrong certificate there. It may be a leftover that costs money, too.",
			Check:  "aws elbv2 describe-listeners --region REGION --load-balancer-arn ARN",
			Remedy: "Add an endpoint for it (`certdrift init --from-aws` writes one), narrow load_balancers.tags, or delete it.",
			Source: "certdrift's own rule: `load_balancers` and what endpoints and manifests declare",
		},
		{
			Code:     finding.ACMRenewalFailing,
			Severity: "warning; critical once the certificate is within policy.expiry.critical of its end",
			Title:    "ACM cannot renew a certificate in use",
			Meaning: "ACM tried to renew the certificate and failed, or waits for a validation that doesn't come while the end is near " +
				"(within policy.expiry.warning). Nothing is broken yet; on the day it ends every listener with it breaks at once. " +
				"The reason is ACM's, in words.",
			Check: "aws acm describe-certificate --region REGION --certificate-arn ARN --query 'Certificate.[RenewalSummary,DomainValidationOptions]'; dig +short CNAME-NAME CNAME",
			Remedy: "Put back the CNAME records that the evidence lists and leave them for good, or mend the CAA record; e-mail validation " +
				"needs somebody to follow the link. ACM tries again by itself.",
			Source: "AWS Certificate Manager User Guide, “Troubleshoot managed certificate renewal”; RFC 8659 (CAA)",
		},
		{
			Code:     finding.ACMRenewalIneligible,
			Severity: "warning; info for an imported certificate, which by nature is not renewed, until it is expiring",
			Title:    "ACM will not renew a certificate in use",
			Meaning: "ACM says that the certificate is not eligible for managed renewal: somebody has to renew it by hand before it ends. " +
				"For an imported one that is as expected; for one that ACM issued it is not (a private one requested through the CA's " +
				"own API, or one whose names are validated no more).",
			Check:  "aws acm describe-certificate --region REGION --certificate-arn ARN --query 'Certificate.[Type,RenewalEligibility,NotAfter]'",
			Remedy: "Request a certificate from ACM with DNS validation and attach that; or put the renewal into somebody's calendar.",
			Source: "AWS Certificate Manager User Guide, “Managed certificate renewal”",
		},
	}
}
