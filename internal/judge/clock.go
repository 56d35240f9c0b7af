package judge

import (
	"fmt"
	"maps"

	"certdrift/internal/finding"
	"certdrift/internal/prose"
	"certdrift/internal/topology"
)

// dated reports whether a code's findings depend on the time of day: a wrong clock invents them, or hides them.
func dated(code finding.Code) bool {
	switch code {
	case finding.CertExpired, finding.CertNotYetValid, finding.CertExpiring, finding.CertChainExpired, finding.CertStapleBad, finding.CertRootRemoval,
		finding.ListenerCertExpired, finding.ListenerCertExpiring:
		return true
	}
	return false
}

// timed reports whether a finding can come and go with the clock: the dated ones, and those of rules that ask for the time as well. A
// revocation counts from its date on, ACM's renewals matter as the end comes near, a manifest is judged by the dates of what it would
// attach, and of two certificates for a name a load balancer prefers the one that has not expired.
func timed(code finding.Code) bool {
	switch code {
	case finding.CertRevoked, finding.ACMRenewalFailing, finding.ACMRenewalIneligible, finding.DriftManifest, finding.DriftServed:
		return true
	}
	return dated(code)
}

// doubtClock says beside every dated finding that the servers' clocks contradict this machine's.
func doubtClock(all []finding.Finding, c topology.Clock) {
	if !c.Most() {
		return
	}
	for i, f := range all {
		if !dated(f.Code) {
			continue
		}
		evidence := maps.Clone(f.Evidence)
		if evidence == nil {
			evidence = finding.Evidence{}
		}
		evidence["clock"] = clockDiffers(c)
		all[i].Evidence = evidence
		all[i].Remedy = "First check which clock is right: " + clockDiffers(c) + ". " + f.Remedy
	}
}

func clockDiffers(c topology.Clock) string {
	direction := "ahead of"
	if c.Ahead < 0 {
		direction = "behind"
	}
	whose := "the server's"
	if c.Hosts > 1 {
		whose = "most servers'"
	}
	return fmt.Sprintf("certdrift's clock is %s %s %s", prose.Span(c.Ahead.Abs()), direction, whose)
}

// clockFindings returns a finding where this machine's clock is probably wrong.
func (j *judgment) clockFindings() []finding.Finding {
	c := j.Clock()
	if !c.InDoubt() {
		return nil
	}
	f := finding.Finding{
		Code: finding.ObserveIncomplete, Severity: finding.Warning, Cause: "certdrift:clock",
		Summary: clockDiffers(c) + ", according to the Date of their responses: expiry cannot be judged reliably",
		Evidence: finding.Evidence{
			"operation": "clock", "seconds_ahead": int(c.Ahead.Seconds()), "hosts": c.Hosts, "hosts_that_differ": c.ContradictHosts,
			"endpoints": topology.CleanAll(c.Contradict[:min(len(c.Contradict), topology.MaxNames)]),
		},
		Remedy: "Set this machine's clock (`timedatectl`, NTP); in Lambda, AWS sets it, so check the servers' clocks first. Until they agree, no incident about expiry is resolved.",
	}
	for _, key := range c.Contradict { // without their responses, nothing contradicts it
		f.RestsOn = append(f.RestsOn, finding.Fact{Kind: finding.FactResponse, Endpoint: key})
	}
	return []finding.Finding{f}
}
