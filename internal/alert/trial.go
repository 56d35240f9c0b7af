package alert

import (
	"time"

	"certdrift/internal/finding"
	"certdrift/internal/incident"
)

// trialCode is no finding's: a filter policy on codes can tell a trial from the real thing.
const trialCode finding.Code = "trial"

// Trial is a notice that nothing is wrong behind: `certdrift alert --test` sends it on every path, to see whether it
// arrives. Environment and severity are what the filter policies to be tried match on.
func Trial(environment string, severity finding.Severity, now time.Time) incident.Notice {
	f := finding.Finding{
		Code: trialCode, Severity: severity, Environment: environment, Endpoint: "alert path",
		Summary: "This is a trial of the alert path. Nothing is wrong.", Evidence: finding.Evidence{},
		Remedy: "Nothing is to be done. Where this did not arrive, look at the subscription, its confirmation and its filter policy.",
		Cause:  "certdrift alert --test",
	}
	return incident.Notice{
		Event: incident.Opened, Severity: severity, At: now, Findings: []finding.Finding{f},
		Record: incident.Record{
			Key: "- trial", Environment: environment, Cause: f.Cause, First: now, Opened: now, LastSeen: now, Severity: severity,
			Code: f.Code, Codes: []finding.Code{f.Code}, Findings: []finding.Finding{f},
		},
	}
}
