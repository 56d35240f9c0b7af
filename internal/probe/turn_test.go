package probe

import (
	"fmt"
	"net"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"certdrift/internal/certtest"
	"certdrift/internal/observation"
	"certdrift/internal/target"
)

// TestWhatTakesLongIsBegunFirst: but it never gets more than its share of the places, and whatever recovered loses its head start.
func TestWhatTakesLongIsBegunFirst(t *testing.T) {
	var endpoints []target.Endpoint
	var seen []observation.Endpoint
	for i := range 8 {
		e := observation.Endpoint{Target: target.Endpoint{Environment: "e", Name: fmt.Sprint(i)}, Probed: true, Addresses: []observation.Address{{}}}
		switch i {
		case 3:
			e.Addresses[0].Failure = &observation.Failure{}
		case 5:
			e.Addresses[0].Phases.Total = time.Minute
		case 6:
			e.DNS.Failure = &observation.Failure{}
		}
		endpoints, seen = append(endpoints, e.Target), append(seen, e)
	}
	all := []int{0, 1, 2, 3, 4, 5, 6, 7}
	var next turn
	order := func(most int) (indices []int) {
		for _, b := range next.order(endpoints, most) {
			indices = append(indices, b.index)
		}
		return indices
	}
	if got := order(4); !slices.Equal(got, all) {
		t.Errorf("the first round is in the order %v", got)
	}
	next.over(seen, next.order(endpoints, 4), 8)
	if got := order(4); !slices.Equal(got, []int{3, 5, 6, 0, 1, 2, 4, 7}) {
		t.Errorf("the second round is in the order %v", got)
	}
	if got := order(2); !slices.Equal(got, []int{3, 5, 0, 1, 2, 4, 6, 7}) {
		t.Errorf("with two places for them: %v", got)
	}
	for _, b := range next.order(endpoints, 4) {
		if b.silent {
			t.Errorf("%d failed or took long, but was not silent", b.index)
		}
	}
	seen[5].Addresses[0].Failure = &observation.Failure{Kind: observation.TimedOut}
	next.over(seen, next.order(endpoints, 4), 8)
	if b := next.order(endpoints, 4)[1]; b != (begin{5, true}) {
		t.Errorf("a silent server is %+v", b)
	}
	seen[3].Addresses[0].Failure, seen[7].Probed = nil, false
	next.over(seen, next.order(endpoints, 0), 2)
	if got := order(4); !slices.Equal(got, []int{5, 6, 7, 0, 1, 2, 3, 4}) {
		t.Errorf("the third round is in the order %v", got)
	}
}

// TestSilentServersDelayNobody: a tenth, or almost a third, of a thousand servers take connections and never answer, wherever they are in
// the configuration. The clock is fake: computing takes no time, so that a healthy server is seen at once unless it waits for another.
func TestSilentServersDelayNobody(t *testing.T) {
	config := serving(t)
	for name, hangs := range map[string]func(i int) bool{
		"100 spread": func(i int) bool { return i%10 == 5 },
		"300 first":  func(i int) bool { return i < 300 },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var greeted atomic.Int32
				network := pipes{"1000": secured(config), "2000": func(conn net.Conn) {
					greeted.Add(1)
					certtest.Silent(conn)
				}}
				var endpoints []target.Endpoint
				for i := range 1000 {
					address := "127.0.0.1:1000"
					if hangs(i) {
						address = "127.0.0.1:2000"
					}
					endpoints = append(endpoints, at(t, target.TLS, address, func(e *target.Endpoint) {
						e.Environment, e.Name, e.OtherEvery = "e", fmt.Sprint(i), time.Hour
					}))
				}
				p := New(Options{Now: time.Now, Dialer: network.dial})
				p.active.queue = idle // this machine may be busy with other tests
				for round := range 2 {
					begin := time.Now()
					var latest time.Duration
					for i, e := range p.Probe(t.Context(), endpoints) {
						if hangs(i) {
							failed(t, one(t, e), observation.PhaseTLS, observation.TimedOut)
							continue
						}
						latest = max(latest, e.Delay)
						healthy(t, one(t, e))
					}
					took := time.Since(begin)
					t.Logf("round %d took %v, and the last healthy endpoint was begun after %v", round, took, latest)
					most := time.Duration(300/maxActive+1)*moment + 4*adaptEvery // until 64 may begin
					if round > 0 {                                               // it is known who is silent
						most = (300/maxActive + 1) * brief
					}
					if latest > most {
						t.Errorf("round %d: a healthy endpoint waited %v for its turn, want at most %v", round, latest, most)
					}
				}
			})
		})
	}
}
