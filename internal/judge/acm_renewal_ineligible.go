package judge

import "certdrift/internal/finding"

func acmRenewalIneligible() rule {
	return rule{
		Entry: Entry{
			Code: finding.ACMRenewalIneligible, Group: "listener",
			Severity: "warning; info for an imported certificate, which by nature is not renewed, until it is expiring",
			Title:    "ACM will not renew a certificate in use",
			Meaning: "ACM says that the certificate is not eligible for managed renewal: somebody has to renew it by hand before it ends. " +
				"For an imported one that is as expected; for one that ACM issued it is not (a private one requested through the CA's " +
				"own API, or one whose names are validated no more).",
			Check:  "aws acm describe-certificate --region REGION --certificate-arn ARN --query 'Certificate.[Type,RenewalEligibility,NotAfter]'",
			Remedy: "Request a certificate from ACM with DNS validation and attach that; or put the renewal into somebody's calendar.",
			Source: "AWS Certificate Manager User Guide, “Managed certificate renewal”",
		},
		round: func(w *world) []finding.Finding {
			var found []finding.Finding
			for _, u := range w.used() {
				r := u.held.record
				imported := r.Type == "IMPORTED"
				if u.held.expired(w.now) || !imported && r.RenewalEligibility != "INELIGIBLE" || r.Missing {
					continue
				}
				severity, how := finding.Warning, "is not eligible for renewal by ACM"
				if imported {
					how = "was imported: ACM does not renew it"
					if near, _ := w.nearing(u.held); near == finding.None {
						severity = finding.Info
					}
				}
				found = append(found, u.findings(finding.ACMRenewalIneligible, severity, u.held.label(r.ARN)+" "+how,
					"Import the successor under the same ARN in time, or change to a certificate that ACM issues with DNS validation.",
					finding.Evidence{"type": finding.Clean(r.Type, 64), "renewal_eligibility": finding.Clean(r.RenewalEligibility, 64)})...)
			}
			return found
		},
	}
}
