package incident

import (
	"slices"

	"certdrift/internal/finding"
)

// explains reports whether findings of this code say why clients get a certificate with another name.
func explains(code finding.Code) bool {
	switch code {
	case finding.DriftAttached, finding.DriftServed, finding.DriftDeclared, finding.ListenerNameUncovered:
		return true
	}
	return false
}

// predicts reports whether findings of this code are about the future: clients are served correctly until then.
func predicts(code finding.Code) bool {
	switch code {
	case finding.CertExpiring, finding.ListenerCertExpiring, finding.ACMRenewalFailing:
		return true
	}
	return false
}

// threatens reports whether an incident is only about what a deployment would do: no client is affected yet.
func threatens(e *entry) bool {
	return len(e.record.Parts) > 0 && all(e.record.Parts, func(p Part) bool { return p.Code == finding.DriftManifest })
}

// belongs reports whether a group of findings is a piece of an incident that has another cause:
//   - name mismatches of endpoints that the incident's drift explains (a round that read no listeners sees only those);
//   - the drift that explains an incident of nothing else than what the group says, or name mismatches;
//   - a certificate's fault that is known at the same endpoints under another cause. The listener may not have been known
//     before, or another certificate took the place of the first: a roll-out halfway, where old and new alternate, is
//     one incident and not a new one at every swap;
//   - that the addresses of an endpoint serve different certificates, where the incident says what is wrong with one of
//     them, and the reverse.
func belongs(e *entry, g findingGroup) bool {
	switch {
	case all(g.findings, isDriftDeclared) && drifted(e, g):
		return true
	case explains(g.findings[0].Code):
		return explainedBy(e, g) || sameFaults(e, g)
	case all(g.findings, isMismatch):
		if known := explainedEndpoints(e); len(known) > 0 && all(g.findings, func(f finding.Finding) bool {
			return known[f.Environment+"/"+f.Endpoint]
		}) {
			return true
		}
	}
	return sameFaults(e, g) || sameRollOut(e, g)
}

// sameRollOut reports whether of the group and the incident one says that addresses differ, and the other how one of them
// is wrong.
func sameRollOut(e *entry, g findingGroup) bool {
	if inconsistent(e) {
		return all(g.findings, func(f finding.Finding) bool { return group(f.Code) == groupCertificate }) &&
			slices.ContainsFunc(g.findings, func(f finding.Finding) bool { return f.Endpoint == e.record.Parts[0].Endpoint })
	}
	if !all(g.findings, func(f finding.Finding) bool { return f.Code == finding.AddressInconsistent }) {
		return false
	}
	known := explainedEndpoints(e)
	for _, p := range e.record.Parts {
		known[e.record.Environment+"/"+p.Endpoint] = known[e.record.Environment+"/"+p.Endpoint] || group(p.Code) == groupCertificate
	}
	for _, f := range e.present {
		known[f.Environment+"/"+f.Endpoint] = known[f.Environment+"/"+f.Endpoint] || group(f.Code) == groupCertificate
	}
	return all(g.findings, func(f finding.Finding) bool { return known[f.Environment+"/"+f.Endpoint] })
}

// inconsistent reports whether all that an incident says is that addresses differ.
func inconsistent(e *entry) bool {
	return len(e.record.Parts) > 0 && all(e.record.Parts, func(p Part) bool { return p.Code == finding.AddressInconsistent })
}

func isDriftDeclared(f finding.Finding) bool { return f.Code == finding.DriftDeclared }

// drifted reports whether the incident's drift is at the group's endpoints: that what is served is not what was declared is
// the same drift, seen from where the listener could not be read.
func drifted(e *entry, g findingGroup) bool {
	known := explainedEndpoints(e)
	return all(g.findings, func(f finding.Finding) bool { return known[f.Environment+"/"+f.Endpoint] })
}

func isMismatch(f finding.Finding) bool { return f.Code == finding.CertNameMismatch }

func all[T any](list []T, holds func(T) bool) bool {
	return !slices.ContainsFunc(list, func(x T) bool { return !holds(x) })
}

// explainedBy reports whether the group says all that the incident consists of: the same faults, and where its name
// mismatches come from.
func explainedBy(e *entry, g findingGroup) bool {
	known := map[string]bool{}
	for _, f := range g.findings {
		for _, endpoint := range f.Endpoints() {
			known[endpoint] = true
		}
	}
	return len(e.record.Parts) > 0 && len(e.present) == 0 && all(e.record.Parts, func(p Part) bool {
		return (p.Code == finding.CertNameMismatch || p.Code == finding.DriftDeclared) && known[e.record.Environment+"/"+p.Endpoint] || g.holds(p)
	})
}

// holds reports whether the group has a finding of the part's code at its endpoint.
func (g findingGroup) holds(p Part) bool {
	return p.Endpoint != "" && slices.ContainsFunc(g.findings, func(f finding.Finding) bool {
		return f.Endpoint == p.Endpoint && f.Code == p.Code
	})
}

// explainedEndpoints returns those that the incident's drift affects, if it is drift.
func explainedEndpoints(e *entry) map[string]bool {
	known := map[string]bool{}
	for _, f := range e.present {
		if explains(f.Code) {
			for _, endpoint := range f.Endpoints() {
				known[endpoint] = true
			}
		}
	}
	for _, p := range e.record.Parts {
		if !explains(p.Code) {
			continue
		}
		if p.Endpoint != "" {
			known[e.record.Environment+"/"+p.Endpoint] = true
			continue
		}
		for _, endpoint := range e.record.Affects {
			known[endpoint] = true
		}
	}
	return known
}

// sameFaults reports whether the group is of certificates' faults, as served or as attached, and at least half of them are the
// incident's already. A certificate that could not be read is another cause only by its name.
func sameFaults(e *entry, g findingGroup) bool {
	if !all(g.findings, func(f finding.Finding) bool {
		return group(f.Code) == groupCertificate && f.Endpoint != "" || group(f.Code) == groupListener
	}) {
		return false
	}
	same := 0
	for _, f := range g.findings {
		of := partOf(f)
		if slices.ContainsFunc(e.record.Parts, func(p Part) bool {
			return p.Code == f.Code && p.Endpoint == f.Endpoint && p.Listener == f.Listener && p.Region == of.Region && p.Account == of.Account && p.Other == of.Other
		}) {
			same++
		}
	}
	return 2*same >= len(g.findings)
}
