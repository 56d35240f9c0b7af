// Package alert writes what people and machines read of an incident: mail, text message, chat, JSON. It is pure: a
// notice in, a message out. Every text leads with what matters at night: how bad, where, what.
package alert

import (
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
	// Chat is a custom notification for Amazon Q Developer in chat applications, for a topic of its own: what else is
	// published there is dropped silently.
	Chat string
	// Attributes are SNS message attributes, all strings, none empty: environment, severity, code, event for filter
	// policies, and sms ("send", or "held" where the hour's text messages are used up; the SMS subscription's filter
	// policy asks for "send").
	Attributes map[string]string
}

// The limits. SNS takes 100 characters of subject and 256 KiB of message, in which the JSON document stands four times,
// escaped.
const (
	SubjectLimit = 100
	EmailLimit   = 24 << 10
	JSONLimit    = 24 << 10
)

// NoEnvironment is the attribute's value for what belongs to no environment: certdrift's own troubles. SNS refuses an
// empty one.
const NoEnvironment = "none"

// Options is what a message says beyond the notice.
type Options struct {
	// RunbookURL is the page whose #CODE anchors tell what to do; empty for none.
	RunbookURL   string
	DashboardURL string // empty for none
	// Stack names this installation, where there are several; may be empty.
	Stack string
	// HoldSMS: the hour's text messages are used up; the other forms go out.
	HoldSMS bool
}

// Compose writes a notice in every form.
func Compose(n incident.Notice, o Options) Message {
	s := newStory(n, o)
	m := Message{
		Subject: s.subject(), Email: s.email(), SMS: s.sms(), JSON: s.document(), Chat: s.chat(),
		Attributes: map[string]string{
			"environment": s.environment(), "severity": n.Severity.String(), "code": string(s.code()),
			"event": string(n.Event), "sms": "send",
		},
	}
	m.Default = m.Subject + "\n\n" + s.lead()
	if o.HoldSMS {
		m.Attributes["sms"] = "held"
	}
	return m
}

// story is a notice with what the forms share.
type story struct {
	incident.Notice
	Options
	// first is the finding that leads; the zero value where there is none.
	first finding.Finding
}

func newStory(n incident.Notice, o Options) *story {
	s := &story{Notice: n, Options: o}
	if len(n.Findings) > 0 {
		s.first = n.Findings[0]
	}
	return s
}

// environment is the incident's, cleaned; NoEnvironment for none.
func (s *story) environment() string {
	if e := finding.Clean(s.Record.Environment, 100); e != "" {
		return e
	}
	return NoEnvironment
}

// shownEnvironment is the environment as texts name it, after a separator; empty where there is none.
func (s *story) shownEnvironment(separator string) string {
	if s.Record.Environment == "" {
		return ""
	}
	return separator + s.environment()
}

// code is the one that leads.
func (s *story) code() finding.Code {
	if s.Record.Code != "" {
		return s.Record.Code
	}
	if s.first.Code != "" {
		return s.first.Code
	}
	return finding.ObserveIncomplete
}

// runbook is the link to what to do; empty where no runbook is configured.
func (s *story) runbook() string {
	if s.RunbookURL == "" {
		return ""
	}
	return s.RunbookURL + "#" + string(s.code())
}
