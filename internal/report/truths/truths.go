// Package truths holds the three truths of each endpoint side by side, as people look at them: declared, attached,
// served, and which of them agree. It compares what a report shows; what a difference means, and whether it is one that
// matters, the judge has said in its findings. It is pure.
package truths

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"certdrift/internal/report"
)

// Row is one endpoint with its three truths.
type Row struct {
	Endpoint report.Endpoint
	// Listener is the one behind the endpoint; nil where none is known.
	Listener                   *report.Listener
	Declared, Attached, Served []Value
	// DeclaredAttached and AttachedServed stand between the truths. Where no listener is known, AttachedServed compares
	// what is served with what is declared.
	DeclaredAttached, AttachedServed Mark
	// End is when the first of the certificates served ends; zero where none is served.
	End time.Time
}

// Value is one certificate as one truth has it. All texts are clean.
type Value struct {
	Main  string
	Notes []string
	// ARN is the attached or declared certificate's; empty where there is none.
	ARN string
	// Differs marks what disagrees with the truth before it.
	Differs bool
}

// Mark is what stands between two truths.
type Mark int

// The marks: not to be told, equal, different.
const (
	Unknown Mark = iota
	Same
	Different
)

// Sign is for drawing.
func (m Mark) Sign() string { return [...]string{"·", "=", "≠"}[m] }

// Word is for reading aloud.
func (m Mark) Word() string { return [...]string{"not compared", "the same", "different"}[m] }

// Class is the style sheet's.
func (m Mark) Class() string { return [...]string{"untold", "same", "different"}[m] }

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
	row := Row{Endpoint: e, Listener: behind, End: end(e)}
	declared := declarations(e, behind)
	leaves := Leaves(e)
	row.Served = servedValues(e, leaves)
	row.Declared = declaredValues(declared)
	if behind == nil {
		row.AttachedServed = againstDeclared(declared, leaves, row.Served)
		return row
	}
	got := offered(behind.Certificates, host(e.URL), leaves)
	row.Attached = attachedValues(behind, got)
	if got == nil {
		return row
	}
	row.DeclaredAttached = compareDeclared(declared, got)
	row.AttachedServed = compareServed(got.FingerprintSHA256, leaves)
	row.Attached[0].Differs = row.DeclaredAttached == Different
	for i, c := range leaves {
		row.Served[i].Differs = got.FingerprintSHA256 != "" && c.FingerprintSHA256 != got.FingerprintSHA256
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

func end(e report.Endpoint) time.Time {
	var first time.Time
	for _, c := range Leaves(e) {
		if !c.NotAfter.IsZero() && (first.IsZero() || c.NotAfter.Before(first)) {
			first = c.NotAfter
		}
	}
	return first
}

func host(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return strings.ToLower(strings.TrimSuffix(u.Hostname(), "."))
}

// declarations are the endpoint's own and those of the manifest behind its listener; another endpoint's are not.
func declarations(e report.Endpoint, behind *report.Listener) []report.Declared {
	var all []report.Declared
	if d := e.Declared; d != nil {
		all = append(all, report.Declared{
			By: "configuration", ARN: d.ARN, FingerprintSHA256: d.FingerprintSHA256, Issuer: d.Issuer, Source: d.Source,
		})
	}
	if behind == nil {
		return all
	}
	for _, d := range behind.Declared {
		if !slices.Contains(behind.Endpoints, d.By) {
			all = append(all, d)
		}
	}
	return all
}

// offered is the attached certificate that a client which asks for the host gets, as far as can be told: the one that
// is served, if it is attached, else the first that covers the host, else the default.
func offered(all []report.Attached, host string, leaves []report.Certificate) *report.Attached {
	for _, fits := range []func(report.Attached) bool{
		func(a report.Attached) bool {
			return a.FingerprintSHA256 != "" && slices.ContainsFunc(leaves, func(c report.Certificate) bool {
				return c.FingerprintSHA256 == a.FingerprintSHA256
			})
		},
		func(a report.Attached) bool {
			return slices.ContainsFunc(a.Names, func(name string) bool { return covers(name, host) })
		},
		func(a report.Attached) bool { return a.Default },
	} {
		if i := slices.IndexFunc(all, fits); i >= 0 {
			return &all[i]
		}
	}
	return nil
}

// covers reports whether a certificate's name covers a host: a wildcard stands for one label (RFC 6125, section 6.4.3).
func covers(name, host string) bool {
	name = strings.ToLower(name)
	if rest, wild := strings.CutPrefix(name, "*."); wild {
		_, parent, _ := strings.Cut(host, ".")
		return parent == rest
	}
	return name == host
}

func compareDeclared(declared []report.Declared, got *report.Attached) Mark {
	for _, d := range declared {
		switch {
		case d.ARN != "" && d.ARN == got.ARN, d.ARN == "" && d.FingerprintSHA256 != "" && d.FingerprintSHA256 == got.FingerprintSHA256:
			return Same
		case d.ARN != "", d.FingerprintSHA256 != "" && got.FingerprintSHA256 != "":
			return Different
		}
	}
	return Unknown
}

func compareServed(fingerprint string, leaves []report.Certificate) Mark {
	if fingerprint == "" || len(leaves) == 0 {
		return Unknown
	}
	for _, c := range leaves {
		if c.FingerprintSHA256 != fingerprint {
			return Different
		}
	}
	return Same
}

// againstDeclared compares what is served with what is declared, and marks what differs.
func againstDeclared(declared []report.Declared, leaves []report.Certificate, values []Value) Mark {
	for _, d := range declared {
		if d.FingerprintSHA256 == "" {
			continue
		}
		for i := range leaves {
			values[i].Differs = leaves[i].FingerprintSHA256 != d.FingerprintSHA256
		}
		return compareServed(d.FingerprintSHA256, leaves)
	}
	return Unknown
}

func position(file string, line int) string {
	if file == "" {
		return ""
	}
	return fmt.Sprintf(", %s:%d", Clean(file), line)
}
