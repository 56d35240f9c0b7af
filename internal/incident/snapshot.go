package incident

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"

	"certdrift/internal/finding"
)

// maxSnapshot bounds the findings of a record in bytes of JSON.
const maxSnapshot = 64 << 10

// snapshot writes down what the incident looks like now: its findings, codes and who suffers. What this round did not
// look at stays as it was last seen, but for what was removed.
func (b *tracker) snapshot(r *Record, present []finding.Finding, removed bool) {
	shown := slices.Clone(present)
	seen := map[partID]bool{}
	for _, f := range present {
		seen[partOf(f).id()] = true
	}
	held := map[partID]bool{}
	hidden := false // a part that no finding of this round stands for, and that has no endpoint of its own
	for _, p := range r.Parts {
		held[p.id()] = true
		hidden = hidden || !seen[p.id()] && p.Endpoint == ""
	}
	for _, f := range r.Findings {
		if id := partOf(f).id(); held[id] && !seen[id] {
			shown = append(shown, f)
		}
	}
	if len(r.Parts) == 0 || len(present) == 0 && !removed && finding.Worst(r.Findings) <= r.Severity {
		return // it is over, or what is left only waits for evidence that it is: keep what it was
	}
	sortFindings(shown)
	r.Findings = bounded(shown)
	r.Code, r.Codes = codes(r.Parts)
	r.Affects, r.AffectsCount = b.affected(r, present, hidden)
	if len(shown) > 0 {
		r.Cause = causeOf(shown[0])
	}
}

// bounded keeps the worst few findings that fit.
func bounded(fs []finding.Finding) []finding.Finding {
	kept, size := []finding.Finding{}, 0
	for _, f := range fs {
		if len(kept) == MaxFindings {
			break
		}
		f.Affects = f.Affects[:min(len(f.Affects), MaxFindings)] // the record has them all
		text, err := json.Marshal(f)
		if err != nil || size+len(text) > maxSnapshot {
			f.Evidence = nil // a finding without its evidence is better than none
			text, err = json.Marshal(f)
		}
		if err == nil && size+len(text) <= maxSnapshot {
			size += len(text)
			kept = append(kept, f)
		}
	}
	return kept
}

// codes lists the codes of parts, worst first, and the one to lead with.
func codes(parts []Part) (finding.Code, []finding.Code) {
	sorted := slices.Clone(parts)
	slices.SortStableFunc(sorted, compareParts)
	var list []finding.Code
	for _, p := range sorted {
		if !slices.Contains(list, p.Code) {
			list = append(list, p.Code)
		}
	}
	return list[0], list
}

// affected lists the affected endpoints, and counts them.
func (b *tracker) affected(r *Record, present []finding.Finding, hidden bool) ([]string, int) {
	set := map[string]bool{}
	for _, f := range present {
		for _, endpoint := range f.Endpoints() {
			set[endpoint] = true
		}
	}
	for _, p := range r.Parts {
		if p.Endpoint != "" {
			set[r.Environment+"/"+p.Endpoint] = true
		}
	}
	if hidden {
		for _, endpoint := range r.Affects {
			set[endpoint] = true
		}
	}
	list := make([]string, 0, len(set))
	for endpoint := range set {
		if b.Coverage.Configured == nil || b.Coverage.Configured[endpoint] {
			list = append(list, endpoint)
		}
	}
	slices.Sort(list)
	return list[:room(list)], len(list)
}

// room is how many names a record holds.
func room(names []string) int {
	size := 0
	for i, name := range names {
		if size += written(name); i == MaxAffects || size > maxAffectBytes {
			return i
		}
	}
	return len(names)
}

// The shares of a record's bytes: findings have maxSnapshot.
const (
	maxPartBytes   = 160 << 10
	maxAffectBytes = 96 << 10
)

// size is an upper bound of a part's bytes in JSON.
func (p Part) size() int {
	const rest = 200 // the names of the fields, counts and flags
	size := 0
	for _, f := range p.RestsOn {
		size += 60 + len(f.Kind) + written(f.Endpoint) + written(f.Resource) + written(f.Object)
	}
	return size + rest + len(p.Code) + written(p.Endpoint) + written(p.Listener) + written(p.Region) + written(p.Account)
}

// written is an upper bound of a string's bytes in JSON: encoding/json writes some of one byte as six.
func written(text string) int {
	return len(text) + 3 + 5*strings.Count(text, "<") + 5*strings.Count(text, ">") + 5*strings.Count(text, "&") + strings.Count(text, `"`) + strings.Count(text, `\`)
}

// sortFindings is finding.Sort, but for the code: what explains others goes before them.
func sortFindings(fs []finding.Finding) {
	finding.Sort(fs)
	slices.SortStableFunc(fs, func(a, b finding.Finding) int {
		return cmp.Or(cmp.Compare(b.Severity, a.Severity), cmp.Compare(rank(a.Code), rank(b.Code)))
	})
}

// rank orders codes of one severity by how much they explain: who changed what, before what clients see of it. What is attached wrongly
// comes before the names that nothing attached covers, and these before what else is served wrongly: the fix of the first ends the others, or
// shows what is left of them.
func rank(code finding.Code) int {
	switch {
	case code == finding.DriftAttached:
		return 0
	case code == finding.ListenerNameUncovered:
		return 1
	case explains(code):
		return 2
	}
	order := []string{groupDrift, groupListener, groupCertificate, groupTLS, groupReach, groupHTTP, groupSelf}
	return 3 + slices.Index(order, group(code))
}
