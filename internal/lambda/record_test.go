package lambda_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancing"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbv2types "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"certdrift/internal/observation"
	"certdrift/internal/sim/account"
)

// changes are the lines written for changes, as "STANDING EVENT LISTENERS by NAME (TOOL) CODES".
func (s *stage) changes() []string {
	s.t.Helper()
	var out []string
	for line := range strings.Lines(s.log.String()) {
		if !strings.Contains(line, `"msg":"change",`) {
			continue
		}
		var l struct {
			Standing, Event, By, Tool string
			Listeners, Codes          []string
		}
		if err := json.Unmarshal([]byte(line), &l); err != nil {
			s.t.Fatal(err)
		}
		out = append(out, fmt.Sprintf("%s %s %v by %s (%s) %v", l.Standing, l.Event, l.Listeners, l.By, l.Tool, l.Codes))
	}
	return out
}

// listenerOf is the ARN of a load balancer's only listener.
func (s *stage) listenerOf(name string) *string {
	for _, lb := range s.last.Round.LoadBalancers {
		if lb.Name == name {
			return aws.String(lb.Listeners[0].ARN)
		}
	}
	s.t.Fatalf("no load balancer %s was read", name)
	return nil
}

// TestEveryChangeLeavesARecord: one that agrees with what is declared alerts nobody, and is written down all the same,
// once, with who made it.
func TestEveryChangeLeavesARecord(t *testing.T) {
	s := newStage(t)
	var events [][]byte
	s.account.OnEvent(func(e []byte) { events = append(events, e) })
	s.account.AddLoadBalancer(account.LoadBalancer{Kind: observation.Classic, Name: "lb-spare", Listeners: []account.Listener{{Port: 80, Protocol: "HTTP"}}})
	s.tick()
	console := s.account.As(account.Operator())
	modify := func(arn string) error {
		_, err := console.ELBv2().ModifyListener(t.Context(), &elbv2.ModifyListenerInput{
			ListenerArn: s.listenerOf("lb-other"), Certificates: []elbv2types.Certificate{{CertificateArn: aws.String(arn)}}})
		return err
	}
	remove := func(name string) error {
		_, err := console.ELB().DeleteLoadBalancer(t.Context(), &elb.DeleteLoadBalancerInput{LoadBalancerName: aws.String(name)})
		return err
	}
	for _, c := range []struct {
		do     func() error
		alerts int
		want   string
	}{
		{func() error { s.serves["other"] = s.serves["api"]; return modify(s.shared) }, 1,
			"differs ModifyListener [lb-other:443] by Operator (AWS console) [drift-attached]"},
		{func() error { s.serves["other"] = s.leaf(100, 90, "other.example.org"); return modify(s.own) }, 0,
			"agrees ModifyListener [lb-other:443] by Operator (AWS console) []"},
		{func() error {
			_, err := console.ELB().SetLoadBalancerListenerSSLCertificate(t.Context(), &elb.SetLoadBalancerListenerSSLCertificateInput{
				LoadBalancerName: aws.String("lb-api"), LoadBalancerPort: 443, SSLCertificateId: aws.String(s.shared)})
			return err
		}, 0, "undeclared SetLoadBalancerListenerSSLCertificate [lb-api:443] by Operator (AWS console) []"},
		{func() error { return remove("lb-spare") }, 0, "gone DeleteLoadBalancer [] by Operator (AWS console) []"},
		{func() error { return remove("lb-api") }, 1, "differs DeleteLoadBalancer [] by Operator (AWS console) [listener-missing]"},
	} {
		events = nil
		if err := c.do(); err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(c.want, "agrees") {
			s.account.AddCertificate("22222222-0000-4000-8000-000000000002", s.serves["other"])
		}
		written, sent := len(s.changes()), len(s.subjects())
		s.now = s.now.Add(10 * time.Second)
		s.handle(events[0])
		if got := s.changes()[written:]; len(got) != 1 || got[0] != c.want {
			t.Errorf("recorded %q, want %q once", got, c.want)
		}
		opened := 0
		for _, subject := range s.subjects()[sent:] {
			if !strings.HasPrefix(subject, "RESOLVED") {
				opened++
			}
		}
		if opened != c.alerts {
			t.Errorf("%s: alerts %q", c.want, s.subjects()[sent:])
		}
		for range 2 {
			s.tick()
		}
	}
}
