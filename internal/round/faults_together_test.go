package round_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"certdrift/internal/config"
	"certdrift/internal/finding"
	"certdrift/internal/incident"
	"certdrift/internal/policy"
	"certdrift/internal/round"
	"certdrift/internal/sim/account"
)

// faultyStore is a table that may be unreadable, unwritable, slow, or never first.
type faultyStore struct {
	*round.Memory
	mode string
}

func (s *faultyStore) fault(ctx context.Context, what string) error {
	switch s.mode {
	case what + " fails":
		return errors.New("the table is gone")
	case what + " hangs":
		<-ctx.Done()
		return ctx.Err()
	case "slow":
		time.Sleep(time.Second)
	}
	return nil
}

func (s *faultyStore) Load(ctx context.Context) (incident.State, error) {
	if err := s.fault(ctx, "load"); err != nil {
		return incident.State{}, err
	}
	return s.Memory.Load(ctx)
}

func (s *faultyStore) SaveIncident(ctx context.Context, r incident.Record) (bool, error) {
	if err := s.fault(ctx, "save"); err != nil || s.mode == "another is first" {
		return false, err
	}
	ok, err := s.Memory.SaveIncident(ctx, r)
	if s.mode == "the answer is lost" {
		return false, errors.New("connection reset by peer")
	}
	return ok, err
}

func (s *faultyStore) SaveCounter(ctx context.Context, c incident.Counter) (bool, error) {
	if err := s.fault(ctx, "save"); err != nil {
		return false, err
	}
	return s.Memory.SaveCounter(ctx, c)
}

// tableModes are what the table is like; it is well in some rounds.
var tableModes = []string{"", "", "", "load fails", "load hangs", "save fails", "save hangs", "slow", "another is first", "the answer is lost"}

// TestFaultsTogether runs rounds in which the table, the topic, the clock, AWS and the probes fail at random, while silences and
// thresholds come and go. As long as a fault lasts, nobody is notified that it was resolved; once the faults are over somebody knows of it;
// and once it is fixed and the faults are over, everybody who was notified about it is notified of that.
func TestFaultsTogether(t *testing.T) {
	for seed := range uint64(3) {
		if seed > 0 && round.Raced > 1 {
			continue
		}
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				n := newNight(t, seed)
				for range 3 * int(seed%2) { // or everything begins with faults
					n.round(false)
				}
				n.rounds(20, true)
				n.rounds(5, false)
				n.expect(true)
				n.fix()
				n.rounds(10, true)
				n.rounds(8, false)
				n.expect(false)
				if t.Failed() {
					t.Log(strings.Join(n.log, "\n"))
				}
			})
		})
	}
}

// night is a run of rounds with faults.
type night struct {
	*play
	random   *rand.Rand
	store    *faultyStore
	silences []policy.Silence
	lenient  bool // another threshold
	fixed    bool
	told     map[string]string // the environment of each incident that people know of, by key
	log      []string
}

func newNight(t *testing.T, seed uint64) *night {
	n := &night{random: rand.New(rand.NewPCG(seed, 11)), store: &faultyStore{Memory: round.NewMemory()}, told: map[string]string{}}
	all := slices.DeleteFunc(slices.Concat(served(t), attached(), drifting()), func(s scenario) bool { return s.global })
	n.random.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	n.play = newPlay(t, all[:8])
	n.w.dates = true
	n.w.site("sound", "first") // two hosts whose clocks are right
	n.w.site("sound", "second")
	n.w.runner.Publisher.Store = n.store
	n.w.adjust = func(c *config.Config) {
		if c.Incidents.Silences = n.silences; n.lenient {
			c.Policy.ExpiryCritical = policy.Threshold{Duration: 24 * time.Hour}
		}
	}
	return n
}

// faults begins what is wrong in a round, and returns it in words, with what it is like for probes.
func (n *night) faults() (what, like string) {
	n.store.mode = tableModes[n.random.IntN(len(tableModes))]
	words := []string{n.store.mode}
	if n.random.IntN(2) == 0 {
		blackouts := slices.Concat(probeBlackouts(), awsBlackouts())
		b := blackouts[n.random.IntN(len(blackouts))]
		ph := b.phases[n.random.IntN(len(b.phases))]
		ph.begin(n.w)
		words, like = append(words, ph.name), b.probes(ph)
	}
	switch n.random.IntN(5) {
	case 0:
		n.w.account.Deny("sns:Publish")
		words = append(words, "the topic refuses")
	case 1:
		n.w.account.Inject(account.Failure{Operation: "sns:Publish", Delay: time.Hour})
		words = append(words, "the topic hangs")
	}
	if n.random.IntN(6) == 0 {
		n.w.offset = []time.Duration{time.Hour, -time.Hour, 49 * time.Hour, -49 * time.Hour}[n.random.IntN(4)]
		words = append(words, "the clock is off by "+n.w.offset.String())
	}
	switch n.random.IntN(6) {
	case 0:
		of := n.scenarios[n.random.IntN(len(n.scenarios))].environment()
		n.silences = []policy.Silence{{Environment: of, Until: time.Now().Add(time.Duration(n.random.IntN(5)) * time.Minute), Reason: "work"}}
		words = append(words, "silence of "+of)
	case 1:
		n.silences = nil
	case 2:
		n.lenient = !n.lenient
		words = append(words, fmt.Sprint("another threshold: ", n.lenient))
	}
	return strings.Join(words, ", "), like
}

func (n *night) rounds(count int, failing bool) {
	for range count {
		n.round(failing)
	}
}

func (n *night) round(failing bool) {
	n.store.mode, n.w.offset = "", 0
	what, like := "well", ""
	if failing {
		what, like = n.faults()
	} else {
		n.silences, n.lenient = nil, false
	}
	n.w.like = fmt.Sprint(like, n.w.offset, n.fixed)
	synctest.Wait()
	n.w.round()
	synctest.Wait()
	n.w.heal()
	n.log = append(n.log, what)
	for _, notice := range n.w.heard {
		n.hear(notice)
	}
}

// hear notes what people are notified about. Codes of one group take each other's place in an incident, so that the incident counts: it is about a
// scenario as soon as it was reported with its code.
func (n *night) hear(notice incident.Notice) {
	key := notice.Record.Key
	n.log = append(n.log, fmt.Sprintf("\t%s: %s %s, downgraded %v, %v", key, notice.Event, notice.Severity, notice.Downgraded, codes(notice)))
	if notice.Event == incident.Opened || notice.Event == incident.Reminder {
		for _, s := range n.scenarios {
			if notice.Record.Environment == s.environment() && slices.Contains(codes(notice), s.code) {
				n.told[key] = s.environment()
			}
		}
	}
	if notice.Event != incident.Recovered || notice.Downgraded {
		return
	}
	if environment, told := n.told[key]; told && !n.fixed {
		n.t.Errorf("%s: recovered, and nobody fixed it (removed %v)", environment, notice.Removed)
	}
	delete(n.told, key)
}

// codes are those of a notice, and of the incident that it is about.
func codes(n incident.Notice) []finding.Code {
	var out []finding.Code
	for _, f := range n.Findings {
		out = append(out, f.Code)
	}
	for _, p := range n.Record.Parts {
		out = append(out, p.Code)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func (n *night) fix() {
	for _, fix := range n.fixes {
		fix()
	}
	n.fixed = true
}

// expect holds that people know of every fault, or of none.
func (n *night) expect(known bool) {
	state, err := n.store.Memory.Load(n.t.Context())
	if err != nil {
		n.t.Fatal(err)
	}
	for _, s := range n.scenarios {
		if open := n.w.knows(s.environment(), s.code); open != known {
			n.t.Errorf("%s: it is open and was reported: %v, want %v; the round found %v", s.environment(), open, known, n.w.foundIn(s.environment()))
		}
		told := slices.Contains(slices.Collect(maps.Values(n.told)), s.environment())
		if known && !told {
			n.t.Errorf("%s: nobody was notified", s.environment())
			for _, r := range state.Incidents {
				if r.Environment == s.environment() {
					n.t.Logf("%+v", r)
				}
			}
		}
	}
	for _, r := range state.Incidents {
		if environment, told := n.told[r.Key]; told && !known && r.Ended != incident.EndMerged {
			n.t.Errorf("%s: nobody was notified that it is over: %+v", environment, r)
		}
	}
}
