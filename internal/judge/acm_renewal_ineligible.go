package judge

import "certdrift/internal/finding"

func acmRenewalIneligible() rule {
	return rule{
		Code: finding.ACMRenewalIneligible,
		round: func(j *judgment) []finding.Finding {
			var found []finding.Finding
			for _, u := range j.used() {
				r := u.certificate.Record
				imported := r.Type == "IMPORTED"
				if u.certificate.Expired(j.Now) || !imported && r.RenewalEligibility != "INELIGIBLE" || r.Missing {
					continue
				}
				severity, how := finding.Warning, "is not eligible for renewal by ACM"
				if imported {
					how = "was imported: ACM does not renew it"
					if near, _ := j.Expiry(u.certificate, j.policy); near == finding.None {
						severity = finding.Info
					}
				}
				found = append(found, u.findings(j, finding.ACMRenewalIneligible, severity, u.certificate.Label(r.ARN)+" "+how,
					"Import the new certificate under the same ARN before this one expires, or switch to a certificate that ACM issues with DNS validation.",
					finding.Evidence{"type": finding.Clean(r.Type, 64), "renewal_eligibility": finding.Clean(r.RenewalEligibility, 64)})...)
			}
			return found
		},
	}
}
