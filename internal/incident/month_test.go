package incident

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"certdrift/internal/finding"
	"certdrift/internal/policy"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files anew")

// happening is something that really happened in the month, and the messages expected about it.
type happening struct {
	what     string
	from, to time.Time
	set      func(w *world, on bool)
	// keys are the patterns (path.Match) of the incidents that it causes.
	keys []string
	// due are all expected messages; nil where nobody should be notified.
	due []due
}

// due is one message: what it reports, and how severe that is.
type due struct {
	event    Event
	severity finding.Severity
}

func day(d, hour, minute int) time.Time {
	return time.Date(2026, 11, d, hour, minute, 0, 0, time.UTC)
}

// stormSites are s01, s02 and so on: endpoints behind the load balancer that a and b are behind.
const stormSites = 36

// month is the script: outages, renewals that came late or in time, drift, a roll-out that stops halfway, a storm, a
// maintenance window, a removal.
func month() []happening {
	cert := func(i int, to wear) func(*world, bool) {
		return func(w *world, on bool) {
			w.sites[i].cert = fresh
			if on {
				w.sites[i].cert = to
			}
		}
	}
	timeout := func(i int) func(*world, bool) { return func(w *world, on bool) { w.sites[i].timeout = on } }
	status := func(i int) func(*world, bool) { return func(w *world, on bool) { w.sites[i].status = on } }
	half := func(w *world, on bool) { w.sites[2].half = on }
	drifting := func(w *world, on bool) { w.drift = on }
	storm := func(w *world, on bool) {
		for i := 3; i < len(w.sites); i++ {
			w.sites[i].timeout = on
		}
	}
	warned, alerted := due{Opened, finding.Warning}, due{Opened, finding.Critical}
	reminded, over := due{Reminder, finding.Critical}, due{Recovered, finding.Critical}
	once := []due{alerted, over}
	return []happening{
		{"c cannot be reached for 40 minutes", day(3, 2, 0), day(3, 2, 40), timeout(2), []string{"endpoint:c reach"}, once},
		{"c's certificate nears its end", day(4, 6, 0), day(5, 15, 0), cert(2, ageing), []string{"certificate:c"}, []due{warned, {Reminder, finding.Warning}}},
		{"comes near enough to be critical", day(5, 15, 0), day(6, 9, 0), cert(2, dying), []string{"certificate:c"}, []due{alerted}},
		{"and is out for three hours before somebody renews it", day(6, 9, 0), day(6, 12, 0), cert(2, expired), []string{"certificate:c"}, []due{alerted, over}},
		{"c is down in the weekly window", day(8, 3, 0), day(8, 3, 45), timeout(2), []string{"endpoint:c reach"}, nil},
		{"c's certificate nears its end and is renewed", day(8, 6, 0), day(9, 5, 0), cert(2, ageing), []string{"certificate:c"}, []due{warned, {Recovered, finding.Warning}}},
		{"half a roll-out: one of c's addresses still serves what has expired", day(10, 9, 0), day(10, 18, 0), half, []string{"certificate:old-c", "endpoint:c certificate"}, once},
		{"a answers with 503 for 90 minutes", day(12, 14, 0), day(12, 15, 30), status(0), []string{"endpoint:a http"}, once},
		{"c is down past the end of the weekly window", day(15, 3, 30), day(15, 4, 30), timeout(2), []string{"endpoint:c reach"}, once},
		{"b's certificate nears its end", day(15, 6, 0), day(17, 6, 0), cert(1, ageing), []string{"certificate:b"}, []due{warned, {Reminder, finding.Warning}}},
		{"and nobody renews it for three days more", day(17, 6, 0), day(20, 9, 0), cert(1, expired), []string{"certificate:b"}, []due{alerted, reminded, reminded, over}},
		{"a network fails, and 36 endpoints cannot be reached", day(21, 11, 0), day(21, 12, 25), storm, []string{"endpoint:s[0-9][0-9] reach"}, once},
		{"a deploy puts a stale certificate on the listener of 38 endpoints", day(22, 10, 0), day(22, 12, 0), drifting, []string{"listener:arn:443"}, once},
		{"and again, for 20 minutes; a probe sees it first", day(25, 10, 5), day(25, 10, 25), drifting, []string{"mismatch:aa"}, once},
		{"c's certificate expires, and c is given up", day(28, 6, 0), day(28, 18, 0), cert(2, expired), []string{"certificate:c"}, once},
	}
}

// A month of rounds every five minutes, with blips, a deploy a day that shows for a round, duplicate events, a pause
// of two hours and a day without leave to read listeners: what happened, beside what was sent for it. The file
// testdata/month.txt is that table; its last line counts what was sent and should not have been, and the reverse.
func TestAMonth(t *testing.T) {
	script := month()
	sent, rounds := play(t, script)
	table := tabulate(script, sent, rounds)
	if table.noise != 0 || table.misses != 0 {
		t.Errorf("noise %d, misses %d, want none", table.noise, table.misses)
	}
	file := filepath.Join("testdata", "month.txt")
	if *update {
		if err := os.WriteFile(file, []byte(table.text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), table.text); diff != "" {
		t.Errorf("%s (-want +got):\n%s", file, diff)
	}
}

// play runs the month's rounds and returns the messages that went out.
func play(t *testing.T, script []happening) (sent []Notice, rounds int) {
	w := &world{sites: []site{{name: "a", balance: true}, {name: "b", balance: true}, {name: "c"}}}
	for i := range stormSites {
		w.sites = append(w.sites, site{name: fmt.Sprintf("s%02d", i+1), balance: true})
	}
	p := policy.DefaultAlerting()
	p.Silences = []policy.Silence{{Endpoint: "c", Reason: "weekly maintenance", Weekly: &policy.Weekly{
		Days: []time.Weekday{time.Sunday}, Start: 3 * time.Hour, Length: time.Hour,
	}}}
	tb, random := newTable(), rand.New(rand.NewPCG(1, 2))
	for now := day(1, 0, 0); now.Before(day(31, 0, 0)); now = now.Add(5 * time.Minute) {
		w.follow(script, now)
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
			at := now.Add(time.Duration(random.IntN(3)) * time.Second)
			won := tb.run(t, Input{Policy: p, Findings: fs, Coverage: c, Now: at}, lives)
			sent = append(sent, Bundle(p, won)...)
		}
		undo()
	}
	return sent, rounds
}

// follow lets happen what the script has for now.
func (w *world) follow(script []happening, now time.Time) {
	for _, h := range script {
		if now.Equal(h.to) {
			h.set(w, false)
		}
	}
	for _, h := range script {
		if now.Equal(h.from) {
			h.set(w, true)
		}
	}
	w.sites[2].removed = !now.Before(day(28, 18, 0))
}

// blip breaks something for one round: a lost packet now and then, and the daily deploy. While c's roll-out has stopped
// halfway, every third round finds only the addresses that are well.
func (w *world) blip(random *rand.Rand, now time.Time) (undo func()) {
	before := append([]site(nil), w.sites...)
	if random.IntN(60) == 0 && now.Minute()%10 == 5 {
		w.sites[random.IntN(3)].timeout = true
	}
	if now.Hour() == 16 && now.Minute() == 5 {
		w.sites[0].status = true
	}
	if now.Minute()%15 == 5 {
		w.sites[2].half = false
	}
	return func() { w.sites = before }
}
