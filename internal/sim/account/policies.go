package account

import (
	"maps"
	"slices"
)

// DefaultPolicy is what AWS gives a TLS listener that is made without a policy.
const DefaultPolicy = "ELBSecurityPolicy-2016-08"

// Policies are some of AWS's predefined security policies with the protocols that they allow (AWS: Security policies
// for your Application Load Balancer; Predefined SSL security policies for Classic Load Balancers).
func Policies() map[string][]string {
	return map[string][]string{
		"ELBSecurityPolicy-2016-08":               {"TLSv1", "TLSv1.1", "TLSv1.2"},
		"ELBSecurityPolicy-TLS-1-1-2017-01":       {"TLSv1.1", "TLSv1.2"},
		"ELBSecurityPolicy-TLS-1-2-2017-01":       {"TLSv1.2"},
		"ELBSecurityPolicy-TLS13-1-0-2021-06":     {"TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"},
		"ELBSecurityPolicy-TLS13-1-2-2021-06":     {"TLSv1.2", "TLSv1.3"},
		"ELBSecurityPolicy-TLS13-1-2-Res-2021-06": {"TLSv1.2", "TLSv1.3"},
		"ELBSecurityPolicy-TLS13-1-3-2021-06":     {"TLSv1.3"},
	}
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
