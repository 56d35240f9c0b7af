package listener

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"

	"certdrift/internal/awsio/awserr"
	"certdrift/internal/observation"
	"certdrift/internal/target"
)

// walk reads one region of one account.
type walk struct {
	*inspection
	region, account string
	clients         Clients
	selection       selection

	mu sync.Mutex
	// denied are the operations that AWS has refused, by API and name: asking a thousand times more gives the same
	// answer.
	denied map[string]error
}

func (in *inspection) newWalk(region, account string, role target.Role) *walk {
	return &walk{
		inspection: in, region: region, account: account, clients: in.at(region, role),
		selection: newSelection(in.wanted, in.scopeRegions(), region, account), denied: map[string]error{},
	}
}

// errDeniedBefore stands for a call that was not made any more; the first one's error is noted already.
type errDeniedBefore struct{ error }

// Unwrap gives the refusal itself.
func (e errDeniedBefore) Unwrap() error { return e.error }

// ask makes one call, when a slot is free.
func (w *walk) ask(ctx context.Context, operation string, call func() error) error {
	w.mu.Lock()
	before := w.denied[operation]
	w.mu.Unlock()
	if before != nil {
		return errDeniedBefore{before}
	}
	api := service{"elbv2", w.region, w.account}
	if strings.HasPrefix(operation, "classic ") {
		api.name = "elb"
	}
	err := w.call(ctx, api, call)
	if err != nil && awserr.Kind(err) == observation.Denied {
		w.mu.Lock()
		w.denied[operation] = err
		w.mu.Unlock()
	}
	return err
}

// note records a failure as an ObserveError. operation is the ELB API's.
func (w *walk) note(err error, operation, resource string) {
	if _, noted := errors.AsType[errDeniedBefore](err); noted {
		return
	}
	w.notes.add(awserr.Of(err, "elasticloadbalancing:"+operation, w.region, w.account, resource))
}

// run reads both kinds of load balancers side by side.
func (w *walk) run(ctx context.Context) []observation.LoadBalancer {
	var classic, modern []observation.LoadBalancer
	var group sync.WaitGroup
	group.Go(func() { classic = w.classic(ctx) })
	group.Go(func() { modern = w.modern(ctx) })
	group.Wait()
	return append(classic, modern...)
}

// list finds load balancers: by name where few are wanted, else all of them. describe adds one page of what it finds.
func (w *walk) list(ctx context.Context, describe func(name string, token *string) (*string, error)) {
	names, all := w.selection.names()
	if all || len(names) > askedByName {
		names = []string{""}
	}
	for _, name := range names {
		err := pages(ctx, func(token *string) (*string, error) { return describe(name, token) })
		if err != nil && !awserr.Missing(err) {
			w.note(err, "DescribeLoadBalancers", name)
		}
	}
}

// addOnce adds a load balancer, unless a page before listed it already: pages shift while load balancers come and go.
func addOnce(found []observation.LoadBalancer, lb observation.LoadBalancer) []observation.LoadBalancer {
	if slices.ContainsFunc(found, func(known observation.LoadBalancer) bool { return known.ARN == lb.ARN }) {
		return found
	}
	return append(found, lb)
}

// tagBatch is how many load balancers one DescribeTags takes.
const tagBatch = 20

// tags reads the tags of load balancers in batches, keyed by what they were asked by. A batch is refused as a whole
// when one of its load balancers was deleted meanwhile: it is halved until that one stands alone. unreadable are those
// whose tags could not be read.
func (w *walk) tags(ctx context.Context, api string, keys []string, describe func(keys []string) (map[string]map[string]string, error)) (tags map[string]map[string]string, unreadable map[string]bool) {
	tags, unreadable = map[string]map[string]string{}, map[string]bool{}
	var mu sync.Mutex
	var read func(batch []string)
	read = func(batch []string) {
		var found map[string]map[string]string
		err := w.ask(ctx, api+" DescribeTags", func() (err error) { found, err = describe(batch); return err })
		if err != nil && awserr.Missing(err) {
			if len(batch) > 1 {
				read(batch[:len(batch)/2])
				read(batch[len(batch)/2:])
			}
			return
		}
		mu.Lock()
		defer mu.Unlock()
		for _, key := range batch {
			if err != nil {
				unreadable[key] = true
			} else if read, ok := found[key]; ok {
				tags[key] = read
			}
		}
		if err != nil {
			w.note(err, "DescribeTags", "")
		}
	}
	var group sync.WaitGroup
	for batch := range slices.Chunk(keys, tagBatch) {
		group.Go(func() { read(batch) })
	}
	group.Wait()
	return tags, unreadable
}

// each does something for every load balancer side by side and keeps those that it returns true for.
func each(balancers []observation.LoadBalancer, do func(*observation.LoadBalancer) bool) []observation.LoadBalancer {
	keep := make([]bool, len(balancers))
	var group sync.WaitGroup
	for i := range balancers {
		group.Go(func() { keep[i] = do(&balancers[i]) })
	}
	group.Wait()
	var out []observation.LoadBalancer
	for i, lb := range balancers {
		if keep[i] {
			slices.SortFunc(lb.Listeners, func(a, b observation.Listener) int {
				if a.Port != b.Port {
					return a.Port - b.Port
				}
				return compareAll(a.Protocol, b.Protocol, a.ARN, b.ARN)
			})
			out = append(out, lb)
		}
	}
	return out
}

// tagged keeps the load balancers whose tags are wanted. One whose tags could not be read stays where an endpoint
// names it or where tags don't matter, marked partial; one that is gone when its tags are asked for is gone.
func (w *walk) tagged(balancers []observation.LoadBalancer, key func(observation.LoadBalancer) string, read map[string]map[string]string, unreadable map[string]bool) []observation.LoadBalancer {
	var out []observation.LoadBalancer
	for _, lb := range balancers {
		tags, known := read[key(lb)]
		switch {
		case known:
			lb.Tags = tags
		case unreadable[key(lb)]:
			lb.Partial = true
		default:
			continue
		}
		if w.selection.byTags(lb.Name, lb.Tags) {
			out = append(out, lb)
		}
	}
	return out
}
