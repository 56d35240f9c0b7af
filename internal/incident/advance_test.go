package incident

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"certdrift/internal/finding"
	"certdrift/internal/policy"

	"github.com/google/go-cmp/cmp"
)

// script runs rounds a minute apart against one table and holds every round's events against what is wanted.
type script struct {
	t      *testing.T
	table  *table
	policy policy.Alerting
	minute int
}

func newScript(t *testing.T) *script {
	return &script{t: t, table: newTable(), policy: policy.DefaultAlerting()}
}

func (s *script) round(c Coverage, fs []finding.Finding, want ...Event) []Notice {
	s.t.Helper()
	got := s.table.run(s.t, Input{Policy: s.policy, Findings: fs, Coverage: c, Now: at(s.minute)}, lives)
	if diff := cmp.Diff(want, events(got)); diff != "" {
		s.t.Fatalf("minute %d: events (-want +got):\n%s", s.minute, diff)
	}
	s.minute++
	return got
}

func TestOneCauseIsOneAlert(t *testing.T) {
	s := newScript(t)
	var names []string
	var fs []finding.Finding
	for i := range 40 {
		names = append(names, fmt.Sprintf("e%02d", i))
		fs = append(fs, found(finding.CertNameMismatch, finding.Critical, names[i], "certificate:aa"))
	}
	c := full(names)
	got := s.round(c, fs[:30], Opened)
	if got[0].Record.AffectsCount != 30 || len(got[0].Findings) != 30 {
		t.Errorf("affects %d, findings %d, want 30", got[0].Record.AffectsCount, len(got[0].Findings))
	}
	for range 10 {
		s.round(c, fs) // it grows
	}
	s.minute--
	s.round(c, fs) // a duplicate event
	s.round(c, fs[:5])
	s.round(c, fs[:5])
	s.round(c, nil)
	s.round(c, nil, Recovered)
	s.round(c, nil)
}

func TestConfirmation(t *testing.T) {
	c := full([]string{"api"})
	timeout := []finding.Finding{found(finding.ConnectTimeout, finding.Critical, "api", "")}
	refused := []finding.Finding{found(finding.ConnectRefused, finding.Critical, "api", "")}
	t.Run("a blip is nothing", func(t *testing.T) {
		s := newScript(t)
		for range 5 {
			s.round(c, timeout)
			s.round(c, nil)
		}
	})
	t.Run("an outage that changes its face", func(t *testing.T) {
		s := newScript(t)
		s.round(c, timeout)
		s.round(c, refused, Opened)
		s.round(c, timeout)
	})
	t.Run("a duplicate event confirms nothing", func(t *testing.T) {
		s := newScript(t)
		s.round(c, timeout)
		s.minute--
		s.round(c, timeout)
		s.round(c, timeout, Opened)
	})
	t.Run("a blip of something worse", func(t *testing.T) {
		s := newScript(t)
		slow := []finding.Finding{found(finding.HTTPSlow, finding.Warning, "api", "")}
		status := []finding.Finding{found(finding.HTTPStatus, finding.Critical, "api", "")}
		s.round(c, slow)
		s.round(c, slow, Opened)
		s.round(c, status)
		s.round(c, slow)
		s.round(c, slow)
		s.round(c, status)
		got := s.round(c, status, Opened)
		if got[0].Before != finding.Warning || got[0].Severity != finding.Critical {
			t.Errorf("before %v, severity %v", got[0].Before, got[0].Severity)
		}
		s.round(c, slow)
		got = s.round(c, slow, Recovered)
		if !got[0].Downgraded || got[0].Remaining != finding.Warning || !got[0].Record.Open() {
			t.Errorf("the critical part is resolved, the warning remains: %+v", got[0])
		}
	})
	t.Run("info never opens", func(t *testing.T) {
		s := newScript(t)
		s.round(c, []finding.Finding{found(finding.ListenerPlaintext, finding.Info, "api", "")})
		if n := len(s.table.load(t)); n != 0 {
			t.Errorf("%d records", n)
		}
	})
}

func TestNothingRecoversWithoutEvidence(t *testing.T) {
	expired := []finding.Finding{found(finding.CertExpired, finding.Critical, "api", "certificate:aa")}
	refused := []finding.Finding{found(finding.ConnectRefused, finding.Critical, "api", "")}
	whole := full([]string{"api", "ui"})
	down := full([]string{"api", "ui"})
	down.Endpoints["production/api"] = Asked
	narrowed := Coverage{Configured: whole.Configured, Endpoints: map[string]Depth{"production/ui": Whole}}
	s := newScript(t)
	s.round(whole, expired, Opened)
	for range 4 {
		s.round(narrowed, nil)
	}
	s.round(down, refused)
	s.round(down, refused, Opened) // that it cannot be reached says nothing of its certificate
	for range 4 {
		s.round(down, refused)
	}
	s.round(whole, nil)
	s.round(whole, nil, Recovered, Recovered)
}

func TestRemovedFromTheConfiguration(t *testing.T) {
	s := newScript(t)
	fs := []finding.Finding{found(finding.CertExpired, finding.Critical, "api", "certificate:aa")}
	s.round(full([]string{"api", "ui"}), fs, Opened)
	unread := full([]string{"ui"})
	unread.Configured = nil
	s.round(unread, nil)
	got := s.round(full([]string{"ui"}), nil, Recovered)
	if !got[0].Removed {
		t.Error("the notice does not say that nothing proves a recovery")
	}
	if r := s.table.get(t, "production certificate:aa"); r.Ended != EndRemoved || r.Closed.IsZero() {
		t.Errorf("ended %q, closed %v", r.Ended, r.Closed)
	}
}

func drift(affects ...string) finding.Finding {
	f := found(finding.DriftAttached, finding.Critical, "", "listener:arn:443")
	f.Listener, f.Affects = "lb:443", affects
	f.Evidence = finding.Evidence{"region": "us-west-2", "account": "111122223333"}
	return f
}

func TestDriftAndItsMismatchesAreOne(t *testing.T) {
	both := full([]string{"api", "ui"}, "lb:443")
	probed := full([]string{"api", "ui"})
	probed.ListenersWhole, probed.Full = false, false
	mismatches := []finding.Finding{
		found(finding.CertNameMismatch, finding.Critical, "api", "certificate:aa"),
		found(finding.CertNameMismatch, finding.Critical, "ui", "certificate:aa"),
	}
	drifted := []finding.Finding{drift("production/api", "production/ui")}
	t.Run("the event comes first", func(t *testing.T) {
		s := newScript(t)
		s.round(both, drifted, Opened)
		s.round(probed, mismatches)
		s.round(both, drifted)
		for range 3 {
			s.round(probed, nil) // nobody read the listener
		}
		s.round(both, nil)
		s.round(both, nil, Recovered)
	})
	t.Run("the probe comes first", func(t *testing.T) {
		s := newScript(t)
		s.round(probed, mismatches, Opened)
		for range 3 {
			s.round(both, drifted)
			s.round(probed, mismatches)
		}
		r := s.table.get(t, "production certificate:aa")
		if r.Cause != "listener:arn:443" || r.Code != finding.DriftAttached {
			t.Errorf("cause %q, code %q: the drift explains the mismatch", r.Cause, r.Code)
		}
		s.round(both, nil)
		s.round(both, nil, Recovered)
	})
	t.Run("an expiry that the listener turns out to be behind", func(t *testing.T) {
		s := newScript(t)
		expired := []finding.Finding{found(finding.CertExpired, finding.Critical, "api", "certificate:aa")}
		s.round(probed, expired, Opened)
		behind := []finding.Finding{drifted[0], expired[0]}
		behind[1].Cause = behind[0].Cause
		for range 3 {
			s.round(both, behind)
			s.round(probed, expired)
		}
		s.round(both, nil)
		s.round(both, nil, Recovered)
	})
	t.Run("one certificate at many hosts", func(t *testing.T) {
		s := newScript(t)
		hosts := slices.Clone(mismatches)
		for i := range hosts {
			hosts[i].Cause = "host:" + hosts[i].Endpoint
			hosts[i].Subject.Certificate = "aa"
		}
		s.round(probed, hosts, Opened)
		s.round(both, drifted)
		s.round(probed, hosts)
		s.round(both, nil)
		s.round(both, nil, Recovered)
	})
	t.Run("a cause of their own each", func(t *testing.T) {
		s := newScript(t)
		loose := slices.Clone(mismatches)
		loose[0].Cause, loose[1].Cause = "", ""
		s.round(probed, loose, Opened, Opened)
		s.round(both, drifted)
		s.round(probed, loose)
		s.round(both, nil)
		s.round(both, nil, Recovered)
	})
}

func TestFlappingGrowsQuiet(t *testing.T) {
	s := newScript(t)
	c := full([]string{"api"})
	bad := []finding.Finding{found(finding.CertExpired, finding.Critical, "api", "certificate:aa")}
	total := 0
	for range 60 { // three bad, three clean, for six hours
		for i := range 6 {
			var fs []finding.Finding
			if i < 3 {
				fs = bad
			}
			total += len(s.table.run(t, Input{Policy: s.policy, Findings: fs, Coverage: c, Now: at(s.minute)}, lives))
			s.minute++
		}
	}
	if total > 4 {
		t.Errorf("%d notices of one thing that flaps, want at most 4", total)
	}
}

func TestReminders(t *testing.T) {
	s := newScript(t)
	c := full([]string{"api"})
	fs := []finding.Finding{found(finding.CertExpired, finding.Critical, "api", "certificate:aa")}
	var hours []int
	for hour := range 24 * 40 {
		s.minute = hour * 60
		if got := s.table.run(t, Input{Policy: s.policy, Findings: fs, Coverage: c, Now: at(s.minute)}, lives); len(got) > 0 {
			hours = append(hours, hour)
		}
	}
	if diff := cmp.Diff([]int{0, 24, 72, 168, 336, 504, 672, 840}, hours); diff != "" {
		t.Errorf("hours of the alert and its reminders (-want +got):\n%s", diff)
	}
}

func TestAcknowledged(t *testing.T) {
	s := newScript(t)
	c := full([]string{"api"})
	warning := []finding.Finding{found(finding.CertExpiring, finding.Warning, "api", "certificate:aa")}
	critical := []finding.Finding{found(finding.CertExpiring, finding.Critical, "api", "certificate:aa")}
	s.round(c, warning, Opened)
	r := s.table.get(t, "production certificate:aa")
	if _, err := s.table.save(t, Acknowledge(r, "ada", at(1), at(3*24*60))); err != nil {
		t.Fatal(err)
	}
	s.minute = 2 * 24 * 60
	s.round(c, warning)
	s.round(c, critical, Opened) // worse: told all the same
	s.minute = 3*24*60 + 1
	s.round(c, critical, Reminder)
}

func TestClosedByHandOpensAgainWhileBroken(t *testing.T) {
	s := newScript(t)
	c := full([]string{"api"})
	fs := []finding.Finding{found(finding.CertExpired, finding.Critical, "api", "certificate:aa")}
	s.round(c, fs, Opened)
	if _, err := s.table.save(t, Close(s.table.get(t, "production certificate:aa"), "ada", at(1))); err != nil {
		t.Fatal(err)
	}
	s.round(c, fs, Opened)
}

func TestSilence(t *testing.T) {
	c := full([]string{"api"})
	fs := []finding.Finding{found(finding.CertExpired, finding.Critical, "api", "certificate:aa")}
	s := newScript(t)
	s.policy.Silences = []policy.Silence{{Environment: "prod*", Code: "cert-*", Until: at(5), Reason: "moving house"}}
	for range 5 {
		s.round(c, fs)
	}
	r := s.table.get(t, "production certificate:aa")
	if !r.Open() || r.Silenced == nil || r.Silenced.Reason != "moving house" {
		t.Errorf("a silenced incident is not shown as one: %+v", r)
	}
	s.round(c, fs, Opened) // the silence is over, the incident is not

	t.Run("what ends before anybody is notified stays unreported", func(t *testing.T) {
		s := newScript(t)
		s.policy.Silences = []policy.Silence{{Until: at(50)}}
		s.round(c, fs)
		s.round(c, nil)
		s.round(c, nil)
		if r := s.table.get(t, "production certificate:aa"); r.Closed.IsZero() {
			t.Error("still open")
		}
	})
	t.Run("a silence of something else", func(t *testing.T) {
		s := newScript(t)
		s.policy.Silences = []policy.Silence{{Endpoint: "u*", Until: at(50)}, {Code: "http-*", Until: at(50)}}
		s.round(c, fs, Opened)
	})
}

func TestStateUnread(t *testing.T) {
	c := full([]string{"api"})
	fs := []finding.Finding{found(finding.HTTPStatus, finding.Critical, "api", "")}
	in := Input{Policy: policy.DefaultAlerting(), Findings: fs, Coverage: c, Now: at(0), StateUnread: true}
	changed, notices := Advance(in)
	if len(notices) != 1 || !notices[0].Repetition || notices[0].Record.Claim != nil {
		t.Fatalf("want one notice that says it may be a repetition: %+v", notices)
	}
	in.Records = []Record{Sent(changed[0], notices[0], at(0))}
	in.Now = at(1)
	if _, again := Advance(in); len(again) != 0 {
		t.Errorf("what the function remembers, it does not repeat: %v", events(again))
	}
}

func TestConcurrentRoundsAlertOnce(t *testing.T) {
	table := newTable()
	c := full([]string{"api", "ui"}, "lb:443")
	fs := []finding.Finding{
		found(finding.CertExpired, finding.Critical, "api", "certificate:aa"), drift("production/api", "production/ui"),
	}
	rounds := func(now time.Time, found []finding.Finding) (all []Notice) {
		var mu sync.Mutex
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				got := table.run(t, Input{Policy: policy.DefaultAlerting(), Findings: found, Coverage: c, Now: now, By: fmt.Sprint(i)}, lives)
				mu.Lock()
				defer mu.Unlock()
				all = append(all, got...)
			})
		}
		wg.Wait()
		return all
	}
	if got := rounds(at(0), fs); len(got) != 2 {
		t.Errorf("eight rounds at once sent %v, want two alerts", events(got))
	}
	if got := rounds(at(1), fs); len(got) != 0 {
		t.Errorf("eight more sent %v", events(got))
	}
	rounds(at(2), nil)
	if got := rounds(at(3), nil); len(got) != 2 {
		t.Errorf("eight rounds sent %v, want two recoveries", events(got))
	}
}

func TestACrashRepeatsAndNeverLoses(t *testing.T) {
	for _, end := range []fate{crashes, crashesOut, fails} {
		s := newScript(t)
		c := full([]string{"api"})
		fs := []finding.Finding{found(finding.CertExpired, finding.Critical, "api", "certificate:aa")}
		s.table.run(t, Input{Policy: s.policy, Findings: fs, Coverage: c, Now: at(0)}, end)
		s.minute = 1
		if end == fails {
			s.round(c, fs, Opened)
			continue
		}
		s.round(c, fs) // the claim holds
		s.minute = 6
		if got := s.round(c, fs, Opened); !got[0].Repetition {
			t.Error("the notice does not say that it may be a repetition")
		}
	}
}

func TestTakeSMS(t *testing.T) {
	p := policy.Alerting{SMSPerHour: 4}
	many := func(n int, severity finding.Severity) []finding.Severity {
		return slices.Repeat([]finding.Severity{severity}, n)
	}
	sent := func(allowed []bool) (n int) {
		for _, ok := range allowed {
			if ok {
				n++
			}
		}
		return n
	}
	var s State
	take := func(minute int, severities ...finding.Severity) int {
		c, allowed := TakeSMS(s, p, severities, at(minute))
		s.Counters = []Counter{c}
		return sent(allowed)
	}
	if n := take(0, append(many(1, finding.Critical), many(4, finding.Warning)...)...); n != 2 {
		t.Errorf("%d messages, want the critical one, and warnings up to half of the ceiling", n)
	}
	if n := take(1, many(5, finding.Critical)...); n != 2 {
		t.Errorf("%d more messages in the hour, want 2", n)
	}
	if c, ok := ReturnSMS(s, 3, at(2)); !ok || c.Used != 1 {
		t.Errorf("after 3 of 4 are returned, %+v, %v", c, ok)
	}
	if _, ok := ReturnSMS(s, 0, at(2)); ok {
		t.Error("nothing is returned, and yet there is something to write")
	}
	if n := take(60, many(5, finding.Critical)...); n != 4 {
		t.Errorf("%d messages in the next hour, want 4", n)
	}
	if _, allowed := TakeSMS(s, policy.Alerting{}, many(9, finding.Warning), at(61)); sent(allowed) != 9 {
		t.Error("messages are held back although there is no ceiling")
	}
}

func TestTakeDay(t *testing.T) {
	var s State
	for _, c := range []struct {
		function string
		hours    int
		want     bool
	}{{"probe", 0, true}, {"probe", 5, false}, {"inspect", 5, true}, {"probe", 16, true}, {"probe", 17, false}} {
		day, due := TakeDay(s, c.function, at(60*c.hours))
		if due != c.want {
			t.Errorf("%s after %d hours: due %v, want %v", c.function, c.hours, due, c.want)
		}
		s.Counters = append(slices.DeleteFunc(s.Counters, func(old Counter) bool { return old.Key == day.Key }), day)
	}
}

// TestAThreatThatHappensIsNews: people know that the next apply would break an endpoint. When it has, they are notified,
// although nothing got more severe. Once the listener is fixed, the manifest that is still out of date is reported again.
func TestAThreatThatHappensIsNews(t *testing.T) {
	both := full([]string{"api"}, "lb:443")
	stale := found(finding.DriftManifest, finding.Critical, "api", "manifest:k8s/api.yaml")
	applied := stale
	applied.Cause = "listener:arn:443"
	drifted := drift("production/api")
	s := newScript(t)
	s.round(both, []finding.Finding{stale}, Opened)
	s.round(both, []finding.Finding{stale})
	s.round(both, []finding.Finding{drifted, applied}, Opened)
	for range 3 {
		s.round(both, []finding.Finding{drifted, applied})
	}
	s.round(both, []finding.Finding{stale}, Opened)
	s.round(both, []finding.Finding{stale}, Recovered)
	s.round(both, nil)
	s.round(both, nil, Recovered)
}

// What was critical and could not be delivered is not forgotten because it is a warning by the time that it can be.
func TestWhatIsOwedOutlivesADowngrade(t *testing.T) {
	c := full([]string{"api"})
	critical := []finding.Finding{found(finding.CertExpiring, finding.Critical, "api", "certificate:aa")}
	warning := []finding.Finding{found(finding.CertExpiring, finding.Warning, "api", "certificate:aa")}
	unsent := func(s *script, fs []finding.Finding) {
		s.table.run(t, Input{Policy: s.policy, Findings: fs, Coverage: c, Now: at(s.minute)}, fails)
		s.minute++
	}

	t.Run("nobody was notified", func(t *testing.T) {
		s := newScript(t)
		for _, fs := range [][]finding.Finding{critical, warning, warning} {
			unsent(s, fs)
		}
		got := s.round(c, warning, Opened)
		if n := got[0]; n.Severity != finding.Warning || !n.Undelivered || n.Record.Owed != finding.Critical {
			t.Errorf("got %+v", n)
		}
		s.round(c, warning)
	})
	t.Run("people know of a warning", func(t *testing.T) {
		s := newScript(t)
		s.round(c, warning, Opened)
		for _, fs := range [][]finding.Finding{critical, warning, warning} {
			unsent(s, fs)
		}
		got := s.round(c, warning, Recovered)
		if n := got[0]; n.Severity != finding.Critical || !n.Downgraded || n.Remaining != finding.Warning || !n.Undelivered {
			t.Errorf("got %+v", n)
		}
		s.round(c, warning)
		s.round(c, nil)
		s.round(c, nil)
		s.round(c, nil)
		got = s.round(c, nil, Recovered) // a downgrade counts as a flap
		if n := got[0]; n.Severity != finding.Warning || n.Undelivered {
			t.Errorf("got %+v", n)
		}
	})
}
