package judge

import (
	"fmt"
	"slices"
	"strings"

	"certdrift/internal/finding"
	"certdrift/internal/topology"
)

func judgeMissing(j *judgment) []finding.Finding {
	var found []finding.Finding
	type key struct{ label, region, environment string }
	at := map[key]int{}
	behind := map[key][]*topology.Endpoint{}
	for _, p := range j.Missing() {
		if !p.Proven() {
			continue
		}
		f := missing(p)
		k := key{f.Listener, f.Subject.Listener.Region, p.Endpoint.Target.Environment}
		if _, known := at[k]; !known {
			at[k] = len(found)
			found = append(found, f)
		}
		behind[k] = append(behind[k], p.Endpoint)
	}
	for k, i := range at {
		topology.Affect(&found[i], behind[k])
	}
	return found
}

func missing(p topology.Placement) finding.Finding {
	name, region := strings.TrimPrefix(p.Named, "load balancer "), ""
	if ref := p.Endpoint.Target.LoadBalancer; ref != nil {
		region = ref.Region
	}
	summary := fmt.Sprintf("load balancer %s does not exist", finding.Quote(name))
	evidence := finding.Evidence{"load_balancer": finding.Clean(name, finding.QuoteLimit), "port": p.Port}
	var subject finding.Listener
	account := ""
	if len(p.Candidates) == 1 {
		lb := p.Candidates[0]
		name, region, account = lb.Name, lb.Region, lb.Account
		summary = fmt.Sprintf("load balancer %s has no listener on port %d", finding.Quote(name), p.Port)
		var ports []int
		for _, l := range lb.Listeners {
			ports = append(ports, l.Port)
		}
		slices.Sort(ports)
		evidence["ports"] = ports
		subject.ARN, subject.Account = finding.Clean(lb.ARN, finding.QuoteLimit), account
	} else if region != "" {
		summary += " in " + finding.Clean(region, finding.QuoteLimit)
	}
	subject.Region = finding.Clean(region, finding.QuoteLimit)
	if at := topology.Position(p.Endpoint.Target.Source); at != "" {
		evidence["configured_at"] = at
	}
	label := fmt.Sprintf("%s:%d", finding.Clean(name, finding.QuoteLimit), p.Port)
	return finding.Finding{
		Code: finding.ListenerMissing, Severity: finding.Critical, Listener: label, Subject: finding.Subject{Listener: subject},
		Summary: summary, Evidence: evidence,
		Remedy: "Restore the listener (re-apply its manifest), or fix load_balancer of the endpoint in the configuration.",
		Cause:  fmt.Sprintf("listener:%s@%s/%s", label, region, account),
	}
}
