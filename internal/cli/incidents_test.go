package cli

import (
	"context"
	"encoding/json"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"certdrift/internal/finding"
	"certdrift/internal/incident"
	"certdrift/internal/round"
)

// keeping is a table as a person sees it: some items of it cannot be read.
type keeping struct {
	*round.Memory
	broken []string
}

func (k *keeping) Broken() []string { return k.broken }

// contested is a store in which a round writes just before a person does, the first few times.
type contested struct {
	*keeping
	left atomic.Int32
}

func contestedBy(k *keeping, writes int32) *contested {
	c := &contested{keeping: k}
	c.left.Store(writes)
	return c
}

func (c *contested) SaveIncident(ctx context.Context, r incident.Record) (bool, error) {
	if c.left.Add(-1) >= 0 {
		loaded, err := c.Load(ctx)
		if err != nil {
			return false, err
		}
		for _, other := range loaded.Incidents {
			if other.Key == r.Key {
				if _, err := c.Memory.SaveIncident(ctx, other); err != nil {
					return false, err
				}
			}
		}
	}
	return c.Memory.SaveIncident(ctx, r)
}

var morning = time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)

// kept is a store with two open incidents, one that waits, one that is over, and the counter of text messages.
func kept(t *testing.T) *keeping {
	t.Helper()
	m := &keeping{Memory: round.NewMemory()}
	open := func(key string, severity finding.Severity) incident.Record {
		return incident.Record{
			Key: key, Environment: "production", First: morning.Add(-3 * time.Hour), Opened: morning.Add(-3 * time.Hour), Severity: severity,
			Code: finding.CertExpired, Findings: []finding.Finding{{Code: finding.CertExpired, Summary: "it expired\x1b[31m"}},
			Affects: []string{"production/api"}, AffectsCount: 1,
		}
	}
	over, waiting := open("production over", finding.Critical), open("production waiting", finding.Critical)
	over.Closed, waiting.Opened = morning.Add(-time.Hour), time.Time{}
	for _, r := range []incident.Record{
		open("production host:b", finding.Warning), open("production listener:a", finding.Critical), over, waiting,
	} {
		if saved, err := m.SaveIncident(t.Context(), r); err != nil || !saved {
			t.Fatalf("saved %v, %v", saved, err)
		}
	}
	if saved, err := m.SaveCounter(t.Context(), incident.Counter{Key: "- counter:sms", Used: 1}); err != nil || !saved {
		t.Fatalf("saved %v, %v", saved, err)
	}
	return m
}

func desk(store incidentStore) func(*App) {
	return func(a *App) {
		a.Now = func() time.Time { return morning }
		a.Parts.Cloud.Incidents = func(context.Context, string) (incidentStore, error) { return store, nil }
	}
}

func TestIncidentsList(t *testing.T) {
	status, out, _ := run(t, desk(kept(t)), nil, "incidents", "list", "--table", "x")
	if status != 0 || strings.Contains(out, "over") || strings.Contains(out, "waiting") || strings.Contains(out, "\x1b") {
		t.Errorf("status %d:\n%s", status, out)
	}
	if a, b := strings.Index(out, "listener:a"), strings.Index(out, "host:b"); a < 0 || b < a {
		t.Errorf("the worst does not stand first:\n%s", out)
	}
	status, out, _ = run(t, desk(kept(t)), nil, "incidents", "list", "--table", "x", "--all", "--format", "json")
	var document struct {
		Schema    string
		Incidents []incident.Record
	}
	if err := json.Unmarshal([]byte(out), &document); err != nil || status != 0 || len(document.Incidents) != 4 {
		t.Errorf("status %d, %v, %d incidents", status, err, len(document.Incidents))
	}
}

func TestIncidentsNamesWhatCannotBeRead(t *testing.T) {
	m := kept(t)
	m.broken = []string{"production lost\x1b"}
	status, out, errs := run(t, desk(m), nil, "incidents", "list", "--table", "x")
	if status != 0 || !strings.Contains(errs, `"production lost\x1b"`) || strings.Contains(out, "lost") || !strings.Contains(out, "2 open") {
		t.Errorf("status %d: %s%s", status, out, errs)
	}
}

// TestIncidentsAcknowledgeByWhoeverTypes: the line of an alert can be pasted as it is.
func TestIncidentsAcknowledgeByWhoeverTypes(t *testing.T) {
	m := kept(t)
	for env, by := range map[string]string{"USER": "jane", "LOGNAME": "john", "USERNAME": "ACME\\jim"} {
		edit := func(a *App) {
			desk(m)(a)
			a.Getenv = func(name string) string { return map[string]string{env: by}[name] }
		}
		if status, out, errs := run(t, edit, nil, "incidents", "ack", "--until", "4h", "--table", "x", "production listener:a"); status != 0 || !strings.Contains(out, "acknowledged by "+clean(by)+",") {
			t.Errorf("%s: status %d: %s%s", env, status, out, errs)
		}
	}
}

// TestIncidentsHowLong: an incident of five weeks is one of days, not of hours.
func TestIncidentsHowLong(t *testing.T) {
	if got := stage(incident.Record{First: morning, Opened: morning}, morning.Add(35*24*time.Hour)); !strings.HasPrefix(got, "open for 35 days, since ") {
		t.Errorf("%q", got)
	}
}

func TestIncidentsAcknowledge(t *testing.T) {
	m := kept(t)
	status, out, errs := run(t, desk(contestedBy(m, 2)), nil, "incidents", "ack", "listener:a", "--by", "jane", "--until", "4h", "--table", "x")
	if status != 0 || !strings.Contains(out, "acknowledged by jane, until 2026-11-23T12:00:00Z") {
		t.Errorf("status %d: %s%s", status, out, errs)
	}
	loaded, _ := m.Load(t.Context())
	for _, r := range loaded.Incidents {
		if r.Key == "production listener:a" && (r.Acknowledged == nil || !r.Acknowledged.Until.Equal(morning.Add(4*time.Hour))) {
			t.Errorf("the store holds %+v", r.Acknowledged)
		}
	}
	for format, want := range map[string]int{"text": 2, "json": 2} {
		status, out, errs := run(t, desk(contestedBy(m, 2)), nil, "incidents", "ack", "listener:a", "host:b", "listener:a", "--by", "john", "--table", "x", "--format", format)
		if status != 0 || strings.Count(out, "john") != want {
			t.Errorf("two at once, as %s: status %d: %s%s", format, status, out, errs)
		}
	}
	if status, _, errs := run(t, desk(contestedBy(m, 99)), nil, "incidents", "ack", "listener:a", "--by", "jane", "--table", "x"); status != 3 {
		t.Errorf("a store that never lets write ends with %d: %s", status, errs)
	}
}

func TestIncidentsClose(t *testing.T) {
	m := kept(t)
	if status, out, errs := run(t, desk(m), nil, "incidents", "close", "production host:b", "--by", "jane", "--table", "x"); status != 0 || !strings.Contains(out, "closed by jane") {
		t.Errorf("status %d: %s%s", status, out, errs)
	}
	if status, _, _ := run(t, desk(m), nil, "incidents", "close", "production host:b", "--by", "jane", "--table", "x"); status != 2 {
		t.Error("what is closed is closed again")
	}
}

func TestIncidentsWrongUsage(t *testing.T) {
	for args, want := range map[string]string{
		"list":                                    "no table given",
		"list --table x --format xml":             "unknown format",
		"ack production --table x --by j":         "matches 3 keys",
		"ack nothing --table x --by j":            "no open incident",
		"ack listener:a --table x":                "requires --by",
		"ack --table x --by j":                    "requires a KEY",
		"ack listener:a nothing --table x --by j": "no open incident",
		"close --table x --by j":                  "takes one KEY",
		"ack a --table x --by j --until y":        "invalid --until",
		"ack a --table x --by j --until -1h":      "in the past",
		"lst":                                     `did you mean "list"`,
	} {
		status, _, errs := run(t, desk(kept(t)), nil, append([]string{"incidents"}, strings.Fields(args)...)...)
		if status != 2 || !strings.Contains(errs, want) {
			t.Errorf("%s: status %d, %q; want 2 and %q", args, status, errs, want)
		}
	}
}
