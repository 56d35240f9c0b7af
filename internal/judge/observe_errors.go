package judge

import (
	"cmp"
	"slices"
	"strings"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
	"certdrift/internal/topology"
)

// troubleGroup is one trouble of the round, however many resources and endpoints it befell.
type troubleGroup struct {
	observation.ObserveError
	resources, affects, details []string
}

// troubles groups the round's troubles of one kind by what was tried, and where.
func (j *judgment) troubles(kind observation.ObserveErrorKind) []troubleGroup {
	var groups []troubleGroup
	for _, t := range j.Round.ObserveErrors {
		if t.Kind != kind {
			continue
		}
		i := slices.IndexFunc(groups, func(g troubleGroup) bool {
			return g.Operation == t.Operation && g.Region == t.Region && g.Account == t.Account && g.Environment == t.Environment
		})
		if i < 0 {
			groups = append(groups, troubleGroup{ObserveError: t})
			i = len(groups) - 1
		}
		groups[i].add(t)
	}
	for i := range groups {
		for _, list := range []*[]string{&groups[i].resources, &groups[i].details, &groups[i].affects} {
			slices.Sort(*list)
			*list = slices.Compact(*list)
		}
	}
	slices.SortStableFunc(groups, func(a, b troubleGroup) int {
		return cmp.Or(strings.Compare(a.Operation, b.Operation), strings.Compare(a.Region, b.Region),
			strings.Compare(a.Account, b.Account), strings.Compare(a.Environment, b.Environment))
	})
	return groups
}

func (g *troubleGroup) add(t observation.ObserveError) {
	note := func(list *[]string, text string) {
		if text != "" {
			*list = append(*list, text)
		}
	}
	note(&g.resources, finding.Clean(t.Resource, finding.QuoteLimit))
	note(&g.details, finding.Clean(t.Detail, finding.QuoteLimit))
	if t.Endpoint != "" {
		note(&g.affects, t.Environment+"/"+t.Endpoint)
	}
}

// finding fills in what every finding about a trouble says.
func (g troubleGroup) finding(code finding.Code, summary, remedy string) finding.Finding {
	evidence := finding.Evidence{"operation": finding.Clean(g.Operation, finding.QuoteLimit)}
	for key, value := range map[string]string{"region": g.Region, "account": g.Account} {
		if value != "" {
			evidence[key] = finding.Clean(value, finding.QuoteLimit)
		}
	}
	if len(g.resources) > 0 {
		evidence["resources"] = g.resources[:min(len(g.resources), topology.MaxNames)]
		evidence["resources_in_all"] = len(g.resources)
	}
	if len(g.details) > 0 {
		evidence["detail"] = strings.Join(g.details[:min(len(g.details), 3)], "; ")
	}
	f := finding.Finding{
		Code: code, Severity: finding.Warning, Environment: g.Environment,
		Summary: summary, Evidence: evidence, Remedy: remedy, Cause: g.cause(),
	}
	if len(g.affects) == 1 {
		f.Endpoint = strings.TrimPrefix(g.affects[0], g.Environment+"/")
	} else {
		f.Affects = g.affects
	}
	return f
}

func (g troubleGroup) cause() string {
	switch {
	case g.Region != "":
		return "api:" + finding.Clean(g.Region, 64)
	case strings.Contains(g.Operation, ":"):
		service, _, _ := strings.Cut(g.Operation, ":")
		return "api:" + finding.Clean(service, 64)
	}
	return "certdrift:" + finding.Clean(g.Operation, 64)
}

// where says in a summary which region and account are concerned.
func (g troubleGroup) where() string {
	text := ""
	if g.Region != "" {
		text += " in " + finding.Clean(g.Region, 64)
	}
	if g.Account != "" {
		text += " of account " + finding.Clean(g.Account, 64)
	}
	return text
}

// concerned names what a summary speaks of: the one resource or endpoint, or how many.
func (g troubleGroup) concerned() string {
	list := g.resources
	if len(list) == 0 {
		for _, key := range g.affects { // a URL of the command line belongs to no environment
			list = append(list, strings.TrimPrefix(key, "/"))
		}
	}
	if len(list) == 0 {
		return ""
	}
	return " (" + topology.Some(list) + ")"
}
