package listener

import (
	"context"
	"slices"
	"strconv"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"certdrift/internal/awsio/awserr"
	"certdrift/internal/observation"
)

func listenerKey(balancer string, port int) string { return balancer + ":" + strconv.Itoa(port) }

// modern reads the application and network load balancers. Gateway load balancers speak no TLS.
func (w *walk) modern(ctx context.Context) []observation.LoadBalancer {
	var found []observation.LoadBalancer
	w.list(ctx, func(name string, token *string) (*string, error) {
		in := &elbv2.DescribeLoadBalancersInput{Marker: token}
		if name != "" {
			in.Names = []string{name}
		}
		var out *elbv2.DescribeLoadBalancersOutput
		err := w.ask(ctx, "modern DescribeLoadBalancers", func() (err error) { out, err = w.clients.Modern.DescribeLoadBalancers(ctx, in); return err })
		if err != nil {
			return nil, err
		}
		for _, d := range out.LoadBalancers {
			if d.Type != types.LoadBalancerTypeEnumGateway && w.selection.byName(aws.ToString(d.LoadBalancerName)) {
				found = addOnce(found, w.readModern(d))
			}
		}
		return out.NextMarker, nil
	})
	tags, unreadable := w.tags(ctx, "modern", arnsOf(found), func(arns []string) (map[string]map[string]string, error) {
		out, err := w.clients.Modern.DescribeTags(ctx, &elbv2.DescribeTagsInput{ResourceArns: arns})
		if err != nil {
			return nil, err
		}
		tags := map[string]map[string]string{}
		for _, d := range out.TagDescriptions {
			of := map[string]string{}
			for _, t := range d.Tags {
				of[aws.ToString(t.Key)] = aws.ToString(t.Value)
			}
			tags[aws.ToString(d.ResourceArn)] = of
		}
		return tags, nil
	})
	found = w.tagged(found, func(lb observation.LoadBalancer) string { return lb.ARN }, tags, unreadable)
	found = each(found, func(lb *observation.LoadBalancer) bool { return w.listeners(ctx, lb) })
	w.protocols(ctx, found)
	return found
}

func arnsOf(balancers []observation.LoadBalancer) []string {
	var out []string
	for _, lb := range balancers {
		out = append(out, lb.ARN)
	}
	return out
}

func (w *walk) readModern(d types.LoadBalancer) observation.LoadBalancer {
	return observation.LoadBalancer{
		Kind: observation.LoadBalancerKind(d.Type), Name: aws.ToString(d.LoadBalancerName), ARN: aws.ToString(d.LoadBalancerArn),
		Region: w.region, Account: w.account, DNSName: hostname(aws.ToString(d.DNSName)),
		Internal: d.Scheme == types.LoadBalancerSchemeEnumInternal,
	}
}

// listeners reads a load balancer's listeners; false where it is gone.
func (w *walk) listeners(ctx context.Context, lb *observation.LoadBalancer) bool {
	err := pages(ctx, func(token *string) (*string, error) {
		var out *elbv2.DescribeListenersOutput
		err := w.ask(ctx, "DescribeListeners", func() (err error) {
			out, err = w.clients.Modern.DescribeListeners(ctx, &elbv2.DescribeListenersInput{LoadBalancerArn: aws.String(lb.ARN), Marker: token})
			return err
		})
		if err != nil {
			return nil, err
		}
		for _, d := range out.Listeners {
			lb.Listeners = append(lb.Listeners, readListener(d))
		}
		return out.NextMarker, nil
	})
	if err != nil {
		if awserr.Missing(err) {
			return false
		}
		w.note(err, "DescribeListeners", lb.ARN)
		lb.Partial = true
	}
	w.details(ctx, lb)
	return true
}

// details reads what stands behind each listener, side by side: certificates where it speaks TLS, rules where an
// application load balancer speaks plain HTTP. A listener that is gone when it is asked about is gone.
func (w *walk) details(ctx context.Context, lb *observation.LoadBalancer) {
	errs := make([]error, len(lb.Listeners))
	var group sync.WaitGroup
	for i := range lb.Listeners {
		l := &lb.Listeners[i]
		switch {
		case l.Secure():
			group.Go(func() { errs[i] = w.attachments(ctx, l) })
		case l.Protocol == "HTTP" && lb.Kind == observation.Application:
			group.Go(func() { errs[i] = w.rules(ctx, l) })
		}
	}
	group.Wait()
	var kept []observation.Listener
	for i, l := range lb.Listeners {
		if awserr.Missing(errs[i]) {
			continue
		}
		lb.Partial = lb.Partial || errs[i] != nil
		kept = append(kept, l)
	}
	lb.Listeners = kept
}

func readListener(d types.Listener) observation.Listener {
	l := observation.Listener{
		ARN: aws.ToString(d.ListenerArn), Port: int(aws.ToInt32(d.Port)), Protocol: string(d.Protocol), Policy: aws.ToString(d.SslPolicy),
	}
	if d.MutualAuthentication != nil {
		l.MutualTLS = aws.ToString(d.MutualAuthentication.Mode)
	}
	if len(d.Certificates) > 0 && l.Secure() {
		l.Certificates = []observation.Attachment{{ARN: aws.ToString(d.Certificates[0].CertificateArn), Default: true}}
	}
	if l.Protocol == "HTTP" && len(d.DefaultActions) > 0 {
		l.Rules = []observation.ListenerRule{readRule("default", d.DefaultActions)}
	}
	return l
}

// attachments reads a listener's certificates. The default one comes twice where it is also in the SNI list, as AWS lists it: clients that ask
// for its names get it then, whatever the default is.
func (w *walk) attachments(ctx context.Context, l *observation.Listener) error {
	var sni []string
	standard := ""
	if len(l.Certificates) > 0 {
		standard = l.Certificates[0].ARN
	}
	err := pages(ctx, func(token *string) (*string, error) {
		var out *elbv2.DescribeListenerCertificatesOutput
		err := w.ask(ctx, "DescribeListenerCertificates", func() (err error) {
			out, err = w.clients.Modern.DescribeListenerCertificates(ctx, &elbv2.DescribeListenerCertificatesInput{ListenerArn: aws.String(l.ARN), Marker: token})
			return err
		})
		if err != nil {
			return nil, err
		}
		for _, c := range out.Certificates {
			if aws.ToBool(c.IsDefault) {
				standard = aws.ToString(c.CertificateArn)
			} else {
				sni = append(sni, aws.ToString(c.CertificateArn))
			}
		}
		return out.NextMarker, nil
	})
	if err != nil && !awserr.Missing(err) {
		w.note(err, "DescribeListenerCertificates", l.ARN)
	}
	l.Certificates = nil
	if standard != "" {
		l.Certificates = []observation.Attachment{{ARN: standard, Default: true}}
	}
	slices.Sort(sni)
	for _, arn := range slices.Compact(sni) {
		if arn != "" {
			l.Certificates = append(l.Certificates, observation.Attachment{ARN: arn})
		}
	}
	return err
}

// rules reads what a plain HTTP listener answers, the default first, then by priority.
func (w *walk) rules(ctx context.Context, l *observation.Listener) error {
	var rules []observation.ListenerRule
	err := pages(ctx, func(token *string) (*string, error) {
		var out *elbv2.DescribeRulesOutput
		err := w.ask(ctx, "DescribeRules", func() (err error) {
			out, err = w.clients.Modern.DescribeRules(ctx, &elbv2.DescribeRulesInput{ListenerArn: aws.String(l.ARN), Marker: token})
			return err
		})
		if err != nil {
			return nil, err
		}
		for _, r := range out.Rules {
			rules = append(rules, readRule(aws.ToString(r.Priority), r.Actions))
		}
		return out.NextMarker, nil
	})
	if err != nil && !awserr.Missing(err) {
		w.note(err, "DescribeRules", l.ARN)
	}
	if len(rules) > 0 {
		l.Rules = rules
	}
	// "default" is no number and counts as 0, before the priorities, which begin with 1.
	slices.SortFunc(l.Rules, func(a, b observation.ListenerRule) int { return number(a.Priority) - number(b.Priority) })
	return err
}

func number(priority string) int {
	n, err := strconv.Atoi(priority)
	if err != nil {
		return 0
	}
	return n
}

// readRule gives a rule's answer: its last action, since those before it only authenticate.
func readRule(priority string, actions []types.Action) observation.ListenerRule {
	r := observation.ListenerRule{Priority: priority}
	order := int32(-1)
	for _, a := range actions {
		if at := aws.ToInt32(a.Order); at >= order {
			order, r.Action, r.RedirectProtocol = at, string(a.Type), ""
			if a.RedirectConfig != nil {
				r.RedirectProtocol = "#{protocol}" // AWS's default: the request's own
				if p := aws.ToString(a.RedirectConfig.Protocol); p != "" {
					r.RedirectProtocol = p
				}
			}
		}
	}
	return r
}

// protocols fills in what the security policies allow, which are described once for the region.
func (w *walk) protocols(ctx context.Context, balancers []observation.LoadBalancer) {
	named := slices.ContainsFunc(balancers, func(lb observation.LoadBalancer) bool {
		return slices.ContainsFunc(lb.Listeners, func(l observation.Listener) bool { return l.Policy != "" })
	})
	if !named {
		return
	}
	known := map[string][]string{}
	err := pages(ctx, func(token *string) (*string, error) {
		var out *elbv2.DescribeSSLPoliciesOutput
		err := w.ask(ctx, "DescribeSSLPolicies", func() (err error) {
			out, err = w.clients.Modern.DescribeSSLPolicies(ctx, &elbv2.DescribeSSLPoliciesInput{Marker: token})
			return err
		})
		if err != nil {
			return nil, err
		}
		for _, p := range out.SslPolicies {
			known[aws.ToString(p.Name)] = p.SslProtocols
		}
		return out.NextMarker, nil
	})
	if err != nil {
		w.note(err, "DescribeSSLPolicies", "")
	}
	for i := range balancers {
		for j := range balancers[i].Listeners {
			l := &balancers[i].Listeners[j]
			l.Protocols = slices.Clone(known[l.Policy])
			l.PolicyUnread = err != nil && l.Policy != "" && len(l.Protocols) == 0
		}
	}
}
