package alert

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"certdrift/internal/finding"
	"certdrift/internal/prose"
)

// maxCertificates is how many certificates of one side are shown.
const maxCertificates = 6

// side is one side of the finding's comparison: declared, manifest, attached or served.
type side struct {
	name         string
	certificates []certificate
	differs      bool // from what is declared, or from the first side where nothing is
}

// certificate is a certificate with the ARN to call it by: its own, or that of another side's with the same fingerprint.
type certificate struct {
	finding.Certificate
	heldBy string
}

// sides are those that the finding compares, the intended one first.
func sides(f finding.Finding) []side {
	c := f.Certificates
	held := map[string]string{}
	var out []side
	for _, one := range []struct {
		name         string
		certificates []finding.Certificate
	}{{"declared", c.Declared}, {"manifest", c.Manifest}, {"attached", c.Attached}, {"served", c.Served}} {
		if len(one.certificates) == 0 {
			continue
		}
		s := side{name: one.name}
		for _, c := range one.certificates {
			if c.ARN != "" && c.FingerprintSHA256 != "" {
				held[c.FingerprintSHA256] = c.ARN
			}
			s.certificates = append(s.certificates, certificate{Certificate: c})
		}
		s.differs = len(out) > 0 && (s.name == stated(f.Code) || s.differsFrom(out[0]) || s.repeats(out))
		out = append(out, s)
	}
	for _, s := range out {
		for i, c := range s.certificates {
			s.certificates[i].heldBy = cmp.Or(c.ARN, held[c.FingerprintSHA256])
		}
	}
	return out
}

// stated is the side that the finding itself says differs.
func stated(code finding.Code) string {
	switch code {
	case finding.DriftAttached:
		return "attached"
	case finding.DriftServed, finding.DriftDeclared:
		return "served"
	case finding.DriftManifest:
		return "manifest"
	}
	return ""
}

// repeats reports whether the side holds just a certificate of an earlier side that differs.
func (s side) repeats(earlier []side) bool {
	return slices.ContainsFunc(earlier, func(e side) bool {
		return e.differs && !slices.ContainsFunc(s.certificates, func(c certificate) bool {
			return !slices.ContainsFunc(e.certificates, func(d certificate) bool {
				return c.FingerprintSHA256 != "" && c.FingerprintSHA256 == d.FingerprintSHA256
			})
		})
	})
}

// differsFrom compares a side with the first. A listener may hold others beside the right one; each that is served counts.
func (s side) differsFrom(first side) bool {
	matching := 0
	for _, c := range s.certificates {
		if slices.ContainsFunc(first.certificates, func(f certificate) bool { return !differ(f.Certificate, c.Certificate) }) {
			matching++
		}
	}
	if s.name == "served" {
		return matching < len(s.certificates)
	}
	return matching == 0
}

// differ compares two certificates by what identifies a certificate, as far as both sides know it: the fingerprint, else
// the ARN, and so on. A certificate keeps its ARN when it is renewed, and two ARNs may hold the same certificate. Where
// they have nothing in common, they are not taken to differ.
func differ(a, b finding.Certificate) bool {
	for _, pair := range [][2]string{
		{a.FingerprintSHA256, b.FingerprintSHA256}, {a.ARN, b.ARN}, {a.Issuer, b.Issuer}, {strings.Join(a.Names, " "), strings.Join(b.Names, " ")},
	} {
		if pair[0] != "" && pair[1] != "" {
			return pair[0] != pair[1]
		}
	}
	return b.None
}

// comparison writes the sides under one another: what a certificate is called, for which names, until when. A combined message has those
// that hold for all of its incidents.
func (m *message) comparison(w *emailWriter) {
	all := m.sides()
	if len(all) == 0 {
		return
	}
	title := "Declared, attached, served"
	if m.over() {
		title += " (when last seen wrong)"
	}
	w.heading(title)
	for _, s := range all {
		mark, name := " ", s.name
		if s.differs {
			mark = "!"
		}
		for i, c := range s.certificates[:min(len(s.certificates), maxCertificates)] {
			if i > 0 {
				mark, name = " ", "" // the first of a side is marked for all
			}
			w.marked(mark, name, c.line(m.At))
		}
		if left := len(s.certificates) - maxCertificates; left > 0 {
			w.marked(" ", "", fmt.Sprintf("and %d more", left))
		}
	}
	if slices.ContainsFunc(all, func(s side) bool { return s.differs }) {
		w.prose(emailIndent, "! = differs from the "+all[0].name+" certificate")
	}
}

// sides are those of the leading finding; of a combined message, where all of its incidents have the same.
func (m *message) sides() []side {
	all := sides(m.first)
	for _, one := range m.members() {
		if !slices.EqualFunc(all, sides(one.first), func(a, b side) bool { return a.differs == b.differs && a.short(m.At) == b.short(m.At) }) {
			return nil
		}
	}
	return all
}

// certificates are the sides in full, for pasting.
func (m *message) certificates(w *emailWriter) {
	if m.over() {
		return
	}
	titled := false
	for _, s := range m.sides() {
		for _, c := range s.certificates[:min(len(s.certificates), maxCertificates)] {
			details := c.details(m.Storm == nil)
			if len(details) > 0 && !titled {
				w.heading("Certificates")
				titled = true
			}
			for i, text := range details {
				w.line([]string{s.name, ""}[min(i, 1)], text)
			}
		}
	}
}

// details are what identifies a certificate; with places, where it is declared and served, too.
func (c certificate) details(places bool) (lines []string) {
	texts := []string{clean(c.ARN), after("SHA-256 ", clean(c.FingerprintSHA256))}
	if places {
		texts = append(texts, after("declared at ", clean(c.At)), after("at ", join(c.Addresses)))
	}
	return slices.DeleteFunc(texts, func(text string) bool { return text == "" })
}

func after(before, text string) string {
	if text == "" {
		return ""
	}
	return before + text
}

// short is a side on one line.
func (s side) short(now time.Time) string {
	var heads []string
	for _, c := range s.certificates[:min(len(s.certificates), maxCertificates)] {
		heads = append(heads, c.line(now))
	}
	if left := len(s.certificates) - len(heads); left > 0 {
		heads = append(heads, fmt.Sprintf("and %d more", left))
	}
	return finding.Clean(strings.Join(heads, "; "), 2*maxValue)
}

// line is a certificate on one line: a short id, its names, its end.
func (c certificate) line(now time.Time) string {
	id := shortID(c.heldBy, c.FingerprintSHA256)
	if c.None {
		id = "no certificate" + after(", ", clean(c.Protocol))
	}
	var pieces []string
	for _, p := range []string{id, after("issued by ", clean(c.Issuer)), after("for ", someNames(c.Certificate)), until(c.NotAfter, now)} {
		if p != "" {
			pieces = append(pieces, p)
		}
	}
	if c.Missing {
		pieces = append(pieces, "DELETED")
	}
	if len(pieces) == 0 {
		return "unknown"
	}
	return strings.Join(pieces, ", ")
}

// shortID is enough of an ARN, or else of a fingerprint, to recognize a certificate.
func shortID(arn, fingerprint string) string {
	arn, fingerprint = clean(arn), clean(fingerprint)
	switch {
	case arn != "":
		kind, id, _ := strings.Cut(arn[strings.LastIndexByte(arn, ':')+1:], "/")
		if parts := strings.Split(id, "-"); kind == "certificate" && len(parts) == 5 { // ACM's ids are UUIDs
			return kind + "/" + parts[0] + "…"
		}
		return strings.Trim(kind+"/"+id, "/")
	case len(fingerprint) > 16:
		return "SHA-256 " + fingerprint[:16] + "…"
	}
	return after("SHA-256 ", fingerprint)
}

// someNames are a certificate's first names.
func someNames(c finding.Certificate) string {
	const most = 3
	shown := make([]string, 0, most)
	for _, name := range c.Names[:min(len(c.Names), most)] {
		shown = append(shown, clean(name))
	}
	text := strings.Join(shown, ", ")
	if left := max(len(c.Names), c.NameCount) - len(shown); left > 0 && len(shown) > 0 {
		text += fmt.Sprintf(" and %d more", left)
	}
	return text
}

// until is a certificate's end; empty where it is not known.
func until(end, now time.Time) string {
	switch {
	case end.IsZero():
		return ""
	case end.Before(now):
		return "EXPIRED " + prose.Day(end)
	}
	return "until " + prose.Day(end)
}
