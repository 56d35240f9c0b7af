package config

import (
	"certdrift/internal/observation"
	"certdrift/internal/probe/redact"
	"certdrift/internal/target"
)

// maxDiagnostics is the maximum number of diagnostics for one file.
const maxDiagnostics = 1000

// reporter collects diagnostics, each with the endpoint that is excluded because of it.
type reporter struct {
	file        string
	diagnostics []diagnostic
	excluded    map[*Endpoint]bool
}

type diagnostic struct {
	at            target.Position
	endpoint      *Endpoint // nil if it does not concern one endpoint
	message, hint string
}

func (r *reporter) report(at target.Position, endpoint *Endpoint, message, hint string) {
	if endpoint != nil {
		r.exclude(endpoint)
	}
	if len(r.diagnostics) < maxDiagnostics {
		r.diagnostics = append(r.diagnostics, diagnostic{at, endpoint, redact.URLs(message), hint})
	}
}

// exclude leaves an endpoint out.
func (r *reporter) exclude(endpoint *Endpoint) {
	if r.excluded == nil {
		r.excluded = map[*Endpoint]bool{}
	}
	r.excluded[endpoint] = true
}

// sorted returns the diagnostics in the file's order. names has each endpoint's environment and name.
func (r *reporter) sorted(names map[*Endpoint][2]string) []observation.Diagnostic {
	diagnostics := make([]observation.Diagnostic, 0, len(r.diagnostics))
	for _, f := range r.diagnostics {
		name := names[f.endpoint]
		diagnostics = append(diagnostics, observation.Diagnostic{
			Position: f.at, Message: f.message, Hint: f.hint, Environment: name[0], Endpoint: name[1],
		})
	}
	observation.SortDiagnostics(diagnostics)
	return diagnostics
}
