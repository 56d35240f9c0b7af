package judge

import (
	"reflect"
	"slices"
	"strings"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
)

// subject is what findings with an address have in common: an endpoint's own addresses, or those of one redirect's hop.
type subject struct {
	environment, endpoint, hop string
	other                      string // the type of key of the other certificate of a pair; empty for the first
}

// collapse makes one finding of those that say the same of every address of an endpoint: the address is left empty and
// the evidence lists them. What holds for some addresses only stays with each of them, and an endpoint with a single
// address keeps it. A hop that several addresses lead to is reported once.
func collapse(fs []finding.Finding, j *judgment) []finding.Finding {
	type key struct {
		subject
		code              finding.Code
		severity          finding.Severity
		listener, summary string
	}
	if !slices.ContainsFunc(fs, func(f finding.Finding) bool { return f.Address != "" }) {
		return append([]finding.Finding{}, fs...)
	}
	all := addresses(j)
	groups := map[key][]int{}
	drop := make([]bool, len(fs))
	for i, f := range fs {
		if f.Address == "" {
			continue
		}
		k := key{judgedOn(f), f.Code, f.Severity, f.Listener, f.Summary}
		if slices.ContainsFunc(groups[k], func(j int) bool { return fs[j].Address == f.Address }) {
			drop[i] = true
			continue
		}
		groups[k] = append(groups[k], i)
	}
	for k, members := range groups {
		if len(members) < 2 || len(members) != len(all[k.subject]) {
			continue
		}
		merged := make([]finding.Finding, 0, len(members))
		for _, i := range members {
			merged = append(merged, fs[i])
			drop[i] = true
		}
		fs[members[0]], drop[members[0]] = merge(merged), false
	}
	kept := make([]finding.Finding, 0, len(fs))
	for i, f := range fs {
		if !drop[i] {
			kept = append(kept, f)
		}
	}
	return kept
}

// addresses are the distinct ones of each subject.
func addresses(j *judgment) map[subject]map[string]bool {
	all := map[subject]map[string]bool{}
	for _, c := range j.connections {
		s := subject{environment: c.endpoint.Target.Environment, endpoint: c.endpoint.Target.Name}
		if c.hop != nil {
			s.hop = c.hop.URL
		}
		for _, s.other = range []string{"", string(observation.RSA), string(observation.ECDSA)} { // one that lacks a pair counts
			if all[s] == nil {
				all[s] = map[string]bool{}
			}
			all[s][c.Address.Address] = true
		}
	}
	return all
}

func judgedOn(f finding.Finding) subject {
	s := subject{environment: f.Environment, endpoint: f.Endpoint, hop: f.Subject.Hop}
	if f.Subject.Other {
		s.other = f.Subject.KeyType
	}
	return s
}

// merge makes one finding of several that differ in nothing but address and facts. A fact that is not the same everywhere
// is listed for each address.
func merge(fs []finding.Finding) finding.Finding {
	slices.SortStableFunc(fs, func(a, b finding.Finding) int { return strings.Compare(a.Address, b.Address) })
	one := fs[0]
	one.Address = ""
	one.Evidence = finding.Evidence{}
	one.Certificates = mergeCertificates(fs)
	var list []string
	byName := map[string]map[string]any{} // by fact, then by address
	for _, f := range fs {
		list = append(list, f.Address)
		for name, value := range f.AllEvidence() {
			if byName[name] == nil {
				byName[name] = map[string]any{}
			}
			byName[name][f.Address] = value
		}
	}
	typed := one.AllEvidence()
	for name, values := range byName {
		switch value, agreed := agreedOn(values, fs); {
		case !agreed:
			one.Evidence[name] = values
		case typed[name] == nil:
			one.Evidence[name] = value
		}
	}
	one.Evidence["addresses"] = list
	return one
}

// agreedOn is the value that a fact has at every address.
func agreedOn(values map[string]any, fs []finding.Finding) (value any, agreed bool) {
	value = values[fs[0].Address]
	for _, f := range fs {
		if other, known := values[f.Address]; !known || !reflect.DeepEqual(value, other) {
			return nil, false
		}
	}
	return value, true
}

// mergeCertificates lists the certificates of each side that is not the same everywhere with the addresses they are of.
func mergeCertificates(fs []finding.Finding) finding.Certificates {
	side := func(of func(finding.Certificates) []finding.Certificate) []finding.Certificate {
		first := of(fs[0].Certificates)
		if !slices.ContainsFunc(fs, func(f finding.Finding) bool { return !reflect.DeepEqual(of(f.Certificates), first) }) {
			return first
		}
		var all []finding.Certificate
		for _, f := range fs {
			for _, c := range of(f.Certificates) {
				c.Addresses = []string{f.Address}
				all = append(all, c)
			}
		}
		return all
	}
	return finding.Certificates{
		Declared: side(func(c finding.Certificates) []finding.Certificate { return c.Declared }),
		Manifest: side(func(c finding.Certificates) []finding.Certificate { return c.Manifest }),
		Attached: side(func(c finding.Certificates) []finding.Certificate { return c.Attached }),
		Served:   side(func(c finding.Certificates) []finding.Certificate { return c.Served }),
	}
}
