package judge

import (
	"cmp"
	"slices"
	"strings"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
	"certdrift/internal/topology"
)

// errorGroup is one observe error of the round with all the resources and endpoints that it affected.
type errorGroup struct {
	observation.ObserveError
	resources, affects, details []string
}

// errorGroups groups the round's observe errors of one kind by operation, region, account and environment.
func (j *judgment) errorGroups(kind observation.ObserveErrorKind) []errorGroup {
	var groups []errorGroup
	for _, t := range j.Round.ObserveErrors {
		if t.Kind != kind {
			continue
		}
		i := slices.IndexFunc(groups, func(g errorGroup) bool {
			return g.Operation == t.Operation && g.Region == t.Region && g.Account == t.Account && g.Environment == t.Environment
		})
		if i < 0 {
			groups = append(groups, errorGroup{ObserveError: t})
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
	slices.SortStableFunc(groups, func(a, b errorGroup) int {
		return cmp.Or(strings.Compare(a.Operation, b.Operation), strings.Compare(a.Region, b.Region),
			strings.Compare(a.Account, b.Account), strings.Compare(a.Environment, b.Environment))
	})
	return groups
}

func (g *errorGroup) add(t observation.ObserveError) {
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

// finding returns a finding with what all findings about observe errors have in common.
func (g errorGroup) finding(code finding.Code, summary, remedy string) finding.Finding {
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
	if strings.Contains(g.Operation, ":") {
		f.RestsOn = []finding.Fact{{Kind: finding.FactCall, Resource: g.Account + "/" + g.Region + "/" + g.Operation}}
	}
	if len(g.affects) == 1 {
		f.Endpoint = strings.TrimPrefix(g.affects[0], g.Environment+"/")
	} else {
		f.Affects = g.affects
	}
	return f
}

func (g errorGroup) cause() string {
	switch {
	case g.Region != "":
		return "api:" + finding.Clean(g.Region, 64)
	case strings.Contains(g.Operation, ":"):
		service, _, _ := strings.Cut(g.Operation, ":")
		return "api:" + finding.Clean(service, 64)
	}
	return "certdrift:" + finding.Clean(g.Operation, 64)
}

// where names the region and account in a summary.
func (g errorGroup) where() string {
	text := ""
	if g.Region != "" {
		text += " in " + finding.Clean(g.Region, 64)
	}
	if g.Account != "" {
		text += " in account " + finding.Clean(g.Account, 64)
	}
	return text
}

// concerned names the resources or endpoints in a summary, the first few with a count of the rest.
func (g errorGroup) concerned() string {
	list := g.resources
	if len(list) == 0 {
		for _, key := range g.affects { // a URL from the command line belongs to no environment
			list = append(list, strings.TrimPrefix(key, "/"))
		}
	}
	if len(list) == 0 {
		return ""
	}
	return " (" + topology.Some(list) + ")"
}
