package comparison

import (
	"fmt"
	"strings"

	"certdrift/internal/prose"
	"certdrift/internal/report"
	"certdrift/internal/topology"
)

func declaredValues(all []topology.DeclaredSide) []Value {
	var out []Value
	for _, d := range all {
		v := Value{ARN: d.ARN, Names: someNames(d.Certificate.Names(), ""), Manifest: d.By != ""}
		if _, end := d.Certificate.Dates(); !end.IsZero() {
			v.Notes = append(v.Notes, "until "+prose.Day(end))
		}
		if where := declaredIn(d.By, d.Source.File, d.Source.Line); where != "" {
			v.Notes = append(v.Notes, where)
		}
		for _, what := range []string{ShortARN(d.ARN), prefixed("SHA-256 ", Short(d.FingerprintSHA256)), prefixed("issuer ", Clean(d.Issuer))} {
			switch {
			case what == "":
			case v.Main == "":
				v.Main = what
			default:
				v.Details = append(v.Details, what)
			}
		}
		v.Differs = len(out) > 0 && d.ARN != "" && all[0].ARN != "" && d.ARN != all[0].ARN
		out = append(out, v)
	}
	return out
}

// shownFailures is how many addresses without a certificate a row names.
const shownFailures = 3

// servedValues are the leaves first, in their order, then what failed.
func servedValues(e report.Endpoint, leaves []report.Certificate, compared topology.Comparison) []Value {
	var out []Value
	for _, c := range leaves {
		at := 0
		for _, a := range e.Addresses {
			if len(a.Chain) > 0 && a.Chain[0].FingerprintSHA256 == c.FingerprintSHA256 {
				at++
			}
		}
		v := Value{Main: Title(c), Names: someNames(c.Names, Title(c)), Details: []string{"SHA-256 " + Short(c.FingerprintSHA256)}}
		if c.Malformed == "" {
			v.Notes = append(v.Notes, "until "+prose.Day(c.NotAfter)+", issued by "+CommonName(c.Issuer))
		}
		if len(leaves) > 1 || at < len(e.Addresses) {
			v.Notes = append(v.Notes, fmt.Sprintf("at %d of %d addresses", at, len(e.Addresses)))
		}
		v.Differs = differs(c, compared)
		out = append(out, v)
	}
	for _, a := range e.Addresses {
		if len(a.Chain) == 0 && a.Failure != nil && len(out) < len(leaves)+shownFailures {
			out = append(out, Value{Main: "nothing", Notes: []string{a.Address + ": " + Failure(*a.Failure)}})
		}
	}
	if f := e.DNS.Failure; f != nil {
		out = append(out, Value{Main: "nothing", Notes: []string{Failure(*f)}})
	}
	return out
}

// otherValues are the other certificates of pairs: what clients get that support only that type of key.
func otherValues(e report.Endpoint) []Value {
	var out []Value
	for _, c := range OtherLeaves(e) {
		v := Value{Main: Title(c), Names: someNames(c.Names, Title(c)), Details: []string{"SHA-256 " + Short(c.FingerprintSHA256)}}
		for _, a := range e.Addresses {
			if a.Other.Second() && a.Other.Chain[0].FingerprintSHA256 == c.FingerprintSHA256 {
				v.Notes = append(v.Notes, "to clients that support only "+Clean(string(a.Other.KeyType)))
				break
			}
		}
		if c.Malformed == "" {
			v.Notes = append(v.Notes, "until "+prose.Day(c.NotAfter)+", issued by "+CommonName(c.Issuer))
		}
		out = append(out, v)
	}
	return out
}

// differs reports whether a certificate served differs from the one attached, or from the one declared.
func differs(leaf report.Certificate, compared topology.Comparison) bool {
	for _, side := range compared.Served {
		if side.Certificate.Fingerprint() == leaf.FingerprintSHA256 {
			return compared.Attached.Known() && side.Attached == topology.Different || side.Declared == topology.Different
		}
	}
	return false
}

func attachedValues(l *report.Listener, compared topology.Comparison) []Value {
	got := compared.Attached
	switch {
	case l == nil:
		return nil
	case got.State == topology.Unknown:
		return []Value{{Main: "unknown", Notes: []string{Clean(l.Listener) + ": " + reason(got.Why)}}}
	case got.State == topology.Absent:
		return []Value{{Main: "nothing", Notes: []string{Clean(l.Listener + " " + l.Protocol)}, Differs: compared.DeclaredAttached == topology.Different}}
	}
	c := got.Value
	v := Value{Main: ShortARN(c.ARN), ARN: c.ARN, Names: someNames(c.Names(), ""), Differs: compared.DeclaredAttached == topology.Different}
	if _, end := c.Dates(); c.Missing() {
		v.Notes = append(v.Notes, "deleted: no certificate under this ARN")
	} else if !end.IsZero() {
		v.Notes = append(v.Notes, "until "+prose.Day(end))
	}
	if fingerprint := c.Fingerprint(); fingerprint != "" {
		v.Details = append(v.Details, "SHA-256 "+Short(fingerprint))
	}
	note := "on " + Clean(l.Listener)
	if more := len(l.Certificates) - 1; more > 0 {
		note += fmt.Sprintf(", beside %d more", more)
	}
	v.Details = append(v.Details, note)
	return []Value{v}
}

// reason is why the attached certificate is not known, in words.
func reason(why topology.Reason) string {
	switch why {
	case topology.Incomplete:
		return "not all its certificates could be listed"
	case topology.Unreadable:
		return "a certificate that might be selected could not be read"
	}
	return string(why)
}

// Failure is where and why a probe stopped, in a few words.
func Failure(f report.Failure) string {
	text := string(f.Phase) + " " + strings.ReplaceAll(string(f.Kind), "-", " ")
	if f.Alert != "" {
		text += " (" + f.Alert + ")"
	}
	return text
}

// shownNames is how many names of a certificate stand beside it.
const shownNames = 1

// someNames are the first names; empty where a certificate is called by its only name already.
func someNames(names []string, title string) string {
	if len(names) == 1 && Clean(names[0]) == title {
		return ""
	}
	var shown []string
	for _, name := range names[:min(len(names), shownNames)] {
		shown = append(shown, Clean(name))
	}
	text := strings.Join(shown, ", ")
	if more := len(names) - len(shown); more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}
