package html

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"certdrift/internal/report"
)

// truths is one endpoint with its three truths side by side.
type truths struct {
	Name, URL                  string
	State                      sign
	Declared, Attached, Served []value
	// DeclaredAttached and AttachedServed stand between the truths: equal, different, or not to be told.
	DeclaredAttached, AttachedServed mark
	Left                             left
	Findings                         []link

	healthy bool
	rank    report.State
}

// value is one certificate as one truth has it.
type value struct {
	Main  string
	Notes []string
	// Differs marks what disagrees with the truth before it.
	Differs bool
}

// mark is what stands between two truths.
type mark int

const (
	unknown mark = iota
	same
	different
)

// Sign is drawn, Word is read aloud, Class is the style sheet's.
func (m mark) Sign() string  { return [...]string{"·", "=", "≠"}[m] }
func (m mark) Word() string  { return [...]string{"not compared", "the same", "different"}[m] }
func (m mark) Class() string { return [...]string{"untold", "same", "different"}[m] }

// rows are all endpoints, the worst first, else in the report's order.
func (b builder) rows() []truths {
	behind := map[string]*report.Listener{}
	for i := range b.Listeners {
		for _, key := range b.Listeners[i].Endpoints {
			behind[key] = &b.Listeners[i]
		}
	}
	var rows []truths
	for _, e := range b.Endpoints {
		rows = append(rows, b.row(e, behind[e.Environment+"/"+e.Name]))
	}
	slices.SortStableFunc(rows, func(x, y truths) int { return worse(x.rank, y.rank) })
	return rows
}

func (b builder) row(e report.Endpoint, behind *report.Listener) truths {
	row := truths{
		Name: nameOf(e), URL: e.URL, State: stateSign(e.State), Left: b.leftOf(e), Findings: b.links(e.Findings()),
		healthy: e.State == report.OK, rank: e.State, DeclaredAttached: unknown, AttachedServed: unknown,
	}
	declared := declarations(e, behind)
	leaves := served(e)
	row.Served = b.servedValues(e, leaves)
	row.Declared = declaredValues(declared)
	if behind == nil {
		row.AttachedServed, row.Served = againstDeclared(declared, leaves, row.Served)
		return row
	}
	got := offered(behind.Certificates, host(e.URL), leaves)
	row.Attached = b.attachedValues(behind, got)
	if got == nil {
		return row
	}
	row.DeclaredAttached = compareDeclared(declared, got)
	row.AttachedServed = compareServed(got.FingerprintSHA256, leaves)
	row.Attached[0].Differs = row.DeclaredAttached == different
	for i := range row.Served {
		row.Served[i].Differs = i < len(leaves) && got.FingerprintSHA256 != "" && leaves[i].FingerprintSHA256 != got.FingerprintSHA256
	}
	return row
}

func nameOf(e report.Endpoint) string {
	if e.Environment == "" {
		return clean(e.Name)
	}
	return clean(e.Environment + "/" + e.Name)
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

func declaredValues(all []report.Declared) []value {
	var out []value
	for _, d := range all {
		v := value{Notes: []string{"by " + clean(d.By)}}
		if d.Source.File != "" {
			v.Notes[0] += fmt.Sprintf(", %s:%d", clean(d.Source.File), d.Source.Line)
		}
		for _, what := range []string{shortARN(d.ARN), prefixed("SHA-256 ", short(d.FingerprintSHA256)), prefixed("issuer ", clean(d.Issuer))} {
			switch {
			case what == "":
			case v.Main == "":
				v.Main = what
			default:
				v.Notes = append(v.Notes, what)
			}
		}
		v.Differs = len(out) > 0 && d.ARN != "" && all[0].ARN != "" && d.ARN != all[0].ARN
		out = append(out, v)
	}
	return out
}

// served are the distinct leaves of an endpoint's addresses, in the order of the addresses.
func served(e report.Endpoint) []report.Certificate {
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

func (b builder) servedValues(e report.Endpoint, leaves []report.Certificate) []value {
	var out []value
	for _, c := range leaves {
		at := 0
		for _, a := range e.Addresses {
			if len(a.Chain) > 0 && a.Chain[0].FingerprintSHA256 == c.FingerprintSHA256 {
				at++
			}
		}
		v := value{Main: title(c), Notes: []string{prefixed("SHA-256 ", short(c.FingerprintSHA256))}}
		if c.Malformed == "" {
			v.Notes = append(v.Notes, "until "+day(c.NotAfter)+", issued by "+commonName(c.Issuer))
		}
		if len(leaves) > 1 || at < len(e.Addresses) {
			v.Notes = append(v.Notes, fmt.Sprintf("at %d of %d addresses", at, len(e.Addresses)))
		}
		out = append(out, v)
	}
	for _, a := range e.Addresses {
		if len(a.Chain) == 0 && a.Failure != nil && len(out) < len(leaves)+3 {
			out = append(out, value{Main: "nothing", Notes: []string{a.Address + ": " + failure(*a.Failure)}})
		}
	}
	if f := e.DNS.Failure; f != nil {
		out = append(out, value{Main: "nothing", Notes: []string{failure(*f)}})
	}
	return out
}

// failure is where and why a probe stopped, in a few words.
func failure(f report.Failure) string {
	text := string(f.Phase) + " " + strings.ReplaceAll(string(f.Kind), "-", " ")
	if f.Alert != "" {
		text += " (" + f.Alert + ")"
	}
	return text
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

// covers tells whether a certificate's name covers a host: a wildcard stands for one label (RFC 6125, section 6.4.3).
func covers(name, host string) bool {
	name = strings.ToLower(name)
	if rest, wild := strings.CutPrefix(name, "*."); wild {
		_, parent, _ := strings.Cut(host, ".")
		return parent == rest
	}
	return name == host
}

func (b builder) attachedValues(l *report.Listener, got *report.Attached) []value {
	if got == nil {
		return []value{{Main: "nothing", Notes: []string{clean(l.Listener + " " + l.Protocol)}}}
	}
	v := value{Main: shortARN(got.ARN)}
	switch {
	case got.Missing:
		v.Notes = append(v.Notes, "gone: no certificate under this ARN")
	case got.NotAfter != nil:
		v.Notes = append(v.Notes, "until "+day(*got.NotAfter))
	}
	if got.FingerprintSHA256 != "" {
		v.Notes = append(v.Notes, "SHA-256 "+short(got.FingerprintSHA256))
	}
	note := "on " + clean(l.Listener)
	if more := len(l.Certificates) - 1; more > 0 {
		note += fmt.Sprintf(", beside %d more", more)
	}
	v.Notes = append(v.Notes, note)
	return []value{v}
}

func compareDeclared(declared []report.Declared, got *report.Attached) mark {
	for _, d := range declared {
		switch {
		case d.ARN != "" && d.ARN == got.ARN, d.ARN == "" && d.FingerprintSHA256 != "" && d.FingerprintSHA256 == got.FingerprintSHA256:
			return same
		case d.ARN != "", d.FingerprintSHA256 != "" && got.FingerprintSHA256 != "":
			return different
		}
	}
	return unknown
}

func compareServed(fingerprint string, leaves []report.Certificate) mark {
	if fingerprint == "" || len(leaves) == 0 {
		return unknown
	}
	for _, c := range leaves {
		if c.FingerprintSHA256 != fingerprint {
			return different
		}
	}
	return same
}

// againstDeclared compares what is served with what is declared, where no listener is known.
func againstDeclared(declared []report.Declared, leaves []report.Certificate, values []value) (mark, []value) {
	for _, d := range declared {
		if d.FingerprintSHA256 == "" {
			continue
		}
		for i := range leaves {
			values[i].Differs = leaves[i].FingerprintSHA256 != d.FingerprintSHA256
		}
		return compareServed(d.FingerprintSHA256, leaves), values
	}
	return unknown, values
}
