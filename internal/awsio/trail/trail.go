// Package trail looks up in CloudTrail who last changed a load balancer, for drift that no event reported. It keeps to
// CloudTrail's rate (LookupEvents: two requests a second for each account and region) and to a total and a time of its
// own: who did it is worth knowing, never worth a round.
package trail

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"

	"certdrift/internal/arn"
	"certdrift/internal/awsio/awserr"
	"certdrift/internal/event"
	"certdrift/internal/observation"
	"certdrift/internal/target"
)

// The defaults of Options.
const (
	defaultCalls = 40
	defaultTime  = 15 * time.Second
	defaultPause = 500 * time.Millisecond
	// attempts is how often one request is tried: a round does not wait for CloudTrail.
	attempts = 2
	// window is how far back CloudTrail's event history goes.
	window = 90 * 24 * time.Hour
)

// Client is what is asked of CloudTrail. It is exported, since whoever makes an Options writes its name in a function's
// type.
type Client interface {
	LookupEvents(context.Context, *cloudtrail.LookupEventsInput, ...func(*cloudtrail.Options)) (*cloudtrail.LookupEventsOutput, error)
}

// Options are what a Trail needs.
type Options struct {
	// Client makes the client for a region, under a role; the zero role is certdrift's own.
	Client func(region string, role target.Role) Client
	// Roles lead to other accounts, as their ARNs say; every other account is taken for the own one.
	Roles []target.Role
	Now   func() time.Time
	// Calls bounds the requests of one look-up, over all regions; Time how long it takes; Pause is kept between two
	// requests to one region. 0 for 40, 15 s, 500 ms.
	Calls int
	Time  time.Duration
	Pause time.Duration
}

// Trail looks up changes.
type Trail struct{ options Options }

// New makes a Trail.
func New(o Options) *Trail {
	if o.Calls <= 0 {
		o.Calls = defaultCalls
	}
	if o.Time <= 0 {
		o.Time = defaultTime
	}
	if o.Pause <= 0 {
		o.Pause = defaultPause
	}
	return &Trail{options: o}
}

// place is an account's region.
type place struct{ account, region string }

// search is one look-up.
type search struct {
	*Trail
	mu    sync.Mutex
	calls int // that are left
	found []observation.Change
	errs  []error
}

// LastChanges returns the changes of the load balancers that CloudTrail recorded, oldest first, each Confirmed. What AWS
// refused to do is left out: it changed nothing. An error names what could not be looked up; the changes found
// elsewhere come with it.
func (t *Trail) LastChanges(ctx context.Context, balancers []observation.LoadBalancer) ([]observation.Change, error) {
	ctx, cancel := context.WithTimeout(ctx, t.options.Time)
	defer cancel()
	s := &search{Trail: t, calls: t.options.Calls}
	var group sync.WaitGroup
	for p, q := range questions(balancers) {
		group.Go(func() { s.in(ctx, p, *q) })
	}
	group.Wait()
	slices.SortFunc(s.found, func(a, b observation.Change) int {
		if c := a.At.Compare(b.At); c != 0 {
			return c
		}
		return strings.Compare(a.EventID, b.EventID)
	})
	s.found = slices.CompactFunc(s.found, func(a, b observation.Change) bool { return a.EventID != "" && a.EventID == b.EventID })
	slices.SortFunc(s.errs, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return s.found, errors.Join(s.errs...)
}

// in looks one region through: by event name, one request each, newest first, so that the many read-only calls that
// CloudTrail keeps too are never paged through.
func (s *search) in(ctx context.Context, p place, q question) {
	client := s.options.Client(p.region, s.role(p.account))
	for i, name := range q.names {
		if i > 0 && !sleep(ctx, s.options.Pause) || !s.take() {
			s.fail(p, name, errors.New("the lookup ran out of requests or time"))
			return
		}
		out, err := client.LookupEvents(ctx, &cloudtrail.LookupEventsInput{
			LookupAttributes: []types.LookupAttribute{{AttributeKey: types.LookupAttributeKeyEventName, AttributeValue: aws.String(name)}},
			StartTime:        aws.Time(s.options.Now().Add(-window)), MaxResults: aws.Int32(50),
		}, func(o *cloudtrail.Options) { o.RetryMaxAttempts = attempts })
		if err != nil {
			// What failed now fails for the other names too; the next round tries again.
			s.fail(p, name, err)
			return
		}
		s.keep(p, q.balancers, out.Events)
	}
}

// eventNames are what to look for, those first that most often are the cause.
func eventNames(lbs []observation.LoadBalancer) []string {
	var names []string
	isClassic := func(lb observation.LoadBalancer) bool { return lb.Kind == observation.Classic }
	if slices.ContainsFunc(lbs, isClassic) {
		names = append(names, "SetLoadBalancerListenerSSLCertificate", "CreateLoadBalancerListeners", "DeleteLoadBalancerListeners", "CreateLoadBalancer")
	}
	if slices.ContainsFunc(lbs, func(lb observation.LoadBalancer) bool { return !isClassic(lb) }) {
		names = append(names, "ModifyListener", "CreateListener", "RemoveListenerCertificates", "AddListenerCertificates", "DeleteListener")
	}
	return append(names, "ImportCertificate", "DeleteCertificate")
}

// question is what to look for in one region: which calls, on which load balancers or their certificates.
type question struct {
	names     []string
	balancers []observation.LoadBalancer
}

// questions are those about load balancers, by account and region. What IAM's certificates went through is kept elsewhere.
func questions(balancers []observation.LoadBalancer) map[place]*question {
	regional, global := map[place][]observation.LoadBalancer{}, map[place][]observation.LoadBalancer{}
	for _, lb := range balancers {
		regional[place{lb.Account, lb.Region}] = append(regional[place{lb.Account, lb.Region}], lb)
		if hasServerCertificate(lb) {
			p := place{lb.Account, iamRegion(lb.Region)}
			global[p] = append(global[p], lb)
		}
	}
	out := map[place]*question{}
	for p, lbs := range regional {
		out[p] = &question{eventNames(lbs), lbs}
	}
	for p, lbs := range global {
		if out[p] == nil {
			out[p] = &question{}
		}
		out[p].names = append(out[p].names, event.Names("iam.amazonaws.com")...)
		out[p].balancers = append(slices.Clone(out[p].balancers), lbs...)
	}
	return out
}

func hasServerCertificate(lb observation.LoadBalancer) bool {
	return slices.ContainsFunc(lb.Listeners, func(l observation.Listener) bool {
		return slices.ContainsFunc(l.Certificates, func(a observation.Attachment) bool { return strings.Contains(a.ARN, ":server-certificate/") })
	})
}

// iamRegion is where CloudTrail keeps IAM's calls, one region for each partition (CloudTrail User Guide, "Global service events").
func iamRegion(region string) string {
	switch arn.Partition(region) {
	case "aws-cn":
		return "cn-north-1"
	case "aws-us-gov":
		return "us-gov-west-1"
	case "aws-eusc":
		return "eusc-de-east-1"
	}
	return "us-east-1"
}

// keep takes what concerns the load balancers.
func (s *search) keep(p place, lbs []observation.LoadBalancer, events []types.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range events {
		call, err := event.Record([]byte(aws.ToString(e.CloudTrailEvent)))
		if err != nil || call.Failed != "" || !call.Relevant {
			continue
		}
		c := call.Change
		c.Account, c.Region, c.Confirmed = p.account, p.region, true
		if c.At.IsZero() {
			c.At = aws.ToTime(e.EventTime).UTC()
		}
		if slices.ContainsFunc(lbs, func(lb observation.LoadBalancer) bool { return concerns(c, lb) }) {
			s.found = append(s.found, c)
		}
	}
}

// concerns reports whether a change is of a load balancer, or of a certificate on one of its listeners, or of another of IAM's
// that has its name: IAM's calls say no path, and the order of all of them tells whose the name was.
func concerns(c observation.Change, lb observation.LoadBalancer) bool {
	if c.LoadBalancer != "" || c.Listener != "" {
		return c.LoadBalancer == lb.ARN || lb.Kind == observation.Classic && c.LoadBalancer == lb.Name
	}
	for _, l := range lb.Listeners {
		for _, attached := range l.Certificates {
			if c.Names(attached.ARN) || slices.ContainsFunc(c.Certificates, func(named string) bool { return arn.SameServerCertificate(named, attached.ARN) }) {
				return true
			}
		}
	}
	return false
}

// role is the one that leads to an account; the zero role for the own one.
func (s *search) role(account string) target.Role {
	for _, r := range s.options.Roles {
		if parts := strings.Split(r.ARN, ":"); len(parts) > 4 && parts[4] == account {
			return r
		}
	}
	return target.Role{}
}

// take uses up one request; false where none is left.
func (s *search) take() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls--
	return s.calls >= 0
}

func (s *search) fail(p place, name string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.errs = append(s.errs, &awserr.Error{Doing: fmt.Sprintf("looking up %q in %s, account %s", name, p.region, p.account), Err: err})
}

// sleep waits; false where the context ended first.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
