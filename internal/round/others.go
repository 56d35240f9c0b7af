package round

import (
	"slices"

	"certdrift/internal/incident"
	"certdrift/internal/target"
)

// inTurns lets the endpoints of a scheduled round be asked in turns for the other certificate that a server may have for clients of another
// type of key. A round that somebody waits for, or that follows a change, asks all of them; and so is an endpoint asked whose
// incident ends only once that is known.
func (r *Runner) inTurns(q Request, endpoints []target.Endpoint) []target.Endpoint {
	if r.Publisher == nil || len(q.Changes) > 0 {
		return endpoints
	}
	open := incident.OfOthers(r.Publisher.fallback.lastState().Incidents)
	out := slices.Clone(endpoints)
	for i := range out {
		if !open[out[i].Key()] {
			out[i].OtherEvery = q.Config.OtherEvery
		}
	}
	return out
}
