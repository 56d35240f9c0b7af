package report

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
)

// Revocation is what one source said about one certificate of the chain.
type Revocation struct {
	// Certificate is its place in the chain as sent, from 0.
	Certificate int                          `json:"certificate"`
	Source      observation.RevocationSource `json:"source"`
	URL         string                       `json:"url,omitempty"`
	Status      observation.RevocationStatus `json:"status"`
	// Counts is false for an answer that proves nothing: it was not available, has the wrong signer, or is
	// stale. A "revoked" counts for as long as it is signed.
	Counts     bool       `json:"counts"`
	NextUpdate *time.Time `json:"next_update,omitempty"`
	Detail     string     `json:"detail,omitempty"`
}

func revocations(observed []observation.Revocation, at time.Time) []Revocation {
	out := []Revocation{}
	for _, r := range observed {
		shown := Revocation{
			Certificate: r.Index, Source: r.Source, URL: finding.Clean(r.URL, textLimit), Status: r.Status,
			Counts: counts(r, at), Detail: finding.Clean(r.Detail, textLimit),
		}
		if !r.NextUpdate.IsZero() {
			next := r.NextUpdate.UTC()
			shown.NextUpdate = &next
		}
		out = append(out, shown)
	}
	return out
}

func counts(r observation.Revocation, at time.Time) bool {
	switch {
	case !r.Signed:
		return false
	case r.Status == observation.Revoked:
		return true
	}
	return r.Status == observation.Good && (r.NextUpdate.IsZero() || !at.After(r.NextUpdate))
}

// unanswered are the certificates of an endpoint, and of the hops it leads to, whose revocation status no source could tell, each
// with every source and its reason. A bad staple is a finding of its own.
func unanswered(e Endpoint) []string {
	var out []string
	for _, a := range withHops(e.Addresses) {
		reasons := map[int][]string{}
		for _, r := range a.Revocation {
			known := slices.ContainsFunc(a.Revocation, func(other Revocation) bool { return other.Certificate == r.Certificate && other.Counts })
			if !known && r.Source != observation.Staple {
				reasons[r.Certificate] = append(reasons[r.Certificate], fmt.Sprintf("%s %s: %s", r.Source, r.URL, reason(r)))
			}
		}
		for _, i := range slices.Sorted(maps.Keys(reasons)) {
			if line := fmt.Sprintf("certificate %d (%s)", i+1, strings.Join(reasons[i], "; ")); !slices.Contains(out, line) {
				out = append(out, line)
			}
		}
	}
	return out
}

// withHops are addresses and those of the redirects that each of them gave.
func withHops(addresses []Address) []Address {
	all := slices.Clone(addresses)
	for _, a := range addresses {
		if a.HTTP == nil {
			continue
		}
		for _, h := range a.HTTP.Hops {
			all = append(all, withHops(h.Addresses)...)
		}
	}
	return all
}

func reason(r Revocation) string {
	switch {
	case r.Detail != "":
		return r.Detail
	case r.Status == observation.Good && r.NextUpdate != nil:
		return "out of date since " + r.NextUpdate.Format(time.DateOnly)
	}
	return string(r.Status)
}
