package judge

import (
	"slices"

	"certdrift/internal/finding"
)

// collapse makes one finding of those that say the same of every address of an endpoint: the address is left empty and
// the evidence lists them. What holds for some addresses only stays with each of them.
func collapse(fs []finding.Finding, w *world) []finding.Finding {
	type key struct {
		code          finding.Code
		severity      finding.Severity
		env, endpoint string
		listener      string
		summary       string
	}
	addresses := map[[2]string]int{}
	for _, e := range w.endpoints {
		addresses[[2]string{e.Target.Environment, e.Target.Name}] += len(e.connections)
	}
	groups := map[key][]int{}
	for i, f := range fs {
		if f.Address != "" {
			k := key{f.Code, f.Severity, f.Environment, f.Endpoint, f.Listener, f.Summary}
			groups[k] = append(groups[k], i)
		}
	}
	drop := make([]bool, len(fs))
	for k, members := range groups {
		if len(members) < 2 || len(members) != addresses[[2]string{k.env, k.endpoint}] {
			continue
		}
		var list []string
		for _, i := range members {
			list = append(list, fs[i].Address)
			drop[i] = i != members[0]
		}
		slices.Sort(list)
		first := &fs[members[0]]
		first.Address = ""
		first.Evidence["addresses"] = slices.Compact(list)
	}
	kept := fs[:0]
	for i, f := range fs {
		if !drop[i] {
			kept = append(kept, f)
		}
	}
	return kept
}
