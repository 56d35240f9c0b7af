package account

import (
	"context"
	"net/http"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"certdrift/internal/observation"
)

// ELBv2 is the application and network load balancers' API, 2015-12-01.
type ELBv2 struct{ account *Account }

// ELBv2 gives the client.
func (a *Account) ELBv2() *ELBv2 { return &ELBv2{a} }

var errUnknownBalancer = apiError(http.StatusBadRequest, "LoadBalancerNotFound", "One or more load balancers not found")

// modern finds load balancers by names and ARNs; one that is missing fails them all. Without either it finds all.
func (w *world) modern(names, arns []string) ([]*balancer, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	all := w.find(func(b *balancer) bool { return b.Kind != observation.Classic })
	if len(names)+len(arns) == 0 {
		return all, nil
	}
	var found []*balancer
	for _, b := range all {
		if slices.Contains(names, b.Name) || slices.Contains(arns, b.arn) {
			found = append(found, b)
		}
	}
	if len(found) < len(names)+len(arns) {
		return nil, errUnknownBalancer
	}
	return found, nil
}

// DescribeLoadBalancers lists load balancers, 400 a page.
func (c *ELBv2) DescribeLoadBalancers(ctx context.Context, in *elbv2.DescribeLoadBalancersInput, _ ...func(*elbv2.Options)) (*elbv2.DescribeLoadBalancersOutput, error) {
	w := c.account.world
	if err := w.enter(ctx, "elbv2:DescribeLoadBalancers", in); err != nil {
		return nil, err
	}
	found, err := w.modern(in.Names, in.LoadBalancerArns)
	if err != nil {
		return nil, err
	}
	some, next, err := page(w, "elbv2:DescribeLoadBalancers", found, in.Marker, in.PageSize, 400)
	if err != nil {
		return nil, err
	}
	out := &elbv2.DescribeLoadBalancersOutput{NextMarker: next}
	for _, b := range some {
		lb := types.LoadBalancer{
			LoadBalancerArn: aws.String(b.arn), LoadBalancerName: aws.String(b.Name), DNSName: aws.String(b.dns),
			CreatedTime: aws.Time(b.created), Type: types.LoadBalancerTypeEnum(b.Kind),
			Scheme: types.LoadBalancerSchemeEnumInternetFacing, State: &types.LoadBalancerState{Code: types.LoadBalancerStateEnumActive},
		}
		if b.Internal {
			lb.Scheme = types.LoadBalancerSchemeEnumInternal
		}
		out.LoadBalancers = append(out.LoadBalancers, lb)
	}
	return out, nil
}

// DescribeTags gives the tags of at most 20 load balancers.
func (c *ELBv2) DescribeTags(ctx context.Context, in *elbv2.DescribeTagsInput, _ ...func(*elbv2.Options)) (*elbv2.DescribeTagsOutput, error) {
	w := c.account.world
	if err := w.enter(ctx, "elbv2:DescribeTags", in); err != nil {
		return nil, err
	}
	if n := len(in.ResourceArns); n == 0 || n > 20 {
		return nil, apiError(http.StatusBadRequest, "ValidationError", strconv.Itoa(n)+" resources, 1 to 20 are allowed")
	}
	found, err := w.modern(nil, in.ResourceArns)
	if err != nil {
		return nil, err
	}
	out := &elbv2.DescribeTagsOutput{}
	for _, b := range found {
		d := types.TagDescription{ResourceArn: aws.String(b.arn)}
		for _, key := range sortedKeys(b.Tags) {
			d.Tags = append(d.Tags, types.Tag{Key: aws.String(key), Value: aws.String(b.Tags[key])})
		}
		out.TagDescriptions = append(out.TagDescriptions, d)
	}
	return out, nil
}

// DescribeListeners lists a load balancer's listeners, each with its default certificate only.
func (c *ELBv2) DescribeListeners(ctx context.Context, in *elbv2.DescribeListenersInput, _ ...func(*elbv2.Options)) (*elbv2.DescribeListenersOutput, error) {
	w := c.account.world
	if err := w.enter(ctx, "elbv2:DescribeListeners", in); err != nil {
		return nil, err
	}
	found, err := w.modern(nil, []string{aws.ToString(in.LoadBalancerArn)})
	if err != nil {
		return nil, err
	}
	w.mu.Lock()
	all := slices.Clone(found[0].listeners)
	w.mu.Unlock()
	some, next, err := page(w, "elbv2:DescribeListeners", all, in.Marker, in.PageSize, 400)
	if err != nil {
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	out := &elbv2.DescribeListenersOutput{NextMarker: next}
	for _, l := range some {
		out.Listeners = append(out.Listeners, l.describe(found[0]))
	}
	return out, nil
}

func (l *listener) describe(b *balancer) types.Listener {
	d := types.Listener{
		ListenerArn: aws.String(l.arn), LoadBalancerArn: aws.String(b.arn),
		Port: aws.Int32(int32(l.Port)), Protocol: types.ProtocolEnum(l.Protocol), // a port
		DefaultActions: []types.Action{l.action(l.Redirect)},
	}
	if l.Policy != "" {
		d.SslPolicy = aws.String(l.Policy)
	}
	if l.MutualTLS != "" {
		d.MutualAuthentication = &types.MutualAuthenticationAttributes{Mode: aws.String(l.MutualTLS)}
	}
	if len(l.Certificates) > 0 {
		d.Certificates = []types.Certificate{{CertificateArn: aws.String(l.Certificates[0])}}
	}
	return d
}

func (l *listener) action(redirect bool) types.Action {
	if !redirect {
		return types.Action{Type: types.ActionTypeEnumForward, TargetGroupArn: aws.String("arn:aws:elasticloadbalancing:::targetgroup/web")}
	}
	return types.Action{Type: types.ActionTypeEnumRedirect, RedirectConfig: &types.RedirectActionConfig{
		Protocol: aws.String("HTTPS"), Port: aws.String("443"), StatusCode: types.RedirectActionStatusCodeEnumHttp301,
	}}
}

// listenerAt finds a listener by ARN. The lock is held.
func (w *world) listenerAt(arn string) (*balancer, *listener, error) {
	for _, b := range w.balancers {
		for _, l := range b.listeners {
			if l.arn != "" && l.arn == arn {
				return b, l, nil
			}
		}
	}
	return nil, nil, apiError(http.StatusBadRequest, "ListenerNotFound", "One or more listeners not found")
}

// DescribeListenerCertificates lists a listener's certificates. A default one that is also in the SNI list comes twice.
func (c *ELBv2) DescribeListenerCertificates(ctx context.Context, in *elbv2.DescribeListenerCertificatesInput, _ ...func(*elbv2.Options)) (*elbv2.DescribeListenerCertificatesOutput, error) {
	w := c.account.world
	if err := w.enter(ctx, "elbv2:DescribeListenerCertificates", in); err != nil {
		return nil, err
	}
	all, err := w.listed(aws.ToString(in.ListenerArn))
	if err != nil {
		return nil, err
	}
	some, next, err := page(w, "elbv2:DescribeListenerCertificates", all, in.Marker, in.PageSize, 400)
	if err != nil {
		return nil, err
	}
	return &elbv2.DescribeListenerCertificatesOutput{Certificates: some, NextMarker: next}, nil
}

func (w *world) listed(listenerARN string) ([]types.Certificate, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	_, l, err := w.listenerAt(listenerARN)
	if err != nil {
		return nil, err
	}
	var all []types.Certificate
	for i, arn := range l.Certificates {
		all = append(all, types.Certificate{CertificateArn: aws.String(arn), IsDefault: aws.Bool(i == 0)})
	}
	return all, nil
}

// DescribeRules lists a listener's rules, the default last.
func (c *ELBv2) DescribeRules(ctx context.Context, in *elbv2.DescribeRulesInput, _ ...func(*elbv2.Options)) (*elbv2.DescribeRulesOutput, error) {
	w := c.account.world
	if err := w.enter(ctx, "elbv2:DescribeRules", in); err != nil {
		return nil, err
	}
	all, err := w.rules(aws.ToString(in.ListenerArn))
	if err != nil {
		return nil, err
	}
	some, next, err := page(w, "elbv2:DescribeRules", all, in.Marker, in.PageSize, 400)
	if err != nil {
		return nil, err
	}
	return &elbv2.DescribeRulesOutput{Rules: some, NextMarker: next}, nil
}

func (w *world) rules(listenerARN string) ([]types.Rule, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	_, l, err := w.listenerAt(listenerARN)
	if err != nil {
		return nil, err
	}
	var all []types.Rule
	for i, path := range l.ForwardPaths {
		all = append(all, types.Rule{
			Priority: aws.String(strconv.Itoa(i + 1)), IsDefault: aws.Bool(false), Actions: []types.Action{l.action(false)},
			Conditions: []types.RuleCondition{{Field: aws.String("path-pattern"), Values: []string{path}}},
		})
	}
	return append(all, types.Rule{Priority: aws.String("default"), IsDefault: aws.Bool(true), Actions: []types.Action{l.action(l.Redirect)}}), nil
}

// DescribeSSLPolicies lists security policies.
func (c *ELBv2) DescribeSSLPolicies(ctx context.Context, in *elbv2.DescribeSSLPoliciesInput, _ ...func(*elbv2.Options)) (*elbv2.DescribeSSLPoliciesOutput, error) {
	w := c.account.world
	if err := w.enter(ctx, "elbv2:DescribeSSLPolicies", in); err != nil {
		return nil, err
	}
	known := Policies()
	var all []types.SslPolicy
	for _, name := range sortedKeys(known) {
		if len(in.Names) == 0 || slices.Contains(in.Names, name) {
			all = append(all, types.SslPolicy{Name: aws.String(name), SslProtocols: known[name]})
		}
	}
	if len(all) < len(in.Names) {
		return nil, apiError(http.StatusBadRequest, "SSLPolicyNotFound", "One or more SSL policies not found")
	}
	some, next, err := page(w, "elbv2:DescribeSSLPolicies", all, in.Marker, in.PageSize, 400)
	if err != nil {
		return nil, err
	}
	return &elbv2.DescribeSSLPoliciesOutput{SslPolicies: some, NextMarker: next}, nil
}
