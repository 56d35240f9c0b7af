// Package clients is what is known of TLS clients, in one place: which families refuse which problem of a server (problems.go), and which
// roots their stores hold (roots.go). It draws no conclusions about a server; package judge does.
//
// What a family does was measured with its program (docs/accuracy.md), or stands in its vendor's documentation. Anything else is not
// known, and is said to be.
package clients

import (
	"slices"
	"strings"

	"certdrift/internal/finding"
)

// Families returns the families of clients, in the order of every list.
func Families() []string {
	return []string{"Chromium", "Firefox (NSS)", "OpenSSL", "curl", "Python", "Node", "Go", "Java", "GnuTLS", "rustls", "Windows", "Android", "Apple"}
}

// Family returns the family of a name in a list, which may say more: "Python 3.13 and later".
func Family(name string) string {
	for _, family := range Families() {
		if name == family || strings.HasPrefix(name, family+" ") {
			return family
		}
	}
	return ""
}

// Of returns what clients make of a problem. It is about every family, whatever the server's other problems are.
func Of(p Problem) finding.Clients {
	var out finding.Clients
	row := problems()[p]
	for i, family := range Families() {
		switch row.answer(i) {
		case 'R':
			out.RefusedBy = append(out.RefusedBy, family)
		case 's':
			out.RefusedBy = append(out.RefusedBy, family+" 3.13 and later")
		case 't':
			out.RefusedBy = append(out.RefusedBy, family+" 3.10 and later")
		case '.':
			out.AcceptedBy = append(out.AcceptedBy, family)
		default:
			out.NotKnown = append(out.NotKnown, family)
		}
	}
	return out
}

// Merge returns what clients make of several problems of one server: who refuses one of them refuses all.
func Merge(all ...finding.Clients) finding.Clients {
	var out finding.Clients
	for _, family := range Families() {
		in := func(list func(finding.Clients) []string) string {
			for _, c := range all {
				if i := slices.IndexFunc(list(c), func(name string) bool { return Family(name) == family }); i >= 0 {
					return list(c)[i]
				}
			}
			return ""
		}
		if name := in(func(c finding.Clients) []string { return c.RefusedBy }); name != "" {
			out.RefusedBy = append(out.RefusedBy, name)
		} else if name := in(func(c finding.Clients) []string { return c.NotKnown }); name != "" {
			out.NotKnown = append(out.NotKnown, name)
		} else if name := in(func(c finding.Clients) []string { return c.AcceptedBy }); name != "" {
			out.AcceptedBy = append(out.AcceptedBy, name)
		}
	}
	return out
}

// TextIfServed is Text for one certificate of two: which clients get it is the server's choice.
func TextIfServed(c finding.Clients) string {
	text := Text(c)
	if all := "Refused by: all clients"; text == all {
		return all + " that get it"
	}
	return strings.Replace(text, "Refused by: ", "Refused, if they get it, by: ", 1)
}

// Text says who refuses and who accepts, to follow a summary; without a full stop at its end. It is empty for nothing.
func Text(c finding.Clients) string {
	switch {
	case c.Empty():
		return ""
	case len(c.RefusedBy) == len(Families()):
		return "Refused by: all clients"
	}
	refusing := "none yet"
	if len(c.RefusedBy) > 0 {
		refusing = strings.Join(c.RefusedBy, ", ")
	}
	parts := []string{"Refused by: " + refusing}
	if len(c.AcceptedBy) > 0 && len(c.AcceptedBy) < len(Families()) {
		parts = append(parts, "Accepted by: "+strings.Join(c.AcceptedBy, ", "))
	}
	if len(c.NotKnown) > 0 {
		parts = append(parts, "Not known: "+strings.Join(c.NotKnown, ", "))
	}
	return strings.Join(parts, ". ")
}
