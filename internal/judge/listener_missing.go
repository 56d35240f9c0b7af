package judge

import (
	"fmt"
	"slices"
	"strings"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
)

func judgeMissing(w *world) []finding.Finding {
	var found []finding.Finding
	type key struct{ label, region, environment string }
	at := map[key]int{}
	behind := map[key][]*endpoint{}
	for _, p := range w.missing {
		if !w.proven(p) {
			continue
		}
		f := p.missing()
		k := key{f.Listener, fmt.Sprint(f.Evidence["region"]), p.endpoint.Target.Environment}
		if _, known := at[k]; !known {
			at[k] = len(found)
			found = append(found, f)
		}
		behind[k] = append(behind[k], p.endpoint)
	}
	for k, i := range at {
		suffer(&found[i], behind[k])
	}
	return found
}

func (p placement) missing() finding.Finding {
	name, region := strings.TrimPrefix(p.what, "load balancer "), ""
	if ref := p.endpoint.Target.LoadBalancer; ref != nil {
		region = ref.Region
	}
	account := ""
	summary := fmt.Sprintf("there is no load balancer %s", finding.Quote(name))
	evidence := finding.Evidence{"load_balancer": finding.Clean(name, finding.QuoteLimit), "port": p.port}
	if len(p.candidates) == 1 {
		lb := p.candidates[0]
		name, region, account = lb.Name, lb.Region, lb.Account
		summary = fmt.Sprintf("load balancer %s has no listener on port %d", finding.Quote(name), p.port)
		var ports []int
		for _, l := range lb.Listeners {
			ports = append(ports, l.Port)
		}
		slices.Sort(ports)
		evidence["ports"], evidence["arn"], evidence["account"] = ports, finding.Clean(lb.ARN, finding.QuoteLimit), account
	} else if region != "" {
		summary += " in " + finding.Clean(region, finding.QuoteLimit)
	}
	if region != "" {
		evidence["region"] = finding.Clean(region, finding.QuoteLimit)
	}
	if at := place(p.endpoint.Target.Source); at != "" {
		evidence["configured_at"] = at
	}
	label := fmt.Sprintf("%s:%d", finding.Clean(name, finding.QuoteLimit), p.port)
	return finding.Finding{
		Code: finding.ListenerMissing, Severity: finding.Critical, Listener: label, Summary: summary, Evidence: evidence,
		Remedy: "Bring the listener back (re-apply its manifest), or mend load_balancer of the endpoint in the configuration.",
		Cause:  fmt.Sprintf("listener:%s@%s/%s", label, region, account),
	}
}

// proven reports whether the round saw enough for an absence to mean something.
func (w *world) proven(p placement) bool {
	if !w.round.ListenersRead {
		return false
	}
	if len(p.candidates) == 1 {
		return !p.candidates[0].Partial
	}
	ref := p.endpoint.Target.LoadBalancer
	if ref == nil {
		return false
	}
	if len(w.round.Only) > 0 && !slices.ContainsFunc(w.round.Only, func(only string) bool { return namesLoadBalancer(only, ref.Name) }) {
		return false
	}
	return !slices.ContainsFunc(w.round.ObserveErrors, func(t observation.ObserveError) bool {
		return hides(t, ref.Region)
	})
}

// namesLoadBalancer reports whether a name or ARN is of the load balancer called name.
func namesLoadBalancer(nameOrARN, name string) bool {
	return nameOrARN == name || slices.Contains(strings.Split(nameOrARN, "/"), name)
}

// hides reports whether a trouble may have kept load balancers of a region from being seen.
func hides(t observation.ObserveError, region string) bool {
	if t.Endpoint != "" || t.Region != "" && region != "" && t.Region != region {
		return false
	}
	service, _, ofAWS := strings.Cut(t.Operation, ":")
	return !ofAWS || service == "sts" || t.Operation == "elasticloadbalancing:DescribeLoadBalancers" || t.Operation == "elasticloadbalancing:*"
}
