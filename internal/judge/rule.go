package judge

import "certdrift/internal/finding"

// rule is one rule; package catalogue documents its code. It has one or more of the four functions, according to its
// subject. A function reports every problem it sees, none twice, and never reads another rule's findings.
type rule struct {
	Code       finding.Code
	connection func(*connection) []finding.Finding // each address of an endpoint, and of a redirect's hop
	endpoint   func(*endpoint) []finding.Finding   // an endpoint with all its addresses and truths
	listener   func(*listener) []finding.Finding   // a listener with its certificates and the endpoints behind it
	round      func(*judgment) []finding.Finding   // the round as a whole
}
