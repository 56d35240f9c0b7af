package judge

import "certdrift/internal/finding"

func listenerCertMissing() rule {
	return rule{
		Entry: Entry{
			Code: finding.ListenerCertMissing, Group: "listener",
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
		listener: func(l *listener) []finding.Finding {
			var found []finding.Finding
			for _, a := range l.attached {
				if a.held == nil || !a.record.Missing {
					continue
				}
				found = append(found, l.about(a, l.world.removal(a.ARN), finding.ListenerCertMissing, finding.Critical,
					"listener "+l.label()+" has a certificate attached that no longer exists: "+shortARN(a.ARN),
					"Attach a certificate that exists:\n"+l.attachCommand(l.replacement(a), ""))...)
			}
			return found
		},
	}
}
