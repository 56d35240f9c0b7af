package lambda

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"certdrift/internal/round"
)

// batch is what Lambda passes of a queue: each message's body is an event.
func batch(t *testing.T, events ...json.RawMessage) json.RawMessage {
	t.Helper()
	type record struct {
		Body   string `json:"body"`
		Source string `json:"eventSource"`
	}
	in := struct{ Records []record }{}
	for _, e := range events {
		in.Records = append(in.Records, record{string(e), "aws:sqs"})
	}
	text, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// burst are the changes of one deployment: a listener each on so many load balancers.
func burst(t *testing.T, n int) []json.RawMessage {
	t.Helper()
	var events []json.RawMessage
	for i := range n {
		events = append(events, sample(t, "v2-modify-listener-terraform.json", func(s string) string {
			s = strings.ReplaceAll(s, "k8s-production-web-1f2e3d4c5b", fmt.Sprintf("web-%02d", i))
			return strings.ReplaceAll(s, "6a7e8feb-0000-4000-8000-000000000012", fmt.Sprintf("6a7e8feb-0000-4000-8000-0000000001%02d", i))
		}))
	}
	return events
}

// TestABurstIsOneRound: thirty changes that arrive together, some of them twice, are read in one round, and repeated together until the
// last has settled. Each leaves its record, once.
func TestABurstIsOneRound(t *testing.T) {
	for name, c := range map[string]struct {
		now         time.Time
		least, most int
	}{
		"long since settled": {time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC), 1, 1},
		"just made":          {time.Date(2026, 11, 20, 9, 12, 43, 0, time.UTC), 9, 11},
	} {
		var text bytes.Buffer
		f, q := newFunction(&c.now, round.Listeners)
		f.Log = slog.New(slog.NewJSONHandler(&text, nil))
		if _, err := f.Handle(context.Background(), batch(t, append(burst(t, 30), burst(t, 10)...)...)); err != nil {
			t.Fatal(err)
		}
		if q.rounds < c.least || q.rounds > c.most {
			t.Errorf("%s: %d rounds, want %d to %d", name, q.rounds, c.least, c.most)
		}
		if len(q.only) != 30 {
			t.Errorf("%s: %d load balancers were read, want 30: %v", name, len(q.only), q.only)
		}
		if n := strings.Count(text.String(), `"msg":"change",`); n != 30 {
			t.Errorf("%s: %d changes are recorded", name, n)
		}
	}
}

// TestWhatABatchAsksFor: a message that is unreadable, foreign or a duplicate hides no other, and a change that may concern any load
// balancer makes the round a whole one.
func TestWhatABatchAsksFor(t *testing.T) {
	same := func(s string) string { return s + "\n" }
	one := burst(t, 1)[0]
	foreign := sample(t, "v2-modify-listener-terraform.json", func(s string) string { return strings.ReplaceAll(s, "111122223333", "999988887777") })
	users := sample(t, "acm-expired.json", same)                      // two messages about certificates:
	anywhere := sample(t, "iam-delete-server-certificate.json", same) // of this one nobody says who uses it
	for name, c := range map[string]struct {
		events  []json.RawMessage
		rounds  int
		only    int // load balancers; 0 for all
		ignored int
	}{
		"a change":             {[]json.RawMessage{one}, 1, 1, 0},
		"twice the same":       {[]json.RawMessage{one, one}, 1, 1, 0},
		"one that is no event": {[]json.RawMessage{json.RawMessage(`[1,`), one}, 1, 1, 1},
		"one out of scope":     {[]json.RawMessage{foreign, one, foreign}, 1, 1, 2},
		"out of scope only":    {[]json.RawMessage{foreign}, 0, 0, 1},
		"junk only":            {[]json.RawMessage{json.RawMessage(``[:0]), json.RawMessage(`5`)}, 1, 0, 1}, // an empty message is a schedule's
		"with a certificate":   {[]json.RawMessage{one, users}, 1, 2, 0},
		"with any":             {[]json.RawMessage{one, anywhere, users}, 1, 0, 0},
		"with the schedule's":  {[]json.RawMessage{one, json.RawMessage(`{"detail-type": "Scheduled Event"}`)}, 1, 0, 0},
	} {
		now := time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
		f, q := newFunction(&now, round.Listeners)
		ignored := 0
		f.Ignored = func(context.Context) error { ignored++; return nil }
		s, err := f.Handle(context.Background(), batch(t, c.events...))
		if err != nil {
			t.Fatal(err)
		}
		slices.Sort(q.only)
		if q.rounds != c.rounds || len(slices.Compact(q.only)) != c.only || ignored != c.ignored {
			t.Errorf("%s: %d rounds of %v, %d ignored, want %d of %d, %d; %+v", name, q.rounds, q.only, ignored, c.rounds, c.only, c.ignored, s)
		}
		if (s.Verdict == "ignored") != (c.rounds == 0) {
			t.Errorf("%s: answered %+v", name, s)
		}
	}
}

// TestAFailedBatchComesAgain: an error keeps the messages in the queue.
func TestAFailedBatchComesAgain(t *testing.T) {
	now := time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
	f, _ := newFunction(&now, round.Listeners)
	f.Load = func(context.Context) (round.Request, error) { return round.Request{}, errors.New("access denied") }
	if _, err := f.Handle(context.Background(), batch(t, burst(t, 3)...)); err == nil {
		t.Error("no error: the messages are deleted")
	}
}

// TestLateAndReorderedEvents: events say what to look at, and AWS says what is so. When they come, and in which order, changes nothing.
func TestLateAndReorderedEvents(t *testing.T) {
	look := func(events []json.RawMessage, now time.Time) (only []string, rounds int) {
		f, q := newFunction(&now, round.Listeners)
		if _, err := f.Handle(context.Background(), batch(t, events...)); err != nil {
			t.Fatal(err)
		}
		slices.Sort(q.only)
		return q.only, q.rounds
	}
	inOrder := append(burst(t, 3), sample(t, "acm-expired.json", func(s string) string { return s + "\n" }))
	backwards := slices.Clone(inOrder)
	slices.Reverse(backwards)
	soon := time.Date(2026, 11, 20, 9, 30, 0, 0, time.UTC)
	want, rounds := look(inOrder, soon)
	if len(want) != 4 || rounds != 1 {
		t.Fatalf("in order: %d rounds of %v", rounds, want)
	}
	for name, when := range map[string]time.Time{"at once": soon, "a day late": soon.AddDate(0, 0, 1), "a month late": soon.AddDate(0, 1, 0), "before they happened": soon.AddDate(0, 0, -1)} {
		only, rounds := look(backwards, when)
		if !slices.Equal(only, want) || rounds < 1 || rounds > 11 { // the settle time at most, whatever time an event claims
			t.Errorf("reversed and %s: %d rounds of %v, want %v", name, rounds, only, want)
		}
	}
}
