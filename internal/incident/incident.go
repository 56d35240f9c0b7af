// Package incident turns findings into incidents: state, findings and now in; the next state and notices out. It is
// pure. One incident stands for one cause in one environment, not for one endpoint.
//
// # The life of an incident
//
// A finding of at least a warning becomes a Part of the incident of its cause. The incident opens at once where the
// finding is certain (an expired certificate, drift), and after Policy.Confirm consecutive rounds where it is of a kind
// that flaps (reachability, HTTP). While it is open, it grows and shrinks without a notice. It alerts again when it gets
// worse, when something predicted (an expiry) happens, and as time passes.
//
// A part ends only on evidence. Either Policy.Recover consecutive rounds checked its subject and did not find it, or its
// subject was removed from the configuration or the account. A round counts only if it observed everything that the
// finding rests on (see Coverage and Part.RestsOn): what could not be read is unknown, not resolved, and so is an address that was
// missing from an answer (Part.At). When the last part has ended, the incident is resolved.
//
// # The protocol
//
// Two functions may run at once, and EventBridge delivers events at least once. A round therefore:
//
//  1. loads all records and calls Advance;
//  2. writes each changed record on the condition that the stored Version is still the record's, which makes it
//     Version+1. A record that carries a notice carries a Claim too: whoever wrote it first is the one who sends. Where
//     the condition fails, the round loads again and calls Advance again with the same findings; it then sees the
//     other's claim and stays quiet;
//  3. bundles the notices whose records it wrote (Bundle) and sends them;
//  4. writes what Sent makes of each record, for each of Notice.Each; or what Released makes of it, where sending
//     failed. Where the condition fails, it loads the record and does so again.
//
// A crash between 2 and 4 leaves the claim to run out, when the round would have ended (Input.Ends), and the next one sends: an
// alert may be repeated, it is never lost. Until then, rounds that meet the claim of a critical notice fail (Record.Stalled). Where the state cannot be read (Input.StateUnread), or a claim not be written in time, the round sends all the same
// and says so. A notice is owed until the topic has taken it (Record.Owed), and a round that owes one fails.
//
// The state of the alert path itself shows by sending. What is wrong with it (see AboutPath) is therefore tracked after
// everything else has been sent, by the same steps.
package incident

import (
	"time"

	"certdrift/internal/finding"
	"certdrift/internal/policy"
)

// Event is what a notice reports. The words are a contract: filter policies match on them.
type Event string

// The events. An incident that got worse is reported as Opened, with Notice.Before set.
const (
	Opened    Event = "opened"
	Reminder  Event = "reminder"
	Recovered Event = "recovered"
)

// Ending is how an incident ended.
type Ending string

// The endings: checked and clean; its endpoint or listener is gone; a person closed it; it never opened; it turned out
// to be part of another incident.
const (
	EndRecovered   Ending = "recovered"
	EndRemoved     Ending = "removed"
	EndClosed      Ending = "closed"
	EndUnconfirmed Ending = "unconfirmed"
	EndMerged      Ending = "merged"
)

// Record is the state of one incident, one item in the store (see State). A record that is neither open nor closed is pending: its
// finding waits for confirmation.
type Record struct {
	// Key names the incident permanently: environment and cause. It is also the thread of its chat messages.
	Key string `json:"key"`
	// Version is what the store holds; 0 for a record that it does not hold yet. A write is conditional on it and
	// stores Version+1.
	Version int64 `json:"version"`
	// Environment is empty for what belongs to none: certdrift's own problems.
	Environment string `json:"environment,omitempty"`
	// Cause is the finding's, or endpoint and group where it has none. Causes are all that this incident has taken in.
	Cause  string   `json:"cause"`
	Causes []string `json:"causes,omitempty"`

	// First is when the problem was first seen, Opened when it was confirmed; Opened is zero while pending.
	First    time.Time `json:"first"`
	Opened   time.Time `json:"opened,omitzero"`
	LastSeen time.Time `json:"last_seen"`
	// Closed is zero while open.
	Closed time.Time `json:"closed,omitzero"`
	// Ended says how it ended; it is set as soon as that is known, Closed when people have been notified.
	Ended    Ending `json:"ended,omitempty"`
	ClosedBy string `json:"closed_by,omitempty"`

	// Severity is the worst of the confirmed parts. Notified is the severity in the last notice to people; None
	// before the first.
	Severity     finding.Severity `json:"severity"`
	Notified     finding.Severity `json:"notified"`
	LastNotified time.Time        `json:"last_notified,omitzero"`
	// Predicted: the worst that people were notified about had not happened yet.
	Predicted bool `json:"foretold,omitempty"`
	// Owed is the worst severity of a notice that the topic has not taken yet: people are notified even if the problem is gone
	// by the time that they can be. None where nothing is owed.
	Owed finding.Severity `json:"owed,omitempty"`
	// Reminders is how many reminders were sent since the incident opened or got worse.
	Reminders int `json:"reminders,omitempty"`

	// Code is the worst part's; Codes are all, worst first.
	Code  finding.Code   `json:"code"`
	Codes []finding.Code `json:"codes"`
	// Findings are the worst few as last seen; at most MaxFindings.
	Findings []finding.Finding `json:"findings"`
	// Affects are the endpoints (ENVIRONMENT/NAME) that suffer, sorted, at most MaxAffects and as many as fit an item;
	// AffectsCount counts all.
	Affects      []string `json:"affects,omitempty"`
	AffectsCount int      `json:"affects_count"`
	// Parts are what keeps the incident open, at most MaxParts; Overflow counts those beyond, OverflowClean the rounds in a
	// row that checked everything and found none of them.
	Parts         []Part `json:"parts"`
	Overflow      int    `json:"overflow,omitempty"`
	OverflowClean int    `json:"overflow_clean,omitempty"`

	// Confirmations are rounds in a row that saw the problem, counted up to Policy.Confirm; CleanRounds those that
	// did not see it.
	Confirmations int `json:"confirmations"`
	CleanRounds   int `json:"clean_rounds"`
	// Counted is when a round last counted for Confirmations or CleanRounds: rounds nearer to each other than
	// Policy.Apart count as one.
	Counted time.Time `json:"counted"`
	// Flaps is how often in a short while the incident came back after it had recovered. Each time it takes twice as
	// many clean rounds to recover.
	Flaps int `json:"flaps,omitempty"`

	// Claim says that a notice is being sent; nil when none is.
	Claim *Claim `json:"claim,omitempty"`
	// Unsure is a claim that ran out: its notice may have gone out, and was never recorded; nil for none.
	Unsure *Claim `json:"unsure,omitempty"`
	// Acknowledged is nil until somebody acknowledges the incident.
	Acknowledged *Acknowledgement `json:"acknowledged,omitempty"`
	// Silenced says which silence holds the notices back; nil for none.
	Silenced *Silenced `json:"silenced,omitempty"`
}

// Part is one fault of an incident: what it is, where, and what the last rounds said of it.
type Part struct {
	Code     finding.Code     `json:"code"`
	Severity finding.Severity `json:"severity"`
	Endpoint string           `json:"endpoint,omitempty"` // its name; the environment is the record's
	Listener string           `json:"listener,omitempty"` // NAME:PORT
	// Region and Account tell listeners of one name apart; empty where the finding's evidence does not say.
	Region  string `json:"region,omitempty"`
	Account string `json:"account,omitempty"`
	// Hop: the fault is of a redirect's target, so that only a probe that follows it to the end can clear it.
	Hop bool `json:"hop,omitempty"`
	// Other is the type of key, where the fault is of a server's other certificate, which only clients of that type alone get.
	Other string `json:"other_certificate,omitempty"`
	// Refused: a topic took no message; only one that it takes can clear it.
	Refused bool `json:"refused,omitempty"`
	// RestsOn lists the facts that the finding was concluded from, beyond what its code implies: the part ends only after
	// rounds that observed all of them again. Empty for parts that an older version stored.
	RestsOn []finding.Fact `json:"rests_on,omitempty"`
	// At are the addresses where it was seen and that have to be seen sound, or stay away, before it is over; at most maxTraces,
	// and as many as fit. Gap is the longest run of rounds that one of them stayed away before it came back as bad as it was.
	At  []Trace `json:"at,omitempty"`
	Gap int     `json:"gap,omitempty"`
	// Seen and Clean are rounds in a row that saw it (as far as confirming needs to count), and that looked and did not
	// see it. One of them is 0.
	Seen  int `json:"seen,omitempty"`
	Clean int `json:"clean,omitempty"`
	// Confirmed: it was certain, or seen often enough. While an incident is pending, the first clean round forgets what is not.
	Confirmed bool `json:"confirmed,omitempty"`
}

// Trace is an address where a part was seen: since then, in how many rounds it was sound, and in how many in a row the name did
// not have it.
type Trace struct {
	Address string `json:"address"` // IP:PORT
	Sound   int    `json:"sound,omitempty"`
	Away    int    `json:"away,omitempty"`
}

// Claim is a round's word that it is about to send. It holds until Until; after that another round may send.
type Claim struct {
	Event    Event            `json:"event"`
	Severity finding.Severity `json:"severity"`
	By       string           `json:"by,omitempty"`
	At       time.Time        `json:"at,omitzero"` // zero in claims of an older version
	Until    time.Time        `json:"until"`
}

// sendingTime is more than a round takes between claiming a notice and recording what became of it.
const sendingTime = 30 * time.Second

// Stalled reports whether a round has claimed to send that the incident is critical, and should have recorded by now that it
// has: it was probably killed. Until the claim has run out, the notice is owed, and nobody sends it.
func (r Record) Stalled(now time.Time) bool {
	c := r.Claim
	return c != nil && c.Event == Opened && c.Severity == finding.Critical && now.Before(c.Until) && now.Sub(c.At) >= sendingTime
}

// Acknowledgement records who is working on an incident. It suppresses reminders until Until, or until the incident ends if
// Until is zero. An escalation is still sent.
type Acknowledgement struct {
	By    string    `json:"by"`
	At    time.Time `json:"at"`
	Until time.Time `json:"until,omitzero"`
}

// Silenced is the silence that holds notices back.
type Silenced struct {
	Reason string    `json:"reason"`
	Until  time.Time `json:"until"`
}

// The bounds of a record: DynamoDB takes 400 KB an item.
const (
	MaxFindings = 12
	MaxAffects  = 1000
	MaxParts    = 1000
)

// Open reports whether the incident is open: confirmed, and not closed.
func (r Record) Open() bool { return !r.Opened.IsZero() && r.Closed.IsZero() }

// Pending reports whether a finding waits for confirmation.
func (r Record) Pending() bool { return r.Opened.IsZero() && r.Closed.IsZero() }

// keep is how long a closed record stays in the store: it documents the incident and helps to detect flapping.
const keep = 7 * 24 * time.Hour

// Expires is when the store may forget the record (DynamoDB's TTL); zero for never.
func (r Record) Expires() time.Time {
	if r.Closed.IsZero() {
		return time.Time{}
	}
	return r.Closed.Add(keep)
}

// Notice is something to notify people about. It becomes one message (see package alert).
type Notice struct {
	Event Event `json:"event"`
	// Record is the incident as it is now; its Version is the one before the write.
	Record Record `json:"record"`
	// Findings are the incident's in this round, worst first and all of them; those last seen where this round saw
	// none.
	Findings []finding.Finding `json:"findings"`
	At       time.Time         `json:"at"`
	// Severity is what the notice alerts of: the worst that no silence covers. For Recovered it is what is over.
	Severity finding.Severity `json:"severity"`
	// Before is the severity that people knew, where the incident got worse or was downgraded; None otherwise. With
	// Opened it equals Severity where something predicted has happened.
	Before finding.Severity `json:"before"`
	// Predicted, with Opened and Reminder: everything as severe as Severity has not happened yet.
	Predicted bool `json:"foretold,omitempty"`
	// Downgraded: with Recovered, the worst of it is resolved and a less severe part remains; the incident stays open.
	Downgraded bool `json:"eased,omitempty"`
	// Remaining is the severity of a downgraded incident.
	Remaining finding.Severity `json:"remaining"`
	// Removed: with Recovered, the endpoint is gone from the configuration; nothing proves that it works.
	Removed bool `json:"removed,omitempty"`
	// Repetition: the state could not be read or written, so people may already know about this.
	Repetition bool `json:"repetition,omitempty"`
	// Undelivered: with Recovered, the alert about what is over could not be delivered while it lasted; with Opened, that of
	// something worse (Record.Owed).
	Undelivered bool `json:"undelivered,omitempty"`
	// URLs are those of the endpoints that suffer, as the configuration has them, the leading finding's first; at most maxURLs.
	URLs []string `json:"urls,omitempty"`
	// Storm holds the notices that this one sums up, worst first; nil for a notice of one incident.
	Storm []Notice `json:"storm,omitempty"`
}

// Each returns the notices of single incidents: those that a summary sums up, or the notice itself.
func (n Notice) Each() []Notice {
	if n.Storm != nil {
		return n.Storm
	}
	return []Notice{n}
}

// Input is all that a round's tracking depends on.
type Input struct {
	Policy  policy.Alerting
	Records []Record // all that the store holds, closed ones too
	// Findings are the round's, in any order.
	Findings []finding.Finding
	Coverage Coverage
	// URLs are the configured endpoints' (ENVIRONMENT/NAME), without credentials.
	URLs map[string]string
	Now  time.Time
	// By names this round in claims: a request id.
	By string
	// Ends is when the round is over at the latest, and so are its claims; zero if it is not known. They never hold for
	// longer than Policy.Lease.
	Ends time.Time
	// StateUnread: the store could not be read. Records then are what the caller remembers, if anything.
	StateUnread bool
}
