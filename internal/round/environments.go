package round

import (
	"slices"

	"certdrift/internal/config"
	"certdrift/internal/finding"
	"certdrift/internal/observation"
	"certdrift/internal/target"
)

// Environments are those of a configuration, in its order, those of faulty endpoints included.
func Environments(c config.Config, faults []observation.Diagnostic) []string {
	var known []string
	add := func(environment string) {
		if environment != "" && !slices.Contains(known, environment) {
			known = append(known, environment)
		}
	}
	for _, e := range c.Endpoints {
		add(e.Environment)
	}
	for _, f := range faults {
		add(f.Environment)
	}
	return known
}

// In leaves the endpoints of some environments, and the faults that concern them. What has no environment stays.
func In(environments []string, c config.Config, faults []observation.Diagnostic) (config.Config, []observation.Diagnostic) {
	if len(environments) == 0 {
		return c, faults
	}
	others := func(environment string) bool { return environment != "" && !slices.Contains(environments, environment) }
	c.Endpoints = slices.DeleteFunc(slices.Clone(c.Endpoints), func(e target.Endpoint) bool { return others(e.Environment) })
	faults = slices.DeleteFunc(slices.Clone(faults), func(f observation.Diagnostic) bool { return others(f.Environment) })
	return c, faults
}

// About leaves out what concerns listeners and manifests without an endpoint of the environments that a round was for:
// the others' endpoints are not part of such a round, so that their listeners look like nobody's. What is wrong with the
// alerts of other environments is none of its business either.
func About(environments []string, fs []finding.Finding) []finding.Finding {
	if len(environments) == 0 {
		return fs
	}
	return slices.DeleteFunc(slices.Clone(fs), func(f finding.Finding) bool {
		if f.Environment != "" {
			return !slices.Contains(environments, f.Environment)
		}
		return f.Listener != "" || f.Code == finding.DriftManifest
	})
}
