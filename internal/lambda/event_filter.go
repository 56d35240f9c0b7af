package lambda

import (
	"context"
	"slices"
	"strings"
	"time"

	"certdrift/internal/arn"
	"certdrift/internal/event"
	"certdrift/internal/finding"
	"certdrift/internal/observation"
	"certdrift/internal/round"
	"certdrift/internal/target"
)

// ignores returns why an event asks for no round; empty where it asks for one. An event is a hint: it leads nowhere that the
// configuration does not (see unconcerned too).
func (f *Function) ignores(ctx context.Context, e event.Event, have round.Request) string {
	switch {
	case e.Failed != "":
		return "the API call failed (" + e.Failed + "), so it changed nothing"
	case e.Kind == event.Alarm || e.Kind == event.Other:
		return "events of this kind ask for no check"
	case e.Change == nil:
		return ""
	case !f.trusts(ctx, e.Account, have):
		return "account " + e.Account + " is neither certdrift's own nor named by the configuration"
	case !slices.Contains(f.regions(have), e.Region) && !ofIAM(*e.Change):
		return "region " + e.Region + " is neither certdrift's own nor named by the configuration"
	case e.Kind == event.Certificate && len(e.Change.Certificates) == 0:
		return "the event names no certificate"
	}
	if foreign := elsewhere(*e.Change); foreign != "" {
		return "it names " + finding.Quote(foreign) + ", which belongs to a different account or region than the event"
	}
	return ""
}

// accountTime bounds the call that returns the function's own account ID.
const accountTime = 5 * time.Second

// trusts reports whether an account is one whose roles the configuration names, or certdrift's own. Where the
// function's own account is not known the event is still followed: the round calls nothing but what the configuration names.
func (f *Function) trusts(ctx context.Context, account string, have round.Request) bool {
	for _, r := range have.Config.Scope.Roles {
		if a, ok := arn.Split(r.ARN); ok && a.Account == account {
			return true
		}
	}
	ctx, cancel := context.WithTimeout(ctx, accountTime)
	defer cancel()
	own, err := f.Account(ctx)
	return err != nil || own == account
}

// regions are certdrift's own and those that the configuration names.
func (f *Function) regions(have round.Request) []string {
	regions := append([]string{f.Region}, have.Config.Scope.Regions...)
	for _, e := range have.Config.Endpoints {
		if e.LoadBalancer != nil && e.LoadBalancer.Region != "" {
			regions = append(regions, e.LoadBalancer.Region)
		}
	}
	return regions
}

// ofIAM reports whether a change is of a server certificate. IAM's events come from us-east-1, wherever the certificate is
// attached.
func ofIAM(c observation.Change) bool { return strings.Contains(c.Event, "ServerCertificate") }

// elsewhere is an ARN of the change that is not of the account and region it came from, which EventBridge vouches for:
// the ARN is forged. Empty where there is none.
func elsewhere(c observation.Change) string {
	named := []string{c.LoadBalancer, c.Listener}
	if c.LoadBalancer+c.Listener == "" {
		named = c.Certificates
	}
	for _, text := range named {
		a, ok := arn.Split(text)
		if ok && (a.Account != c.Account || a.Region != "" && a.Region != c.Region) {
			return text
		}
	}
	return ""
}

// unconcerned returns why a change, though it may well be true, needs no check; otherwise what to narrow the round to.
func (f *Function) unconcerned(ctx context.Context, q round.Request) (only []string, reason string) {
	for _, c := range q.Changes {
		if !f.reads(q, c) {
			return nil, "nothing in the configuration depends on it"
		}
	}
	return f.Runner(q.Config).Concern(ctx, q)
}

// reads reports whether the configuration reads what a change may be of: the region that it walks, the load balancers that
// endpoints name, the certificates that somebody declares.
func (f *Function) reads(have round.Request, c observation.Change) bool {
	regions := have.Config.Scope.Regions
	if len(regions) == 0 {
		regions = []string{f.Region}
	}
	inScope := slices.Contains(regions, c.Region) || ofIAM(c)
	if have.Config.Scope.Walk && inScope {
		return true
	}
	return slices.ContainsFunc(have.Config.Endpoints, func(e target.Endpoint) bool {
		if d := e.Declared; d != nil && slices.Contains(c.Certificates, d.ARN) {
			return true
		}
		ref := e.LoadBalancer
		return ref != nil && (c.LoadBalancer == "" || arn.NamesLoadBalancer(c.LoadBalancer, ref.Name)) &&
			(ref.Region == c.Region || ref.Region == "" && inScope || ofIAM(c))
	}) || slices.ContainsFunc(have.Manifests, func(d observation.Declaration) bool {
		return slices.ContainsFunc(d.ARNs, func(arn string) bool { return slices.Contains(c.Certificates, arn) })
	})
}
