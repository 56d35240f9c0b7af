package incident

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"certdrift/internal/finding"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files anew")

// trouble is something that really was wrong in the month, and what is to be heard of it.
type trouble struct {
	what     string
	from, to time.Time
	set      func(w *world, on bool)
	key      string
	// events are all that is to be heard; nil for what nobody should hear of.
	events []Event
}

func day(d, hour, minute int) time.Time {
	return time.Date(2026, 11, d, hour, minute, 0, 0, time.UTC)
}

// month is the script: outages, renewals that came late or in time, drift, a maintenance window, a removal.
func month() []trouble {
	cert := func(i int, s finding.Severity) func(*world, bool) {
		return func(w *world, on bool) {
			w.sites[i].cert = finding.None
			if on {
				w.sites[i].cert = s
			}
		}
	}
	timeout := func(i int) func(*world, bool) { return func(w *world, on bool) { w.sites[i].timeout = on } }
	status := func(i int) func(*world, bool) { return func(w *world, on bool) { w.sites[i].status = on } }
	drifting := func(w *world, on bool) { w.drift = on }
	once := []Event{Opened, Recovered}
	return []trouble{
		{"c cannot be reached for 40 minutes", day(3, 2, 0), day(3, 2, 40), timeout(2), "production endpoint:c reach", once},
		{"a answers with 503 for 90 minutes", day(12, 14, 0), day(12, 15, 30), status(0), "production endpoint:a http", once},
		{"c's certificate nears its end and is renewed", day(8, 6, 0), day(9, 5, 0), cert(2, finding.Warning), "production certificate:c", once},
		{"b's certificate nears its end", day(15, 6, 0), day(17, 6, 0), cert(1, finding.Warning), "production certificate:b", []Event{Opened, Reminder}},
		{"and nobody renews it for three days more", day(17, 6, 0), day(20, 9, 0), cert(1, finding.Critical), "production certificate:b", []Event{Opened, Reminder, Reminder, Recovered}},
		{"a deploy puts a stale certificate on the listener", day(22, 10, 0), day(22, 12, 0), drifting, "production listener:arn:443", once},
		{"and again, for 20 minutes; a probe sees it first", day(25, 10, 5), day(25, 10, 25), drifting, "production mismatch:aa", once},
		{"c is down in the weekly window", day(8, 3, 0), day(8, 3, 45), timeout(2), "production endpoint:c reach", nil},
		{"c is down past the end of the weekly window", day(15, 3, 30), day(15, 4, 30), timeout(2), "production endpoint:c reach", once},
		{"c's certificate expires, and c is given up", day(28, 6, 0), day(28, 18, 0), cert(2, finding.Critical), "production certificate:c", once},
	}
}

// A month of rounds every five minutes, with blips, a deploy a day that shows for a round, duplicate events, a pause
// of two hours and a day without leave to read listeners: who is told what, against what was.
func TestAMonth(t *testing.T) {
	w := &world{sites: []site{{name: "a", balance: true}, {name: "b", balance: true}, {name: "c"}}}
	p := DefaultPolicy()
	p.Silences = []Silence{{Endpoint: "c", Reason: "weekly maintenance", Weekly: &Weekly{
		Days: []time.Weekday{time.Sunday}, Start: 3 * time.Hour, Length: time.Hour,
	}}}
	script, tb := month(), newTable()
	random := rand.New(rand.NewPCG(1, 2))
	var heard []Notice
	rounds := 0
	for now := day(1, 0, 0); now.Before(day(31, 0, 0)); now = now.Add(5 * time.Minute) {
		for _, tr := range script {
			if now.Equal(tr.to) {
				tr.set(w, false)
			}
		}
		for _, tr := range script {
			if now.Equal(tr.from) {
				tr.set(w, true)
			}
		}
		w.sites[2].removed = !now.Before(day(28, 18, 0))
		if now.After(day(6, 1, 0)) && now.Before(day(6, 3, 0)) {
			continue // certdrift itself was out
		}
		v := viewProbes
		if now.Minute()%15 == 0 && now.Day() != 14 {
			v = viewAll
		}
		undo := w.blip(random, now)
		fs, c := w.look(v)
		for range 1 + random.IntN(2) {
			rounds++
			heard = append(heard, tb.run(t, Input{Policy: p, Findings: fs, Coverage: c, Now: now.Add(time.Duration(random.IntN(3)) * time.Second)}, lives)...)
		}
		undo()
	}
	checkMonth(t, script, heard)
	goldenMonth(t, script, heard, rounds)
}

// blip breaks something for one round: a lost packet now and then, and the daily deploy.
func (w *world) blip(random *rand.Rand, now time.Time) (undo func()) {
	before := append([]site(nil), w.sites...)
	if random.IntN(60) == 0 && now.Minute()%10 == 5 {
		w.sites[random.IntN(3)].timeout = true
	}
	if now.Hour() == 16 && now.Minute() == 5 {
		w.sites[0].status = true
	}
	return func() { w.sites = before }
}

// checkMonth: of every trouble just what is due, none of it late, and nothing else.
func checkMonth(t *testing.T, script []trouble, heard []Notice) {
	t.Helper()
	var rest []Notice
	got := map[int][]Event{}
	for _, n := range heard {
		i := cause(script, n)
		if i < 0 {
			rest = append(rest, n)
			continue
		}
		got[i] = append(got[i], n.Event)
		if len(got[i]) == 1 && n.At.Sub(script[i].from) > 35*time.Minute {
			t.Errorf("%s: first heard of at %v", script[i].what, n.At)
		}
	}
	for i, tr := range script {
		if diff := cmp.Diff(tr.events, got[i]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tr.what, diff)
		}
	}
	for _, n := range rest {
		t.Errorf("noise: %s of %q at %v", n.Event, n.Record.Key, n.At)
	}
}

// cause is the trouble that a notice belongs to: the latest that had begun, and ended less than an hour before.
func cause(script []trouble, n Notice) int {
	found := -1
	for i, tr := range script {
		fits := tr.key == n.Record.Key && !n.At.Before(tr.from) && n.At.Before(tr.to.Add(time.Hour))
		if fits && (found < 0 || script[found].from.Before(tr.from)) {
			found = i
		}
	}
	return found
}

func goldenMonth(t *testing.T, script []trouble, heard []Notice, rounds int) {
	t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "A month, %d rounds: %d notices.\n\nWhat was:\n", rounds, len(heard))
	for _, tr := range script {
		fmt.Fprintf(&b, "  %s  to  %s  %s\n", tr.from.Format("Mon 02 15:04"), tr.to.Format("Mon 02 15:04"), tr.what)
	}
	b.WriteString("\nWhat was sent:\n")
	for _, n := range heard {
		what := string(n.Event)
		if n.Removed {
			what += " (removed)"
		}
		fmt.Fprintf(&b, "  %s  %-20s %-8s  %s: %s\n", n.At.Format("Mon 02 15:04"), what, n.Severity, n.Record.Key, n.Record.Code)
	}
	file := filepath.Join("testdata", "month.txt")
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), b.String()); diff != "" {
		t.Errorf("%s (-want +got):\n%s", file, diff)
	}
}
