// Package alert writes the notices of an incident for people and machines: email, text message, chat and JSON. It is pure:
// a notice in, a message out. Every text leads with what matters at night: how bad, where, what.
package alert

import (
	"strings"

	"certdrift/internal/finding"
	"certdrift/internal/incident"
)

// Message is one notice in every form. Default, Email, SMS and JSON become the keys default, email, sms, and https, http,
// sqs, lambda of an SNS message with MessageStructure=json; together they stay far below its 256 KiB.
type Message struct {
	// Subject is printable ASCII, at most SubjectLimit characters, one line, and begins with a letter.
	Subject string
	// Default is for protocols without a text of their own.
	Default string
	// Email is plain text, at most EmailLimit bytes.
	Email string
	// SMS is one segment (see SMSFits).
	SMS string
	// JSON is the document of schema certdrift.alert/1 (docs/alert.schema.json) on one line, at most JSONLimit bytes. It
	// is also the detail of the EventBridge event.
	JSON string
	// Incidents are the documents of the incidents that a summary sums up, for machines that keep an alert for each; nil otherwise.
	Incidents []string
	// Chat is a custom notification for Amazon Q Developer in chat applications, for a topic of its own: what else is
	// published there is dropped silently.
	Chat string
	// Attributes are SNS message attributes, all strings, none empty: environment, severity, code, event for filter
	// policies, and sms ("send", or "held" where the hour's text messages are used up; the SMS subscription's filter
	// policy asks for "send").
	Attributes map[string]string
}

// The limits. SNS accepts 100 characters of subject and 256 KiB of message, which contains the JSON document four times,
// escaped.
const (
	SubjectLimit = 100
	EmailLimit   = 24 << 10
	JSONLimit    = 24 << 10
)

// NoEnvironment is the attribute's value for what belongs to no environment: certdrift's own problems. SNS rejects an
// empty one.
const NoEnvironment = "none"

// Options is what a message contains beyond the notice.
type Options struct {
	// RunbookURL is the page whose #CODE anchors say what to do; empty for none.
	RunbookURL   string
	DashboardURL string // empty for none
	// Stack names this installation, where there are several; may be empty.
	Stack string
	// HoldSMS reports that the hour's text messages are used up; the other forms go out.
	HoldSMS bool
}

// Compose writes a notice in every form.
func Compose(n incident.Notice, o Options) Message {
	m := newMessage(n, o)
	out := Message{
		Subject: m.subject(), Email: m.email(), SMS: m.sms(), JSON: m.document(), Chat: m.chat(),
		Attributes: map[string]string{
			"environment": m.environment(), "severity": n.Severity.String(), "code": string(m.code()),
			"event": string(n.Event), "sms": "send",
		},
	}
	out.Default = out.Subject + "\n\n" + m.lead()
	for _, member := range n.Storm {
		out.Incidents = append(out.Incidents, newMessage(member, o).document())
	}
	if o.HoldSMS {
		out.Attributes["sms"] = "held"
	}
	return out
}

// message is a notice being written: what all the forms share.
type message struct {
	incident.Notice
	Options
	// first is the finding that leads; the zero value where there is none.
	first finding.Finding
	// mixed reports whether the message combines incidents of several codes or authors: nothing but their number holds for all.
	mixed bool
}

func newMessage(n incident.Notice, o Options) *message {
	m := &message{Notice: n, Options: o, mixed: n.Storm != nil && !n.OneCause()}
	if len(n.Findings) > 0 {
		m.first = n.Findings[0]
	}
	return m
}

// environment is the incident's, cleaned; NoEnvironment for none.
func (m *message) environment() string {
	if e := finding.Clean(m.Record.Environment, 100); e != "" {
		return e
	}
	return NoEnvironment
}

// shownEnvironment is the environment as texts name it, after a separator; empty where there is none.
func (m *message) shownEnvironment(separator string) string {
	if m.Record.Environment == "" {
		return ""
	}
	return separator + m.environment()
}

// code is the one that leads.
func (m *message) code() finding.Code {
	if m.Record.Code != "" {
		return m.Record.Code
	}
	if m.first.Code != "" {
		return m.first.Code
	}
	return finding.ObserveIncomplete
}

// runbook is the link to what to do; empty where no runbook is configured. Only a URL can be followed from a message: stacks
// that were deployed with the path of the file as the default still have it.
func (m *message) runbook() string {
	if !strings.Contains(m.RunbookURL, "://") {
		return ""
	}
	return m.RunbookURL + "#" + string(m.code())
}
