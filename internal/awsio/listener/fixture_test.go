package listener_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"certdrift/internal/awsio/listener"
	"certdrift/internal/observation"
	"certdrift/internal/sim/account"
	"certdrift/internal/sim/pki"
	"certdrift/internal/target"
)

func now() time.Time { return time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC) }

// world is an account in two regions, and a second account behind a role.
type world struct {
	west, east, other *account.Account
	pair              *pki.Pair
	acm, acm2, iam    string
	inspector         *listener.Inspector
}

const otherRole = "arn:aws:iam::444455556666:role/certdrift-member"

func newWorld(t testing.TB) *world {
	t.Helper()
	root, err := pki.Root("Test root", now())
	if err != nil {
		t.Fatal(err)
	}
	issuer, err := root.Intermediate("Test issuer", now())
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := issuer.Leaf(now(), []string{"www.example.org", "example.org"})
	if err != nil {
		t.Fatal(err)
	}
	w := &world{
		west:  account.New(account.Options{Now: now, PageSize: 2}),
		east:  account.New(account.Options{Now: now, PageSize: 2, Region: "us-east-1"}),
		other: account.New(account.Options{Now: now, ID: "444455556666"}),
		pair:  leaf,
	}
	w.acm = w.west.AddCertificate("11111111-0000-4000-8000-000000000001", leaf)
	w.acm2 = w.west.AddCertificate("22222222-0000-4000-8000-000000000002", leaf)
	w.iam = w.west.AddServerCertificate("old", leaf)
	w.inspector = listener.New(listener.Options{Home: "us-west-2", Clients: w.clients, Account: w.account})
	return w
}

func (w *world) clients(region string, role target.Role) listener.Clients {
	a := w.west
	switch {
	case role.ARN == otherRole:
		a = w.other
	case region == "us-east-1":
		a = w.east
	}
	return listener.Clients{Classic: a.ELB(), Modern: a.ELBv2(), ACM: a.ACM(), IAM: a.IAM()}
}

func (w *world) account(_ context.Context, role target.Role) (string, error) {
	switch role.ARN {
	case "":
		return w.west.ID(), nil
	case otherRole:
		return w.other.ID(), nil
	}
	return "", errors.New("no such role")
}

// fill puts one load balancer of each kind into the west.
func (w *world) fill() {
	w.west.AddLoadBalancer(account.LoadBalancer{
		Kind: observation.Classic, Name: "a22e1d63", Tags: map[string]string{"kubernetes.io/service-name": "production/api", "env": "production"},
		Listeners: []account.Listener{
			{Port: 80, Protocol: "HTTP"},
			{Port: 443, Protocol: "HTTPS", Certificates: []string{w.iam}, Policy: "ELBSecurityPolicy-2016-08"},
		},
	})
	w.west.AddLoadBalancer(account.LoadBalancer{
		Kind: observation.Application, Name: "web", Internal: true, Tags: map[string]string{"env": "staging"},
		Listeners: []account.Listener{
			{Port: 443, Protocol: "HTTPS", Certificates: []string{w.acm, w.acm2, w.iam}, Policy: "ELBSecurityPolicy-TLS13-1-2-2021-06"},
			{Port: 80, Protocol: "HTTP", Redirect: true, ForwardPaths: []string{"/health", "/.well-known/*"}},
			{Port: 8443, Protocol: "HTTPS", Certificates: []string{w.acm}, MutualTLS: "verify"},
		},
	})
	w.west.AddLoadBalancer(account.LoadBalancer{
		Kind: observation.Network, Name: "tcp", Tags: map[string]string{"env": "production"},
		Listeners: []account.Listener{{Port: 443, Protocol: "TLS", Certificates: []string{w.acm2}}, {Port: 22, Protocol: "TCP"}},
	})
}

// everything is a round over all load balancers of the west.
func everything() target.Wanted {
	return target.Wanted{Scope: target.Scope{Enabled: true, Walk: true, Regions: []string{"us-west-2"}}}
}

func (w *world) inspect(t testing.TB, wanted target.Wanted) observation.Attached {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	return w.inspector.Inspect(ctx, wanted)
}

// summary is a listener a line: "classic a22e1d63:443 HTTPS ELBSecurityPolicy-2016-08 [TLSv1 TLSv1.1] iam".
func (w *world) summary(got observation.Attached) []string {
	short := map[string]string{w.acm: "acm", w.acm2: "acm2", w.iam: "iam"}
	var out []string
	for _, lb := range got.LoadBalancers {
		for _, l := range lb.Listeners {
			line := fmt.Sprintf("%s %s:%d %s", lb.Kind, lb.Name, l.Port, l.Protocol)
			if l.Policy != "" {
				line += fmt.Sprint(" ", l.Policy, l.Protocols)
			}
			if l.MutualTLS != "" {
				line += " mtls=" + l.MutualTLS
			}
			for i, c := range l.Certificates {
				line += " " + short[c.ARN]
				if c.Default != (i == 0) {
					line += "(out of order)"
				}
			}
			for _, r := range l.Rules {
				line += fmt.Sprintf(" %s:%s%s", r.Priority, r.Action, r.RedirectProtocol)
			}
			out = append(out, line)
		}
	}
	return out
}

// names are the load balancers found.
func names(got observation.Attached) []string {
	var out []string
	for _, lb := range got.LoadBalancers {
		out = append(out, lb.Name)
	}
	slices.Sort(out)
	return out
}

// problems returns a line for each ObserveError: "denied elasticloadbalancing:DescribeTags us-west-2".
func problems(got observation.Attached) []string {
	var out []string
	for _, t := range got.ObserveErrors {
		out = append(out, fmt.Sprintf("%s %s %s", t.Kind, t.Operation, t.Region))
	}
	return out
}
