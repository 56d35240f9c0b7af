package round_test

import (
	"errors"
	"testing"
	"time"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
	"certdrift/internal/round"
	"certdrift/internal/sim/account"
	"certdrift/internal/target"
)

// selfScenario is a fault of certdrift's own, with what takes away the facts that its end would show by.
type selfScenario struct {
	scenario
	phases []phase
}

// TestBlackoutOfItself: that a permission is missing, a call is throttled or a file is wrong is over when the call is answered or
// the file is read, and not when nobody came so far as to ask.
func TestBlackoutOfItself(t *testing.T) {
	for _, s := range selfScenarios() {
		name := string(s.code) + "_" + s.name
		blackOut(t, []scenario{s.scenario}, []blackout{{name: name, phases: s.phases}})
	}
}

// failing keeps a call of AWS failing until it is fixed.
func failing(code finding.Code, name string, fail func(w *world), phases ...phase) selfScenario {
	return selfScenario{scenario{code: code, name: name, global: true, build: func(w *world, _ string) func() {
		s := w.site("production", "site")
		s.balancer(observation.Application, w.acm(s.good))
		w.site("production", "classic").balancer(observation.Classic, w.acm(s.good))
		w.base = func() { fail(w) }
		return func() { w.base = nil; w.account.Heal() }
	}}, phases}
}

func selfScenarios() []selfScenario {
	all := func(name string, f account.Failure) phase {
		return phase{name, func(w *world) {
			for _, service := range []string{"elb:*", "elbv2:*", "acm:*", "iam:*"} {
				of := f
				of.Operation = service
				w.account.Inject(of)
			}
		}}
	}
	credentials := all("credentials have expired", account.Failure{Error: errors.New("get identity: get credentials: failed to refresh cached credentials")})
	down := all("nothing of the region answers", account.Failure{Delay: time.Hour})
	listing := phase{"load balancers cannot be listed", func(w *world) {
		w.account.Throttle("elbv2:DescribeLoadBalancers", 0)
		w.account.Throttle("elb:DescribeLoadBalancers", 0)
	}}
	shallow := phase{"the probe function's round reads no load balancer", func(w *world) { w.depth = round.EndpointsOnly }}
	narrow := phase{"an event names another load balancer", func(w *world) { w.only = []string{"another"} }}
	subscriptions := func(name string, f account.Failure) phase {
		f.Operation = "sns:ListSubscriptionsByTopic"
		return phase{name, func(w *world) { w.account.Inject(f) }}
	}
	manifests := probeBlackouts()[len(probeBlackouts())-1].phases
	return []selfScenario{
		failing(finding.ObserveDenied, "body", func(w *world) { w.account.Deny("acm:GetCertificate") }, credentials, down, listing, shallow, narrow),
		failing(finding.ObserveThrottled, "tags", func(w *world) { w.account.Throttle("elbv2:DescribeTags", 0) }, credentials, down, listing, shallow, narrow),
		failing(finding.ObserveIncomplete, "certificates", func(w *world) {
			w.account.Inject(account.Failure{Operation: "elbv2:DescribeListenerCertificates", Delay: time.Hour})
		}, credentials, listing, shallow, narrow),
		{scenario{code: finding.ObserveIncomplete, name: "uncompared", build: func(w *world, environment string) func() {
			s := w.site(environment, "site")
			s.target.Declared = &target.Declared{ARN: "arn:aws:acm:us-west-2:999999999999:certificate/00000000-0000-4000-8000-000000000001"}
			right := w.acm(s.good)
			return func() { s.target.Declared.ARN = right }
		}}, []phase{shallow, {"connecting hangs", probeBlackouts()[1].phases[0].begin}}},
		{scenario{code: finding.ConfigInvalid, name: "manifest", global: true, build: func(w *world, _ string) func() {
			s := w.site("production", "site")
			w.files["k8s/broken.yaml"] = "apiVersion: v1\nkind: Service\n\tname: x\n"
			return func() { w.files["k8s/broken.yaml"] = service("production", w.acm(s.good)) }
		}}, manifests},
		{scenario{code: finding.ConfigInvalid, name: "ambiguous", build: func(w *world, environment string) func() {
			s := w.site(environment, "site")
			arn := w.acm(s.good)
			name := s.balancer(observation.Application, arn)
			w.account.AddLoadBalancer(account.LoadBalancer{Kind: observation.Classic, Name: name, Listeners: []account.Listener{{Port: 443, Protocol: "HTTPS", Certificates: []string{arn}}}})
			return func() {
				w.account.RemoveLoadBalancer(name)
				w.account.AddLoadBalancer(account.LoadBalancer{Kind: observation.Classic, Name: name, Listeners: []account.Listener{{Port: 443, Protocol: "HTTPS", Certificates: []string{arn}, Policy: "ELBSecurityPolicy-TLS-1-2-2017-01"}}})
			}
		}}, []phase{credentials, down, listing, shallow, narrow}},
		{scenario{code: finding.AlertPathBroken, name: "nobody", global: true, build: func(w *world, _ string) func() {
			w.site("production", "site")
			w.account.Subscribe(w.topic)
			return func() {
				w.account.Subscribe(w.topic, account.Subscription{Protocol: "email", Endpoint: "oncall@example.org"})
			}
		}}, []phase{
			subscriptions("listing subscriptions is denied", account.Failure{Error: denied("sns:ListSubscriptionsByTopic")}),
			subscriptions("listing subscriptions hangs", account.Failure{Delay: time.Hour}),
		}},
	}
}
