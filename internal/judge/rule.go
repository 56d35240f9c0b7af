package judge

import "certdrift/internal/finding"

// Entry is a rule's place in the catalogue (`certdrift explain CODE`, docs/findings.md).
type Entry struct {
	Code  finding.Code
	Group string // as in DESIGN: "reach", "TLS", "certificate as served", …
	// Severity says in words which severities the finding has, and when.
	Severity string
	Title    string // one line: what is wrong
	// Meaning says what clients see and why it matters, a short paragraph.
	Meaning string
	// Check is how to see it independently of certdrift: commands with HOST, PORT and so on as place-holders.
	Check string
	// Remedy is what to do, a short paragraph or steps.
	Remedy string
	// Source is the standard or page that the rule rests on, or says that the rule is certdrift's own.
	Source string
}

// rule is one rule. It has one or more of the four functions, according to what it looks at. A function reports every
// fault it sees and none twice; it never looks at another rule's findings.
type rule struct {
	Entry
	connection func(*connection) []finding.Finding // each address of an endpoint, and of a redirect's hop
	endpoint   func(*endpoint) []finding.Finding   // an endpoint with all its addresses and truths
	listener   func(*listener) []finding.Finding   // a listener with its certificates and the endpoints behind it
	round      func(*world) []finding.Finding      // the round as a whole
}

// Catalogue lists the entries of all rules in their order.
func Catalogue() []Entry {
	var entries []Entry
	for _, r := range rules() {
		entries = append(entries, r.Entry)
	}
	return entries
}
