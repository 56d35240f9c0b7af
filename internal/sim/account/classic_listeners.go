package account

import (
	"context"
	"net/http"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancing"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancing/types"
)

// CreateLoadBalancerListeners adds listeners to a load balancer, as a cluster's cloud provider does when a Service's
// ports change.
func (c *ELB) CreateLoadBalancerListeners(ctx context.Context, in *elb.CreateLoadBalancerListenersInput, _ ...func(*elb.Options)) (*elb.CreateLoadBalancerListenersOutput, error) {
	w, name := c.account.world, aws.ToString(in.LoadBalancerName)
	err := w.enter(ctx, "elb:CreateLoadBalancerListeners", in)
	if err == nil {
		err = w.addClassic(name, in.Listeners)
	}
	var said []any
	for _, l := range in.Listeners {
		said = append(said, map[string]any{
			"protocol": aws.ToString(l.Protocol), "loadBalancerPort": l.LoadBalancerPort, "instancePort": aws.ToInt32(l.InstancePort),
			"sSLCertificateId": aws.ToString(l.SSLCertificateId),
		})
	}
	c.account.record(call{
		source: balancerSource, version: classicVersion, name: "CreateLoadBalancerListeners", err: err,
		request: map[string]any{"loadBalancerName": name, "listeners": said},
	})
	if err != nil {
		return nil, err
	}
	return &elb.CreateLoadBalancerListenersOutput{}, nil
}

func (w *world) addClassic(name string, listeners []types.Listener) error {
	found, err := w.classic([]string{name})
	if err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, l := range listeners {
		arn := aws.ToString(l.SSLCertificateId)
		if arn != "" && w.certificates[arn] == nil {
			return apiError(http.StatusBadRequest, "CertificateNotFound", "Server Certificate not found for the key: "+arn)
		}
		if slices.ContainsFunc(found[0].listeners, func(have *listener) bool { return have.Port == int(l.LoadBalancerPort) }) {
			return apiError(http.StatusBadRequest, "DuplicateListener", "A listener already exists for port "+strconv.Itoa(int(l.LoadBalancerPort)))
		}
	}
	for _, l := range listeners {
		made := Listener{Port: int(l.LoadBalancerPort), Protocol: aws.ToString(l.Protocol)}
		if arn := aws.ToString(l.SSLCertificateId); arn != "" {
			made.Certificates = []string{arn}
		}
		found[0].add(w, made)
	}
	return nil
}

// DeleteLoadBalancerListeners takes listeners away; a port that has none is no error, as in AWS.
func (c *ELB) DeleteLoadBalancerListeners(ctx context.Context, in *elb.DeleteLoadBalancerListenersInput, _ ...func(*elb.Options)) (*elb.DeleteLoadBalancerListenersOutput, error) {
	w, name := c.account.world, aws.ToString(in.LoadBalancerName)
	err := w.enter(ctx, "elb:DeleteLoadBalancerListeners", in)
	if err == nil {
		var found []*balancer
		if found, err = w.classic([]string{name}); err == nil {
			w.mu.Lock()
			found[0].listeners = slices.DeleteFunc(found[0].listeners, func(l *listener) bool {
				return slices.Contains(in.LoadBalancerPorts, int32(l.Port)) // a port
			})
			w.mu.Unlock()
		}
	}
	c.account.record(call{
		source: balancerSource, version: classicVersion, name: "DeleteLoadBalancerListeners", err: err,
		request: map[string]any{"loadBalancerName": name, "loadBalancerPorts": in.LoadBalancerPorts},
	})
	if err != nil {
		return nil, err
	}
	return &elb.DeleteLoadBalancerListenersOutput{}, nil
}
