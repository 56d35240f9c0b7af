package incident

import (
	"encoding/json"
	"flag"
	"testing"
	"time"

	"certdrift/internal/finding"
	"certdrift/internal/policy"

	"pgregory.net/rapid"
)

// The property tests run few sequences by default. Run more with "go test ./internal/incident -rapid.checks=1000".
func init() {
	if err := flag.Set("rapid.checks", "30"); err != nil {
		panic(err)
	}
}

// crowd is what people know from the notices that reached them.
type crowd struct {
	t    *rapid.T
	told map[string]finding.Severity
	// coming: everything critical in the last notice was still to come.
	coming map[string]bool
	// doubt: a round died while handling this incident, so its notice may be repeated or taken back.
	doubt map[string]bool
}

func (c *crowd) hear(n Notice, l *looks, p policy.Alerting) {
	key := n.Record.Key
	switch n.Event {
	case Opened:
		come := c.coming[key] && !onlyComing(n)
		if c.told[key] >= n.Severity && !n.Repetition && !come {
			c.t.Fatalf("%q was already reported as %s", key, c.told[key])
		}
		c.told[key], c.coming[key] = n.Severity, onlyComing(n)
	case Reminder:
		if c.told[key] == finding.None && !n.Repetition {
			c.t.Fatalf("a reminder of %q, which was never reported", key)
		}
		if n.Severity >= c.told[key] {
			c.coming[key] = onlyComing(n)
		}
	case Recovered:
		if n.Undelivered && c.told[key] >= n.Severity {
			c.t.Fatalf("%q was reported as %s, and its recovery says that nobody was notified", key, c.told[key])
		}
		if c.told[key] == finding.None && !c.doubt[key] && !n.Undelivered {
			c.t.Fatalf("%q recovered, and its opening was never reported", key)
		}
		c.told[key] = n.Remaining
		if !n.Downgraded && !n.Removed {
			c.proven(n, l, p)
		}
	}
	delete(c.doubt, key)
}

// onlyComing reports whether certificates that end soon are all that is critical: in this round, and in earlier
// rounds that nobody was notified about.
func onlyComing(n Notice) bool {
	coming := func(code finding.Code, s finding.Severity) bool {
		return s < finding.Critical || code == finding.CertExpiring
	}
	return all(n.Findings, func(f finding.Finding) bool { return coming(f.Code, f.Severity) }) &&
		all(n.Record.Parts, func(p Part) bool { return !p.Confirmed || coming(p.Code, p.Severity) })
}

// proven compares a recovery with what was really checked.
func (c *crowd) proven(n Notice, l *looks, p policy.Alerting) {
	for _, f := range n.Record.Findings {
		s := spotOf(f)
		if l.clean[s] < p.Recover {
			c.t.Fatalf("%q recovered, though %v was looked for in vain only %d times", n.Record.Key, s, l.clean[s])
		}
	}
}

// No sequence of rounds loses an open critical, alerts twice for the same state, or recovers without evidence.
func TestNoSequenceOfRoundsLosesRepeatsOrInvents(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := &world{sites: []site{{name: "a", balance: true}, {name: "b", balance: true}, {name: "c"}}}
		p := policy.DefaultAlerting()
		p.Recover = rapid.IntRange(1, 3).Draw(t, "recover")
		p.Confirm = rapid.IntRange(1, 3).Draw(t, "confirm")
		tb, people, seen := newTable(), &crowd{t: t, told: map[string]finding.Severity{}, coming: map[string]bool{}, doubt: map[string]bool{}}, newLooks()
		now := start
		for range rapid.IntRange(1, 40).Draw(t, "rounds") {
			w.happen(t)
			steps := []time.Duration{2 * time.Second, time.Minute, time.Minute, time.Minute, 7 * time.Minute, 30 * time.Hour}
			now = now.Add(rapid.SampledFrom(steps).Draw(t, "later"))
			v := view(rapid.IntRange(0, 2).Draw(t, "view"))
			end := rapid.SampledFrom([]fate{lives, lives, lives, lives, crashes, crashesOut, fails}).Draw(t, "fate")
			fs, c := w.look(v)
			seen.note(w, v, fs, now, p.Apart)
			for _, n := range tb.run(t, Input{Policy: p, Findings: fs, Coverage: c, Now: now}, end) {
				people.hear(n, seen, p)
			}
			for _, r := range tb.load(t) {
				people.doubt[r.Key] = people.doubt[r.Key] || r.Claim != nil
			}
			if end == lives {
				nothingLost(t, tb, fs, now)
			}
		}
	})
}

// nothingLost: whatever certain and critical a round saw is open, and people know, or another round has claimed to tell.
func nothingLost(t *rapid.T, tb *table, fs []finding.Finding, now time.Time) {
	records := tb.load(t)
	for _, f := range fs {
		if f.Severity != finding.Critical || !certain(f.Code) {
			continue
		}
		known := false
		for _, r := range records {
			if !r.Open() || r.Severity != finding.Critical {
				continue
			}
			telling := r.Claim != nil && now.Before(r.Claim.Until)
			for _, part := range r.Parts {
				if part.Code == f.Code && part.Endpoint == f.Endpoint && part.Listener == f.Listener {
					known = known || telling || r.Notified == finding.Critical && (!r.Predicted || f.Code == finding.CertExpiring)
				}
			}
		}
		if !known {
			t.Fatalf("%s at %q is critical, and nobody knows", f.Code, f.Endpoint)
		}
	}
}

// happen changes the world a little.
func (w *world) happen(t *rapid.T) {
	s := &w.sites[rapid.IntRange(0, len(w.sites)-1).Draw(t, "site")]
	switch rapid.IntRange(0, 8).Draw(t, "what") {
	case 0:
		s.cert = rapid.SampledFrom([]wear{fresh, ageing, dying, expired}).Draw(t, "cert")
	case 1:
		s.status = !s.status
	case 2:
		s.timeout = !s.timeout
	case 3:
		w.drift = !w.drift
	case 4:
		s.half = !s.half
	case 5:
		s.removed = !s.removed && rapid.Bool().Draw(t, "removed")
	}
}

// Advance does not touch what it is given, and gives the same twice.
func TestAdvanceIsPure(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := &world{sites: []site{{name: "a", balance: true}, {name: "b"}}}
		tb, now := newTable(), start
		for range rapid.IntRange(1, 10).Draw(t, "rounds") {
			w.happen(t)
			now = now.Add(time.Minute)
			fs, c := w.look(view(rapid.IntRange(0, 2).Draw(t, "view")))
			in := Input{Policy: policy.DefaultAlerting(), Records: tb.load(t), Findings: fs, Coverage: c, Now: now}
			before := asJSON(t, in.Records)
			changed, notices := Advance(in)
			again, noticesAgain := Advance(in)
			if asJSON(t, changed) != asJSON(t, again) || asJSON(t, notices) != asJSON(t, noticesAgain) {
				t.Fatal("the same input gave two answers")
			}
			if asJSON(t, in.Records) != before {
				t.Fatal("the records changed under way")
			}
			tb.run(t, in, lives)
		}
	})
}

func asJSON(t *rapid.T, v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
