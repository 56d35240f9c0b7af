package alert

import (
	"encoding/json"
	"time"

	"certdrift/internal/finding"
	"certdrift/internal/incident"
	"certdrift/internal/prose"
)

// Schema names the form of the JSON document.
const Schema = "certdrift.alert/1"

// document is the machine's form of a notice. Its JSON is a contract: docs/alert.schema.json.
type document struct {
	Schema      string           `json:"schema"`
	Event       incident.Event   `json:"event"`
	Severity    finding.Severity `json:"severity"`
	Before      string           `json:"before,omitempty"`
	Remaining   string           `json:"remaining,omitempty"`
	State       string           `json:"state"` // open, closed
	Environment string           `json:"environment"`
	Incident    string           `json:"incident"`
	Code        finding.Code     `json:"code"`
	Codes       []finding.Code   `json:"codes"`
	Cause       string           `json:"cause"`
	Title       string           `json:"title"`
	Summary     string           `json:"summary"`
	At          time.Time        `json:"at"`
	Began       time.Time        `json:"began"`
	Opened      time.Time        `json:"opened"`
	Reminders   int              `json:"reminders"`
	Repetition  bool             `json:"repetition"`
	Removed     bool             `json:"removed"`
	Undelivered bool             `json:"undelivered"`

	// URLs are those of affected endpoints, Console the leading listener's page.
	URLs    []string `json:"urls,omitempty"`
	Console string   `json:"console,omitempty"`

	Affects      []string `json:"affects"`
	AffectsCount int      `json:"affects_count"`

	Findings      []finding.Finding `json:"findings"`
	FindingsCount int               `json:"findings_count"`

	Incidents      []member `json:"incidents,omitempty"`
	IncidentsCount int      `json:"incidents_count"`

	Plain plain `json:"plain"`

	Runbook   string `json:"runbook,omitempty"`
	Dashboard string `json:"dashboard,omitempty"`
	Stack     string `json:"stack,omitempty"`
}

// member is one incident of a storm.
type member struct {
	Incident     string           `json:"incident"`
	Severity     finding.Severity `json:"severity"`
	Code         finding.Code     `json:"code"`
	Title        string           `json:"title"`
	AffectsCount int              `json:"affects_count"`
	Began        time.Time        `json:"began"`
	URLs         []string         `json:"urls,omitempty"`
}

// The bounds of the document's lists, before its bytes are counted.
const (
	maxDocumentAffects  = 100
	maxDocumentFindings = 12
	maxDocumentMembers  = 100
)

// document writes the JSON document, with as many findings, and then as many names, as fit the limit. The counts
// are always of the whole.
func (m *message) document() string {
	d := m.newDocument()
	for {
		text, _ := json.Marshal(d) // newDocument lets in only what can be marshalled
		text = prose.VisibleJSON(text)
		switch {
		case len(text) <= JSONLimit:
			return string(text)
		case len(d.Findings) > 0:
			d.Findings = d.Findings[:len(d.Findings)-1]
		case len(d.Affects) > 0:
			d.Affects = d.Affects[:len(d.Affects)/2]
		case len(d.Incidents) > 0:
			d.Incidents = d.Incidents[:len(d.Incidents)/2]
		case d.Summary != "":
			d.Summary, d.Cause, d.Runbook, d.Dashboard, d.Stack, d.Console, d.URLs = "", "", "", "", "", "", nil
		default:
			return string(text)
		}
	}
}

func (m *message) newDocument() document {
	r := m.Record
	d := document{
		Schema: Schema, Event: m.Event, Severity: m.Severity, State: "open", Environment: m.environment(),
		Incident: finding.Clean(r.Key, 1000), Code: m.code(), Codes: r.Codes, Cause: finding.Clean(r.Cause, 1000), Title: m.subject(),
		Summary: finding.Clean(m.first.Summary, 1000), At: m.At.UTC(), Began: r.First.UTC(), Opened: r.Opened.UTC(),
		Reminders: r.Reminders, Repetition: m.Repetition, Removed: m.Removed, Undelivered: m.Undelivered,
		Affects: r.Affects[:min(len(r.Affects), maxDocumentAffects)], AffectsCount: r.AffectsCount,
		FindingsCount: len(m.Findings), IncidentsCount: len(m.Each()),
		Plain: m.plain(), Runbook: m.runbook(), Dashboard: m.DashboardURL, Stack: m.Stack,
	}
	if m.Before != finding.None {
		d.Before = m.Before.String()
	}
	if m.Downgraded {
		d.Remaining = m.Remaining.String()
	}
	if m.Event == incident.Recovered && !m.Downgraded {
		d.State = "closed"
	}
	d.URLs = cleanAll(m.URLs)
	if pages := m.consolePages(); len(pages) > 0 {
		d.Console = pages[0]
	}
	if d.Affects == nil {
		d.Affects = []string{}
	}
	if d.Codes == nil {
		d.Codes = []finding.Code{d.Code}
	}
	d.Findings = []finding.Finding{}
	for _, f := range m.Findings[:min(len(m.Findings), maxDocumentFindings)] {
		f.Affects = nil // the document's own list has them
		if _, err := json.Marshal(f.Evidence); err != nil {
			f.Evidence = finding.Evidence{"lost": "the evidence cannot be written as JSON"}
		}
		d.Findings = append(d.Findings, f)
	}
	for _, n := range m.Storm[:min(len(m.Storm), maxDocumentMembers)] {
		one := newMessage(n, m.Options)
		d.Incidents = append(d.Incidents, member{
			Incident: finding.Clean(n.Record.Key, 1000), Severity: n.Severity, Code: one.code(), Title: one.subject(), AffectsCount: n.Record.AffectsCount,
			Began: n.Record.First.UTC(), URLs: cleanAll(n.URLs),
		})
	}
	return d
}

// cleanAll makes remote texts safe to show.
func cleanAll(texts []string) (out []string) {
	for _, text := range texts {
		out = append(out, clean(text))
	}
	return out
}
