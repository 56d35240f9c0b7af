package round_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"syscall"
	"time"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"certdrift/internal/certtest"
	"certdrift/internal/observation"
	"certdrift/internal/round"
	"certdrift/internal/sim/account"
)

// blackout takes facts away, in one way after the other.
type blackout struct {
	name   string
	phases []phase
	// aws: probes see what they saw before.
	aws bool
}

// probes is what the world is like for probes in a phase.
func (b blackout) probes(p phase) string {
	if b.aws {
		return ""
	}
	return p.name
}

// phase is one way; begin runs before each of its rounds.
type phase struct {
	name  string
	begin func(w *world)
}

// heal gives the facts back.
func (w *world) heal() {
	w.resolve, w.dial, w.mute, w.others, w.s3, w.only, w.depth, w.patience = nil, nil, false, nil, nil, nil, round.Listeners, time.Minute
	w.like = ""
	w.account.Heal()
}

// awsBlackouts are, for each call of AWS, what may become of it.
func awsBlackouts() []blackout {
	var out []blackout
	for _, operation := range []string{
		"elb:DescribeLoadBalancers", "elb:DescribeTags", "elb:DescribeLoadBalancerPolicies",
		"elbv2:DescribeLoadBalancers", "elbv2:DescribeTags", "elbv2:DescribeListeners", "elbv2:DescribeListenerCertificates",
		"elbv2:DescribeRules", "elbv2:DescribeSSLPolicies",
		"acm:DescribeCertificate", "acm:GetCertificate", "iam:GetServerCertificate",
		"elb:*", "elbv2:*", "acm:*", "*",
	} {
		out = append(out, blackout{name: operation, aws: true, phases: []phase{
			{operation + " is denied", func(w *world) { w.account.Deny(operation) }},
			{operation + " is throttled", func(w *world) { w.account.Throttle(operation, 0) }},
			{operation + " hangs", func(w *world) { w.account.Inject(account.Failure{Operation: operation, Delay: time.Hour}) }},
			{operation + " fails after its first page", func(w *world) {
				w.account.Inject(account.Failure{Operation: operation, After: 1, Error: errors.New("connection reset by peer")})
			}},
			{operation + " repeats its page token", func(w *world) { w.account.Inject(account.Failure{Operation: operation, RepeatToken: true}) }},
		}})
	}
	return out
}

// probeBlackouts are what may become of a probe, phase by phase, and of the sources.
func probeBlackouts() []blackout {
	lookup := func(affects func(network, host string) bool, forever bool) func(*world) {
		return func(w *world) {
			w.resolve = func(ctx context.Context, network, host string) error {
				switch {
				case !affects(network, host):
					return nil
				case forever:
					<-ctx.Done()
					return ctx.Err()
				}
				return &net.DNSError{Err: "server misbehaving", Name: host, IsTemporary: true}
			}
		}
	}
	every := func(string, string) bool { return true }
	hops := func(_, host string) bool { return strings.HasPrefix(host, "hop.") }
	balancers := func(_, host string) bool { return strings.HasSuffix(host, ".elb.amazonaws.com") }
	six := func(network, _ string) bool { return network == "ip6" }
	canonical := func(network, _ string) bool { return network == "cname" }
	dialing := func(dial func(ctx context.Context) (net.Conn, error)) func(*world) {
		return func(w *world) { w.dial = func(ctx context.Context, _ string) (net.Conn, error) { return dial(ctx) } }
	}
	hung := func(ctx context.Context) (net.Conn, error) { <-ctx.Done(); return nil, ctx.Err() }
	source := func(operation string, forever bool) func(*world) {
		return func(w *world) {
			w.s3 = func(ctx context.Context, called string) error {
				if called != operation {
					return nil
				}
				if forever {
					<-ctx.Done()
					return ctx.Err()
				}
				return denied("s3:" + operation)
			}
		}
	}
	return []blackout{
		{name: "DNS", phases: []phase{
			{"the resolver fails", lookup(every, false)}, {"the resolver hangs", lookup(every, true)},
			{"redirects' targets do not resolve", lookup(hops, false)}, {"load balancers' names do not resolve", lookup(balancers, false)},
			{"canonical names do not resolve", lookup(canonical, false)},
			{"IPv6 addresses do not resolve", lookup(six, false)}, {"looking up IPv6 addresses hangs", lookup(six, true)},
		}},
		{name: "connecting", phases: []phase{
			{"connecting hangs", dialing(hung)},
			{"this machine has no socket left", dialing(func(context.Context) (net.Conn, error) { return nil, dialError(syscall.EMFILE) })},
		}},
		{name: "handshakes", phases: []phase{
			{"handshakes hang", dialing(func(context.Context) (net.Conn, error) { return inMemory(certtest.Silent), nil })},
			{"servers hang up", dialing(func(context.Context) (net.Conn, error) { return inMemory(certtest.HangUp), nil })},
		}},
		{name: "responses", phases: []phase{{"servers answer no request", func(w *world) { w.mute = true }}}},
		{name: "other certificates", phases: []phase{
			{"servers do not answer the question for their other certificate", func(w *world) {
				w.others = func(key observation.KeyType) *observation.OtherCertificate {
					return &observation.OtherCertificate{KeyType: key, Failure: &observation.Failure{Phase: observation.PhaseTLS, Kind: observation.TimedOut}}
				}
			}},
			{notAsked, func(w *world) { w.others = func(observation.KeyType) *observation.OtherCertificate { return nil } }},
		}},
		{name: "time", phases: []phase{
			{"the round ends early", func(w *world) { w.patience = time.Second; dialing(hung)(w) }},
			{"the round ends before names are resolved", func(w *world) { w.patience = time.Second; lookup(every, true)(w) }},
		}},
		{name: "scope", phases: []phase{
			{"an event names another load balancer", func(w *world) { w.only = []string{"another"} }},
			{"the probe function's round reads no load balancer", func(w *world) { w.depth = round.EndpointsOnly }},
		}},
		{name: "sources", phases: []phase{
			{"listing the manifests is denied", source("ListObjectsV2", false)}, {"listing the manifests hangs", source("ListObjectsV2", true)},
			{"reading a manifest is denied", source("GetObject", false)}, {"reading a manifest hangs", source("GetObject", true)},
		}},
	}
}

// notAsked is a phase in which it is no endpoint's turn: the rounds are complete without the question.
const notAsked = "it is no server's turn to be asked for its other certificate"

// denied is a refusal as the SDK returns it.
func denied(action string) error {
	return &awshttp.ResponseError{ResponseError: &smithyhttp.ResponseError{
		Response: &smithyhttp.Response{Response: &http.Response{StatusCode: http.StatusForbidden}},
		Err:      &smithy.GenericAPIError{Code: "AccessDenied", Message: "not authorized to perform " + action},
	}}
}
