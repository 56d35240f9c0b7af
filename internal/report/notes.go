package report

import "certdrift/internal/finding"

// Note is what could not be learned about an endpoint: it proves nothing either way.
type Note struct {
	// Endpoint is ENVIRONMENT/NAME. Both are cleaned.
	Endpoint, Text string
}

// Notes are the notes on all endpoints, in their order.
func (r Report) Notes() []Note {
	var out []Note
	for _, e := range r.Endpoints {
		for _, text := range e.notes() {
			out = append(out, Note{finding.Clean(join2(e.Environment, e.Name), textLimit), finding.Clean(text, noteLimit)})
		}
	}
	return out
}

// noteLimit is how many characters of a note a document shows: several sources with their addresses.
const noteLimit = 4 * textLimit

func (e Endpoint) notes() []string {
	var out []string
	if certificates := unanswered(e); len(certificates) > 0 {
		out = append(out, "revocation status unknown: "+listText(certificates))
	}
	for _, a := range e.Addresses {
		if a.Withheld != "" {
			return append(out, "no request was sent: "+a.Withheld)
		}
	}
	return out
}
