package alert

import (
	"cmp"
	"strings"
	"time"

	"certdrift/internal/finding"
)

// whoKeys are the evidence about the change behind a finding.
func whoKeys() []string { return []string{"changed_by", "author", "changed_at", "before", "after"} }

// changedBy is the evidence about who made the change; nil where it is not known.
func changedBy(f finding.Finding) map[string]any {
	for _, key := range []string{"changed_by", "author"} {
		if m, ok := f.Evidence[key].(map[string]any); ok {
			return m
		}
	}
	return nil
}

// whoChanged tells who made the change behind the finding, when, from where, and how sure that is.
func (s *story) whoChanged(l *letter) {
	m := changedBy(s.first)
	if m == nil {
		if text := cmp.Or(render(s.first.Evidence["changed_by"]), render(s.first.Evidence["author"])); text != "" {
			l.heading("Who changed it")
			l.prose(mailIndent, text)
		}
		return
	}
	l.heading("Who changed it")
	if head := byWhom(m); head != "" {
		l.prose(mailIndent, head)
	}
	l.line("as", standing(m))
	l.line("call", render(m["event"]))
	l.line("on", render(m["certificate"]))
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

// deed is what was done to the certificate itself ("deleted"), or that a listener was changed.
func deed(m map[string]any) string { return cmp.Or(render(m["action"]), "changed") }

// confirmed reports whether CloudTrail's own record names who made the change. Without one it is a claim: whoever may put
// events on the bus can name anybody.
func confirmed(m map[string]any) bool { return render(m["standing"]) == "confirmed" }

// standing says how sure it is who did it.
func standing(m map[string]any) string {
	if confirmed(m) {
		return "CloudTrail confirms"
	}
	return "an event claims; it is not confirmed yet"
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

// author is a short name of who made the change; empty where it is not known.
func author(m map[string]any) string {
	if name := render(m["name"]); name != "" {
		return finding.Clean(name, 60)
	}
	return finding.Clean(lastWord(render(m["principal"])), 60)
}

// lastWord is the end of an ARN.
func lastWord(arn string) string { return arn[strings.LastIndexAny(arn, "/:")+1:] }
