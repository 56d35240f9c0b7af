package event

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

func message(body string) string {
	text, _ := json.Marshal(body) // a string always can be
	return fmt.Sprintf(`{"messageId": "1", "eventSource": "aws:sqs", "body": %s}`, text)
}

func TestBatch(t *testing.T) {
	tick := `{"detail-type": "Scheduled Event"}`
	many := strings.Repeat(message(tick)+",", maxBatch+1)
	for name, c := range map[string]struct {
		data string
		want int // events; 1 for a single event, passed as it is
	}{
		"nothing":                    {"", 1},
		"an event":                   {tick, 1},
		"two messages":               {`{"Records": [` + message(tick) + "," + message(tick) + `]}`, 2},
		"of another source":          {`{"Records": [{"eventSource": "aws:sns", "body": "x"}]}`, 1},
		"no records":                 {`{"Records": []}`, 1},
		"records that are no list":   {`{"Records": 5}`, 1},
		"a message that is no event": {`{"Records": [` + message("x") + "," + message(tick) + `]}`, 2},
		"too many":                   {`{"Records": [` + strings.TrimSuffix(many, ",") + `]}`, maxBatch},
		"too large":                  {`{"Records": [` + message(strings.Repeat(" ", BatchLimit)) + `]}`, 1},
	} {
		got := Batch([]byte(c.data))
		if len(got) != c.want {
			t.Errorf("%s: %d events, want %d", name, len(got), c.want)
		}
		if single := len(got) == 1 && string(got[0]) == c.data; single != (c.want == 1) {
			t.Errorf("%s: passed as it is: %t", name, single)
		}
	}
}

// FuzzBatch: whatever comes, each event is decoded or refused.
func FuzzBatch(f *testing.F) {
	f.Add([]byte(`{"Records": [` + message(`{"detail-type": "Scheduled Event"}`) + `]}`))
	f.Add([]byte(`{"Records": [{"eventSource": "aws:sqs"}]}`))
	f.Add([]byte(`null`))
	f.Fuzz(func(t *testing.T, data []byte) {
		events := Batch(data)
		if len(events) == 0 || len(events) > maxBatch {
			t.Fatalf("%d events", len(events))
		}
		for _, e := range events {
			if _, err := Decode(e); err != nil && err.Error() == "" {
				t.Fatal("an error without a text")
			}
		}
	})
}
