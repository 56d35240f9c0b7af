package plan

import (
	"fmt"
	"slices"
	"strings"

	"certdrift/internal/finding"
	"certdrift/internal/policy"
	"certdrift/internal/prose"
	"certdrift/internal/topology"
)

// Findings are drift-manifest: one for each effect of the round's manifests that is not as it should be. On schedule, what is not
// applied yet is a warning at most: clients are served as before until somebody applies it.
func Findings(t *topology.Topology, p policy.Thresholds, onSchedule bool) []finding.Finding {
	var found []finding.Finding
	planner := newPlanner(t, p)
	for _, d := range t.Declarations {
		if d.Discovered || d.UndecidedBecause != "" {
			continue
		}
		for _, x := range planner.effects(d) {
			severity := x.severity()
			if onSchedule && !x.applied() {
				severity = min(severity, finding.Warning)
			}
			if severity != finding.None {
				found = append(found, x.finding(severity))
			}
		}
	}
	return found
}

func (x effect) finding(severity finding.Severity) finding.Finding {
	d := x.declaration
	evidence := finding.Evidence{}
	if would := slices.Concat(x.breaks, x.soon); len(would) > 0 {
		evidence["would"] = would
	}
	if len(x.dropped) > 0 {
		evidence["would_detach"] = topology.CleanAll(x.dropped)
	}
	f := finding.Finding{Code: finding.DriftManifest}
	if l := x.listener; l != nil {
		f = l.Finding(f.Code, severity, nil, "", nil, "")
		f.Certificates.Attached = l.AttachedFacts()
		if x.attached >= topology.Equivalent && len(l.Attached) > 0 {
			f.Attribution = l.Attribution(l.Attached[0].ARN, topology.CertificateChange{})
		}
	} else if d.LoadBalancer != "" && d.Port != 0 {
		f.Listener = label(d)
	}
	if x.declared != nil {
		f.Certificates.Declared = []finding.Certificate{x.DeclaredFact(*x.declared)}
	}
	f.Certificates.Manifest = x.manifestFacts()
	f.Subject.Source = finding.Source{
		File: finding.Clean(d.Source.File, finding.QuoteLimit), Line: d.Source.Line, Object: finding.Clean(d.Object, finding.QuoteLimit), Generated: d.Generated(),
	}
	f.Severity, f.Evidence, f.Summary, f.Remedy, f.Cause = severity, evidence, x.summary(), x.remedy(), x.cause()
	topology.Affect(&f, x.endpoints)
	return f
}

func (x effect) manifestFacts() []finding.Certificate {
	out := []finding.Certificate{}
	for _, arn := range x.declaration.ARNs[:min(len(x.declaration.ARNs), topology.MaxNames)] {
		out = append(out, x.Certificate(arn).Fact(arn))
	}
	return out
}

// applied reports whether the listener has what the manifest declares.
func (x effect) applied() bool { return x.listener != nil && x.attached == topology.Same }

func (x effect) cause() string {
	if x.applied() {
		return x.listener.Cause() // the listener is wrong in the same way: one incident
	}
	d := x.declaration
	return "manifest:" + strings.Join([]string{finding.Clean(d.Source.File, finding.QuoteLimit), finding.Clean(d.Object, finding.QuoteLimit), fmt.Sprint(d.Port)}, ":")
}

// summary is what the manifest declares, how that differs, and what applying it would do.
func (x effect) summary() string {
	text := x.declares() + x.difference()
	if made := x.undoes(); made != nil {
		text += "; applying would undo the change by " + finding.Clean(made.Author.Name, 64) + " of " + prose.Stamp(made.At)
	}
	if len(x.breaks) > 0 {
		text += "; "
		if x.attached != topology.Same {
			text += "after the next apply "
		}
		text += strings.Join(x.breaks[:min(len(x.breaks), 3)], ", ")
	}
	if len(x.soon) > 0 {
		text += "; " + topology.Some(x.soon)
	}
	if x.right() && x.attached >= topology.Equivalent && (len(x.breaks) > 0 || x.configured == topology.Different) {
		text += ". The manifest is out of date; the next apply would break this endpoint"
	}
	return text
}

func (x effect) declares() string {
	d := x.declaration
	declares := topology.Some(topology.ShortARNs(d.ARNs))
	if d.WithoutCertificate() {
		declares = "no certificate"
	}
	switch {
	case d.RemovesListeners:
		return fmt.Sprintf("%s asks for no listener on port %d", d.At(), d.Port)
	case d.Listener != "" && len(d.ARNs) == 0:
		return d.At() + " removes " + topology.Some(topology.ShortARNs(d.Detaches)) + " from a listener of " + finding.Clean(d.LoadBalancer, finding.QuoteLimit)
	case d.Listener != "":
		return d.At() + " adds " + declares + " to a listener of " + finding.Clean(d.LoadBalancer, finding.QuoteLimit)
	}
	return d.At() + " declares " + declares + " for port " + fmt.Sprint(d.Port)
}

// difference is how the declaration differs from what is attached, or from what the configuration declares.
func (x effect) difference() string {
	d := x.declaration
	switch {
	case d.RemovesListeners:
		return ": applying removes it from " + finding.Clean(x.listener.LoadBalancer.Name, finding.QuoteLimit)
	case d.Listener != "" && x.adds():
		return ", which does not have it attached"
	case d.Listener != "":
		return ""
	case x.configured >= topology.Equivalent && x.attached == topology.Same:
		return ", which is attached, but the configuration declares " + x.DeclaredLabel(*x.declared)
	case x.configured >= topology.Equivalent:
		return ", but the configuration declares " + x.DeclaredLabel(*x.declared)
	case x.attached >= topology.Equivalent && x.listener != nil && len(x.listener.Attached) > 0:
		return "; attached is " + topology.ShortARN(x.listener.Attached[0].ARN)
	case x.defaultChanges:
		return "; the default is " + topology.ShortARN(x.listener.Attached[0].ARN) + ", which no endpoint gets"
	case len(x.dropped) > 0:
		return "; " + topology.Some(topology.ShortARNs(x.dropped)) + " would be detached"
	}
	return ""
}
