package lambda

import (
	"cmp"
	"context"
	"slices"
	"time"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
)

// logEndpoints writes the lines of a round for Logs Insights: one for each endpoint that has a critical finding or a warning or was not
// probed, and one for each environment about all others, which also have lines of their own if LogHealthy asks for them.
func (f *Function) logEndpoints(ctx context.Context, endpoints []observation.Endpoint, all []finding.Finding) {
	byKey := map[string][]finding.Finding{}
	for _, found := range all {
		for _, key := range found.Endpoints() {
			byKey[key] = append(byKey[key], found)
		}
	}
	var environments []string
	healthy := map[string][]timed{}
	for _, e := range endpoints {
		found := byKey[e.Target.Key()]
		if isHealthy := e.Probed && finding.Worst(found) < finding.Warning; !isHealthy || f.LogHealthy {
			f.logEndpoint(ctx, e, found)
			if !isHealthy {
				continue
			}
		}
		if healthy[e.Target.Environment] == nil {
			environments = append(environments, e.Target.Environment)
		}
		healthy[e.Target.Environment] = append(healthy[e.Target.Environment], timed{e.Target.Name, slowest(e)})
	}
	for _, environment := range environments {
		f.logHealthy(ctx, environment, healthy[environment])
	}
}

// timed is an endpoint's name and the time that its slowest address took.
type timed struct {
	name string
	took time.Duration
}

func slowest(e observation.Endpoint) time.Duration {
	var took time.Duration
	for _, a := range e.Addresses {
		took = max(took, a.Phases.Total)
	}
	return took
}

// logEndpoint writes the line of one endpoint.
func (f *Function) logEndpoint(ctx context.Context, e observation.Endpoint, found []finding.Finding) {
	var codes []string
	for _, one := range found {
		codes = append(codes, string(one.Code))
	}
	f.Log.InfoContext(ctx, "endpoint", "environment", e.Target.Environment, "endpoint", e.Target.Name,
		"severity", finding.Worst(found).String(), "codes", codes, "addresses", len(e.Addresses), "total_ms", slowest(e).Milliseconds())
}

// logHealthy writes the line about the healthy endpoints of an environment: how many, how long they took, and which took longest.
func (f *Function) logHealthy(ctx context.Context, environment string, endpoints []timed) {
	slices.SortStableFunc(endpoints, func(a, b timed) int { return cmp.Compare(a.took, b.took) })
	at := func(percent int) timed { return endpoints[(len(endpoints)-1)*percent/100] }
	f.Log.InfoContext(ctx, "healthy endpoints", "environment", environment, "healthy", len(endpoints),
		"p50_ms", at(50).took.Milliseconds(), "p99_ms", at(99).took.Milliseconds(), "max_ms", at(100).took.Milliseconds(), "slowest", at(100).name)
}
