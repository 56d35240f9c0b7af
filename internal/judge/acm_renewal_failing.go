package judge

import (
	"fmt"
	"strings"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
	"certdrift/internal/prose"
	"certdrift/internal/topology"
)

func acmRenewalFailing() rule {
	return rule{
		Code: finding.ACMRenewalFailing,
		round: func(j *judgment) []finding.Finding {
			var found []finding.Finding
			for _, u := range j.used() {
				if severity := j.renewalSeverity(u.certificate); severity != finding.None {
					found = append(found, u.renewalFindings(j, severity)...)
				}
			}
			return found
		},
	}
}

func (j *judgment) renewalSeverity(h *topology.Certificate) finding.Severity {
	near, left := j.Expiry(h, j.policy)
	switch {
	case left < 0:
		return finding.None // listener-cert-expired reports it
	case h.Record.RenewalStatus == "FAILED":
		return max(near, finding.Warning)
	case h.Record.RenewalStatus == "PENDING_VALIDATION":
		return near
	}
	return finding.None
}

func (u use) renewalFindings(j *judgment, severity finding.Severity) []finding.Finding {
	r := u.certificate.Record
	_, end := u.certificate.Dates()
	summary := fmt.Sprintf("ACM cannot renew %s, which expires on %s: %s", u.certificate.Label(r.ARN), prose.Day(end), renewalReason(r))
	remedy := "Complete the domain validation; ACM retries automatically."
	if records := cnames(r.PendingValidation); len(records) > 0 {
		remedy = "Create these records and keep them permanently; ACM retries automatically:\n" + strings.Join(records, "\n")
	} else if strings.Contains(r.RenewalStatusReason, "CAA") {
		remedy = "Allow ACM's CAs to issue: add to the domain's CAA records 0 issue \"amazon.com\" (or amazontrust.com, awstrust.com, amazonaws.com)."
	}
	return u.findings(j, finding.ACMRenewalFailing, severity, summary, remedy, finding.Evidence{
		"renewal_status": finding.Clean(r.RenewalStatus, 64), "renewal_status_reason": finding.Clean(r.RenewalStatusReason, 64),
		"pending_validation": pending(r.PendingValidation),
	})
}

// renewalReason describes ACM's RenewalStatusReason (API reference, RenewalSummary).
func renewalReason(r observation.Certificate) string {
	switch r.RenewalStatusReason {
	case "CAA_ERROR":
		return "a CAA record of the domain forbids Amazon's CAs"
	case "NO_AVAILABLE_CONTACTS", "ADDITIONAL_VERIFICATION_REQUIRED":
		return "ACM needs more information from the owner (" + r.RenewalStatusReason + "): see the AWS Support Center"
	case "DOMAIN_NOT_ALLOWED":
		return "one of the names is on a list of unsafe domains"
	case "INVALID_PUBLIC_DOMAIN":
		return "one of the names is not a public domain"
	case "DOMAIN_VALIDATION_DENIED":
		return "the validation of a name was denied"
	case "PCA_LIMIT_EXCEEDED", "PCA_INVALID_ARN", "PCA_INVALID_STATE", "PCA_REQUEST_FAILED", "PCA_NAME_CONSTRAINTS_VALIDATION",
		"PCA_RESOURCE_NOT_FOUND", "PCA_INVALID_ARGS", "PCA_INVALID_DURATION", "PCA_ACCESS_DENIED":
		return "the private CA did not issue the certificate (" + r.RenewalStatusReason + ")"
	case "SLR_NOT_FOUND":
		return "ACM's service-linked role is missing (SLR_NOT_FOUND)"
	case "":
		if r.RenewalStatus == "PENDING_VALIDATION" {
			return "it is waiting for the validation of " + topology.Some(domains(r.PendingValidation))
		}
		return "ACM reports no reason"
	}
	return finding.Clean(r.RenewalStatusReason, 64)
}

func domains(vs []observation.Validation) []string {
	if len(vs) == 0 {
		return []string{"its names"}
	}
	var out []string
	for _, v := range vs {
		out = append(out, v.Domain)
	}
	return out
}

func cnames(vs []observation.Validation) []string {
	var out []string
	for _, v := range vs {
		if v.RecordName != "" && len(out) < topology.MaxNames {
			out = append(out, finding.Clean(v.RecordName, 300)+" CNAME "+finding.Clean(v.RecordValue, 300))
		}
	}
	return out
}

func pending(vs []observation.Validation) []any {
	out := []any{}
	for _, v := range vs[:min(len(vs), topology.MaxNames)] {
		out = append(out, map[string]any{
			"domain": finding.Clean(v.Domain, 300), "status": finding.Clean(v.Status, 64), "method": finding.Clean(v.Method, 64),
			"record_name": finding.Clean(v.RecordName, 300), "record_value": finding.Clean(v.RecordValue, 300),
		})
	}
	return out
}
