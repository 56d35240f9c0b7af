package truths

import (
	"fmt"
	"strings"
	"time"

	"certdrift/internal/report"
)

func declaredValues(all []report.Declared) []Value {
	var out []Value
	for _, d := range all {
		v := Value{ARN: d.ARN, Notes: []string{"by " + Clean(d.By) + position(d.Source.File, d.Source.Line)}}
		for _, what := range []string{ShortARN(d.ARN), prefixed("SHA-256 ", Short(d.FingerprintSHA256)), prefixed("issuer ", Clean(d.Issuer))} {
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

// shownFailures is how many addresses without a certificate a row names.
const shownFailures = 3

// servedValues are the leaves first, in their order, then what failed.
func servedValues(e report.Endpoint, leaves []report.Certificate) []Value {
	var out []Value
	for _, c := range leaves {
		at := 0
		for _, a := range e.Addresses {
			if len(a.Chain) > 0 && a.Chain[0].FingerprintSHA256 == c.FingerprintSHA256 {
				at++
			}
		}
		v := Value{Main: Title(c), Notes: []string{"SHA-256 " + Short(c.FingerprintSHA256)}}
		if c.Malformed == "" {
			v.Notes = append(v.Notes, "until "+Day(c.NotAfter)+", issued by "+CommonName(c.Issuer))
		}
		if len(leaves) > 1 || at < len(e.Addresses) {
			v.Notes = append(v.Notes, fmt.Sprintf("at %d of %d addresses", at, len(e.Addresses)))
		}
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

func attachedValues(l *report.Listener, got *report.Attached) []Value {
	if got == nil {
		return []Value{{Main: "nothing", Notes: []string{Clean(l.Listener + " " + l.Protocol)}}}
	}
	v := Value{Main: ShortARN(got.ARN), ARN: got.ARN}
	switch {
	case got.Missing:
		v.Notes = append(v.Notes, "gone: no certificate under this ARN")
	case got.NotAfter != nil:
		v.Notes = append(v.Notes, "until "+Day(*got.NotAfter))
	}
	if got.FingerprintSHA256 != "" {
		v.Notes = append(v.Notes, "SHA-256 "+Short(got.FingerprintSHA256))
	}
	note := "on " + Clean(l.Listener)
	if more := len(l.Certificates) - 1; more > 0 {
		note += fmt.Sprintf(", beside %d more", more)
	}
	v.Notes = append(v.Notes, note)
	return []Value{v}
}

// Failure is where and why a probe stopped, in a few words.
func Failure(f report.Failure) string {
	text := string(f.Phase) + " " + strings.ReplaceAll(string(f.Kind), "-", " ")
	if f.Alert != "" {
		text += " (" + f.Alert + ")"
	}
	return text
}

// Day is a date in UTC.
func Day(t time.Time) string { return t.UTC().Format("2006-01-02") }
