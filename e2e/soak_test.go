package e2e

import (
	"bytes"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"certdrift/internal/incident"
	"certdrift/internal/sim/edge"
	"certdrift/internal/sim/pki"
)

// TestSoak runs hours of rounds against a world that changes and an AWS that fails, both at random from a seed, through the
// functions' own binaries with a clock that runs faster. It fails if an incident is lost, is alerted twice without saying so, or
// recovers although its endpoint never did, and if memory, descriptors or goroutines grow. `make soak` runs the long form.
func TestSoak(t *testing.T) {
	enabled(t)
	seed := setting(t, "SOAK_SEED", int(time.Now().UnixNano()%1_000_000))
	endpoints, rounds := setting(t, "SOAK_ENDPOINTS", 60), setting(t, "SOAK_ROUNDS", 24)
	t.Logf("SOAK_SEED=%d SOAK_ENDPOINTS=%d SOAK_ROUNDS=%d", seed, endpoints, rounds)
	s := newSoak(t, seed, endpoints)
	for range rounds {
		s.change()
		s.weather()
		s.round()
		if t.Failed() {
			return
		}
	}
	s.calm()
	for n := range maxCalmRounds {
		if s.round(); n+1 >= calmRounds && len(s.unsettled()) == 0 {
			break
		}
	}
	s.hold()
}

// calmRounds are enough for everything that is owed to be said. What flaps takes twice as many clean rounds each time to recover, up to
// 32, and inspect runs in every fifth round.
const calmRounds, maxCalmRounds = 12, 45

func setting(t *testing.T, name string, or int) int {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return or
	}
	n, err := strconv.Atoi(text)
	check(t, err)
	return n
}

// soak is the world, what certdrift said of it, and what was wrong with AWS.
type soak struct {
	t      *testing.T
	random *rand.Rand
	stack  *stack
	inbox  *inbox
	front  *front
	state  string // the table

	mu    sync.Mutex
	sick  map[string]string // by host: what is wrong with it
	pairs map[string]*pki.Pair
	hosts []string

	n        int                        // of the round
	healthy  map[string]int             // by host: the last round in which it was healthy throughout
	since    map[string]int             // by host: the round since which it is sick without a break
	alerted  map[string]int             // by incident: the round in which its last opening was first alerted; 0 for none or recovered
	opened   map[string]time.Time       // by incident: when its last opening was, as its alerts say
	blind    map[string]bool            // by incident: its last opening was sent in a round that could not read the table or write to it, and says so
	unlisted bool                       // a summary counted more incidents than it listed (at most 100), so which others were reported is not known
	affected map[string]map[string]bool // by incident: the hosts since it was opened, by its messages and the states that could be read
	weathers map[string]int             // by permission: the last round of what is wrong with it
	heard    map[string]int             // messages by event
	kills    bool
	unseen   func(host string) bool // nobody probes it in this round; nil if all are probed
	failed   map[string]error       // by function: why its last round failed
	sizes    map[string][]size      // by function: since it was last started
}

// sicknesses are what may be wrong with an endpoint.
var sicknesses = []string{"expired", "foreign", "untrusted", "error", "handshake"}

func newSoak(t *testing.T, seed, endpoints int, parameters ...string) *soak {
	t.Helper()
	s := &soak{
		t: t, random: rand.New(rand.NewPCG(uint64(seed), 0)), sick: map[string]string{}, pairs: map[string]*pki.Pair{},
		healthy: map[string]int{}, since: map[string]int{}, alerted: map[string]int{}, opened: map[string]time.Time{}, blind: map[string]bool{}, affected: map[string]map[string]bool{}, weathers: map[string]int{}, heard: map[string]int{}, kills: true,
		failed: map[string]error{}, sizes: map[string][]size{},
	}
	now := time.Now()
	ca, err := pki.Root("certdrift soak root", now)
	check(t, err)
	issuer, err := ca.Intermediate("certdrift soak issuer", now)
	check(t, err)
	unrelated, err := pki.Root("another root", now)
	check(t, err)
	long := pki.Valid(now.AddDate(0, 0, -30), now.AddDate(1, 0, 0))
	for name, issue := range map[string]func() (*pki.Pair, error){
		"": func() (*pki.Pair, error) { return issuer.Leaf(now, []string{"*.soak.example.org"}, long) },
		"expired": func() (*pki.Pair, error) {
			return issuer.Leaf(now, []string{"*.soak.example.org"}, pki.Valid(now.AddDate(-1, 0, 0), now.AddDate(0, -1, 0)))
		},
		"foreign":   func() (*pki.Pair, error) { return issuer.Leaf(now, []string{"*.example.net"}, long) },
		"untrusted": func() (*pki.Pair, error) { return unrelated.Leaf(now, []string{"*.soak.example.org"}, long) },
	} {
		s.pairs[name], err = issue()
		check(t, err)
	}
	server, err := edge.Start(t.Context(), "127.0.0.1", s.certificate, http.HandlerFunc(s.answer))
	check(t, err)
	t.Cleanup(func() { _ = server.Close() })
	for i := range endpoints {
		s.hosts = append(s.hosts, fmt.Sprintf("e%04d.soak.example.org", i))
	}
	s.front = startFront(t, startMoto(t))
	cfg := asTester(s.front.url)
	w := makeWorld(t, cfg)
	w.ca = ca
	w.configuration = s.config(server.Address)
	t.Setenv("TAGS", ",soak") // make builds the functions with the faster clock
	s.stack = deploy(t, s.front, w, parameters...)
	s.inbox = subscribe(t, cfg, s.stack.Outputs["TopicArn"], "soak")
	s.state = s.stack.probe.deployed.Environment["CERTDRIFT_TABLE"]
	return s
}

func (s *soak) config(address string) string {
	var b strings.Builder
	b.WriteString("version: 1\ntrust: {roots: mozilla, ca_files: [ca.pem]}\npolicy: {confirm: 2, revocation: 'off'}\ndefaults: {timeout: 5s}\nenvironments:\n")
	const environments = 4
	for e := range environments {
		fmt.Fprintf(&b, "  env%d:\n    endpoints:\n", e)
		for i := e; i < len(s.hosts); i += environments {
			name, _, _ := strings.Cut(s.hosts[i], ".")
			fmt.Fprintf(&b, "      - {name: %s, url: 'https://%s/', connect_to: [%q], expect: {status: [200]}}\n", name, s.hosts[i], address)
		}
	}
	return b.String()
}

// certificate is what the server presents for a host, by the host's sickness.
func (s *soak) certificate(host string) (*tls.Certificate, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	pair, ok := s.pairs[s.sick[host]]
	switch {
	case s.sick[host] == "handshake":
		return nil, errors.New("no certificate today")
	case !ok:
		pair = s.pairs[""]
	}
	c := pair.TLS()
	return &c, nil
}

func (s *soak) answer(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	sick := s.sick[r.Host]
	s.mu.Unlock()
	w.Header()["Date"] = nil // the functions' clock runs faster than this one
	if sick == "error" {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	_, _ = io.WriteString(w, "ok")
}

// mostAtOnce bounds how many endpoints break at once: of more than a hundred incidents, a summary lists only some.
const mostAtOnce = 100

// change breaks some endpoints and fixes others.
func (s *soak) change() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.random.IntN(3) == 0 { // most rounds bring nothing new
		for range 1 + s.random.IntN(max(1, min(len(s.hosts)/20, mostAtOnce))) {
			host := s.hosts[s.random.IntN(len(s.hosts))]
			if s.sick[host] == "" {
				s.sick[host] = sicknesses[s.random.IntN(len(sicknesses))]
			}
		}
	}
	for _, host := range slices.Sorted(maps.Keys(s.sick)) {
		if s.random.IntN(8) == 0 {
			delete(s.sick, host)
		}
	}
}

// weather begins and ends what is wrong with AWS.
func (s *soak) weather() {
	for permission, last := range s.weathers {
		if s.n >= last {
			s.front.faults.set(permission, fault{})
			delete(s.weathers, permission)
		}
	}
	if s.random.IntN(3) > 0 || len(s.weathers) > 1 {
		return
	}
	permissions := []string{"sns:Publish", "sns:Publish", "sns:Publish", "dynamodb", "dynamodb", "dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:Scan", "dynamodb:Query", "cloudwatch:PutMetricData", "events:PutEvents", "sns"}
	permission := permissions[s.random.IntN(len(permissions))]
	names := slices.Sorted(maps.Keys(ways))
	way := names[s.random.IntN(len(names))]
	if way == "hollow" && permission != "sns:Publish" && permission != "dynamodb:Scan" {
		way = "broken" // an empty success is what the other calls really get
	}
	s.front.faults.set(permission, ways[way])
	s.weathers[permission] = s.n + 1 + s.random.IntN(3)
	s.t.Logf("round %d: %s is %s until round %d", s.n+1, permission, way, s.weathers[permission])
}

func (s *soak) calm() {
	s.kills = false
	for permission := range s.weathers {
		s.front.faults.set(permission, fault{})
	}
	clear(s.weathers)
}

// round runs one round of each function, and takes what people got.
func (s *soak) round() {
	s.n++
	for _, host := range s.hosts {
		if s.sick[host] == "" {
			s.healthy[host] = s.n
			delete(s.since, host)
		} else if s.since[host] == 0 {
			s.since[host] = s.n
		}
	}
	time.Sleep(time.Second) // half a minute of the faster clock: nearer rounds would not count
	for _, f := range []*function{s.stack.probe, s.stack.inspect} {
		schedule := map[*function]string{s.stack.probe: "probe-schedule", s.stack.inspect: "inspect-schedule"}[f]
		if f == s.stack.inspect && s.n%5 > 0 {
			continue
		}
		if s.kills && s.random.IntN(10) == 0 {
			time.AfterFunc(time.Duration(s.random.IntN(2000))*time.Millisecond, func() { _ = f.process.Kill() })
		}
		_, err := f.invoke(s.stack.bus.tick(s.t, schedule))
		if s.failed[f.name] = err; err != nil && len(s.weathers) == 0 && s.n > 1 {
			s.t.Logf("round %d of %s: %.200v", s.n, f.name, err) // what it owes from before, perhaps; hold asks in the end
		}
		s.measure(s.revive(f))
	}
	for _, m := range s.inbox.take(s.t) {
		s.hear(m)
	}
	if len(s.weathers) == 0 {
		s.read()
	}
}

// measure notes how large a function's process is.
func (s *soak) measure(f *function) {
	if now, ok := sizeOf(s.t, f); ok {
		s.sizes[f.name] = append(s.sizes[f.name], now)
	}
}

// revive starts a function anew that was killed, as Lambda does, and returns the one that runs.
func (s *soak) revive(f *function) *function {
	if !f.dead() {
		return f
	}
	delete(s.sizes, f.name) // another process says nothing about this one
	s.t.Logf("round %d: %s was killed", s.n, f.name)
	again := startFunction(s.t, f.name, f.deployed, f.dir, s.front.url)
	if f == s.stack.probe {
		s.stack.probe = again
	} else {
		s.stack.inspect = again
	}
	return again
}

// hear checks one message against the world.
func (s *soak) hear(m message) {
	var d struct {
		Event       string
		Incident    string
		Before      string
		Remaining   string
		Repetition  bool
		Removed     bool
		Undelivered bool
		Opened      time.Time
		Affects     []string
		Incidents   []struct{ Incident string }
		Count       int `json:"incidents_count"`
	}
	check(s.t, json.Unmarshal([]byte(m.body), &d))
	s.heard[d.Event]++
	if d.Repetition {
		s.heard["repeated"]++
	}
	if d.Event == "opened" && d.Count > len(d.Incidents) && len(d.Incidents) > 0 {
		s.unlisted = true
	}
	incidents := []string{d.Incident}
	if len(d.Incidents) > 0 {
		incidents = nil
		for _, i := range d.Incidents {
			incidents = append(incidents, i.Incident)
		}
	}
	for _, key := range incidents {
		switch d.Event {
		case "opened":
			if len(incidents) == 1 {
				s.affect(key, d.Affects)
			}
			if s.alerted[key] > 0 && d.Before == "" && !d.Repetition && !s.blind[key] {
				s.t.Errorf("round %d: %s is alerted again, since round %d, without saying so:\n%s", s.n, key, s.alerted[key], m)
			}
			// The other function may not know yet that it is over, and repeats the alert of the same opening: what was healthy since the first
			// alert has recovered.
			if again := len(incidents) == 1 && s.alerted[key] > 0 && d.Repetition && d.Opened.Equal(s.opened[key]); !again {
				s.alerted[key], s.opened[key] = s.n, d.Opened
			}
			s.blind[key] = d.Repetition && s.unrecorded()
		case "recovered":
			if d.Remaining != "" {
				continue
			}
			// That a topic rejects messages cannot be said through it: there, the recovery is the first message about it.
			if s.alerted[key] == 0 && !s.unlisted && !d.Repetition && !d.Undelivered && !strings.HasPrefix(key, "- alerts:") {
				s.t.Errorf("round %d: %s recovers, and nobody was alerted:\n%s", s.n, key, m)
			}
			for _, host := range slices.Sorted(maps.Keys(s.affected[key])) {
				if strings.Contains(key, unseenCause) { // it says that the endpoint was not seen, and is over when it was
					break
				}
				if s.unseen != nil && s.unseen(host) {
					s.t.Errorf("round %d: %s recovers, and nobody has seen %s", s.n, key, host)
				}
				if s.healthy[host] < s.alerted[key] {
					s.t.Errorf("round %d: %s recovers, opened in round %d; %s is sick since round %d (%s)", s.n, key, s.alerted[key], host, s.since[host], s.sick[host])
				}
			}
			s.alerted[key] = 0
			delete(s.affected, key)
		}
	}
}

// unrecorded reports whether the functions cannot read the table, or not write to it. What one of them alerts then, it cannot record: the
// other may alert of it as its own in the next round, and so may a new process if it is killed. Of the two alerts, the first says that
// there may be another.
func (s *soak) unrecorded() bool {
	return slices.ContainsFunc([]string{"dynamodb", "dynamodb:Scan", "dynamodb:PutItem"}, func(permission string) bool {
		_, failing := s.weathers[permission]
		return failing
	})
}

// records are the incidents of the state table.
func (s *soak) records() []incident.Record {
	var all []incident.Record
	for _, text := range remembered(s.t, asTester(s.front.url), s.state) {
		var r incident.Record
		if json.Unmarshal([]byte(text), &r) == nil && r.Key != "" && r.Code != "" {
			all = append(all, r)
		}
	}
	return all
}

func (s *soak) read() {
	for _, r := range s.records() {
		if r.Open() && r.Ended == "" {
			s.affect(r.Key, r.Affects)
		}
	}
}

// affect notes that an incident is about endpoints (ENVIRONMENT/NAME).
func (s *soak) affect(key string, endpoints []string) {
	if s.affected[key] == nil {
		s.affected[key] = map[string]bool{}
	}
	for _, host := range hostsOf(endpoints) {
		s.affected[key][host] = true
	}
}

func hostsOf(endpoints []string) []string {
	var hosts []string
	for _, e := range endpoints {
		_, name, _ := strings.Cut(e, "/")
		hosts = append(hosts, name+".soak.example.org")
	}
	return hosts
}

// unseenCause is in the key of an incident about endpoints that were not probed.
const unseenCause = "certdrift:probe"

// unsettled is what is wrong after calm rounds: what is sick must have an open incident that people know of, nothing else may have one,
// and no round may fail.
func (s *soak) unsettled() (faults []string) {
	known := map[string]bool{}
	for _, r := range s.records() {
		if !r.Open() || r.Environment == "" {
			continue
		}
		for _, host := range hostsOf(r.Affects) {
			if strings.Contains(r.Key, unseenCause) {
				faults = append(faults, fmt.Sprintf("%s is open: %s was not seen", r.Key, host))
				break
			}
			if s.sick[host] == "" {
				faults = append(faults, fmt.Sprintf("%s is open, and %s is healthy", r.Key, host))
			}
			known[host] = known[host] || r.Notified > 0 && (s.unlisted || s.alerted[r.Key] > 0)
		}
	}
	for _, host := range slices.Sorted(maps.Keys(s.sick)) {
		if !known[host] {
			faults = append(faults, fmt.Sprintf("%s is %s since round %d of %d, and nobody was alerted", host, s.sick[host], s.since[host], s.n))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.failed)) {
		if err := s.failed[name]; err != nil {
			faults = append(faults, fmt.Sprintf("the last round of %s failed: %.500v", name, err))
		}
	}
	return faults
}

// hold checks the end.
func (s *soak) hold() {
	s.t.Helper()
	for _, f := range s.unsettled() {
		s.t.Error(f)
	}
	if s.heard["opened"] == 0 || s.heard["recovered"] == 0 {
		s.t.Errorf("nothing happened: the messages are %v", s.heard)
	}
	s.t.Logf("messages: %v; %d sick of %d after %d rounds", s.heard, len(s.sick), len(s.hosts), s.n)
	s.holdSize(s.stack.probe.name)
	s.holdSize(s.stack.inspect.name)
}

// measurements is how many rounds a process must have run before it says anything about growth.
const measurements = 9

// holdSize checks that a function's process does not grow beyond what it was in the first third of its rounds.
func (s *soak) holdSize(name string) {
	s.t.Helper()
	sizes := s.sizes[name]
	if len(sizes) < measurements {
		s.t.Logf("not checked: whether %s grows, after %d measurements since it was started", name, len(sizes))
		return
	}
	warm, last := sizes[0], sizes[len(sizes)-1]
	for _, now := range sizes[:len(sizes)/3+1] { // one in which AWS or a worker hung may have been smaller
		warm = size{max(warm.memory, now.memory), max(warm.descriptors, now.descriptors), max(warm.goroutines, now.goroutines)}
	}
	s.t.Logf("%s in the first third of the %d rounds of its process, and at the end: %v, %v", name, len(sizes), warm, last)
	if last.goroutines == 0 {
		s.t.Errorf("the log of %s does not have the number of goroutines", name)
	}
	if last.memory > warm.memory+warm.memory/4+8<<20 || last.descriptors > warm.descriptors+16 || last.goroutines > warm.goroutines+16 {
		s.t.Errorf("%s grows: %v, then %v", name, warm, last)
	}
}

// size is what a function's process holds.
type size struct{ memory, descriptors, goroutines int }

func (s size) String() string {
	return fmt.Sprintf("%d MiB, %d descriptors, %d goroutines", s.memory>>20, s.descriptors, s.goroutines)
}

// sizeOf measures a function's process; ok is false where the machine has no /proc.
func sizeOf(t *testing.T, f *function) (out size, ok bool) {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", f.process.Pid))
	if errors.Is(err, fs.ErrNotExist) {
		return size{}, false
	}
	check(t, err)
	for line := range strings.Lines(string(status)) {
		if kib, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			n, err := strconv.Atoi(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(kib), "kB")))
			check(t, err)
			out.memory = n << 10
		}
	}
	open, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", f.process.Pid))
	check(t, err)
	out.descriptors = len(open)
	log := f.log.bytes()
	if i := bytes.LastIndex(log, []byte(`"goroutines":`)); i >= 0 {
		_, _ = fmt.Sscanf(string(log[i+len(`"goroutines":`):]), "%d", &out.goroutines)
	}
	return out, true
}
