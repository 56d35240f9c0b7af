package config

import (
	"certdrift/internal/observation"
	"certdrift/internal/target"
)

// maxFaults bounds what a hopeless file gives.
const maxFaults = 1000

// reporter collects faults, each with the endpoint that it spoils.
type reporter struct {
	file   string
	faults []fault
	spoilt map[*Endpoint]bool
}

type fault struct {
	at            target.Position
	endpoint      *Endpoint // nil where the fault is not one endpoint's
	message, hint string
}

func (r *reporter) report(at target.Position, endpoint *Endpoint, message, hint string) {
	if endpoint != nil {
		r.broken(endpoint)
	}
	if len(r.faults) < maxFaults {
		r.faults = append(r.faults, fault{at, endpoint, message, hint})
	}
}

// broken leaves an endpoint out.
func (r *reporter) broken(endpoint *Endpoint) {
	if r.spoilt == nil {
		r.spoilt = map[*Endpoint]bool{}
	}
	r.spoilt[endpoint] = true
}

// finished gives the faults in the file's order. names tells each endpoint's environment and name.
func (r *reporter) finished(names map[*Endpoint][2]string) []observation.Diagnostic {
	faults := make([]observation.Diagnostic, 0, len(r.faults))
	for _, f := range r.faults {
		name := names[f.endpoint]
		faults = append(faults, observation.Diagnostic{
			Position: f.at, Message: f.message, Hint: f.hint, Environment: name[0], Endpoint: name[1],
		})
	}
	observation.SortDiagnostics(faults)
	return faults
}
