package topology

import (
	"slices"
	"strings"
)

// Group is a set of endpoints of one environment that share a key.
type Group struct {
	Environment, Key string
	Endpoints        []*Endpoint
}

// GroupBy splits endpoints by environment and key, in the order of both; those without a key are left out.
func GroupBy(es []*Endpoint, key func(*Endpoint) (string, bool)) []Group {
	var groups []Group
	for _, e := range es {
		k, ok := key(e)
		if !ok {
			continue
		}
		i := slices.IndexFunc(groups, func(g Group) bool { return g.Environment == e.Target.Environment && g.Key == k })
		if i < 0 {
			groups = append(groups, Group{Environment: e.Target.Environment, Key: k})
			i = len(groups) - 1
		}
		groups[i].Endpoints = append(groups[i].Endpoints, e)
	}
	slices.SortStableFunc(groups, func(a, b Group) int {
		return strings.Compare(a.Environment+"\x00"+a.Key, b.Environment+"\x00"+b.Key)
	})
	return groups
}

// ByEnvironment groups endpoints by environment alone.
func ByEnvironment(es []*Endpoint) []Group {
	return GroupBy(es, func(*Endpoint) (string, bool) { return "", true })
}

// OrNone is one group without endpoints where there is none: a listener may have no endpoint behind it.
func OrNone(groups []Group) []Group {
	if len(groups) == 0 {
		return []Group{{}}
	}
	return groups
}

// Hosts are the names that the endpoints' clients ask for, each once, sorted.
func Hosts(es []*Endpoint) []string {
	var out []string
	for _, e := range es {
		out = append(out, e.Target.Host)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// Secured are the endpoints that speak TLS.
func Secured(es []*Endpoint) []*Endpoint {
	var out []*Endpoint
	for _, e := range es {
		if e.Target.Kind.Secured() {
			out = append(out, e)
		}
	}
	return out
}
