package e2e

import (
	"bytes"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
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
	for range calmRounds {
		s.round()
	}
	s.hold()
}

// calmRounds are enough for everything that is owed to be said, and for what flaps to recover (it takes twice as many clean rounds
// each time).
const calmRounds = 12

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

	n        int                 // of the round
	healthy  map[string]int      // by host: the last round in which it was healthy throughout
	since    map[string]int      // by host: the round since which it is sick without a break
	alerted  map[string]int      // by incident: the round of its last opening; 0 for none or recovered
	affected map[string][]string // by incident: the hosts, as of the last state that could be read
	weathers map[string]int      // by permission: the last round of what is wrong with it
	heard    map[string]int      // messages by event
	kills    bool
	sizes    []size
}

// sicknesses are what may be wrong with an endpoint.
var sicknesses = []string{"expired", "foreign", "untrusted", "error", "handshake"}

func newSoak(t *testing.T, seed, endpoints int) *soak {
	t.Helper()
	s := &soak{
		t: t, random: rand.New(rand.NewPCG(uint64(seed), 0)), sick: map[string]string{}, pairs: map[string]*pki.Pair{},
		healthy: map[string]int{}, since: map[string]int{}, alerted: map[string]int{}, affected: map[string][]string{}, weathers: map[string]int{}, heard: map[string]int{}, kills: true,
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
	s.stack = deploy(t, s.front, w)
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

// change breaks some endpoints and fixes others.
func (s *soak) change() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.random.IntN(3) == 0 { // most rounds bring nothing new
		for range 1 + s.random.IntN(max(1, len(s.hosts)/20)) {
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
	if way == "hollow" && permission != "sns:Publish" {
		way = "broken" // an empty success is nothing that the other services have
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
		if _, err := f.invoke(s.stack.bus.tick(s.t, schedule)); err != nil && len(s.weathers) == 0 && s.n > 1 {
			s.t.Logf("round %d of %s: %.200v", s.n, f.name, err) // what it owes from before, perhaps; hold asks in the end
		}
		s.revive(f)
	}
	for _, m := range s.inbox.take(s.t) {
		s.hear(m)
	}
	if len(s.weathers) == 0 {
		s.read()
	}
	s.sizes = append(s.sizes, sizeOf(s.t, s.stack.probe))
}

// revive starts a function anew that was killed, as Lambda does.
func (s *soak) revive(f *function) {
	if !f.dead() {
		return
	}
	s.t.Logf("round %d: %s was killed", s.n, f.name)
	again := startFunction(s.t, f.name, f.deployed, f.dir, s.front.url)
	if f == s.stack.probe {
		s.stack.probe = again
	} else {
		s.stack.inspect = again
	}
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
		Affects     []string
		Incidents   []struct{ Incident string }
	}
	check(s.t, json.Unmarshal([]byte(m.body), &d))
	s.heard[d.Event]++
	if d.Repetition {
		s.heard["repeated"]++
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
			if s.alerted[key] > 0 && d.Before == "" && !d.Repetition {
				s.t.Errorf("round %d: %s is alerted again, since round %d, without saying so:\n%s", s.n, key, s.alerted[key], m)
			}
			s.alerted[key] = s.n
		case "recovered":
			if d.Remaining != "" {
				continue
			}
			// That a topic rejects messages cannot be said through it: there, the recovery is the first message about it.
			if s.alerted[key] == 0 && !d.Repetition && !d.Undelivered && !strings.HasPrefix(key, "- alerts:") {
				s.t.Errorf("round %d: %s recovers, and nobody was alerted:\n%s", s.n, key, m)
			}
			for _, host := range s.affected[key] {
				if s.healthy[host] < s.alerted[key] {
					s.t.Errorf("round %d: %s recovers, opened in round %d; %s is sick since round %d (%s)", s.n, key, s.alerted[key], host, s.since[host], s.sick[host])
				}
			}
			s.alerted[key] = 0
		}
	}
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
		if len(r.Affects) > 0 {
			s.affected[r.Key] = s.hostsOf(r)
		}
	}
}

func (s *soak) hostsOf(r incident.Record) []string {
	var hosts []string
	for _, e := range r.Affects {
		_, name, _ := strings.Cut(e, "/")
		hosts = append(hosts, name+".soak.example.org")
	}
	return hosts
}

// hold checks the end: after calm rounds, what is sick has an open incident that people know of, and nothing else has one.
func (s *soak) hold() {
	s.t.Helper()
	known := map[string]bool{}
	for _, r := range s.records() {
		if !r.Closed.IsZero() || r.Opened.IsZero() || r.Environment == "" {
			continue
		}
		for _, host := range s.hostsOf(r) {
			if s.sick[host] == "" && s.n-s.healthy[host] == 0 && r.Ended == "" {
				s.t.Errorf("%s is open, and %s is healthy", r.Key, host)
			}
			known[host] = known[host] || r.Notified > 0 && s.alerted[r.Key] > 0
		}
	}
	for host, how := range s.sick {
		if !known[host] {
			s.t.Errorf("%s is %s since round %d of %d, and nobody was alerted", host, how, s.since[host], s.n)
		}
	}
	warm, last := s.sizes[len(s.sizes)/3], s.sizes[len(s.sizes)-1]
	if s.heard["opened"] == 0 || s.heard["recovered"] == 0 {
		s.t.Errorf("nothing happened: the messages are %v", s.heard)
	}
	s.t.Logf("messages: %v", s.heard)
	s.t.Logf("%d sick of %d; in the probe function, after a third of the rounds and at the end: %v, %v", len(s.sick), len(s.hosts), warm, last)
	if last.memory > warm.memory+warm.memory/4+8<<20 || last.descriptors > warm.descriptors+16 || last.goroutines > warm.goroutines+16 {
		s.t.Errorf("the probe function grows: %v, then %v", warm, last)
	}
}

// size is what a function's process holds.
type size struct{ memory, descriptors, goroutines int }

func (s size) String() string {
	return fmt.Sprintf("%d MiB, %d descriptors, %d goroutines", s.memory>>20, s.descriptors, s.goroutines)
}

func sizeOf(t *testing.T, f *function) size {
	t.Helper()
	var out size
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", f.process.Pid))
	if err != nil {
		t.Skipf("no /proc here: %v", err)
	}
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
	return out
}
