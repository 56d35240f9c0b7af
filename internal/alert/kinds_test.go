package alert

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"certdrift/internal/finding"
	"certdrift/internal/incident"
	"certdrift/internal/policy"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// kind is a kind of message, with a notice of it.
type kind struct {
	name, when string
	notice     incident.Notice
}

// state is what a notice reports, and when that is sent.
type state struct {
	name, when string
	of         func(incident.Notice) incident.Notice
}

func later(n incident.Notice, d time.Duration, e incident.Event) incident.Notice {
	n.Event, n.At = e, n.At.Add(d)
	return n
}

// states are all that a notice can report.
func states() []state {
	warning := func(n incident.Notice) incident.Notice {
		n.Severity, n.Record.Severity = finding.Warning, finding.Warning
		n.Findings = slices.Clone(n.Findings)
		for i := range n.Findings {
			n.Findings[i].Severity = finding.Warning
		}
		return n
	}
	return []state{
		{"critical", "Clients fail now, or will within hours. Email and text message.", func(n incident.Notice) incident.Notice { return n }},
		{"warning", "It will break, or is weaker than it should be. Email only.", warning},
		{"still-critical", "A reminder of something critical: after one day, then two, four and seven, then once a week. An acknowledged incident sends none.",
			func(n incident.Notice) incident.Notice { return later(n, 24*time.Hour, incident.Reminder) }},
		{"still-warning", "A reminder of a warning.", func(n incident.Notice) incident.Notice { return warning(later(n, 7*24*time.Hour, incident.Reminder)) }},
		{"downgraded", "The worst of it is resolved; a warning remains.", func(n incident.Notice) incident.Notice {
			n = later(n, 3*time.Hour, incident.Recovered)
			n.Downgraded, n.Before, n.Remaining = true, finding.Critical, finding.Warning
			return n
		}},
		{"resolved", "Two rounds in a row checked everything that the alert rested on, and found it right.",
			func(n incident.Notice) incident.Notice { return later(n, 50*time.Minute, incident.Recovered) }},
		{"closed", "The endpoint or its listener is no longer in the configuration or the account.", func(n incident.Notice) incident.Notice {
			n = later(n, 3*time.Hour, incident.Recovered)
			n.Removed = true
			return n
		}},
	}
}

// changed is one of the listeners of the incident that certdrift exists for, with one endpoint behind it.
func changed(name, balancer string) incident.Notice {
	n := drifted()
	f := n.Findings[0]
	f.Evidence = finding.Evidence{}
	lb := "arn:aws:elasticloadbalancing:us-west-2:111122223333:loadbalancer/" + balancer
	for key, value := range drifted().Findings[0].Evidence {
		f.Evidence[key] = value
	}
	f.Listener, f.Affects = balancer+":443", []string{"production/" + name}
	f.Summary = "listener " + balancer + ":443 has server-certificate/web-monitoring-2017 (for *.web-monitoring.example.com, until 2027-03-08) attached instead of the declared " +
		"certificate/0b7d2f3a-52c7-4f0e-9d1b-6a8f5a2f1c01 (for *.monitoring.example.org, until 2027-04-29); it does not cover " + name + ".monitoring.example.org"
	command := strings.ReplaceAll(undo(f), "a22e1d63f8ea522f9ac4b17d603e9f82", balancer)
	f.Evidence["arn"], f.Evidence["undo"] = lb, command
	f.Remedy = "Reattach the declared certificate:\n" + command + "\nThen fix k8s/production/" + name + "-service.yaml:9 (Service production/" + name +
		"), which declares server-certificate/web-monitoring-2017, or the next apply will undo this."
	f.Cause = "listener:" + balancer + ":443@us-west-2/111122223333"
	f.Lift()
	n.Findings = []finding.Finding{f}
	n.URLs = []string{"https://" + name + ".monitoring.example.org/"}
	n.Record.Key, n.Record.Cause, n.Record.Findings = "production "+f.Cause, f.Cause, n.Findings
	n.Record.Affects, n.Record.AffectsCount = f.Affects, 1
	return n
}

// group is one deploy that changed two listeners; storm is more causes at once than a message each is sent for.
func group() []incident.Notice {
	return []incident.Notice{changed("api", "a22e1d63f8ea522f9ac4b17d603e9f82"), changed("ui", "a11f0c52e7d9411e89b3a06c5f2d8e71")}
}

func storm() []incident.Notice {
	var out []incident.Notice
	for i := range 12 {
		n := changed(fmt.Sprintf("site%02d", i), fmt.Sprintf("a%02d", i))
		if i%3 > 0 {
			f := n.Findings[0]
			f.Code, f.Listener, f.Endpoint = finding.ConnectTimeout, "", fmt.Sprintf("site%02d", i)
			f.Summary, f.Remedy, f.Evidence = "no connection within 10s", "Check the security groups and the load balancer's health.", finding.Evidence{}
			f.Lift()
			n.Findings, n.Record.Code, n.Record.Codes = []finding.Finding{f}, f.Code, []finding.Code{f.Code}
			n.Record.Key = "production endpoint:" + f.Endpoint + " reach"
		} else {
			by := *n.Findings[0].Attribution.Change
			by.Name, by.Principal = fmt.Sprint("person", i), ""
			n.Findings[0].Attribution.Change = &by
		}
		out = append(out, n)
	}
	return out
}

// bundled is what the product makes of notices.
func bundled(notices []incident.Notice, of func(incident.Notice) incident.Notice) incident.Notice {
	changed := make([]incident.Notice, 0, len(notices))
	for _, n := range notices {
		changed = append(changed, of(n))
	}
	out := incident.Bundle(policy.Alerting{StormAfter: 4}, changed)
	if len(out) != 1 {
		panic(fmt.Sprintf("%d messages", len(out)))
	}
	return out[0]
}

// kinds are all kinds of messages: every state of one incident, of several with one cause, and of many; and what is particular.
func kinds() []kind {
	var out []kind
	for _, s := range states() {
		out = append(out, kind{"one-" + s.name, s.when, s.of(drifted())})
	}
	for _, s := range states() {
		out = append(out, kind{"group-" + s.name, "The same for several incidents with one cause: one code, one author, one environment, in one round.", bundled(group(), s.of)})
	}
	for _, s := range states() {
		out = append(out, kind{"storm-" + s.name, "The same for more causes than `policy.storm_after` in one environment and round.", bundled(storm(), s.of)})
	}
	return append(out, particular()...)
}

// particular are messages with something to say that others do not.
func particular() []kind {
	come := expiring()
	come.Before, come.Findings[0].Code, come.Record.Code = finding.Critical, finding.CertExpired, finding.CertExpired
	come.Findings[0].Summary = `the certificate of "www-staging.monitoring.example.org" expired 5 minutes ago`
	come.Record.Codes, come.Findings[0].Evidence = []finding.Code{finding.CertExpired}, nil
	owed := expiring()
	owed.Severity, owed.Before, owed.Undelivered = finding.Warning, finding.None, true
	owed.Findings[0].Severity, owed.Record.Severity, owed.Record.Owed = finding.Warning, finding.Warning, finding.Critical
	foreign := expiring()
	foreign.Record.Environment, foreign.Findings[0].Endpoint = "生产", "接口"
	return []kind{
		{"manifest", "A manifest that would break an endpoint, found on schedule. Nothing is broken yet: email only.", outdated()},
		{"unconfirmed", "An event names who changed it, and CloudTrail has not confirmed it yet.", claimed()},
		{"deleted", "A certificate that is still attached was deleted.", deleted()},
		{"imported", "A certificate was imported over an ARN in use.", imported()},
		{"escalated", "A warning became critical.", expiring()},
		{"predicted", "What an earlier alert predicted has happened.", come},
		{"undelivered", "The topic took no message while it was worse.", owed},
		{"certdrift-itself", "Something is wrong with certdrift, not with an endpoint.", own()},
		{"other-scripts", "Names that are not ASCII: a subject leaves them out, since SNS takes no others.", foreign},
		{"test", "`certdrift alert --test` sends it.", TestAlert("production", finding.Warning, began)},
	}
}

// outdated is a manifest that undoes a fix by hand.
func outdated() incident.Notice {
	n := changed("api", "a22e1d63f8ea522f9ac4b17d603e9f82")
	f := n.Findings[0]
	f.Code, f.Severity, f.Endpoint = finding.DriftManifest, finding.Warning, "api"
	f.Summary = "k8s/production/api-service.yaml:9 (Service production/api) declares server-certificate/web-monitoring-2017 for port 443, but the configuration declares " +
		"certificate/0b7d2f3a-52c7-4f0e-9d1b-6a8f5a2f1c01; applying would undo the change by Operator of 2026-11-23 02:13 UTC; " +
		"after the next apply server-certificate/web-monitoring-2017 does not cover api.monitoring.example.org"
	declared, stale := f.Evidence["declared"], f.Evidence["attached"]
	f.Evidence = finding.Evidence{
		"declared": declared, "manifest": stale, "attached": declared, "would": []any{"server-certificate/web-monitoring-2017 does not cover api.monitoring.example.org"},
		"changed_by": map[string]any{
			"name": "Operator", "session": "jane", "tool": "AWS console", "source_ip": "198.51.100.23", "at": began.Add(-time.Minute), "standing": "confirmed",
			"principal": "arn:aws:sts::111122223333:assumed-role/Operator/jane", "event": "SetLoadBalancerListenerSSLCertificate",
		},
		"arn": f.Evidence["arn"], "region": "us-west-2", "account": "111122223333", "file": "k8s/production/api-service.yaml", "line": 9, "object": "Service production/api",
	}
	f.Remedy = "Fix k8s/production/api-service.yaml:9 (Service production/api) before the next apply: declare arn:aws:acm:us-west-2:111122223333:certificate/0b7d2f3a-52c7-4f0e-9d1b-6a8f5a2f1c01. " +
		"See what it would do: certdrift plan -f k8s/production/api-service.yaml"
	f.Lift()
	n.Severity, n.Findings, n.Record.Severity = finding.Warning, []finding.Finding{f}, finding.Warning
	n.Record.Code, n.Record.Codes, n.Record.Key = f.Code, []finding.Code{f.Code}, "production manifest:k8s/production/api-service.yaml:Service production/api:443"
	return n
}

func TestGolden(t *testing.T) {
	schema, err := jsonschema.NewCompiler().Compile("../../docs/alert.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]bool{}
	for _, k := range kinds() {
		t.Run(k.name, func(t *testing.T) {
			m := Compose(k.notice, options)
			checkLimits(t, m)
			for suffix, text := range map[string]string{
				".txt":  "Subject: " + m.Subject + "\nSMS: " + m.SMS + "\n\n" + m.Email,
				".json": indent(t, m.JSON), ".chat.json": indent(t, m.Chat),
			} {
				golden(t, k.name+suffix, text)
				files[k.name+suffix] = true
			}
			doc, err := jsonschema.UnmarshalJSON(strings.NewReader(m.JSON))
			if err != nil {
				t.Fatal(err)
			}
			if err := schema.Validate(doc); err != nil {
				t.Error(err)
			}
		})
	}
	entries, err := os.ReadDir("testdata")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !files[e.Name()] && !e.IsDir() {
			t.Errorf("testdata/%s is of no kind of message", e.Name())
		}
	}
}

// form is how many incidents a message is about, and what it says of them in its first words.
func form(n incident.Notice) string {
	m := newMessage(n, Options{})
	switch {
	case m.mixed:
		return "storm " + m.headline()
	case n.Storm != nil:
		return "group " + m.headline()
	}
	return "one " + m.headline()
}

// TestEveryKindHasAGolden: whatever a notice can report is among the kinds, alone and combined.
func TestEveryKindHasAGolden(t *testing.T) {
	have := map[string]bool{}
	for _, k := range kinds() {
		have[form(k.notice)] = true
	}
	possible := map[string]bool{}
	for _, notices := range [][]incident.Notice{{drifted()}, group(), storm()} {
		for _, event := range []incident.Event{incident.Opened, incident.Reminder, incident.Recovered} {
			for _, severity := range []finding.Severity{finding.Warning, finding.Critical} {
				for _, flags := range [][2]bool{{}, {true, false}, {false, true}} {
					possible[form(bundled(notices, func(n incident.Notice) incident.Notice {
						n.Event, n.Severity = event, severity
						n.Downgraded, n.Removed = flags[0] && event == incident.Recovered, flags[1] && event == incident.Recovered
						return n
					}))] = true
				}
			}
		}
	}
	for f := range possible {
		if !have[f] {
			t.Errorf("no kind of message is %q", f)
		}
	}
	if len(possible) != 3*len(states()) {
		t.Errorf("%d forms of messages are possible, %d states are listed: %v", len(possible), len(states()), slices.Sorted(maps.Keys(possible)))
	}
}

// TestTheFirstLines: an email can be acted on without reading further than its rule. Line 1 has the state, where, and what clients see;
// line 2 the URL; then, in this order and whole, why, what to type, who did it and the certificates.
func TestTheFirstLines(t *testing.T) {
	for _, k := range kinds() {
		m := newMessage(k.notice, options)
		email := Compose(k.notice, options).Email
		lines := strings.Split(email, "\n")
		if !strings.HasPrefix(lines[0], m.headline()) || !strings.Contains(lines[0], m.shownEnvironment("")) {
			t.Errorf("%s: the first line is %q", k.name, lines[0])
		}
		if len(k.notice.URLs) > 0 && lines[1] != k.notice.URLs[0] {
			t.Errorf("%s: the second line is %q", k.name, lines[1])
		}
		top, _, ruled := strings.Cut(email, "\n"+strings.Repeat("-", emailWidth)+"\n")
		if n := strings.Count(top, "\n"); !ruled || n > 60 && !m.mixed || n > 80 {
			t.Errorf("%s: %d lines above the rule", k.name, n)
		}
		at := 0
		for _, heading := range []string{"CAUSE", "WHAT IT WAS", "WHAT TO DO", "WHO CHANGED IT", "DECLARED, ATTACHED, SERVED", "NEXT"} {
			i := strings.Index(top, "\n"+heading)
			if i >= 0 && i < at {
				t.Errorf("%s: %s comes too early", k.name, heading)
			}
			at = max(at, i)
		}
		for _, n := range k.notice.Each() {
			if command := undo(newMessage(n, options).first); command != "" && !m.over() && !strings.Contains(top, command) {
				t.Errorf("%s: the command is not above the rule: %s", k.name, command)
			}
			if key := n.Record.Key; !m.over() && k.name != "test" && !strings.Contains(top, key) {
				t.Errorf("%s: no line acknowledges %q", k.name, key)
			}
		}
	}
}

// TestTextMessagesSayAllThatFits: what is broken and for whom is in every text message; since when, and what to do, wherever there is room.
func TestTextMessagesSayAllThatFits(t *testing.T) {
	for _, k := range kinds() {
		m := newMessage(k.notice, options)
		sms := Compose(k.notice, options).SMS
		name, _ := m.who()
		wanted := []string{m.headline(), m.shownEnvironment(""), name}
		if effect, cause := m.impact(); effect != "" {
			wanted = append(wanted, lower(effect)+because(cause))
		} else {
			wanted = append(wanted, m.what())
		}
		for _, want := range wanted {
			if !strings.Contains(sms, want) {
				t.Errorf("%s: %q is missing in %q", k.name, want, sms)
			}
		}
		for _, piece := range []string{m.smsWhen(), m.smsDo()} {
			if without := strings.TrimSuffix(sms, ". Details in email."); !strings.Contains(sms, piece) && SMSFits(without+piece) {
				t.Errorf("%s: %q is missing in %q, and there is room", k.name, piece, sms)
			}
		}
		if !m.over() && !m.mixed && m.Event != incident.Recovered && k.name != "test" && !strings.HasPrefix(k.name, "one-") && m.smsDo() == "" {
			t.Errorf("%s: nothing says what to do, if there were room", k.name)
		}
	}
}

func TestFirstSentence(t *testing.T) {
	for remedy, want := range map[string]string{
		"Reattach the declared certificate (certificate/0b7d… (for *.example.org, until 2027-01-23)):\naws elb x": "Reattach the declared certificate",
		"Renew the certificate. Install it with its intermediates.":                                               "Renew the certificate",
		"Fix k8s/api.yaml:9 (Service a/b) before the next apply: declare arn:aws:acm:x. See it: certdrift plan":   "Fix k8s/api.yaml:9 before the next apply",
		"aws elb x --y z":           "",
		strings.Repeat("word ", 40): "",
		"":                          "",
	} {
		if got := firstSentence(remedy); got != want {
			t.Errorf("%q begins with %q, want %q", remedy, got, want)
		}
	}
}

// TestWhatIsLeftOutIsCounted: a list that is cut says how many it leaves out, and the command that shows them, which can be run as it is.
func TestWhatIsLeftOutIsCounted(t *testing.T) {
	const list = "certdrift incidents list --table monitoring-state"
	var many []incident.Notice
	for i := range maxListed + 5 {
		many = append(many, changed(fmt.Sprintf("site%02d", i), fmt.Sprintf("a%02d", i)))
	}
	for _, notices := range [][]incident.Notice{many, append(storm(), many...)} {
		n := bundled(notices, func(n incident.Notice) incident.Notice { return n })
		m := Compose(n, options)
		left := len(n.Storm) - maxListed
		cause, _, _ := strings.Cut(m.Email, "WHAT TO DO")
		_, next, _ := strings.Cut(m.Email, "\nNEXT\n")
		for where, text := range map[string]string{"the causes": cause, "what to acknowledge": next} {
			if want := fmt.Sprintf("and %d more: %s", left, list); !strings.Contains(text, want) {
				t.Errorf("%d incidents: %q is missing in %s", len(n.Storm), want, where)
			}
		}
		if want := fmt.Sprintf("and %d more: `%s`", left, list); !strings.Contains(m.Chat, want) {
			t.Errorf("%q is missing in the chat", want)
		}
	}
	if email := Compose(drifted(), options).Email; !strings.Contains(email, "and 15 more: "+list+" --format json") {
		t.Errorf("of those affected, some are left out:\n%s", email)
	}
	wordy := many
	for i := range wordy {
		wordy[i].Findings[0].Remedy = strings.Repeat(fmt.Sprint("Do this, ", i, ", and this. "), 200)
	}
	if email := Compose(bundled(wordy, func(n incident.Notice) incident.Notice { return n }), options).Email; len(email) > EmailLimit || !strings.HasSuffix(email, "[truncated; for the rest: "+list+"]\n") {
		t.Errorf("an email of %d bytes ends with %q", len(email), email[len(email)-100:])
	}
}

// TestTheEndQuotesTheCauseAsPast: the end of an incident quotes its cause as past.
func TestTheEndQuotesTheCauseAsPast(t *testing.T) {
	for _, k := range kinds() {
		if m := newMessage(k.notice, options); m.over() && !m.mixed {
			email := m.email()
			if !strings.Contains(email, "Was: ") && !strings.Contains(email, "WHAT IT WAS: ") {
				t.Errorf("%s: the cause reads as if it still held:\n%s", k.name, email)
			}
		}
	}
}

// TestTheDocument: docs/alerts.md shows every kind of message as the golden files have it.
func TestTheDocument(t *testing.T) {
	const file = "../../docs/alerts.md"
	got := alertsDocument(t)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(want) != got {
		t.Error("docs/alerts.md is not as the golden files are: run go test ./internal/alert -update")
	}
}

// read returns a golden file.
func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func alertsDocument(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	b.WriteString(documentHead)
	for i, k := range kinds() {
		text := read(t, k.name+".txt")
		head, email, _ := strings.Cut(text, "\n\n")
		subject, sms, _ := strings.Cut(head, "\n")
		subject, sms = strings.TrimPrefix(subject, "Subject: "), strings.TrimPrefix(sms, "SMS: ")
		if i > 0 { // the first is shown with its details
			email, _, _ = strings.Cut(email, "\n"+strings.Repeat("-", emailWidth)+"\n")
		}
		fmt.Fprintf(&b, "\n## %s\n\n%s\n\nSubject (%d of %d characters):\n\n```text\n%s\n```\n\n", k.name, k.when, len(subject), SubjectLimit, subject)
		if k.notice.Severity == finding.Critical {
			fmt.Fprintf(&b, "Text message (%d characters):\n\n```text\n%s\n```\n\n", len([]rune(sms)), sms)
		}
		fmt.Fprintf(&b, "Email:\n\n```text\n%s\n```\n", strings.TrimRight(email, "\n"))
	}
	return b.String()
}

const documentHead = `# Alerts

Every kind of message that certdrift sends, as it is sent. This page is made from the golden files of ` + "`internal/alert`" + ` by
` + "`go test ./internal/alert -update`" + `; a kind of message that is not here fails the tests.

How to read one in ten seconds:

| | |
| --- | --- |
| **First line** | severity and state (` + "`CRITICAL`, `STILL CRITICAL`, `DOWNGRADED`, `RESOLVED`, `CLOSED`, `TEST, no action needed`" + `), environment, endpoint, and what clients see |
| **Second line** | the URL; up to three, then how many more |
| **Since** | when it was first seen, and whether it escalated, or was predicted |
| **Cause**, **What to do** | what is wrong, and the command that fixes it, whole, to paste |
| **Who changed it** | author, tool, time and address, and whether CloudTrail confirms it |
| **Declared, attached, served** | the three truths; ` + "`!`" + ` marks the one that differs |
| **Next** | the listener in the AWS console, and the command that stops reminders |
| Below the rule | identifiers and evidence; machines get all of it as [JSON](alert.schema.json) |

**One cause, one message.** The incidents of one environment, code and author that a round reports are one message from two on. It lists
what is affected, and each remedy in order. Reminders, downgrades and resolutions are combined alike. What is wrong with the alert path
itself is never combined: which topic can carry it depends on the topic that it is about. More causes at once than ` + "`policy.storm_after`" + `
become one summary. In the JSON, ` + "`incidents`" + ` lists what a message combines; the state of each incident is kept on its own.

**Text messages** are one segment: 160 characters of the GSM alphabet, or 70 of others. They say what is broken and for whom, then, as far as there is
room, who did it, since when, and what to do. What does not fit is left out whole, since a truncated name is another name. By default they are
sent for what is critical, and when it is over.

**Subjects** have up to 100 printable ASCII characters, as SNS requires.

The first message is shown in full; of the others the part above the rule.
`
