package account_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancing"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancing/types"

	"certdrift/internal/event"
	"certdrift/internal/observation"
	"certdrift/internal/sim/account"
)

func TestListenersComeAndGo(t *testing.T) {
	a, one, other := newAccount(t)
	a.AddLoadBalancer(account.LoadBalancer{Kind: observation.Classic, Name: "lb", Listeners: []account.Listener{{Port: 443, Protocol: "HTTPS", Certificates: []string{one}}}})
	client := a.As(account.Kubernetes()).ELB()
	create := &elb.CreateLoadBalancerListenersInput{LoadBalancerName: aws.String("lb"), Listeners: []types.Listener{
		{LoadBalancerPort: 443, Protocol: aws.String("HTTPS"), InstancePort: aws.Int32(31443), SSLCertificateId: aws.String(other)},
	}}
	if _, err := client.CreateLoadBalancerListeners(t.Context(), create); code(err) != "DuplicateListener" {
		t.Errorf("a port that is taken: %v", err)
	}
	remove := &elb.DeleteLoadBalancerListenersInput{LoadBalancerName: aws.String("lb"), LoadBalancerPorts: []int32{443}}
	if _, err := client.DeleteLoadBalancerListeners(t.Context(), remove); err != nil {
		t.Fatal(err)
	}
	if _, err := client.CreateLoadBalancerListeners(t.Context(), create); err != nil {
		t.Fatal(err)
	}
	out, err := a.ELB().DescribeLoadBalancers(t.Context(), &elb.DescribeLoadBalancersInput{LoadBalancerNames: []string{"lb"}})
	if err != nil {
		t.Fatal(err)
	}
	listeners := out.LoadBalancerDescriptions[0].ListenerDescriptions
	if len(listeners) != 1 || aws.ToString(listeners[0].Listener.SSLCertificateId) != other {
		t.Errorf("listeners: %+v", listeners)
	}
	for i, want := range []string{"DuplicateListener", "", ""} {
		e, err := event.Decode(a.Events()[i])
		if err != nil || e.Kind != event.Change || e.Failed != want || want == "" && (e.Change.LoadBalancer != "lb" || e.Change.Port != 443) {
			t.Errorf("event %d: %+v, %v", i, e, err)
		}
	}
}
