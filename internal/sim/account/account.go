// Package account is a small simulated AWS account in one region: load balancers, certificates, topics, metrics and a
// trail, behind clients that speak the SDK's own types. The product's adapters run over it unchanged, in the demo, in
// tests and in benchmarks. It behaves as AWS does where that matters to certdrift: it pages, throttles, refuses, forgets
// what was deleted, lists a default certificate twice that is in the SNI list too, records every change in CloudTrail's form, and counts what it is
// asked.
package account

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	acmtypes "github.com/aws/aws-sdk-go-v2/service/acm/types"

	"certdrift/internal/observation"
	"certdrift/internal/sim/pki"
)

// Options say which account is simulated. The zero value is account 111122223333 in us-west-2 with the wall clock.
type Options struct {
	ID, Region string
	Now        func() time.Time
	// PageSize makes pages smaller than AWS's own; 0 leaves those.
	PageSize int
}

// Account is a simulated account in one region, seen by one actor. All its methods may be called concurrently.
type Account struct {
	*world
	actor Actor
}

// world is what all actors share.
type world struct {
	options Options

	mu           sync.Mutex
	balancers    []*balancer
	certificates map[string]*certificate // by ARN, ACM's and IAM's
	topics       map[string]*topic
	data         []Datum
	records      []record
	onEvent      []func(event []byte)
	failures     []*Failure
	calls        map[string]int
	asked        map[string]int // by operation and input
	serial       int
}

// New makes an empty account.
func New(o Options) *Account {
	if o.ID == "" {
		o.ID = "111122223333"
	}
	if o.Region == "" {
		o.Region = "us-west-2"
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Account{
		world: &world{
			options: o, certificates: map[string]*certificate{}, topics: map[string]*topic{},
			calls: map[string]int{}, asked: map[string]int{},
		},
		actor: Actor{Role: "certdrift", Session: "certdrift", UserAgent: "aws-sdk-go-v2/1.47.7 os/linux lang/go#1.26.8", SourceIP: "203.0.113.10"},
	}
}

// As is the same account with another actor's name on what is changed through it.
func (a *Account) As(actor Actor) *Account { return &Account{world: a.world, actor: actor} }

// ID is the account's number, Region the region it is simulated in.
func (w *world) ID() string { return w.options.ID }

// Region is the region that the account is simulated in.
func (w *world) Region() string { return w.options.Region }

// LoadBalancer is a load balancer to put into the account.
type LoadBalancer struct {
	Kind      observation.LoadBalancerKind
	Name      string
	Tags      map[string]string
	Internal  bool
	Listeners []Listener
}

// Listener is one of its ports.
type Listener struct {
	Port     int
	Protocol string
	// Certificates are ARNs: the default, then the SNI list, which may have the default, too.
	Certificates []string
	// Policy is a security policy's name (see Policies); empty for AWS's default on a TLS port of an ALB or NLB, and
	// for none at all on a classic one.
	Policy string
	// MutualTLS is the mode; an application load balancer's is "off" where it is empty.
	MutualTLS string
	// Redirect sends everything to https; otherwise requests are forwarded.
	Redirect bool
	// ForwardPaths are path patterns of rules that forward whatever the default does.
	ForwardPaths []string
}

type balancer struct {
	LoadBalancer
	arn, dns  string
	created   time.Time
	listeners []*listener
}

type listener struct {
	Listener
	arn string
}

// AddLoadBalancer puts a load balancer into the account, without a record in the trail, and gives its ARN.
func (w *world) AddLoadBalancer(lb LoadBalancer) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	b := &balancer{LoadBalancer: lb, created: w.options.Now()}
	b.Tags = maps.Clone(lb.Tags)
	prefix := "arn:aws:elasticloadbalancing:" + w.options.Region + ":" + w.options.ID + ":loadbalancer/"
	switch lb.Kind {
	case observation.Classic:
		b.arn = prefix + lb.Name
		b.dns = fmt.Sprintf("%s-%d.%s.elb.amazonaws.com", lb.Name, 1000000+w.next(), w.options.Region)
	case observation.Network:
		b.arn = prefix + fmt.Sprintf("net/%s/%016x", lb.Name, w.next())
		b.dns = fmt.Sprintf("%s-%016x.elb.%s.amazonaws.com", lb.Name, w.serial, w.options.Region)
	default:
		b.arn = prefix + fmt.Sprintf("app/%s/%016x", lb.Name, w.next())
		b.dns = fmt.Sprintf("%s-%d.%s.elb.amazonaws.com", lb.Name, 1000000+w.serial, w.options.Region)
	}
	for _, l := range lb.Listeners {
		b.add(w, l)
	}
	w.balancers = append(w.balancers, b)
	return b.arn
}

func (b *balancer) add(w *world, l Listener) *listener {
	made := &listener{Listener: l}
	made.Certificates = slices.Clone(l.Certificates)
	if b.Kind != observation.Classic {
		made.arn = strings.Replace(b.arn, ":loadbalancer/", ":listener/", 1) + fmt.Sprintf("/%016x", w.next())
		if len(l.Certificates) > 0 && l.Policy == "" {
			made.Policy = DefaultPolicy
		}
		if l.MutualTLS == "" && b.Kind == observation.Application && l.Protocol == "HTTPS" {
			made.MutualTLS = "off"
		}
	}
	b.listeners = append(b.listeners, made)
	return made
}

// RemoveLoadBalancer takes a load balancer away, without a record in the trail.
func (w *world) RemoveLoadBalancer(name string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.balancers = slices.DeleteFunc(w.balancers, func(b *balancer) bool { return b.Name == name })
}

// DNSName is the name that clients of a load balancer resolve; empty where there is none.
func (w *world) DNSName(balancer string) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, b := range w.balancers {
		if b.Name == balancer {
			return b.dns
		}
	}
	return ""
}

type certificate struct {
	arn    string
	pair   *pki.Pair // its key is nil where an import brought none that is understood
	body   []byte    // PEM, leaf only
	chain  []byte    // PEM, what stands above it
	detail acmtypes.CertificateDetail
}

// next is a number that is not used yet. The lock is held.
func (w *world) next() int {
	w.serial++
	return w.serial
}

// find gives the load balancers that keep returns true for, in the order they were made. The lock is held.
func (w *world) find(keep func(*balancer) bool) []*balancer {
	var found []*balancer
	for _, b := range w.balancers {
		if keep(b) {
			found = append(found, b)
		}
	}
	return found
}
