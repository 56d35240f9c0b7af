// Package listener reads what is attached: the listeners of classic, application and network load balancers, in any
// number of regions and accounts, and the certificates behind them from ACM and IAM. It never fails as a whole. What
// AWS refuses, throttles or doesn't answer in time is an ObserveError beside what could be read, and what AWS says is gone is
// simply gone.
package listener

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"certdrift/internal/awsio/awserr"
	"certdrift/internal/observation"
	"certdrift/internal/target"
)

// defaultParallel is how many calls of one service in one region and account are under way at once. Adaptive retry slows down
// before AWS's own rate limits where that is too many.
const defaultParallel = 16

// Options are what an Inspector needs.
type Options struct {
	// Home is the region that is walked where the configuration names none, and that IAM is asked in.
	Home string
	// Clients makes the clients for a region, under a role; the zero role is certdrift's own.
	Clients func(region string, role target.Role) Clients
	// Account gives the account's number behind a role, as STS does.
	Account func(ctx context.Context, role target.Role) (string, error)
	// Parallel bounds the calls of one service, region and account under way at once; 0 for 16.
	Parallel int
}

// Inspector reads load balancers. It keeps clients and account numbers between rounds, nothing else.
type Inspector struct {
	options Options

	mu       sync.Mutex
	clients  map[clientKey]Clients
	accounts map[target.Role]string
}

// place is where clients lead to.
type clientKey struct {
	region string
	role   target.Role
}

// New makes an Inspector.
func New(o Options) *Inspector {
	if o.Parallel <= 0 {
		o.Parallel = defaultParallel
	}
	return &Inspector{options: o, clients: map[clientKey]Clients{}, accounts: map[target.Role]string{}}
}

// inspection is one round's work.
type inspection struct {
	*Inspector
	wanted target.Wanted
	notes  notes
	// roles lead to the accounts that could be reached.
	roles map[string]target.Role
	// unidentified: some role's account is not known.
	unidentified bool

	mu    sync.Mutex
	slots map[service]chan struct{}
}

// service is one that is called in one region of one account. Each has slots of its own: one that hangs must not keep others
// from being called.
type service struct{ name, region, account string }

// call calls a service when it has a slot free.
func (in *inspection) call(ctx context.Context, s service, do func() error) error {
	in.mu.Lock()
	slots := in.slots[s]
	if slots == nil {
		slots = make(chan struct{}, in.options.Parallel)
		in.slots[s] = slots
	}
	in.mu.Unlock()
	select {
	case slots <- struct{}{}:
		defer func() { <-slots }()
		return do()
	case <-ctx.Done():
		return ctx.Err()
	}
}

// share ends a context when a part of what is left of it is over, so that what hangs leaves time for what comes after.
func share(ctx context.Context, part, whole int) (context.Context, context.CancelFunc) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, time.Until(deadline)*time.Duration(part)/time.Duration(whole))
}

// Inspect reads the load balancers and certificates that are wanted. Load balancers come sorted by region, account,
// kind and name; certificates by ARN, each read once however many listeners share it.
func (i *Inspector) Inspect(ctx context.Context, wanted target.Wanted) observation.Attached {
	in := &inspection{Inspector: i, wanted: wanted, slots: map[service]chan struct{}{}, roles: map[string]target.Role{}}
	regions, regionUnknown := in.regions()
	if regionUnknown {
		in.notes.add(noRegion())
	}
	if len(regions) == 0 && len(wanted.Certificates) == 0 {
		return observation.Attached{ObserveErrors: in.notes.all()}
	}
	identifying, cancel := share(ctx, 1, 4)
	defer cancel()
	in.identify(identifying)
	var out observation.Attached
	var declared, found []observation.Certificate
	var group sync.WaitGroup
	group.Go(func() { declared = in.certificates(ctx, distinct(wanted.Certificates)) })
	group.Go(func() {
		walking, cancel := share(ctx, 2, 3)
		defer cancel()
		out.LoadBalancers = in.walkAll(walking, regions)
		found = in.certificates(ctx, attached(out.LoadBalancers, wanted.Certificates))
	})
	group.Wait()
	out.Certificates = append(declared, found...)
	slices.SortFunc(out.Certificates, func(a, b observation.Certificate) int { return strings.Compare(a.ARN, b.ARN) })
	out.ObserveErrors = in.notes.all()
	return out
}

// regions returns those to walk, sorted. regionUnknown reports that some load balancer is named without its region.
func (in *inspection) regions() (regions []string, regionUnknown bool) {
	unnamed := in.wanted.Scope.Walk
	for _, ref := range in.wanted.LoadBalancers {
		if ref.Region != "" {
			regions = append(regions, ref.Region)
		} else {
			unnamed = true
		}
	}
	if unnamed {
		scope := in.scopeRegions()
		regions, regionUnknown = append(regions, scope...), len(scope) == 0
	}
	slices.Sort(regions)
	return slices.Compact(regions), regionUnknown
}

// noRegion is the error of not knowing which region to read: that nothing was seen must not read as "nothing is there".
func noRegion() observation.ObserveError {
	return observation.ObserveError{
		Kind: observation.Incomplete, Operation: "elasticloadbalancing:DescribeLoadBalancers",
		Detail: "no AWS region is known: set load_balancers: {regions: […]}, or set AWS_REGION",
	}
}

// scopeRegions are the configuration's, or the home region where it names none.
func (in *inspection) scopeRegions() []string {
	if len(in.wanted.Scope.Regions) == 0 && in.options.Home != "" {
		return []string{in.options.Home}
	}
	return in.wanted.Scope.Regions
}

// identify finds the account behind each role, the own one first.
func (in *inspection) identify(ctx context.Context) {
	roles := append([]target.Role{{}}, in.wanted.Scope.Roles...)
	var group sync.WaitGroup
	var mu sync.Mutex
	for _, role := range roles {
		group.Go(func() {
			id, err := in.account(ctx, role)
			if err != nil {
				in.notes.add(awserr.Of(err, identifying(role), "", accountOf(role.ARN), role.ARN))
			}
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				in.unidentified = true
				return
			}
			// Two roles may lead to one account; it is walked once, under the own role where that is one of them.
			if held, ok := in.roles[id]; !ok || held.ARN != "" && (role.ARN == "" || role.ARN < held.ARN) {
				in.roles[id] = role
			}
		})
	}
	group.Wait()
}

// identifying is the call that fails when a role cannot be used, as IAM names it.
func identifying(role target.Role) string {
	if role.ARN != "" {
		return "sts:AssumeRole"
	}
	return "sts:GetCallerIdentity"
}

func (i *Inspector) account(ctx context.Context, role target.Role) (string, error) {
	i.mu.Lock()
	id, ok := i.accounts[role]
	i.mu.Unlock()
	if ok {
		return id, nil
	}
	id, err := i.options.Account(ctx, role)
	if err != nil {
		return "", err
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.accounts[role] = id
	return id, nil
}

// at gives the clients of a place, made once.
func (i *Inspector) at(region string, role target.Role) Clients {
	i.mu.Lock()
	defer i.mu.Unlock()
	key := clientKey{region, role}
	clients, ok := i.clients[key]
	if !ok {
		clients = i.options.Clients(region, role)
		i.clients[key] = clients
	}
	return clients
}

// walkAll walks every region of every account side by side.
func (in *inspection) walkAll(ctx context.Context, regions []string) []observation.LoadBalancer {
	var group sync.WaitGroup
	var mu sync.Mutex
	var all []observation.LoadBalancer
	for account, role := range in.roles {
		for _, region := range regions {
			w := in.newWalk(region, account, role)
			if !w.selection.any() {
				continue
			}
			group.Go(func() {
				found := w.run(ctx)
				mu.Lock()
				defer mu.Unlock()
				all = append(all, found...)
			})
		}
	}
	group.Wait()
	slices.SortFunc(all, func(a, b observation.LoadBalancer) int {
		return compareAll(a.Region, b.Region, a.Account, b.Account, string(a.Kind), string(b.Kind), a.Name, b.Name)
	})
	return all
}

// compareAll compares pairs of strings, the first pair first.
func compareAll(pairs ...string) int {
	for pair := range slices.Chunk(pairs, 2) {
		if c := strings.Compare(pair[0], pair[len(pair)-1]); c != 0 {
			return c
		}
	}
	return 0
}

// distinct are the ARNs, each once, sorted.
func distinct(arns []string) []string {
	arns = slices.Clone(arns)
	slices.Sort(arns)
	return slices.Compact(arns)
}

// attached are the ARNs that listeners hold and nobody declared, sorted.
func attached(balancers []observation.LoadBalancer, declared []string) []string {
	var arns []string
	for _, lb := range balancers {
		for _, l := range lb.Listeners {
			for _, c := range l.Certificates {
				arns = append(arns, c.ARN)
			}
		}
	}
	return slices.DeleteFunc(distinct(arns), func(arn string) bool { return slices.Contains(declared, arn) })
}
