package policy

import (
	"testing"
	"time"
)

func TestSilenceActive(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	nights := &Weekly{Days: []time.Weekday{time.Saturday}, Start: 22 * time.Hour, Length: 4 * time.Hour, Location: berlin}
	local := func(month time.Month, day, hour, minute int) time.Time {
		return time.Date(2026, month, day, hour, minute, 0, 0, berlin)
	}
	window := func(day time.Weekday, start, length time.Duration) *Weekly {
		return &Weekly{Days: []time.Weekday{day}, Start: start, Length: length, Location: berlin}
	}
	early, small := window(time.Sunday, 2*time.Hour, 2*time.Hour), window(time.Sunday, time.Hour, 3*time.Hour)
	gap, week := window(time.Sunday, 2*time.Hour+15*time.Minute, 30*time.Minute), window(time.Saturday, 8*time.Hour, 48*time.Hour)
	for name, c := range map[string]struct {
		silence Silence
		now     time.Time
		until   time.Time // zero: does not hold
	}{
		"once, before its end":     {Silence{Until: at(10)}, at(9), at(10)},
		"once, at its end":         {Silence{Until: at(10)}, at(10), time.Time{}},
		"before it begins":         {Silence{From: at(5), Until: at(10)}, at(4), time.Time{}},
		"without an end":           {Silence{}, at(0), time.Time{}},
		"weekly, before":           {Silence{Weekly: nights}, local(11, 7, 21, 59), time.Time{}},
		"weekly, begun":            {Silence{Weekly: nights}, local(11, 7, 22, 0), local(11, 8, 2, 0)},
		"weekly, past midnight":    {Silence{Weekly: nights}, local(11, 8, 1, 59), local(11, 8, 2, 0)},
		"weekly, over":             {Silence{Weekly: nights}, local(11, 8, 2, 0), time.Time{}},
		"weekly, the next evening": {Silence{Weekly: nights}, local(11, 8, 23, 0), time.Time{}},
		// On 25 October 2026 the clocks go back at 3:00: the window ends at the first 2:00, which is summer time.
		"the clocks go back":                   {Silence{Weekly: nights}, local(10, 24, 23, 0), local(10, 24, 22, 0).Add(4 * time.Hour)},
		"two hours, the clocks go back within": {Silence{Weekly: early}, local(10, 25, 3, 59), local(10, 25, 4, 0)},
		"and are over by the clock":            {Silence{Weekly: early}, local(10, 25, 4, 0), time.Time{}},
		"the clocks go forward within":         {Silence{Weekly: small}, local(3, 29, 3, 59), local(3, 29, 4, 0)},
		"and it ends by the clock":             {Silence{Weekly: small}, local(3, 29, 4, 0), time.Time{}},
		"all of it falls into the gap":         {Silence{Weekly: gap}, local(3, 29, 3, 20), local(3, 29, 3, 45)},
		"days long, the clocks go back within": {Silence{Weekly: week}, local(10, 26, 7, 59), local(10, 26, 8, 0)},
		"the weekly one runs out":              {Silence{Weekly: nights, Until: local(11, 7, 23, 0)}, local(11, 7, 22, 30), local(11, 7, 23, 0)},
		"every day, for a day":                 {Silence{Weekly: &Weekly{Length: 24 * time.Hour}}, at(0), start.Truncate(24 * time.Hour).Add(24 * time.Hour)},
	} {
		t.Run(name, func(t *testing.T) {
			until, ok := c.silence.Active(c.now)
			if ok == c.until.IsZero() || ok && !until.Equal(c.until) {
				t.Errorf("holds %v until %v, want %v", ok, until, c.until)
			}
		})
	}
}

func TestSilenceMatches(t *testing.T) {
	for _, c := range []struct {
		silence Silence
		want    bool
	}{
		{Silence{}, true},
		{Silence{Environment: "staging"}, false},
		{Silence{Environment: "prod*", Endpoint: "a?i", Code: "http-*"}, true},
		{Silence{Code: "cert-*"}, false},
		{Silence{Code: "[http"}, false}, // malformed: silences nothing
	} {
		if got := c.silence.Matches("production", "api", "http-slow"); got != c.want {
			t.Errorf("%+v Matches: %v", c.silence, got)
		}
	}
}

func TestSilenceMatchesNamesWithSlashes(t *testing.T) {
	for pattern, want := range map[string]bool{"*": true, "api*": true, "api/v?": true, "api?v1": true, "api/*": true, "*/v1": true, "api": false, "*/v2": false, "api/": false} {
		if got := (Silence{Endpoint: pattern}).Matches("production", "api/v1", "http-slow"); got != want {
			t.Errorf("%q Matches api/v1: %v", pattern, got)
		}
	}
}

func TestRemindersGrowAndStop(t *testing.T) {
	p := Alerting{Remind: 24 * time.Hour}
	for n, want := range []time.Duration{24, 48, 96, 168, 168} {
		if got := p.RemindAfter(n); got != want*time.Hour {
			t.Errorf("reminder %d after %v", n, got)
		}
	}
	if got := (Alerting{Remind: 30 * 24 * time.Hour}).RemindAfter(3); got != 30*24*time.Hour {
		t.Errorf("a distance of a month became %v", got)
	}
}

var start = time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC) // a Monday

// at is minutes after start.
func at(minutes int) time.Time { return start.Add(time.Duration(minutes) * time.Minute) }
