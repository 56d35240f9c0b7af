package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"certdrift/internal/certtest"
	"certdrift/internal/finding"
	"certdrift/internal/incident"
)

// emails returns the subjects of the emails in an act.
func emails(a Act) []string {
	var out []string
	for _, d := range a.Deliveries {
		if d.Protocol == "email" {
			out = append(out, d.Subject)
		}
	}
	return out
}

func codes(a Act, environment string) []finding.Code {
	var out []finding.Code
	for _, f := range a.Findings {
		if f.Environment == environment && f.Severity >= finding.Warning {
			out = append(out, f.Code)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func TestTheIncident(t *testing.T) {
	var out bytes.Buffer
	acts, err := Run(context.Background(), Options{Start: time.Date(2026, 10, 14, 9, 0, 0, 0, time.UTC), Out: &out})
	if err != nil {
		t.Fatal(err)
	}
	if len(acts) != 7 {
		t.Fatalf("%d acts, want 7", len(acts))
	}
	if strings.Contains(out.String(), ".; ") {
		t.Error("a message ends a sentence and goes on with it")
	}
	healthy, byHand, weeks, staging, production, repair, after := acts[0], acts[1], acts[2], acts[3], acts[4], acts[5], acts[6]

	for _, tt := range []struct {
		name               string
		act                Act
		verdict            string
		staging, produced  []finding.Code
		mails, worst       int
		says, saysAnywhere []string
	}{
		{"at first all is well, and nobody is notified", healthy, "pass", nil, nil, 0, 0, nil, nil},
		{"the fix by hand is seen: the templates are stale, and nothing is broken yet", byHand, "pass",
			[]finding.Code{finding.DriftManifest}, []finding.Code{finding.DriftManifest}, 2, 0,
			[]string{"k8s/staging/ui-service.yaml:9", "Operator", "The manifest is out of date"}, nil},
		{"while it lasts there are reminders", weeks, "pass",
			[]finding.Code{finding.DriftManifest}, []finding.Code{finding.DriftManifest}, 12, 0, []string{"STILL WARNING", "28 days", "Operator as operator (AWS console)"}, nil},
		{"the deploy to staging puts an expired certificate back", staging, "fail",
			[]finding.Code{finding.CertExpired, finding.DriftAttached, finding.DriftManifest, finding.ListenerCertExpired},
			[]finding.Code{finding.DriftManifest}, 1, 1,
			[]string{"masters.cluster.example.org", "Kubernetes cloud provider", "CloudTrail (confirmed)", "before       certificate/5e91c6d4", "aws elb set-load-balancer-listener-ssl-certificate", stagingARN}, nil},
		{"the deploy to production puts another domain's certificate back", production, "fail",
			[]finding.Code{finding.CertExpired, finding.DriftAttached, finding.DriftManifest, finding.ListenerCertExpired},
			[]finding.Code{finding.DriftAttached, finding.DriftManifest}, 1, 1,
			[]string{"masters.cluster.example.org", "aws elb set-load-balancer-listener-ssl-certificate", productionARN}, nil},
		{"the repair is recovery", repair, "pass", nil, nil, 2, 0, nil, []string{"RESOLVED production: ui, api: wrong certificate attached"}},
		{"and then there is silence", after, "pass", nil, nil, 0, 0, nil, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.act.Verdict != tt.verdict {
				t.Errorf("verdict %q, want %q", tt.act.Verdict, tt.verdict)
			}
			if got := codes(tt.act, "staging"); !slices.Equal(got, tt.staging) {
				t.Errorf("staging has %v, want %v", got, tt.staging)
			}
			if got := codes(tt.act, "production"); !slices.Equal(got, tt.produced) {
				t.Errorf("production has %v, want %v", got, tt.produced)
			}
			got := emails(tt.act)
			if len(got) != tt.mails {
				t.Errorf("%d emails, want %d: %q", len(got), tt.mails, got)
			}
			critical := 0
			for _, m := range tt.act.Sent {
				if m.Attributes["severity"] == "critical" && m.Attributes["event"] != "recovered" {
					critical++
				}
			}
			if critical != tt.worst {
				t.Errorf("%d critical messages, want %d: %q", critical, tt.worst, got)
			}
			var text strings.Builder
			for _, d := range tt.act.Deliveries {
				text.WriteString(d.Subject + "\n" + d.Text + "\n")
			}
			for _, want := range append(tt.says, tt.saysAnywhere...) {
				if !strings.Contains(text.String(), want) {
					t.Errorf("no message says %q", want)
				}
			}
			if t.Failed() {
				t.Log(text.String())
			}
		})
	}
	twoPerMoment(t, acts)
	remindersRepeat(t, byHand, weeks)
	if want := "in 35 days, reminders included: 18 emails and 4 text messages"; !strings.Contains(out.String(), want) {
		t.Errorf("the last line does not count %q", want)
	}
	for _, want := range []string{"email to oncall@example.org", "sms to +12065550100", "no messages sent"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the story does not show %q", want)
		}
	}
}

// remindersRepeat: a reminder has the cause, the command, the author and the certificates of the alert that it repeats.
func remindersRepeat(t *testing.T, alerts, reminders Act) {
	t.Helper()
	facts := func(text string) string {
		_, text, found := strings.Cut(text, "\nCAUSE")
		text, _, ruled := strings.Cut(text, "\n-----")
		if !found || !ruled {
			t.Errorf("no email: %q", text)
		}
		return text
	}
	known := map[string]bool{}
	for _, d := range alerts.Deliveries {
		known[facts(d.Text)] = true
	}
	for _, d := range reminders.Deliveries {
		if !known[facts(d.Text)] {
			t.Errorf("%q does not repeat what its alert said:\n%s", d.Subject, facts(d.Text))
		}
	}
}

// twoPerMoment: whatever happens, nobody gets more than two messages about an environment for it.
func twoPerMoment(t *testing.T, acts []Act) {
	t.Helper()
	for _, a := range acts {
		for _, p := range incident.Problems(a.Findings) {
			if text := certtest.Contradiction(p.Remedies()); text != "" {
				t.Errorf("%s: the remedies of %s contradict each other: %s", a.Title, p.Cause().Code, text)
			}
		}
		count := map[string]int{}
		for _, m := range a.Sent {
			var d struct {
				At time.Time
			}
			if err := json.Unmarshal([]byte(m.Texts["https"]), &d); err != nil {
				t.Fatal(err)
			}
			count[m.Attributes["environment"]+" on "+d.At.Format(time.DateOnly)]++
		}
		for moment, n := range count {
			if n > 2 {
				t.Errorf("%s: %d messages about %s", a.Title, n, moment)
			}
		}
	}
}
