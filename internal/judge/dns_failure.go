package judge

import (
	"slices"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
	"certdrift/internal/topology"
)

func judgeDNS(e *endpoint) []finding.Finding {
	if !e.Probed {
		return nil
	}
	var found []finding.Finding
	none := len(e.Addresses) == 0
	if f := dnsFault(e.DNS, none); f != nil {
		found = append(found, e.dnsFinding(e.Target.Host, "", f, none))
	} else if e.DNS.Partial != nil {
		found = append(found, e.partialFinding(e.Target.Host, "", e.DNS.Partial))
	}
	var told []string
	for _, c := range e.connections {
		if f := c.fails(finding.DNSFailure); f != nil && e.DNS.Failure == nil {
			found = append(found, e.dnsFinding(c.host, "", f, true))
		}
		if c.HTTP == nil {
			continue
		}
		for i := range c.HTTP.Hops {
			hop := &c.HTTP.Hops[i]
			if f, none := hopDNSFault(hop); f != nil && !slices.Contains(told, hop.URL) {
				told = append(told, hop.URL)
				found = append(found, e.dnsFinding(hop.Host, hop.URL, f, none))
			} else if f == nil && hop.Blocked == "" && hop.DNS.Partial != nil && !slices.Contains(told, hop.URL) {
				told = append(told, hop.URL)
				found = append(found, e.partialFinding(hop.Host, hop.URL, hop.DNS.Partial))
			}
		}
	}
	return found
}

// hopDNSFault is why a redirect's hop could not be resolved; none is false where some of its addresses were.
func hopDNSFault(hop *observation.Hop) (f *observation.Failure, none bool) {
	if hop.Blocked != "" || hop.DNS.Failure != nil && hop.DNS.Failure.Kind == observation.Blocked {
		return nil, false // http-redirect-blocked reports it
	}
	none = len(hop.Addresses) == 0
	if f := dnsFault(hop.DNS, none); f != nil {
		return f, none
	}
	for _, a := range hop.Addresses {
		if f := a.Failure; f != nil && lookedUp(f) {
			return f, true
		}
	}
	return nil, false
}

// dnsFault is why a name could not be resolved. A name without addresses and without an error counts as not found.
func dnsFault(d observation.DNS, none bool) *observation.Failure {
	switch {
	case d.Failure != nil:
		return d.Failure
	case none && len(d.Addresses) == 0:
		return &observation.Failure{Phase: observation.PhaseDNS, Kind: observation.NotFound}
	}
	return nil
}

func (e *endpoint) dnsFinding(host, hop string, f *observation.Failure, none bool) finding.Finding {
	name := finding.Quote(host)
	summary, severity := "could not resolve "+name+": "+dnsWords(f.Kind), finding.Critical
	if !none {
		summary, severity = "could not resolve all addresses of "+name+": "+dnsWords(f.Kind), finding.Warning
	}
	evidence := finding.Evidence{"host": finding.Clean(host, finding.QuoteLimit), "kind": string(f.Kind), "phase": string(observation.PhaseDNS)}
	if f.Detail != "" {
		evidence["detail"] = finding.Clean(f.Detail, finding.QuoteLimit)
	}
	if hop != "" {
		summary += " (redirected from " + finding.Clean(e.Target.Host, finding.QuoteLimit) + ")"
	}
	remedy := "Check the record: dig +short " + topology.Shell(host) + " A; dig +short " + topology.Shell(host) + " AAAA. Restore the record; if other names fail too, fix the resolver."
	found := e.finding(finding.DNSFailure, severity, summary, evidence, remedy)
	found.Subject.Hop = hop
	found.Cause = "host:" + finding.Clean(host, finding.QuoteLimit)
	return found
}

// partialFinding is for one family of addresses that is not known: what answered was used.
func (e *endpoint) partialFinding(host, hop string, f *observation.Failure) finding.Finding {
	found := e.dnsFinding(host, hop, f, false)
	found.Severity = finding.Info
	found.Summary = "could not resolve one address family (IPv4 or IPv6) of " + finding.Quote(host) + ": " + dnsWords(f.Kind) + "; its addresses were not checked"
	return found
}

func dnsWords(kind observation.FailureKind) string {
	switch kind {
	case observation.NotFound:
		return "the name does not exist or has no address"
	case observation.TimedOut:
		return "the resolver timed out"
	case observation.ResolverFailed:
		return "the resolver failed or could not be reached"
	}
	return "the lookup failed"
}
