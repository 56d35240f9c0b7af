package round

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awssns "github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/smithy-go"

	"certdrift/internal/alert"
	"certdrift/internal/awsio/sns"
	"certdrift/internal/incident"
	"certdrift/internal/observation"
)

// topicMode is how SNS behaves in a round.
type topicMode int

const (
	topicAccepts   topicMode = iota
	topicFails               // answers with an error
	topicHangs               // never answers
	topicWithoutID           // answers 200 with an empty body
	topicLosesWord           // accepts the message, and the answer never comes
	topicModes
)

// tableMode is how the state table behaves in a round.
type tableMode int

const (
	tableHealthy    tableMode = iota
	tableUnreadable           // reads fail
	tableUnwritable           // writes fail
	tableDead                 // both
	tableContended            // another round always writes first
	tableUncertain            // writes are done and answered with an error
	tableMidway               // the round's first write is done, the others fail
	tableModes
)

// situation is what a round meets.
type situation struct {
	table tableMode
	topic topicMode
}

func (s situation) String() string {
	return [...]string{"healthy", "unreadable", "unwritable", "dead", "contended", "uncertain", "midway"}[s.table] + "/" +
		[...]string{"accepts", "fails", "hangs", "no id", "loses word"}[s.topic]
}

// everySituation is the whole product.
func everySituation() (all []situation) {
	for table := range tableModes {
		for topic := range topicModes {
			all = append(all, situation{table, topic})
		}
	}
	return all
}

// received is a message that SNS took; confirmed where it answered with an id.
type received struct {
	Event, Severity, Code, Incident string
	Repetition                      bool
	confirmed                       bool
}

// inbox is SNS: it keeps what it took.
type inbox struct {
	mode topicMode
	got  []received
}

func (i *inbox) Publish(ctx context.Context, in *awssns.PublishInput, _ ...func(*awssns.Options)) (*awssns.PublishOutput, error) {
	switch i.mode {
	case topicFails:
		return nil, &smithy.GenericAPIError{Code: "InternalError", Message: "try again"}
	case topicHangs:
		<-ctx.Done()
		return nil, ctx.Err()
	case topicWithoutID:
		return &awssns.PublishOutput{}, nil
	}
	var texts map[string]string
	m := received{confirmed: i.mode == topicAccepts}
	if err := errors.Join(json.Unmarshal([]byte(aws.ToString(in.Message)), &texts), json.Unmarshal([]byte(texts["sqs"]), &m)); err != nil {
		return nil, err
	}
	i.got = append(i.got, m)
	if i.mode == topicLosesWord {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return &awssns.PublishOutput{MessageId: aws.String("1")}, nil
}

// faultyTable is the state table.
type faultyTable struct {
	*Memory
	mode  tableMode
	saved atomic.Int32 // in this round
}

var errTable = errors.New("the table is down")

func (f *faultyTable) Load(ctx context.Context) (incident.State, error) {
	if f.mode == tableUnreadable || f.mode == tableDead {
		return incident.State{}, errTable
	}
	loaded, err := f.Memory.Load(ctx)
	for i, r := range loaded.Incidents { // as it comes back from a table
		text, failed := json.Marshal(r)
		loaded.Incidents[i] = incident.Record{}
		err = errors.Join(err, failed, json.Unmarshal(text, &loaded.Incidents[i]))
	}
	return loaded, err
}

func (f *faultyTable) SaveIncident(ctx context.Context, r incident.Record) (bool, error) {
	if f.mode == tableContended {
		other := f.incident(r.Key)
		if other.Key == "" {
			other = incident.Record{Key: r.Key, Environment: r.Environment, Cause: r.Cause, First: r.First, LastSeen: r.First}
		}
		if _, err := f.Memory.SaveIncident(ctx, other); err != nil {
			return false, err
		}
	}
	return f.save(func() (bool, error) { return f.Memory.SaveIncident(ctx, r) })
}

func (f *faultyTable) SaveCounter(ctx context.Context, c incident.Counter) (bool, error) {
	return f.save(func() (bool, error) { return f.Memory.SaveCounter(ctx, c) })
}

func (f *faultyTable) save(do func() (bool, error)) (bool, error) {
	n := f.saved.Add(1)
	if f.mode == tableUnwritable || f.mode == tableDead || f.mode == tableMidway && n > 1 {
		return false, errTable
	}
	ok, err := do()
	if f.mode == tableUncertain {
		return false, errTable
	}
	return ok, err
}

// incident is what the table holds under a key.
func (f *faultyTable) incident(key string) incident.Record {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.incidents[key]
}

// alarm is a critical fault of one endpoint, the round's table and topic, and what the rounds came to.
type alarm struct {
	*fixture
	began time.Time
	table *faultyTable
	sns   *inbox
	key   string
	log   []string
}

func newAlarm(f *fixture) *alarm {
	a := &alarm{fixture: f, began: time.Now(), table: &faultyTable{Memory: NewMemory()}, sns: &inbox{}, key: "production endpoint:api reach"}
	f.request.Config.Incidents.Confirm, f.request.Config.Incidents.Lease = 1, 150*time.Second
	f.probes["production/api"] = observation.Endpoint{Probed: true, DNS: f.fit.DNS, Addresses: []observation.Address{refusing()}}
	a.cold()
	return a
}

// cold is a cold start.
func (a *alarm) cold() {
	base := a.now
	a.runner.Now = func() time.Time { return base.Add(time.Since(a.began)) }
	a.runner.Publisher = &Publisher{Now: a.runner.Now, Store: a.table, Function: "probe", By: "test"}
	a.runner.Publisher.Tell(sns.New(a.sns, "arn:aws:sns:us-west-2:111122223333:alerts"))
}

// round runs one in a situation and returns what SNS took of the incident.
func (a *alarm) round(s situation) (got []received, err error) {
	start, before := time.Now(), len(a.sns.got)
	a.table.mode, a.sns.mode = s.table, s.topic
	a.table.saved.Store(0)
	ctx, cancel := context.WithTimeout(context.Background(), lambdaTime)
	defer cancel()
	_, err = a.runner.Run(ctx, a.request)
	time.Sleep(time.Minute - time.Since(start))
	for _, m := range a.sns.got[before:] {
		if m.Incident == a.key {
			got = append(got, m)
		}
	}
	a.log = append(a.log, fmt.Sprintf("%s: %+v, %v", s, a.sns.got[before:], err))
	return got, err
}

// knowledge is what the oracle knows of the critical alert: whether SNS confirmed it, or took it without saying so.
type knowledge struct{ delivered, unsure bool }

// processes is who runs the rounds: one process that lives, a new one each time, or two that take turns and know nothing of
// each other, as probe and inspect do.
type processes int

const (
	oneProcess processes = iota
	coldStarts
	twoProcesses
)

// judge holds one round against the oracle: every round that owes the alert fails, the first one that the topic accepts
// messages in delivers it, and what was delivered is not repeated, or says that it may be a repetition. A process that
// did not run all rounds before knows for certain only what the table knew: trace.
func (k *knowledge) judge(s situation, got []received, err error, who processes, trace incident.Record) (faults []string) {
	cold := who != oneProcess
	fault := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	// One of two processes may know of its own claim that the message failed, and of the other's delivery nothing.
	known := trace.Claim != nil && who != twoProcesses || trace.Unsure != nil || trace.Notified > 0 || s.table == tableUnreadable || s.table == tableDead
	for _, m := range got {
		again := k.delivered || k.unsure
		switch {
		case m.Event != "opened" || m.Severity != "critical":
			fault("received %+v", m)
		case again && !m.Repetition && (!cold || known):
			fault("a repetition does not say so: %+v", m)
		case k.delivered && !cold:
			fault("a process that knows of the delivery repeats it: %+v", m)
		case k.delivered && trace.Notified > 0 && s.table != tableUnreadable && s.table != tableDead:
			fault("what is recorded is repeated: %+v", m)
		}
		k.unsure, k.delivered = k.unsure || !m.confirmed, k.delivered || m.confirmed
	}
	if s.topic == topicAccepts && !k.delivered {
		fault("the topic accepts, and the alert was not delivered")
	}
	if !k.delivered && err == nil {
		fault("a round that owes a critical alert succeeded")
	}
	return faults
}

// play runs a sequence of situations and then healthy rounds, and returns what the oracle finds.
func (a *alarm) play(sequence []situation, who processes) (faults []string) {
	var k knowledge
	idle := a.runner.Publisher
	a.cold()
	for range 4 {
		sequence = append(sequence, situation{})
	}
	for i, s := range sequence {
		switch who {
		case coldStarts:
			a.cold()
		case twoProcesses:
			idle, a.runner.Publisher = a.runner.Publisher, idle
		}
		trace := a.table.incident(a.key)
		got, err := a.round(s)
		for _, f := range k.judge(s, got, err, who, trace) {
			faults = append(faults, fmt.Sprintf("round %d: %s", i+1, f))
		}
	}
	if r := a.table.incident(a.key); !r.Open() || r.Claim != nil || r.Notified != r.Severity {
		faults = append(faults, fmt.Sprintf("in the end the table has %+v", r))
	}
	for _, m := range a.sns.got {
		if m.Code == "alert-path-broken" && m.Event == "opened" {
			faults = append(faults, "the topic took a message that says that it takes none")
		}
	}
	return faults
}

var exhaustive = flag.Bool("exhaustive", false, "try every pair of situations, and more long sequences, in TestNoAlertIsWithheld")

// sequences are what the first rounds meet: each fault of the table with each of the topic, either of them over after one or
// three rounds, and long sequences at random. Where nobody runs all rounds, both are over at once.
func sequences(who processes) (all [][]situation) {
	lengths, many := []int{1, 3}, 40
	if *exhaustive {
		lengths, many = []int{1, 2, 3, 4, 5, 6}, 2000
	}
	for _, s := range everySituation() {
		for _, table := range lengths {
			for _, topic := range lengths {
				if who != oneProcess && table != topic {
					continue
				}
				all = append(all, faulty(s, table, topic))
			}
		}
		for _, second := range everySituation() {
			if *exhaustive {
				all = append(all, []situation{s, second})
			}
		}
	}
	random := rand.New(rand.NewPCG(1, 2))
	for range many {
		long := make([]situation, 8)
		for i := range long {
			long[i] = situation{tableMode(random.IntN(int(tableModes))), topicMode(random.IntN(int(topicModes)))}
		}
		all = append(all, long)
	}
	return all
}

// faulty is a situation whose table recovers after so many rounds, and whose topic after so many.
func faulty(s situation, table, topic int) (out []situation) {
	for i := range max(table, topic) {
		var now situation
		if i < table {
			now.table = s.table
		}
		if i < topic {
			now.topic = s.topic
		}
		out = append(out, now)
	}
	return out
}

// TestNoAlertIsWithheld goes through the product of what may be wrong with the table and the topic, and for how long.
func TestNoAlertIsWithheld(t *testing.T) {
	f := newFixture(t)
	for name, who := range map[string]processes{"a process that lives": oneProcess, "a cold start in every round": coldStarts, "two in turn": twoProcesses} {
		t.Run(name, func(t *testing.T) {
			var failed []string
			all := sequences(who)
			for i, sequence := range all {
				if i%Raced > 0 {
					continue
				}
				synctest.Test(t, func(t *testing.T) {
					a := newAlarm(f)
					if faults := a.play(sequence, who); len(faults) > 0 {
						failed = append(failed, fmt.Sprintf("%v:\n  %s\nrounds:\n  %s", sequence, strings.Join(faults, "\n  "), strings.Join(a.log, "\n  ")))
					}
				})
			}
			if n := len(failed); n > 0 {
				t.Errorf("%d of %d sequences failed, such as %s", n, len(all), strings.Join(failed[:min(n, 3)], "\n\n"))
			}
		})
	}
}

// TestAnOwedAlertOutlivesItsFault: what was critical and could not be reported while it lasted is reported when it can be, once,
// as resolved; what was reported is resolved once as ever.
func TestAnOwedAlertOutlivesItsFault(t *testing.T) {
	f := newFixture(t)
	for i, s := range everySituation() {
		for rounds := 1; rounds <= 3; rounds++ {
			if (i+rounds)%Raced > 0 {
				continue
			}
			var faults []string
			var log string
			synctest.Test(t, func(*testing.T) {
				a := newAlarm(f)
				faults = a.outlive(s, rounds)
				log = strings.Join(a.log, "\n  ")
			})
			if len(faults) > 0 {
				t.Errorf("%v for %d rounds: %s\nrounds:\n  %s", s, rounds, strings.Join(faults, "; "), log)
			}
		}
	}
}

// outlive runs rounds in a situation, and healthy ones after the fault is over.
func (a *alarm) outlive(s situation, rounds int) (faults []string) {
	opened, resolved, owing := false, 0, 0
	for i := range rounds + 6 {
		if i == rounds {
			s = situation{}
			a.probes["production/api"] = a.fit
		}
		got, err := a.round(s)
		if err != nil && i > rounds {
			owing++
		}
		for _, m := range got {
			opened = opened || m.Event == "opened"
			if m.Event == "recovered" && m.Severity == "critical" && m.confirmed {
				resolved++
			}
			if m.Event == "opened" && i > rounds {
				faults = append(faults, "it is reported as open after it was seen to be over")
			}
		}
	}
	if resolved != 1 {
		faults = append(faults, fmt.Sprintf("resolved %d times, reported as open before: %v", resolved, opened))
	}
	if r := a.table.incident(a.key); r.Ended != incident.EndRecovered || r.Closed.IsZero() {
		faults = append(faults, fmt.Sprintf("in the end the table has %+v", r))
	}
	if owing > 0 {
		faults = append(faults, fmt.Sprintf("%d rounds failed although all is well", owing))
	}
	return faults
}

// killed is a topic at which the function dies, between claiming an alert and sending it.
type killed struct{}

func (killed) Send(context.Context, alert.Message) error { panic("killed") }

// die runs a round that claims the alert and is killed before it sends. timeout is the function's.
func (a *alarm) die(t *testing.T, timeout time.Duration) {
	t.Helper()
	a.cold()
	a.runner.Publisher.Messengers = []messenger{killed{}}
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	defer func() {
		if recover() == nil {
			t.Fatal("the round was not killed")
		}
		a.cold()
	}()
	_, _ = a.runner.Run(ctx, a.request)
}

// TestAKilledRoundsAlert: an alert that a killed round had claimed is sent as soon as that round can't be running any more, and
// every round before that fails, but for one that may be running beside it.
func TestAKilledRoundsAlert(t *testing.T) {
	f := newFixture(t)
	for name, timeout := range map[string]time.Duration{"probe": lambdaTime, "inspect": 4 * time.Minute} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := newAlarm(f)
				a.request.Config.Incidents.Lease = 5 * time.Minute
				a.die(t, timeout)
				died := time.Now()
				for beside := true; time.Since(died) < 6*time.Minute; beside = false {
					waits := time.Since(died) < timeout-time.Second
					got, err := a.round(situation{})
					switch {
					case waits && (len(got) > 0 || (err == nil) != beside):
						t.Errorf("while the claim held: %+v, %v", got, err)
					case waits:
						time.Sleep(time.Second)
					case len(a.sns.got) != 1 || err != nil:
						t.Errorf("after the claim: %+v, %v", a.sns.got, err)
					case !a.sns.got[0].Repetition:
						t.Errorf("the alert does not say that it may be a repetition: %+v", a.sns.got[0])
					}
				}
			})
		})
	}
}
