package alert

import (
	"encoding/json"
	"fmt"
	"testing"

	"certdrift/internal/certtest"
	"certdrift/internal/incident"
)

// poisoned is a notice in which every text is hostile, besides what certdrift itself chooses.
func poisoned(n incident.Notice) incident.Notice {
	p := n
	certtest.Poison(&p)
	p.Event, p.At, p.Severity, p.Before, p.Remaining, p.Storm = n.Event, n.At, n.Severity, n.Before, n.Remaining, nil
	p.Removed, p.Downgraded, p.Repetition = n.Removed, n.Downgraded, n.Repetition
	p.Record.Code, p.Record.Codes, p.Record.Severity, p.Record.First = n.Record.Code, n.Record.Codes, n.Record.Severity, n.Record.First
	for i := range p.Findings {
		if i < len(n.Findings) {
			p.Findings[i].Code, p.Findings[i].Severity = n.Findings[i].Code, n.Findings[i].Severity
		}
	}
	for _, member := range n.Storm {
		p.Storm = append(p.Storm, poisoned(member))
	}
	return p
}

// TestHostileNotices: no text of a finding or an incident is acted on in an email, a text message, a chat or a document.
func TestHostileNotices(t *testing.T) {
	for _, k := range kinds() {
		name := k.name
		m := Compose(poisoned(k.notice), Options{Stack: "certdrift"})
		checkLimits(t, m)
		for part, text := range map[string]string{"subject": m.Subject, "default": m.Default, "email": m.Email, "SMS": m.SMS, "attributes": fmt.Sprint(m.Attributes)} {
			certtest.Harmless(t, name+", "+part, text, true)
		}
		certtest.Harmless(t, name+", JSON", m.JSON, true) // programs read it, and people print it
		var chat any
		if err := json.Unmarshal([]byte(m.Chat), &chat); err != nil {
			t.Fatal(err)
		}
		for _, text := range texts(chat) {
			certtest.Harmless(t, name+", chat", text, true)
		}
	}
}

// texts are all texts in a JSON document, keys included.
func texts(document any) (all []string) {
	switch v := document.(type) {
	case string:
		return []string{v}
	case []any:
		for _, item := range v {
			all = append(all, texts(item)...)
		}
	case map[string]any:
		for key, item := range v {
			all = append(append(all, key), texts(item)...)
		}
	}
	return all
}
