package incident

import (
	"encoding/json"
	"maps"
	"slices"
	"testing"
	"time"

	"certdrift/internal/finding"
	"certdrift/internal/policy"

	"pgregory.net/rapid"
)

// anyRecord is an item that somebody edited, or that another version wrote: any values in any field.
func anyRecord(t *rapid.T, key string) Record {
	when := rapid.SampledFrom([]time.Time{{}, at(0), at(-60), at(60), at(0).AddDate(-40, 0, 0), at(0).AddDate(70, 0, 0)})
	number := rapid.SampledFrom([]int{0, 1, 2, 7, -1, 1 << 30})
	severity := rapid.SampledFrom([]finding.Severity{finding.None, finding.Info, finding.Warning, finding.Critical})
	code := rapid.SampledFrom([]finding.Code{finding.CertExpired, finding.ConnectRefused, finding.DriftAttached, finding.AlertPathBroken, "code-of-the-future", ""})
	name := rapid.SampledFrom([]string{"api", "ui", ""})
	r := Record{
		Key: key, Version: 3, Environment: rapid.SampledFrom([]string{"production", "", "other"}).Draw(t, "environment"),
		Cause: rapid.SampledFrom([]string{"certificate:aa", ""}).Draw(t, "cause"), First: when.Draw(t, "first"), Opened: when.Draw(t, "opened"),
		LastSeen: when.Draw(t, "seen"), Closed: when.Draw(t, "closed"), Severity: severity.Draw(t, "severity"), Notified: severity.Draw(t, "notified"),
		Ended:        rapid.SampledFrom([]Ending{"", EndRecovered, EndMerged, "ending-of-the-future"}).Draw(t, "ended"),
		LastNotified: when.Draw(t, "last"), Reminders: max(0, number.Draw(t, "reminders")), Code: code.Draw(t, "code"),
		AffectsCount: number.Draw(t, "affects"), Overflow: max(0, number.Draw(t, "overflow")), OverflowClean: number.Draw(t, "clean"),
		Confirmations: number.Draw(t, "confirmations"), Counted: when.Draw(t, "counted"), Flaps: number.Draw(t, "flaps"),
	}
	for range rapid.IntRange(0, 3).Draw(t, "parts") {
		r.Parts = append(r.Parts, Part{
			Code: code.Draw(t, "part"), Severity: severity.Draw(t, "of part"), Endpoint: name.Draw(t, "endpoint"), Seen: number.Draw(t, "seen"),
			Clean: number.Draw(t, "clean"), Confirmed: rapid.Bool().Draw(t, "confirmed"), Refused: rapid.Bool().Draw(t, "refused"),
		})
	}
	if rapid.Bool().Draw(t, "claimed") {
		r.Claim = &Claim{Event: rapid.SampledFrom([]Event{Opened, Recovered, "event-of-the-future"}).Draw(t, "event"), Until: when.Draw(t, "until")}
	}
	return r
}

// Whatever the table holds, nothing panics, and an expired certificate is reported before long.
func TestNoItemSilencesWhatIsCritical(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := full([]string{"api", "ui"})
		fs := []finding.Finding{found(finding.CertExpired, finding.Critical, "api", "certificate:aa")}
		records := map[string]Record{}
		for _, key := range []string{"production certificate:aa", "production other", "- third"} {
			if rapid.Bool().Draw(t, key) {
				records[key] = anyRecord(t, key)
			}
		}
		heard := false
		for round := range 40 {
			now := at(round)
			if round > 10 {
				now = at(10).Add(time.Duration(round-10) * 12 * time.Hour)
			}
			in := Input{Policy: policy.DefaultAlerting(), Findings: fs, Coverage: c, Now: now}
			for _, key := range slices.Sorted(maps.Keys(records)) {
				in.Records = append(in.Records, records[key])
			}
			changed, notices := Advance(in)
			for _, r := range changed {
				if text, err := json.Marshal(r); err != nil || len(text) > 390<<10 {
					t.Fatalf("a record that cannot be written: %v", err)
				}
				r.Version++
				records[r.Key] = r
			}
			for _, n := range notices {
				for _, f := range n.Findings {
					heard = heard || n.Event != Recovered && f.Code == finding.CertExpired && f.Endpoint == "api"
				}
				records[n.Record.Key] = Sent(records[n.Record.Key], n, now)
			}
		}
		if !heard {
			t.Fatalf("nobody was notified for two weeks: %+v", records)
		}
	})
}
