package account

import (
	"context"
	"net/http"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancing"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancing/types"

	"certdrift/internal/observation"
)

// ELB is the classic load balancers' API, 2012-06-01.
type ELB struct{ account *Account }

// ELB gives the client.
func (a *Account) ELB() *ELB { return &ELB{a} }

func classicNotFound(name string) error {
	return apiError(http.StatusBadRequest, "LoadBalancerNotFound", "There is no ACTIVE Load Balancer named '"+name+"'")
}

// classic finds load balancers by name; one that is missing fails them all, as in AWS. Without names it finds all.
func (w *world) classic(names []string) ([]*balancer, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(names) == 0 {
		return w.find(func(b *balancer) bool { return b.Kind == observation.Classic }), nil
	}
	var found []*balancer
	for _, name := range names {
		one := w.find(func(b *balancer) bool { return b.Kind == observation.Classic && b.Name == name })
		if len(one) == 0 {
			return nil, classicNotFound(name)
		}
		found = append(found, one...)
	}
	return found, nil
}

// DescribeLoadBalancers lists load balancers with their listeners, 400 a page.
func (c *ELB) DescribeLoadBalancers(ctx context.Context, in *elb.DescribeLoadBalancersInput, _ ...func(*elb.Options)) (*elb.DescribeLoadBalancersOutput, error) {
	w := c.account.world
	if err := w.enter(ctx, "elb:DescribeLoadBalancers", in); err != nil {
		return nil, err
	}
	found, err := w.classic(in.LoadBalancerNames)
	if err != nil {
		return nil, err
	}
	some, next, err := page(w, "elb:DescribeLoadBalancers", found, in.Marker, in.PageSize, 400)
	if err != nil {
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	out := &elb.DescribeLoadBalancersOutput{NextMarker: next}
	for _, b := range some {
		out.LoadBalancerDescriptions = append(out.LoadBalancerDescriptions, b.describeClassic())
	}
	return out, nil
}

func (b *balancer) describeClassic() types.LoadBalancerDescription {
	d := types.LoadBalancerDescription{
		LoadBalancerName: aws.String(b.Name), DNSName: aws.String(b.dns), CanonicalHostedZoneName: aws.String(b.dns),
		CreatedTime: aws.Time(b.created), Scheme: aws.String("internet-facing"),
	}
	if b.Internal {
		d.Scheme = aws.String("internal")
	}
	for _, l := range b.listeners {
		said := types.ListenerDescription{Listener: &types.Listener{
			LoadBalancerPort: int32(l.Port), Protocol: aws.String(l.Protocol), // a port
			InstancePort: aws.Int32(30000), InstanceProtocol: aws.String("HTTP"),
		}}
		if len(l.Certificates) > 0 {
			said.Listener.SSLCertificateId = aws.String(l.Certificates[0])
		}
		if l.Policy != "" {
			said.PolicyNames = []string{l.Policy}
		}
		d.ListenerDescriptions = append(d.ListenerDescriptions, said)
	}
	return d
}

// DescribeTags gives the tags of at most 20 load balancers.
func (c *ELB) DescribeTags(ctx context.Context, in *elb.DescribeTagsInput, _ ...func(*elb.Options)) (*elb.DescribeTagsOutput, error) {
	w := c.account.world
	if err := w.enter(ctx, "elb:DescribeTags", in); err != nil {
		return nil, err
	}
	if n := len(in.LoadBalancerNames); n == 0 || n > 20 {
		return nil, apiError(http.StatusBadRequest, "ValidationError", strconv.Itoa(n)+" load balancers, 1 to 20 are allowed")
	}
	found, err := w.classic(in.LoadBalancerNames)
	if err != nil {
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	out := &elb.DescribeTagsOutput{}
	for _, b := range found {
		d := types.TagDescription{LoadBalancerName: aws.String(b.Name)}
		for _, key := range sortedKeys(b.Tags) {
			d.Tags = append(d.Tags, types.Tag{Key: aws.String(key), Value: aws.String(b.Tags[key])})
		}
		out.TagDescriptions = append(out.TagDescriptions, d)
	}
	return out, nil
}

// DescribeLoadBalancerPolicies gives a load balancer's negotiation policies with their attributes.
func (c *ELB) DescribeLoadBalancerPolicies(ctx context.Context, in *elb.DescribeLoadBalancerPoliciesInput, _ ...func(*elb.Options)) (*elb.DescribeLoadBalancerPoliciesOutput, error) {
	w := c.account.world
	if err := w.enter(ctx, "elb:DescribeLoadBalancerPolicies", in); err != nil {
		return nil, err
	}
	found, err := w.classic([]string{aws.ToString(in.LoadBalancerName)})
	if err != nil {
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	out := &elb.DescribeLoadBalancerPoliciesOutput{}
	seen := map[string]bool{}
	for _, l := range found[0].listeners {
		wanted := len(in.PolicyNames) == 0 || slices.Contains(in.PolicyNames, l.Policy)
		if l.Policy == "" || seen[l.Policy] || !wanted {
			continue
		}
		seen[l.Policy] = true
		out.PolicyDescriptions = append(out.PolicyDescriptions, describePolicy(l.Policy))
	}
	return out, nil
}

func describePolicy(name string) types.PolicyDescription {
	allowed := Policies()[name]
	d := types.PolicyDescription{
		PolicyName: aws.String(name), PolicyTypeName: aws.String("SSLNegotiationPolicyType"),
		PolicyAttributeDescriptions: []types.PolicyAttributeDescription{
			{AttributeName: aws.String("Reference-Security-Policy"), AttributeValue: aws.String(name)},
			{AttributeName: aws.String("ECDHE-RSA-AES128-GCM-SHA256"), AttributeValue: aws.String("true")},
		},
	}
	for _, p := range []string{"SSLv3", "TLSv1", "TLSv1.1", "TLSv1.2"} {
		d.PolicyAttributeDescriptions = append(d.PolicyAttributeDescriptions, types.PolicyAttributeDescription{
			AttributeName: aws.String("Protocol-" + p), AttributeValue: aws.String(strconv.FormatBool(slices.Contains(allowed, p))),
		})
	}
	return d
}

// SetLoadBalancerListenerSSLCertificate puts another certificate on a listener.
func (c *ELB) SetLoadBalancerListenerSSLCertificate(ctx context.Context, in *elb.SetLoadBalancerListenerSSLCertificateInput, _ ...func(*elb.Options)) (*elb.SetLoadBalancerListenerSSLCertificateOutput, error) {
	w := c.account.world
	err := w.enter(ctx, "elb:SetLoadBalancerListenerSSLCertificate", in)
	if err == nil {
		err = w.setClassic(aws.ToString(in.LoadBalancerName), int(in.LoadBalancerPort), aws.ToString(in.SSLCertificateId))
	}
	c.account.record(call{
		source: balancerSource, version: classicVersion, name: "SetLoadBalancerListenerSSLCertificate", err: err,
		request: map[string]any{
			"loadBalancerName": aws.ToString(in.LoadBalancerName), "loadBalancerPort": in.LoadBalancerPort,
			"sSLCertificateId": aws.ToString(in.SSLCertificateId),
		},
	})
	if err != nil {
		return nil, err
	}
	return &elb.SetLoadBalancerListenerSSLCertificateOutput{}, nil
}

func (w *world) setClassic(name string, port int, arn string) error {
	found, err := w.classic([]string{name})
	if err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, l := range found[0].listeners {
		if l.Port != port {
			continue
		}
		if w.certificates[arn] == nil {
			return apiError(http.StatusBadRequest, "CertificateNotFound", "Server Certificate not found for the key: "+arn)
		}
		l.Certificates = []string{arn}
		return nil
	}
	return apiError(http.StatusBadRequest, "ListenerNotFound", "There is no Listener on port "+strconv.Itoa(port)+" of Load Balancer "+name)
}

// DeleteLoadBalancer deletes one; a missing one is no error, as in AWS.
func (c *ELB) DeleteLoadBalancer(ctx context.Context, in *elb.DeleteLoadBalancerInput, _ ...func(*elb.Options)) (*elb.DeleteLoadBalancerOutput, error) {
	w := c.account.world
	err := w.enter(ctx, "elb:DeleteLoadBalancer", in)
	if err == nil {
		w.RemoveLoadBalancer(aws.ToString(in.LoadBalancerName))
	}
	c.account.record(call{
		source: balancerSource, version: classicVersion, name: "DeleteLoadBalancer", err: err,
		request: map[string]any{"loadBalancerName": aws.ToString(in.LoadBalancerName)},
	})
	if err != nil {
		return nil, err
	}
	return &elb.DeleteLoadBalancerOutput{}, nil
}
