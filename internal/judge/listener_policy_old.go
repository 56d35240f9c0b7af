package judge

import (
	"slices"
	"strings"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
	"certdrift/internal/topology"
)

func listenerPolicyOld() rule {
	return rule{
		Code: finding.ListenerPolicyOld,
		listener: func(l *listener) []finding.Finding {
			old := oldProtocols(l)
			if !l.Secure() || len(old) == 0 {
				return nil
			}
			policy := finding.Clean(l.Policy, finding.QuoteLimit)
			var found []finding.Finding
			for _, g := range topology.OrNone(topology.ByEnvironment(l.Endpoints)) {
				found = append(found, l.Finding(finding.ListenerPolicyOld, finding.Warning, g.Endpoints,
					"listener "+l.Label()+" still allows "+strings.Join(old, ", ")+" (policy "+finding.Quote(policy)+")",
					finding.Evidence{"policy": policy, "protocols": topology.CleanAll(l.Protocols), "old": old}, l.policyRemedy()))
			}
			return found
		},
	}
}

func (l *listener) policyRemedy() string {
	if l.LoadBalancer.Kind == observation.Classic {
		return "Set a policy on the port that references ELBSecurityPolicy-TLS-1-2-2017-01: aws elb create-load-balancer-policy, then aws elb set-load-balancer-policies-of-listener --region " +
			topology.Shell(l.LoadBalancer.Region) + " --load-balancer-name " + topology.Shell(l.LoadBalancer.Name) + " …"
	}
	return "aws elbv2 modify-listener --region " + topology.Shell(l.LoadBalancer.Region) + " --listener-arn " + topology.Shell(l.ARN) +
		" --ssl-policy ELBSecurityPolicy-TLS13-1-2-2021-06"
}

// oldPolicies are AWS's predefined policies that allow TLS 1.0 or 1.1, for when the protocols could not be read.
var oldPolicies = [...]string{
	"ELBSecurityPolicy-2016-08", "ELBSecurityPolicy-2015-", "ELBSecurityPolicy-2014-", "ELBSecurityPolicy-2011-",
	"ELBSecurityPolicy-TLS-1-0-", "ELBSecurityPolicy-TLS-1-1-", "ELBSecurityPolicy-FS-2018-06", "ELBSecurityPolicy-FS-1-1-",
	"ELBSecurityPolicy-TLS13-1-0-", "ELBSecurityPolicy-TLS13-1-1-",
}

// oldProtocols returns the deprecated protocols that the listener allows, sorted.
func oldProtocols(l *listener) []string {
	var old []string
	for _, p := range l.Protocols {
		switch strings.TrimPrefix(p, "Protocol-") {
		case "SSLv2", "SSLv3", "TLSv1", "TLSv1.0", "TLSv1.1":
			old = append(old, strings.TrimPrefix(p, "Protocol-"))
		}
	}
	if len(l.Protocols) == 0 && slices.ContainsFunc(oldPolicies[:], func(p string) bool { return strings.HasPrefix(l.Policy, p) }) {
		return []string{"TLS 1.0 or 1.1"}
	}
	slices.Sort(old)
	return slices.Compact(old)
}
