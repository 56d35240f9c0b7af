package judge

import (
	"fmt"
	"slices"
	"strings"

	"certdrift/internal/finding"
)

func driftManifest() rule {
	return rule{
		Code: finding.DriftManifest,
		round: func(w *world) []finding.Finding {
			var found []finding.Finding
			for _, d := range w.declarations {
				if d.Discovered {
					continue
				}
				for _, x := range w.effects(d) {
					if severity := x.severity(w); severity != finding.None {
						found = append(found, x.finding(w, severity))
					}
				}
			}
			return found
		},
	}
}

func (x *effect) finding(w *world, severity finding.Severity) finding.Finding {
	d := x.declaration
	evidence := finding.Evidence{
		"file": finding.Clean(d.Source.File, finding.QuoteLimit), "line": d.Source.Line,
		"object": finding.Clean(d.Object, finding.QuoteLimit), "manifest": side(x.manifestEvidence(w)),
	}
	if would := slices.Concat(x.breaks, x.soon); len(would) > 0 {
		evidence["would"] = would
	}
	if d.Generated() {
		evidence["generated"] = true
	}
	if len(x.dropped) > 0 {
		evidence["would_detach"] = cleanAll(x.dropped)
	}
	if x.declared != nil {
		evidence["declared"] = w.declaredEvidence(*x.declared)
	}
	f := finding.Finding{Code: finding.DriftManifest, Severity: severity}
	if l := x.listener; l != nil {
		var attached []map[string]any
		for _, a := range l.attached {
			attached = append(attached, a.evidence(a.ARN))
		}
		evidence["attached"] = side(attached)
		if x.attached >= twin && len(l.attached) > 0 {
			l.blame(evidence, l.attached[0].ARN, deed{})
		}
		f = l.finding(f.Code, severity, nil, "", evidence, "")
	} else if d.LoadBalancer != "" && d.Port != 0 {
		f.Listener = fmt.Sprintf("%s:%d", finding.Clean(d.LoadBalancer, finding.QuoteLimit), d.Port)
	}
	f.Evidence, f.Summary, f.Remedy, f.Cause = evidence, x.summary(w), x.remedy(w), x.cause()
	suffer(&f, x.endpoints)
	return f
}

func (x *effect) manifestEvidence(w *world) []map[string]any {
	out := []map[string]any{}
	for _, arn := range x.declaration.ARNs[:min(len(x.declaration.ARNs), shownNames)] {
		out = append(out, w.body(arn).evidence(arn))
	}
	return out
}

func (x *effect) summary(w *world) string {
	declares := some(shortARNs(x.declaration.ARNs))
	if x.declaration.bare() {
		declares = "no certificate"
	}
	text := x.declaration.where() + " declares " + declares + " for port " + fmt.Sprint(x.declaration.Port)
	switch {
	case x.declaration.Closes:
		text = fmt.Sprintf("%s asks for no listener on port %d", x.declaration.where(), x.declaration.Port)
	case x.declaration.Listener != "":
		text = x.declaration.where() + " adds " + declares + " to a listener of " + finding.Clean(x.declaration.LoadBalancer, finding.QuoteLimit)
	}
	switch {
	case x.declaration.Closes:
		text += ": applying takes it away from " + finding.Clean(x.listener.loadBalancer.Name, finding.QuoteLimit)
	case x.declaration.Listener != "" && x.attached == distinct:
		text += ", which does not have it attached"
	case x.declaration.Listener != "":
	case x.configured >= twin && x.attached == same:
		text += ", as is attached, where the configuration declares " + w.declaredLabel(*x.declared)
	case x.configured >= twin:
		text += ", the configuration " + w.declaredLabel(*x.declared)
	case x.attached >= twin && x.listener != nil && len(x.listener.attached) > 0:
		text += "; attached is " + shortARN(x.listener.attached[0].ARN)
	case x.standard:
		text += "; the default is " + shortARN(x.listener.attached[0].ARN) + ", which no endpoint gets"
	case len(x.dropped) > 0:
		text += "; " + some(shortARNs(x.dropped)) + " would be detached"
	}
	if made := x.undoes(); made != nil {
		text += "; applying would undo the change by " + finding.Clean(made.Author.Name, 64) + " of " + moment(made.At)
	}
	if len(x.breaks) > 0 && x.attached == same {
		text += "; " + strings.Join(x.breaks[:min(len(x.breaks), 3)], ", ")
	} else if len(x.breaks) > 0 {
		text += "; after the next apply " + strings.Join(x.breaks[:min(len(x.breaks), 3)], ", ")
	}
	if len(x.soon) > 0 {
		text += "; " + some(x.soon)
	}
	if x.right(w) && x.attached >= twin && (len(x.breaks) > 0 || x.configured == distinct) {
		text += ". The manifest is stale; the next apply would break it"
	}
	return text
}

func (x *effect) remedy(w *world) string {
	if x.declaration.Listener != "" && x.listener != nil && len(x.breaks) == 0 {
		return "Apply " + x.declaration.toMend() + ", or add the certificate by hand:\n" + x.listener.v2("add-listener-certificates", x.declaration.ARNs[0])
	}
	text := x.mend(w)
	if w.round.Planned {
		return text + "."
	}
	return text + ". See what it would do:\ncertdrift plan -f " + shell(cleanPath(x.declaration.Source.File))
}

// mend says what to change in the manifest.
func (x *effect) mend(w *world) string {
	manifest := x.declaration.toMend()
	text := "Mend " + manifest + " before the next apply"
	switch want := x.lacks(w); {
	case x.declaration.Closes:
		return text + fmt.Sprintf(", if port %d is to stay; else take its endpoints out of the configuration", x.declaration.Port)
	case want != "":
		return text + ": declare " + finding.Clean(want, finding.QuoteLimit)
	case x.ending:
		return "Before the next apply, renew the certificate that ends soon, or name one that lasts longer in " + manifest
	case len(x.breaks) == 0 && x.standard:
		return "Name " + finding.Clean(x.listener.attached[0].ARN, finding.QuoteLimit) + " first in " + manifest + ", if that default is to stay"
	case len(x.breaks) == 0 && x.attached == same && len(x.dropped) > 0:
		return "Before the next apply, name in " + manifest + " what would be detached, if it is to stay"
	}
	return text
}

// lacks is the certificate that the manifest should declare and does not: what the configuration declares, else what is
// attached where that is right; empty where none is known.
func (x *effect) lacks(w *world) string {
	var wanted []string
	if x.declared != nil {
		arn, _ := w.declaredBody(*x.declared)
		wanted = append(wanted, arn)
	}
	if x.right(w) {
		for _, e := range x.endpoints {
			got, _ := x.listener.offer(e.Target.Host)
			wanted = append(wanted, got.ARN)
		}
	}
	for _, arn := range wanted {
		if arn != "" && !slices.Contains(x.declaration.ARNs, arn) {
			return arn
		}
	}
	return ""
}

func cleanPath(path string) string {
	if path == "" {
		return "MANIFEST"
	}
	return finding.Clean(path, finding.QuoteLimit)
}
