package e2e

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// trail answers CloudTrail's LookupEvents from what was delivered, newest first, in one page.
type trail struct {
	mu     sync.Mutex
	events []recorded
}

type recorded struct {
	at     time.Time
	name   string
	source string
	record json.RawMessage
}

// record stores the CloudTrail record of an event for later lookups.
func (t *trail) record(detail json.RawMessage) {
	var r struct {
		EventTime   time.Time `json:"eventTime"`
		EventName   string    `json:"eventName"`
		EventSource string    `json:"eventSource"`
	}
	if json.Unmarshal(detail, &r) != nil || r.EventName == "" {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.events = append(t.events, recorded{r.EventTime, r.EventName, r.EventSource, detail})
	slices.SortStableFunc(t.events, func(a, b recorded) int { return b.at.Compare(a.at) })
}

func (t *trail) answer(w http.ResponseWriter, body []byte) {
	var in struct {
		LookupAttributes   []struct{ AttributeKey, AttributeValue string }
		StartTime, EndTime float64
	}
	if err := json.Unmarshal(body, &in); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	found := []map[string]any{}
	for _, e := range t.events {
		at := float64(e.at.Unix())
		if at < in.StartTime || in.EndTime > 0 && at > in.EndTime {
			continue
		}
		fits := true
		for _, a := range in.LookupAttributes {
			switch a.AttributeKey {
			case "EventName":
				fits = e.name == a.AttributeValue
			case "EventSource":
				fits = e.source == a.AttributeValue
			case "ResourceName":
				fits = strings.Contains(string(e.record), `"`+a.AttributeValue+`"`)
			}
		}
		if fits {
			found = append(found, map[string]any{
				"EventName": e.name, "EventSource": e.source, "EventTime": at, "CloudTrailEvent": string(e.record),
			})
		}
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	_ = json.NewEncoder(w).Encode(map[string]any{"Events": found})
}
