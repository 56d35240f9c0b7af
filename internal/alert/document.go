package alert

import (
	"encoding/json"
	"time"

	"certdrift/internal/finding"
	"certdrift/internal/incident"
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

	Affects      []string `json:"affects"`
	AffectsCount int      `json:"affects_count"`

	Findings      []finding.Finding `json:"findings"`
	FindingsCount int               `json:"findings_count"`

	Incidents      []member `json:"incidents,omitempty"`
	IncidentsCount int      `json:"incidents_count"`

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
}

// The bounds of the document's lists, before its bytes are counted.
const (
	maxDocumentAffects  = 100
	maxDocumentFindings = 12
	maxDocumentMembers  = 100
)

// document writes the JSON document, with as many findings, and then as many names, as the limit has room for. The counts
// always tell the whole.
func (s *story) document() string {
	d := s.newDocument()
	for {
		text, _ := json.Marshal(d) // newDocument lets in only what can be marshalled
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
			d.Summary, d.Cause, d.Runbook, d.Dashboard, d.Stack = "", "", "", "", ""
		default:
			return string(text)
		}
	}
}

func (s *story) newDocument() document {
	r := s.Record
	d := document{
		Schema: Schema, Event: s.Event, Severity: s.Severity, State: "open", Environment: s.environment(),
		Incident: finding.Clean(r.Key, 1000), Code: s.code(), Codes: r.Codes, Cause: finding.Clean(r.Cause, 1000), Title: s.subject(),
		Summary: finding.Clean(s.first.Summary, 1000), At: s.At.UTC(), Began: r.First.UTC(), Opened: r.Opened.UTC(),
		Reminders: r.Reminders, Repetition: s.Repetition, Removed: s.Removed,
		Affects: r.Affects[:min(len(r.Affects), maxDocumentAffects)], AffectsCount: r.AffectsCount,
		FindingsCount: len(s.Findings), IncidentsCount: len(s.Each()),
		Runbook: s.runbook(), Dashboard: s.DashboardURL, Stack: s.Stack,
	}
	if s.Before != finding.None {
		d.Before = s.Before.String()
	}
	if s.Eased {
		d.Remaining = s.Remaining.String()
	}
	if s.Event == incident.Recovered && !s.Eased {
		d.State = "closed"
	}
	if d.Affects == nil {
		d.Affects = []string{}
	}
	if d.Codes == nil {
		d.Codes = []finding.Code{d.Code}
	}
	d.Findings = []finding.Finding{}
	for _, f := range s.Findings[:min(len(s.Findings), maxDocumentFindings)] {
		f.Affects = nil // the document's own list has them
		if _, err := json.Marshal(f.Evidence); err != nil {
			f.Evidence = finding.Evidence{"lost": "the evidence cannot be written as JSON"}
		}
		d.Findings = append(d.Findings, f)
	}
	for _, n := range s.Storm[:min(len(s.Storm), maxDocumentMembers)] {
		one := newStory(n, s.Options)
		d.Incidents = append(d.Incidents, member{
			Incident: finding.Clean(n.Record.Key, 1000), Severity: n.Severity, Code: one.code(), Title: one.subject(), AffectsCount: n.Record.AffectsCount,
		})
	}
	return d
}
