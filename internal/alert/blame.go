package alert

import (
	"strings"
	"time"

	"certdrift/internal/finding"
)

// whoKeys are the evidence about the change behind a finding.
func whoKeys() []string { return []string{"changed_by", "author", "changed_at", "before", "after"} }

// whoChanged tells who made the change behind the finding, when, from where, and how sure that is.
func (s *story) whoChanged(l *letter) {
	m, ok := s.first.Evidence["changed_by"].(map[string]any)
	if !ok {
		m, ok = s.first.Evidence["author"].(map[string]any)
	}
	if !ok {
		text := render(s.first.Evidence["changed_by"])
		if text == "" {
			text = render(s.first.Evidence["author"])
		}
		if text != "" {
			l.heading("Who changed it")
			l.prose(mailIndent, text)
		}
		return
	}
	l.heading("Who changed it")
	if head := byWhom(m); head != "" {
		l.prose(mailIndent, head)
	}
	l.line("as", standing(render(m["standing"])))
	l.line("call", render(m["event"]))
	l.line("principal", render(m["principal"]))
	l.line("event id", render(m["event_id"]))
	l.line("before", moment(s.first.Evidence["before"], s.At))
}

// byWhom is the change in one line: name, tool, when, from where.
func byWhom(m map[string]any) string {
	name := render(m["name"])
	if name == "" {
		name = lastWord(render(m["principal"]))
	}
	// A person's session names the person; a machine's (i-0abc…) stands in the principal.
	if session := render(m["session"]); session != "" && !strings.Contains(name, session) && !strings.HasPrefix(session, "i-") {
		name = strings.TrimSpace(name + " as " + session)
	}
	if tool := render(m["tool"]); tool != "" {
		name = strings.TrimSpace(name + " (" + tool + ")")
	}
	var pieces []string
	for _, p := range []string{name, when(m["at"]), after("from ", render(m["source_ip"]))} {
		if p != "" {
			pieces = append(pieces, p)
		}
	}
	return strings.Join(pieces, ", ")
}

// standing says how sure it is who did it: an event alone is a claim.
func standing(word string) string {
	switch word {
	case "confirmed":
		return "CloudTrail confirms"
	case "claimed":
		return "an event claims; it is not confirmed yet"
	}
	return word
}

// moment is what was attached before or after the change.
func moment(v any, now time.Time) string {
	m, ok := v.(map[string]any)
	if !ok {
		return render(v)
	}
	return strings.TrimPrefix(headOf(m, now)+after(", since ", when(m["since"])), ", ")
}

// when is a time for people. From a saved incident it comes as text.
func when(v any) string {
	if text, ok := v.(string); ok {
		if at, err := time.Parse(time.RFC3339, text); err == nil {
			return stamp(at)
		}
	}
	return render(v)
}

// author is a short name of who made the change behind a finding; empty where it is not known.
func author(f finding.Finding) string {
	for _, name := range []string{"changed_by", "author"} {
		m, _ := f.Evidence[name].(map[string]any)
		if text := render(m["name"]); text != "" {
			return finding.Clean(text, 60)
		}
		if text := render(m["principal"]); text != "" {
			return finding.Clean(lastWord(text), 60)
		}
	}
	return ""
}

// lastWord is the end of an ARN.
func lastWord(arn string) string { return arn[strings.LastIndexAny(arn, "/:")+1:] }
