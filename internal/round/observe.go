package round

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"certdrift/internal/arn"
	"certdrift/internal/config"
	"certdrift/internal/finding"
	"certdrift/internal/observation"
	"certdrift/internal/target"
)

// observe probes and inspects side by side.
func (r *Runner) observe(ctx context.Context, q Request) observation.Round {
	seen := observation.Round{
		Schema: observation.Schema, Started: r.Now(),
		Manifests: q.Manifests, PassedOver: q.PassedOver, Changes: slices.Clone(q.Changes),
		Diagnostics: slices.Clone(q.Diagnostics), ObserveErrors: slices.Clone(q.ObserveErrors),
		CertificateFiles: fromFiles(q.Config.Certificates), Only: concerned(q),
		EndpointsOnly: q.Depth == ListenersOnProblem, Unlisted: !q.Config.Scope.Listed,
	}
	var group sync.WaitGroup
	group.Go(func() {
		ctx, cancel := keepBack(ctx, r.afterProbing(q))
		defer cancel()
		seen.Endpoints = r.Prober.Probe(ctx, r.inTurns(q, narrow(q)))
	})
	var attached *observation.Attached
	var path pathSeen
	if q.Depth == Listeners && r.Inspector != nil {
		group.Go(func() {
			a := r.inspect(ctx, q)
			attached = &a
		})
	}
	group.Go(func() { path = r.readPath(ctx, q) })
	group.Wait()
	r.addPath(&seen, q, path)
	for _, e := range seen.Endpoints {
		if !e.Probed {
			seen.ObserveErrors = append(seen.ObserveErrors, unprobed(e))
		}
	}
	if attached != nil {
		r.merge(ctx, &seen, *attached)
	}
	return seen
}

// fromFiles are the certificates that the configuration holds files of.
func fromFiles(files []target.CertificateFile) []observation.Certificate {
	var certs []observation.Certificate
	for _, f := range files {
		certs = append(certs, observation.Certificate{ARN: f.ARN, Chain: f.Chain})
	}
	return certs
}

// attach reads the load balancers after the fact, for a round that began without them.
func (r *Runner) attach(ctx context.Context, q Request, seen *observation.Round) {
	r.merge(ctx, seen, r.inspect(ctx, q))
}

// What is kept of the round's time for what comes after: of probing for reading the load balancers where only a problem asks
// for that, and of reading them for resolving their names.
const (
	inspectTime = 10 * time.Second
	resolveTime = 3 * time.Second
)

// afterProbing is the time for what may have to be done when all probes are over.
func (r *Runner) afterProbing(q Request) time.Duration {
	if q.Depth == ListenersOnProblem && r.Inspector != nil && NeedsAWS(q.Config) {
		return inspectTime
	}
	return 0
}

// inspect reads the load balancers.
func (r *Runner) inspect(ctx context.Context, q Request) observation.Attached {
	ctx, cancel := keepBack(ctx, resolveTime)
	defer cancel()
	return r.Inspector.Inspect(ctx, wanted(q))
}

// merge adds what AWS said.
func (r *Runner) merge(ctx context.Context, seen *observation.Round, attached observation.Attached) {
	seen.ListenersRead, seen.EndpointsOnly = true, false
	seen.LoadBalancers = attached.LoadBalancers
	seen.Certificates = attached.Certificates
	seen.ObserveErrors = append(seen.ObserveErrors, attached.ObserveErrors...)
	if needsAddresses(seen.Endpoints) {
		seen.ObserveErrors = append(seen.ObserveErrors, r.resolve(ctx, seen.LoadBalancers)...)
	}
}

// needsAddresses reports whether some endpoint's load balancer can be found by DNS only.
func needsAddresses(endpoints []observation.Endpoint) bool {
	return slices.ContainsFunc(endpoints, func(e observation.Endpoint) bool {
		return e.Target.LoadBalancer == nil && e.Target.Service == "" && !e.DNS.Skipped && e.DNS.Failure == nil
	})
}

// resolvers is how many load balancers' names are looked up at once.
const resolvers = 16

// resolve fills in the addresses of the load balancers: a Route 53 alias shows no CNAME, only the same addresses.
func (r *Runner) resolve(ctx context.Context, balancers []observation.LoadBalancer) (failed []observation.ObserveError) {
	var group sync.WaitGroup
	slots := make(chan struct{}, resolvers)
	for i := range balancers {
		slots <- struct{}{}
		group.Go(func() {
			defer func() { <-slots }()
			dns := r.Prober.Resolve(ctx, balancers[i].DNSName)
			balancers[i].Addresses = dns.Addresses
			balancers[i].Unresolved = dns.Failure != nil && dns.Failure.Kind != observation.NotFound
		})
	}
	group.Wait()
	for _, lb := range balancers {
		if lb.Unresolved {
			failed = append(failed, unresolved(lb))
		}
	}
	return failed
}

// unresolved is what an unresolved load balancer means: endpoints may be behind it that are not known to be.
func unresolved(lb observation.LoadBalancer) observation.ObserveError {
	return observation.ObserveError{
		Kind: observation.Incomplete, Operation: "resolve", Region: lb.Region, Account: lb.Account, Resource: lb.DNSName,
		Detail: "the load balancer's name could not be resolved, so the endpoints behind it may not be known",
	}
}

// wanted is what a round asks AWS for.
func wanted(q Request) target.Wanted {
	w := target.Wanted{Scope: q.Config.Scope, Only: concerned(q)}
	seenRefs := map[target.LoadBalancerRef]bool{}
	for _, e := range q.Config.Endpoints {
		if ref := e.LoadBalancer; ref != nil && !seenRefs[*ref] {
			seenRefs[*ref] = true
			w.LoadBalancers = append(w.LoadBalancers, *ref)
		}
	}
	for _, e := range narrow(q) {
		if e.Declared != nil && e.Declared.ARN != "" {
			w.Certificates = append(w.Certificates, e.Declared.ARN)
		}
	}
	for _, d := range q.Manifests {
		w.Certificates = append(w.Certificates, d.ARNs...)
	}
	slices.Sort(w.Certificates)
	w.Certificates = slices.Compact(w.Certificates)
	return w
}

// concerned are the load balancers, names or ARNs, that an event narrowed the round to; empty for all.
func concerned(q Request) []string {
	if q.Whole {
		return nil
	}
	only := slices.Clone(q.Only)
	for _, c := range q.Changes {
		if c.LoadBalancer != "" && !slices.Contains(only, c.LoadBalancer) {
			only = append(only, c.LoadBalancer)
		}
	}
	return only
}

// narrow leaves the endpoints that a change may concern: those that name one of the load balancers, and those that
// name none, since they may sit behind it.
func narrow(q Request) []target.Endpoint {
	only := concerned(q)
	if len(only) == 0 {
		return q.Config.Endpoints
	}
	return slices.DeleteFunc(slices.Clone(q.Config.Endpoints), func(e target.Endpoint) bool {
		return e.LoadBalancer != nil && !slices.ContainsFunc(only, func(lb string) bool { return arn.NamesLoadBalancer(lb, e.LoadBalancer.Name) })
	})
}

// looksBehind reports whether a finding may have its cause at a load balancer: its certificate, or its mutual TLS.
func looksBehind(fs []finding.Finding) bool {
	return slices.ContainsFunc(fs, func(f finding.Finding) bool {
		class := f.Code.Class()
		return f.Severity == finding.Critical &&
			(class == finding.ClassCertificate || class == finding.ClassDrift || f.Code == finding.TLSClientCertificateRequired)
	})
}

func unprobed(e observation.Endpoint) observation.ObserveError {
	return observation.ObserveError{
		Kind: observation.Incomplete, Operation: "probe", Environment: e.Target.Environment, Endpoint: e.Target.Name,
		Detail: cmp.Or(e.Unprobed, "the round ended before this endpoint was finished"),
	}
}

// NeedsAWS reports whether the configuration needs anything that only AWS knows: load balancers to walk or named
// by an endpoint, or a declared ARN that no file of the configuration holds.
func NeedsAWS(c config.Config) bool {
	if c.Scope.Enabled {
		return true
	}
	files := map[string]bool{}
	for _, f := range c.Certificates {
		files[f.ARN] = true
	}
	for _, e := range c.Endpoints {
		if e.LoadBalancer != nil || e.Declared != nil && e.Declared.ARN != "" && !files[e.Declared.ARN] {
			return true
		}
	}
	return false
}
