package judge

import "certdrift/internal/finding"

func listenerCertExpired() rule {
	return rule{
		Entry: Entry{
			Code: finding.ListenerCertExpired, Group: "listener",
			Severity: "critical; a warning where no endpoint would get the certificate",
			Title:    "An attached certificate has expired",
			Meaning: "The listener serves, or would serve, a certificate that has ended: every client that validates refuses it. " +
				"Imported certificates and those of IAM are never renewed by AWS.",
			Check:  "aws acm describe-certificate --region REGION --certificate-arn ARN --query Certificate.NotAfter",
			Remedy: "Attach a valid certificate, or import a new one under the same ARN (`aws acm import-certificate --certificate-arn ARN …`).",
			Source: "RFC 5280 §4.1.2.5 (validity)",
		},
		listener: func(l *listener) []finding.Finding {
			var found []finding.Finding
			for _, a := range l.attached {
				if !a.expired(l.world.now) {
					continue
				}
				_, end := a.dates()
				found = append(found, l.about(a, l.world.origin(a.ARN, a.held, l.world.spent(a.held, end)), finding.ListenerCertExpired, finding.Critical,
					"listener "+l.label()+" has an expired certificate attached: "+shortARN(a.ARN)+" ended "+day(end),
					"Attach a valid certificate, or import one under the same ARN:\n"+l.attachCommand(l.replacement(a), ""))...)
			}
			return found
		},
	}
}
