package judge

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"certdrift/internal/finding"
	"certdrift/internal/target"
)

// label is how findings name the listener: LOAD-BALANCER-NAME:PORT.
func (l *listener) label() string {
	return fmt.Sprintf("%s:%d", finding.Clean(l.loadBalancer.Name, finding.QuoteLimit), l.Port)
}

// cause names the listener across regions and accounts.
func (l *listener) cause() string {
	return fmt.Sprintf("listener:%s@%s/%s", l.label(), l.loadBalancer.Region, l.loadBalancer.Account)
}

// finding fills in what every finding about a listener says. es are the endpoints that suffer, of one environment; the
// finding is one endpoint's own where there is just one.
func (l *listener) finding(code finding.Code, severity finding.Severity, es []*endpoint, summary string, evidence finding.Evidence, remedy string) finding.Finding {
	if evidence == nil {
		evidence = finding.Evidence{}
	}
	lb := l.loadBalancer
	for key, value := range map[string]string{
		"region": lb.Region, "account": lb.Account, "arn": cmp.Or(l.ARN, lb.ARN), "load_balancer_arn": lb.ARN, "load_balancer_kind": string(lb.Kind),
	} {
		if value != "" {
			evidence[key] = finding.Clean(value, finding.QuoteLimit)
		}
	}
	f := finding.Finding{
		Code: code, Severity: severity, Listener: l.label(),
		Summary: summary, Evidence: evidence, Remedy: remedy, Cause: l.cause(),
	}
	suffer(&f, es)
	return f
}

// suffer names in a finding the endpoints that suffer, which are of one environment.
func suffer(f *finding.Finding, es []*endpoint) {
	if len(es) == 0 {
		return
	}
	f.Environment = es[0].Target.Environment
	if len(es) == 1 {
		f.Endpoint = es[0].Target.Name
		return
	}
	for _, e := range es {
		f.Affects = append(f.Affects, e.Target.Key())
	}
	slices.Sort(f.Affects)
	f.Affects = slices.Compact(f.Affects)
}

// group is a set of endpoints of one environment that share a key.
type group struct {
	environment, key string
	endpoints        []*endpoint
}

// grouped splits endpoints by environment and key, in the order of both; those whose key is "-" are left out.
func grouped(es []*endpoint, key func(*endpoint) string) []group {
	var groups []group
	for _, e := range es {
		k := key(e)
		if k == "-" {
			continue
		}
		i := slices.IndexFunc(groups, func(g group) bool { return g.environment == e.Target.Environment && g.key == k })
		if i < 0 {
			groups = append(groups, group{environment: e.Target.Environment, key: k})
			i = len(groups) - 1
		}
		groups[i].endpoints = append(groups[i].endpoints, e)
	}
	slices.SortStableFunc(groups, func(a, b group) int {
		return strings.Compare(a.environment+"\x00"+a.key, b.environment+"\x00"+b.key)
	})
	return groups
}

// byEnvironment groups by environment alone.
func byEnvironment(es []*endpoint) []group { return grouped(es, func(*endpoint) string { return "" }) }

// hosts are the names that the endpoints' clients ask for, each once, sorted.
func hosts(es []*endpoint) []string {
	var out []string
	for _, e := range es {
		out = append(out, e.Target.Host)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// some lists a few texts for a summary.
func some(texts []string) string {
	const few = 3
	if len(texts) > few {
		return strings.Join(cleanAll(texts[:few]), ", ") + fmt.Sprintf(" and %d more", len(texts)-few)
	}
	return strings.Join(cleanAll(texts), ", ")
}

// place is a position as editors and compilers write it; empty where unknown.
func place(p target.Position) string {
	switch {
	case p.File == "":
		return ""
	case p.Line == 0:
		return finding.Clean(p.File, finding.QuoteLimit)
	}
	return fmt.Sprintf("%s:%d", finding.Clean(p.File, finding.QuoteLimit), p.Line)
}
