package main

import (
	"fmt"
	"io"
	"strings"

	"certdrift/e2e/servers"
)

// clientTables writes what client programs did beside what certdrift says of them.
func clientTables(w io.Writer, groups []servers.Group, outcomes map[string]servers.Outcome, programs []servers.Program) {
	fmt.Fprint(w, `
# Clients

Client programs as packages serve them, connecting to the same servers, beside what certdrift says of their families ([clients](clients.md)): with the case's
roots and name and default settings otherwise, without HTTP beyond a request. Only servers are asked that speak TLS from the first byte at one address, with nothing wrong
beyond TLS and the certificate. Browsers load a page, without DNS and without any network but these servers; one that does not load after the handshake is no refusal.

| mark | means |
| --- | --- |
| R | the program refuses the server, and certdrift says so |
| . | the program accepts the server, and certdrift says so |
| R≠ .≠ | certdrift says otherwise; why, is below the table |
| R? .? | certdrift says that it does not know |
| – | not run: curl and browsers speak HTTP only, or the program is missing |

`)
	var differing []string
	counts := make([]map[string]int, len(programs))
	var rows strings.Builder
	for i := range counts {
		counts[i] = map[string]int{}
	}
	for _, g := range groups {
		for _, c := range g.Cases {
			o := outcomes[c.Name]
			if !o.Asked {
				continue
			}
			fmt.Fprintf(&rows, "| %s | %s |", c.Name, quoted(c.Want))
			for i, p := range programs {
				mark, kind := clientMark(o.Did[i], o.Said[i])
				counts[i][kind]++
				fmt.Fprintf(&rows, " %s |", mark)
				if kind == "otherwise" {
					why := servers.Difference(c, p)
					if why == "" {
						why = "not explained"
					}
					differing = append(differing, fmt.Sprintf("| %s | %s | %s |", c.Name, p.Family, why))
				}
			}
			rows.WriteString("\n")
		}
	}
	fmt.Fprint(w, "| client | version | as certdrift says | otherwise | not known to certdrift |\n| --- | --- | --- | --- | --- |\n")
	for i, p := range programs {
		fmt.Fprintf(w, "| %s | %s | %d | %d | %d |\n", p.Family, p.Version, counts[i]["as said"], counts[i]["otherwise"], counts[i]["not known"])
	}
	fmt.Fprintf(w, "\n## Differences\n\n| server | client | why |\n| --- | --- | --- |\n%s\n\n## Servers and clients\n\n| server | findings |", strings.Join(differing, "\n"))
	for _, p := range programs {
		fmt.Fprintf(w, " %s |", p.Family)
	}
	fmt.Fprintf(w, "\n| --- | --- |%s\n%s", strings.Repeat(" --- |", len(programs)), rows.String())
}

// breachTable writes what RFC 5280 and the Baseline Requirements forbid, and what certdrift makes of it.
func breachTable(w io.Writer) {
	fmt.Fprint(w, `
## Against RFC 5280 and the Baseline Requirements: what certdrift makes of it

Certificates made for these servers, each against one rule. The severity follows what clients do, as everywhere; where certdrift is silent, or as strict as its
strictest client, this is why.

| certificate | against | findings | why |
| --- | --- | --- | --- |
`)
	for _, b := range servers.Breaches() {
		fmt.Fprintf(w, "| %s | %s | %s | %s |\n", b.Name, b.Rule, quoted(b.Want), b.Why)
	}
}

// clientMark returns the mark for what a program did and what certdrift says of it, and the column in which it counts.
func clientMark(did, said servers.Answered) (mark, kind string) {
	mark = map[servers.Answered]string{servers.Accepts: ".", servers.Refuses: "R"}[did]
	switch {
	case did == servers.Unknown:
		return notAsked, ""
	case said == servers.Unknown:
		return mark + "?", "not known"
	case said != did:
		return mark + "≠", "otherwise"
	}
	return mark, "as said"
}
