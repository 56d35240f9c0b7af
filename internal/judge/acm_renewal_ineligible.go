package judge

import "certdrift/internal/finding"

func acmRenewalIneligible() rule {
	return rule{
		Code: finding.ACMRenewalIneligible,
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
