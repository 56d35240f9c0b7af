package round

import (
	"context"
	"fmt"
	"testing"
	"time"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
)

// texting is a fixture with a ceiling of text messages and many endpoints that may fail.
func texting(t *testing.T, ceiling, endpoints int) *fixture {
	t.Helper()
	f := newFixture(t)
	f.request.Config.Incidents.SMSPerHour, f.request.Config.Incidents.StormAfter = ceiling, 0
	first := f.request.Config.Endpoints[0]
	f.request.Config.Endpoints = nil
	for i := range endpoints {
		e := first
		e.Name = fmt.Sprint("e", i)
		f.request.Config.Endpoints = append(f.request.Config.Endpoints, e)
		f.probes[e.Key()] = f.fit
	}
	return f
}

// apart puts every endpoint into an environment of its own: those that fail alike in one environment share a message.
func (f *fixture) apart() *fixture {
	for i := range f.request.Config.Endpoints {
		e := &f.request.Config.Endpoints[i]
		e.Environment = "env-" + e.Name
		f.probes[e.Key()] = f.fit
	}
	return f
}

// fail gives an endpoint other addresses.
func (f *fixture) fail(name string, addresses ...observation.Address) {
	for _, e := range f.request.Config.Endpoints {
		if e.Name == name {
			f.probes[e.Key()] = observation.Endpoint{Probed: true, DNS: f.fit.DNS, Addresses: addresses}
		}
	}
}

// texts counts the messages that a telephone would get, and those that were held, of a severity.
func (f *fixture) texts(severity finding.Severity) (sent, held int) {
	for _, m := range f.topic.sent {
		if m.Attributes["severity"] == severity.String() {
			if m.Attributes["sms"] == "send" {
				sent++
			} else {
				held++
			}
		}
	}
	return sent, held
}

// refusing is an address that takes no connection: critical, each endpoint for itself.
func refusing() observation.Address {
	return observation.Address{Address: "192.0.2.1:443", Failure: &observation.Failure{Phase: observation.PhaseConnect, Kind: observation.Refused}}
}

func TestTheCeilingOfTextMessages(t *testing.T) {
	f := texting(t, 4, 10).apart()
	for i := range 10 {
		f.fail(fmt.Sprint("e", i), refusing())
	}
	for range 3 {
		f.run(t)
		f.now = f.now.Add(time.Minute)
	}
	if sent, held := f.texts(finding.Critical); sent != 4 || held != 6 {
		t.Errorf("%d text messages were sent and %d held, want 4 and 6", sent, held)
	}
}

// The topic was down for an hour: what it did not take counts for nothing, and the first that it takes reaches the telephone.
func TestWhatWasNotSentCountsForNothing(t *testing.T) {
	f := texting(t, 4, 1)
	f.fail("e0", refusing())
	f.topic.down = true
	for range 30 {
		_, _ = f.runner.Run(context.Background(), f.request)
		f.now = f.now.Add(time.Minute)
	}
	f.topic.down = false
	f.run(t)
	if sent, held := f.texts(finding.Critical); sent != 1 || held != 0 {
		t.Errorf("%d text messages were sent and %d held, want the one", sent, held)
	}
}

// Warnings leave half of the hour's messages to what is critical.
func TestWarningsLeaveRoomForCriticals(t *testing.T) {
	f := texting(t, 4, 8).apart()
	for i := range 6 {
		slow := f.fit.Addresses[0]
		slow.Phases.FirstByte = time.Minute
		f.fail(fmt.Sprint("e", i), slow)
		f.request.Config.Endpoints[i].Expect.MaxLatency = time.Second
	}
	for range 3 {
		f.run(t)
		f.now = f.now.Add(time.Minute)
	}
	if sent, held := f.texts(finding.Warning); sent != 2 || held != 4 {
		t.Fatalf("%d warnings by text message and %d held, want 2 and 4", sent, held)
	}
	f.fail("e6", refusing())
	f.fail("e7", refusing())
	for range 3 {
		f.run(t)
		f.now = f.now.Add(time.Minute)
	}
	if sent, held := f.texts(finding.Critical); sent != 2 || held != 0 {
		t.Errorf("after many warnings %d criticals were sent and %d held", sent, held)
	}
}

// Without the table, the limit still applies: the process counts for itself. One endpoint after another fails, because
// those that fail together share one message while nothing can be written.
func TestADeadTableKeepsTheCeiling(t *testing.T) {
	for name, broken := range map[string]Store{"unreadable": brokenStore{}, "unwritable": readOnly{NewMemory()}} {
		f := texting(t, 4, 10)
		f.runner.Publisher.Store = broken
		f.request.Config.Incidents.StormAfter = 100
		for i := range 10 {
			f.fail(fmt.Sprint("e", i), refusing())
			for range 3 {
				_, _ = f.runner.Run(context.Background(), f.request)
				f.now = f.now.Add(time.Minute)
			}
		}
		if sent, held := f.texts(finding.Critical); sent > 4 || sent == 0 || held == 0 {
			t.Errorf("%s: %d text messages and %d held, want up to 4, and the others held", name, sent, held)
		}
	}
}
