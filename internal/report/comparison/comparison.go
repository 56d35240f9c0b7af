// Package comparison shows what is declared, attached and served for each endpoint side by side, and which of them agree.
// It formats the topology's comparison, on which the findings rest too. It is pure.
package comparison

import (
	"fmt"
	"slices"
	"time"

	"certdrift/internal/report"
	"certdrift/internal/topology"
)

// Row is one endpoint with its certificates.
type Row struct {
	Endpoint report.Endpoint
	// Listener is the one the endpoint is behind; nil where none is known.
	Listener                   *report.Listener
	Declared, Attached, Served []Value
	// DeclaredAttached and AttachedServed go between the columns. Where the attached certificate is not known,
	// AttachedServed compares what is served with what is declared.
	DeclaredAttached, AttachedServed Mark
	// FromDeclared compares what is served with what is declared, or with what is attached where nothing is declared.
	FromDeclared Mark
	// Others are what the addresses have for clients of the other type of key (RSA or ECDSA), as far as the round asked.
	Others []Value
	// End is when the first of the certificates served expires; zero where none is served.
	End time.Time
}

// Value is one certificate of one column. All texts are clean.
type Value struct {
	Main string
	// Names are the first names that the certificate covers; empty where they are not known.
	Names string
	// Notes are until when it is valid, by whom it is declared, and the like; Details are what identifies it.
	Notes, Details []string
	// ARN is the attached or declared certificate's; empty where there is none.
	ARN string
	// Differs marks what disagrees with what is declared, or with what is attached.
	Differs bool
	// Manifest reports that a deployment source declares it, not the configuration.
	Manifest bool
}

// Mark is what goes between two columns.
type Mark topology.Relation

// Sign is for drawing.
func (m Mark) Sign() string { return [...]string{"·", "=", "≈", "≠"}[m] }

// Word is for screen readers.
func (m Mark) Word() string {
	return [...]string{"not compared", "the same", "equivalent", "different"}[m]
}

// Class is the style sheet's.
func (m Mark) Class() string { return [...]string{"unknown", "same", "same", "different"}[m] }

// Rows are all endpoints in the report's order.
func Rows(r report.Report) []Row {
	behind := map[string]*report.Listener{}
	for i := range r.Listeners {
		for _, key := range r.Listeners[i].Endpoints {
			behind[key] = &r.Listeners[i]
		}
	}
	rows := make([]Row, 0, len(r.Endpoints))
	for _, e := range r.Endpoints {
		rows = append(rows, rowOf(e, behind[e.Environment+"/"+e.Name]))
	}
	return rows
}

func rowOf(e report.Endpoint, behind *report.Listener) Row {
	c, leaves := e.Compared(), Leaves(e)
	row := Row{
		Endpoint: e, Listener: behind, End: end(slices.Concat(leaves, OtherLeaves(e))), Others: otherValues(e),
		Declared: declaredValues(c.Declared), Attached: attachedValues(behind, c), Served: servedValues(e, leaves, c),
		DeclaredAttached: Mark(c.DeclaredAttached), AttachedServed: Mark(c.AttachedServed),
	}
	if !c.Attached.Known() {
		row.AttachedServed = Mark(c.DeclaredServed)
	}
	row.FromDeclared = Mark(c.DeclaredServed)
	switch {
	case len(row.Declared) == 0:
		row.FromDeclared = row.AttachedServed
	case c.DeclaredServed == topology.NotCompared && c.AttachedServed == topology.Same: // what holds for the attached one holds for the same one
		row.FromDeclared = Mark(c.DeclaredAttached)
	}
	return row
}

// Name is an endpoint's ENVIRONMENT/NAME; NAME alone for a URL of the command line, which has no environment.
func Name(e report.Endpoint) string {
	if e.Environment == "" {
		return Clean(e.Name)
	}
	return Clean(e.Environment + "/" + e.Name)
}

// Leaves are the distinct leaves that an endpoint's addresses serve, in the order of the addresses.
func Leaves(e report.Endpoint) []report.Certificate {
	var leaves []report.Certificate
	for _, a := range e.Addresses {
		if len(a.Chain) > 0 && !slices.ContainsFunc(leaves, func(c report.Certificate) bool {
			return c.FingerprintSHA256 == a.Chain[0].FingerprintSHA256
		}) {
			leaves = append(leaves, a.Chain[0])
		}
	}
	return leaves
}

// OtherLeaves are the distinct leaves that the addresses have for clients of the other type of key.
func OtherLeaves(e report.Endpoint) []report.Certificate {
	var leaves []report.Certificate
	for _, a := range e.Addresses {
		if o := a.Other; o.Second() && !slices.ContainsFunc(leaves, func(c report.Certificate) bool {
			return c.FingerprintSHA256 == o.Chain[0].FingerprintSHA256
		}) {
			leaves = append(leaves, o.Chain[0])
		}
	}
	return leaves
}

func end(leaves []report.Certificate) time.Time {
	var first time.Time
	for _, c := range leaves {
		if !c.NotAfter.IsZero() && (first.IsZero() || c.NotAfter.Before(first)) {
			first = c.NotAfter
		}
	}
	return first
}

// declaredIn says where something is declared: "in certdrift.yaml:12", "in k8s/api.yaml:9 (Service production/api)"; empty where that is not known.
func declaredIn(by, file string, line int) string {
	switch {
	case file == "" && by == "":
		return ""
	case file == "":
		return "by " + Clean(by)
	}
	text := fmt.Sprintf("in %s:%d", Clean(file), line)
	if by != "" {
		text += " (" + Clean(by) + ")"
	}
	return text
}
