package alert

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"certdrift/internal/finding"
	"certdrift/internal/incident"

	"pgregory.net/rapid"
)

// fatal is what checkLimits needs of a test.
type fatal interface {
	Helper()
	Errorf(format string, args ...any)
}

// checkLimits holds a message against what SNS, a phone and CloudWatch's neighbours take.
func checkLimits(t fatal, m Message) {
	t.Helper()
	if len(m.Subject) > 100 || m.Subject == "" {
		t.Errorf("subject of %d characters: %q", len(m.Subject), m.Subject)
	}
	for _, r := range m.Subject {
		if r < 0x20 || r > 0x7e {
			t.Errorf("subject holds %q", r)
		}
	}
	if first := m.Subject[0]; first < 'A' || first > 'Z' {
		t.Errorf("subject begins with %q", first)
	}
	gsm := true
	for _, r := range m.SMS {
		gsm = gsm && strings.ContainsRune(gsmBasic+gsmExtension, r)
	}
	units := len(utf16.Encode([]rune(m.SMS)))
	if gsm {
		for _, r := range gsmExtension {
			units += strings.Count(m.SMS, string(r))
		}
	}
	if limit := map[bool]int{true: 160, false: 70}[gsm]; units > limit || m.SMS == "" {
		t.Errorf("SMS of %d units (GSM-7 %v): %q", units, gsm, m.SMS)
	}
	if strings.ContainsAny(m.SMS, "\r\n") {
		t.Errorf("SMS of several lines: %q", m.SMS)
	}
	if len(m.JSON) > JSONLimit || !json.Valid([]byte(m.JSON)) {
		t.Errorf("JSON document of %d bytes, valid %v", len(m.JSON), json.Valid([]byte(m.JSON)))
	}
	if len(m.Chat) > 24<<10 {
		t.Errorf("chat of %d bytes", len(m.Chat))
	}
	if !json.Valid([]byte(m.Chat)) || len(m.Email) > EmailLimit || !utf8.ValidString(m.Email) {
		t.Errorf("chat valid %v, email of %d bytes", json.Valid([]byte(m.Chat)), len(m.Email))
	}
	whole, err := json.Marshal(map[string]string{
		"default": m.Default, "email": m.Email, "sms": m.SMS, "https": m.JSON, "http": m.JSON, "sqs": m.JSON, "lambda": m.JSON,
	})
	if err != nil || len(whole) > 256<<10 {
		t.Errorf("the SNS message has %d bytes: %v", len(whole), err)
	}
	for _, name := range []string{"environment", "severity", "code", "event", "sms"} {
		if m.Attributes[name] == "" {
			t.Errorf("attribute %s is empty", name)
		}
	}
}

func TestLimitsHold(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := anyNotice(t)
		if rapid.Bool().Draw(t, "storm") {
			for range rapid.IntRange(1, 40).Draw(t, "members") {
				n.Storm = append(n.Storm, anyNotice(t))
			}
		}
		m := Compose(n, Options{
			RunbookURL: rapid.StringN(0, 200, -1).Draw(t, "runbook"), DashboardURL: rapid.StringN(0, 200, -1).Draw(t, "dashboard"),
			Stack: rapid.StringN(0, 120, -1).Draw(t, "stack"),
		})
		checkLimits(t, m)
	})
}

// A name in a text message is whole or not there.
func TestNamesAreNeverCut(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := anyNotice(t)
		name := rapid.StringMatching(`Q[a-z0-9]{0,200}Q`).Draw(t, "name")
		n.Findings = []finding.Finding{{Code: finding.CertExpired, Severity: finding.Critical, Endpoint: name}}
		n.Record.Environment = rapid.StringMatching(`X[a-z]{0,80}X`).Draw(t, "environment")
		n.Record.Code = finding.CertExpired
		m := Compose(n, Options{})
		for _, text := range []string{m.SMS, m.Subject} {
			for _, whole := range []string{name, n.Record.Environment} {
				if part := whole[:min(len(whole), 4)]; strings.Contains(text, part) && !strings.Contains(text, whole) {
					t.Errorf("%q cut in %q", whole, text)
				}
			}
			if len(name) < 60 && len(n.Record.Environment) < 20 && !strings.Contains(m.SMS, name) {
				t.Errorf("%q is missing in %q", name, text)
			}
		}
	})
}

func anyNotice(t *rapid.T) incident.Notice {
	text := rapid.OneOf(rapid.StringN(0, 300, -1), rapid.StringMatching(`[a-z{}€\n\r ]{0,300}`), rapid.StringMatching(`[a-z0-9-]{1,20}`))
	severity := rapid.SampledFrom([]finding.Severity{finding.Warning, finding.Critical})
	now := time.Unix(rapid.Int64Range(0, 4e9).Draw(t, "now"), 0)
	n := incident.Notice{
		Event: rapid.SampledFrom([]incident.Event{incident.Opened, incident.Reminder, incident.Recovered}).Draw(t, "event"),
		At:    now, Severity: severity.Draw(t, "severity"), Downgraded: rapid.Bool().Draw(t, "downgraded"),
		Removed: rapid.Bool().Draw(t, "removed"), Repetition: rapid.Bool().Draw(t, "repetition"),
		Before: rapid.SampledFrom([]finding.Severity{finding.None, finding.Warning, finding.Critical}).Draw(t, "before"),
	}
	for range rapid.IntRange(0, 15).Draw(t, "findings") {
		n.Findings = append(n.Findings, finding.Finding{
			Code: finding.DriftAttached, Severity: severity.Draw(t, "severity"), Endpoint: text.Draw(t, "endpoint"),
			Listener: text.Draw(t, "listener"), Summary: text.Draw(t, "summary"), Remedy: text.Draw(t, "remedy"),
			Evidence: finding.Evidence{
				"declared": text.Draw(t, "declared"), "undo": text.Draw(t, "undo"), "author": text.Draw(t, "author"),
				"other": []any{text.Draw(t, "other"), 1.5, map[string]any{"k": text.Draw(t, "k")}},
			},
		})
	}
	affects := rapid.SliceOfN(text, 0, 50).Draw(t, "affects")
	n.Record = incident.Record{
		Key: text.Draw(t, "key"), Environment: text.Draw(t, "environment"), Cause: text.Draw(t, "cause"), First: now, Opened: now,
		Code: finding.DriftAttached, Affects: affects, AffectsCount: len(affects) + rapid.IntRange(0, 1e6).Draw(t, "more"),
	}
	return n
}

// An undo of many commands, or of vast ones, must not cost the chat its message.
func TestVastCommandsFitTheChat(t *testing.T) {
	for _, undo := range []string{strings.Repeat("aws elb "+strings.Repeat("x", 300)+"\n", 1000), strings.Repeat("aws elb "+strings.Repeat("<&>`", 900)+"\n", 20)} {
		n := drifted()
		n.Findings[0].Evidence["undo"] = undo
		m := Compose(n, options)
		checkLimits(t, m)
		if !strings.Contains(m.Chat, "Runbook: ") {
			t.Error("the runbook's link is lost")
		}
	}
}

func TestEvidenceThatIsNoJSON(t *testing.T) {
	n := drifted()
	n.Findings[0].Evidence["bad"] = func() {}
	checkLimits(t, Compose(n, options))
}
