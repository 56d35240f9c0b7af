package incident

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"

	"certdrift/internal/observation"
)

// silentOn reports whether a round saw a record's certificate at an endpoint, and got no answer about its revocation: a
// responder that is down does not take back what it said before.
func (c Coverage) silentOn(endpoint string, r *Record) bool {
	return slices.ContainsFunc(append([]string{r.Cause}, r.Causes...), func(cause string) bool { return c.Unvouched[endpoint][cause] })
}

// unvouched finds the certificates for Coverage.Unvouched, those of redirects included.
func unvouched(e observation.Endpoint) map[string]bool {
	all := map[string]bool{}
	for _, a := range e.Addresses {
		addUnvouched(all, a.TLS)
		if a.HTTP == nil {
			continue
		}
		for _, h := range a.HTTP.Hops {
			for _, ha := range h.Addresses {
				addUnvouched(all, ha.TLS)
			}
		}
	}
	return all
}

func addUnvouched(all map[string]bool, seen *observation.TLS) {
	if seen == nil {
		return
	}
	for i, der := range seen.Chain {
		about := func(r observation.Revocation) bool { return r.Index == i }
		proves := func(r observation.Revocation) bool { return r.Index == i && r.Signed }
		if slices.ContainsFunc(seen.Revocation, about) && !slices.ContainsFunc(seen.Revocation, proves) {
			sum := sha256.Sum256(der)
			all["certificate:"+hex.EncodeToString(sum[:])] = true
		}
	}
}
