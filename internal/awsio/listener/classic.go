package listener

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancing"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancing/types"

	"certdrift/internal/awsio/awserr"
	"certdrift/internal/observation"
)

// classic reads the classic load balancers, whose listing holds their listeners too.
func (w *walk) classic(ctx context.Context) []observation.LoadBalancer {
	var found []observation.LoadBalancer
	policies := map[string][]string{} // policy names, by listener
	w.list(ctx, func(name string, token *string) (*string, error) {
		in := &elb.DescribeLoadBalancersInput{Marker: token}
		if name != "" {
			in.LoadBalancerNames = []string{name}
		}
		var out *elb.DescribeLoadBalancersOutput
		err := w.ask(ctx, "classic DescribeLoadBalancers", func() (err error) { out, err = w.clients.Classic.DescribeLoadBalancers(ctx, in); return err })
		if err != nil {
			return nil, err
		}
		for _, d := range out.LoadBalancerDescriptions {
			if w.selection.byName(aws.ToString(d.LoadBalancerName)) {
				found = addOnce(found, w.readClassic(d, policies))
			}
		}
		return out.NextMarker, nil
	})
	tags, unreadable := w.tags(ctx, "classic", namesOf(found), func(names []string) (map[string]map[string]string, error) {
		out, err := w.clients.Classic.DescribeTags(ctx, &elb.DescribeTagsInput{LoadBalancerNames: names})
		if err != nil {
			return nil, err
		}
		tags := map[string]map[string]string{}
		for _, d := range out.TagDescriptions {
			of := map[string]string{}
			for _, t := range d.Tags {
				of[aws.ToString(t.Key)] = aws.ToString(t.Value)
			}
			tags[aws.ToString(d.LoadBalancerName)] = of
		}
		return tags, nil
	})
	found = w.tagged(found, func(lb observation.LoadBalancer) string { return lb.Name }, tags, unreadable)
	return each(found, func(lb *observation.LoadBalancer) bool { return w.negotiation(ctx, lb, policies) })
}

func namesOf(balancers []observation.LoadBalancer) []string {
	var out []string
	for _, lb := range balancers {
		out = append(out, lb.Name)
	}
	return out
}

func (w *walk) readClassic(d types.LoadBalancerDescription, policies map[string][]string) observation.LoadBalancer {
	lb := observation.LoadBalancer{
		Kind: observation.Classic, Name: aws.ToString(d.LoadBalancerName), Region: w.region, Account: w.account,
		DNSName: hostname(aws.ToString(d.DNSName)), Internal: aws.ToString(d.Scheme) == "internal",
	}
	lb.ARN = classicARN(w.region, w.account, lb.Name)
	for _, said := range d.ListenerDescriptions {
		if said.Listener == nil {
			continue
		}
		l := observation.Listener{Port: int(said.Listener.LoadBalancerPort), Protocol: strings.ToUpper(aws.ToString(said.Listener.Protocol))}
		if arn := aws.ToString(said.Listener.SSLCertificateId); arn != "" && l.Secure() {
			l.Certificates = []observation.Attachment{{ARN: arn, Default: true}}
		}
		if l.Secure() {
			policies[listenerKey(lb.Name, l.Port)] = said.PolicyNames
		}
		lb.Listeners = append(lb.Listeners, l)
	}
	return lb
}

// negotiation reads which protocols a classic load balancer's TLS listeners allow; false where it is gone.
func (w *walk) negotiation(ctx context.Context, lb *observation.LoadBalancer, policies map[string][]string) bool {
	asked := slices.ContainsFunc(lb.Listeners, func(l observation.Listener) bool { return len(policies[listenerKey(lb.Name, l.Port)]) > 0 })
	if !asked {
		return true
	}
	var out *elb.DescribeLoadBalancerPoliciesOutput
	err := w.ask(ctx, "classic DescribeLoadBalancerPolicies", func() (err error) {
		out, err = w.clients.Classic.DescribeLoadBalancerPolicies(ctx, &elb.DescribeLoadBalancerPoliciesInput{LoadBalancerName: aws.String(lb.Name)})
		return err
	})
	if err != nil {
		if awserr.Missing(err) {
			return false
		}
		w.note(err, "DescribeLoadBalancerPolicies", lb.Name)
		for i := range lb.Listeners {
			lb.Listeners[i].PolicyUnread = lb.Listeners[i].Secure()
		}
		return true
	}
	for i := range lb.Listeners {
		l := &lb.Listeners[i]
		attached := policies[listenerKey(lb.Name, l.Port)]
		for _, p := range out.PolicyDescriptions {
			if aws.ToString(p.PolicyTypeName) == "SSLNegotiationPolicyType" && slices.Contains(attached, aws.ToString(p.PolicyName)) {
				l.Policy, l.Protocols = readPolicy(p)
			}
		}
	}
	return true
}

// readPolicy gives the name that people know a policy by, AWS's own where it follows one of those, and the protocols
// that its attributes (Protocol-TLSv1.2 = true) allow.
func readPolicy(p types.PolicyDescription) (name string, protocols []string) {
	name = aws.ToString(p.PolicyName)
	for _, a := range p.PolicyAttributeDescriptions {
		key, value := aws.ToString(a.AttributeName), aws.ToString(a.AttributeValue)
		if protocol, ok := strings.CutPrefix(key, "Protocol-"); ok && strings.EqualFold(value, "true") {
			protocols = append(protocols, protocol)
		}
		if key == "Reference-Security-Policy" && value != "" {
			name = value
		}
	}
	slices.Sort(protocols)
	return name, protocols
}

func hostname(s string) string { return strings.ToLower(strings.TrimSuffix(s, ".")) }
