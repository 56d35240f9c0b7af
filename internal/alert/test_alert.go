package alert

import (
	"time"

	"certdrift/internal/finding"
	"certdrift/internal/incident"
)

// testCode is no finding's: a filter policy on codes can distinguish a test alert from a real one.
const testCode finding.Code = "trial"

// TestAlert returns a notice without a problem behind it: `certdrift alert --test` sends it on every path to check that it
// arrives. Environment and severity are what the filter policies under test match on.
func TestAlert(environment string, severity finding.Severity, now time.Time) incident.Notice {
	f := finding.Finding{
		Code: testCode, Severity: severity, Environment: environment, Endpoint: "alert path",
		Summary: "This is a test of the alert path. Nothing is wrong.", Evidence: finding.Evidence{},
		Remedy: "No action needed. If this did not arrive, check the subscription, its confirmation and its filter policy.",
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
