package judge

import (
	"reflect"
	"slices"

	"certdrift/internal/finding"
)

// subject is what findings with an address have in common: an endpoint's own addresses, or those of one redirect's hop.
type subject struct{ environment, endpoint, hop string }

// collapse makes one finding of those that say the same of every address of an endpoint: the address is left empty and
// the evidence lists them. What holds for some addresses only stays with each of them, and an endpoint with a single
// address keeps it. A hop that several addresses lead to is told of once.
func collapse(fs []finding.Finding, w *world) []finding.Finding {
	type key struct {
		subject
		code              finding.Code
		severity          finding.Severity
		listener, summary string
	}
	all := addresses(w)
	groups := map[key][]int{}
	drop := make([]bool, len(fs))
	for i, f := range fs {
		if f.Address == "" {
			continue
		}
		k := key{judgedOn(f), f.Code, f.Severity, f.Listener, f.Summary}
		if slices.ContainsFunc(groups[k], func(j int) bool { return fs[j].Address == f.Address }) {
			drop[i] = true
			continue
		}
		groups[k] = append(groups[k], i)
	}
	for k, members := range groups {
		if len(members) < 2 || len(members) != len(all[k.subject]) {
			continue
		}
		merged := make([]finding.Finding, 0, len(members))
		for _, i := range members {
			merged = append(merged, fs[i])
			drop[i] = true
		}
		fs[members[0]], drop[members[0]] = merge(merged), false
	}
	kept := make([]finding.Finding, 0, len(fs))
	for i, f := range fs {
		if !drop[i] {
			kept = append(kept, f)
		}
	}
	return kept
}

// addresses are the distinct ones of each subject.
func addresses(w *world) map[subject]map[string]bool {
	all := map[subject]map[string]bool{}
	for _, c := range w.connections {
		s := subject{c.endpoint.Target.Environment, c.endpoint.Target.Name, ""}
		if c.hop != nil {
			s.hop = c.hop.URL
		}
		if all[s] == nil {
			all[s] = map[string]bool{}
		}
		all[s][c.Address.Address] = true
	}
	return all
}

func judgedOn(f finding.Finding) subject {
	hop, _ := f.Evidence[hopKey].(string)
	return subject{f.Environment, f.Endpoint, hop}
}

// merge makes one finding of several that differ in nothing but address and evidence. A fact that is not the same
// everywhere is told for each address.
func merge(fs []finding.Finding) finding.Finding {
	slices.SortStableFunc(fs, func(a, b finding.Finding) int {
		if a.Address < b.Address {
			return -1
		}
		return 1
	})
	one := fs[0]
	one.Address = ""
	one.Evidence = finding.Evidence{}
	var list []string
	names := map[string]bool{}
	for _, f := range fs {
		list = append(list, f.Address)
		for name := range f.Evidence {
			names[name] = true
		}
	}
	for name := range names {
		one.Evidence[name] = agreed(fs, name)
	}
	one.Evidence["addresses"] = list
	return one
}

func agreed(fs []finding.Finding, name string) any {
	each := map[string]any{}
	equal := true
	for _, f := range fs {
		value, ok := f.Evidence[name]
		if ok {
			each[f.Address] = value
		}
		equal = equal && reflect.DeepEqual(value, fs[0].Evidence[name])
	}
	if equal {
		return fs[0].Evidence[name]
	}
	return each
}
