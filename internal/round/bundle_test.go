package round

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"certdrift/internal/incident"
)

// listed are the incidents of a message's document.
func listed(t *testing.T, document string) []string {
	t.Helper()
	var d struct {
		Incident  string
		Incidents []struct{ Incident string }
		Count     int `json:"incidents_count"`
	}
	if err := json.Unmarshal([]byte(document), &d); err != nil {
		t.Fatal(err)
	}
	keys := make([]string, 0, len(d.Incidents))
	for _, i := range d.Incidents {
		keys = append(keys, i.Incident)
	}
	if len(keys) != d.Count || !slices.Contains(keys, d.Incident) {
		t.Errorf("%q leads, %d are counted, %q are listed", d.Incident, d.Count, keys)
	}
	return keys
}

// TestOneCauseIsOneMessage: endpoints that fail alike share a message from the alert to the all-clear, also where the topic is
// down at first, and the state of each is recorded.
func TestOneCauseIsOneMessage(t *testing.T) {
	const endpoints = 3
	f := texting(t, 20, endpoints)
	for i := range endpoints {
		f.fail(fmt.Sprint("e", i), refusing())
	}
	f.topic.down = true
	for range 3 {
		_, _ = f.runner.Run(context.Background(), f.request)
		f.now = f.now.Add(time.Minute)
	}
	f.topic.down = false
	round := func(event incident.Event) {
		t.Helper()
		f.topic.sent = nil
		f.run(t)
		f.now = f.now.Add(time.Minute)
		if event == "" {
			if len(f.topic.sent) > 0 {
				t.Errorf("%d messages where nothing happened", len(f.topic.sent))
			}
			return
		}
		if len(f.topic.sent) != 1 || f.topic.sent[0].Attributes["event"] != string(event) {
			t.Fatalf("%d messages, want one: %s", len(f.topic.sent), event)
		}
		if keys := listed(t, f.topic.sent[0].JSON); len(keys) != endpoints {
			t.Errorf("the message of %s lists %q", event, keys)
		}
	}
	round(incident.Opened)
	round("")
	f.now = f.now.Add(24 * time.Hour)
	round(incident.Reminder)
	round("")
	f.now = f.now.Add(24 * time.Hour)
	round("") // the second reminder comes after twice the time
	f.now = f.now.Add(24 * time.Hour)
	round(incident.Reminder)
	for i := range endpoints {
		f.fail(fmt.Sprint("e", i), f.fit.Addresses...)
	}
	round("")
	round(incident.Recovered)
	round("")
	stored, err := f.runner.Publisher.Store.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range stored.Incidents {
		if r.Environment != "" && (r.Closed.IsZero() || r.Claim != nil || r.Reminders != 2) {
			t.Errorf("%q is left as %+v", r.Key, r)
		}
	}
}
