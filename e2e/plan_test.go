package e2e

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/acm"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancing"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancing/types"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	v2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"certdrift/internal/sim/pki"
)

// deployment is one input of certdrift plan, and what applying it does to a load balancer in the account.
type deployment struct {
	name string
	kind v2.LoadBalancerTypeEnum // empty for a classic load balancer
	tags map[string]string
	// attached are the certificates on port 443 before, the default first.
	attached []string
	// endpoints are the certificates that the configuration declares, by the endpoint's host; empty for none.
	endpoints map[string]string
	// input is the manifest or the plan; apply makes the calls of its tool.
	input func(p *port) string
	apply []apiCall
	// planned is plan's exit status, checked is check's afterwards; gets are the certificates that the hosts' clients get then.
	planned, checked int
	gets             map[string]string
}

type apiCall func(t *testing.T, e *estate, p *port)

// port is the listener that a deployment is about.
type port struct {
	name, balancerARN, listenerARN string
	arns                           map[string]string // of certificates
}

const (
	aHost, bHost, other = "a.example.org", "b.example.org", "other"
	inState             = `{"format_version":"1.2","planned_values":{"root_module":{"resources":[%s]}},"resource_changes":[%s],"configuration":{"root_module":{}}}`
)

// theDeployments are those of Terraform, the AWS Load Balancer Controller and the cloud provider.
func theDeployments() []deployment {
	both := map[string]string{aHost: aHost, bHost: bHost}
	plain := map[string]string{aHost: "", bHost: ""}
	group := map[string]string{"ingress.k8s.aws/stack": "web"}
	byController := map[string]string{"service.k8s.aws/stack": "store/shop"}
	byProvider := map[string]string{"kubernetes.io/service-name": "store/shop"}
	return []deployment{
		{name: "another default, and the list stays", kind: v2.LoadBalancerTypeEnumApplication, attached: []string{aHost, bHost}, endpoints: both,
			input: listenerChange(aHost, other), apply: []apiCall{modify(other)}, planned: 1, checked: 1, gets: map[string]string{aHost: other, bHost: bHost}},
		{name: "another default, which nobody gets", kind: v2.LoadBalancerTypeEnumApplication, attached: []string{aHost, aHost, bHost}, endpoints: both,
			input: listenerChange(aHost, other), apply: []apiCall{modify(other)}, planned: 0, checked: 0, gets: map[string]string{aHost: aHost, bHost: bHost}},
		{name: "F4: nothing changes, and the list is another state's", kind: v2.LoadBalancerTypeEnumApplication, attached: []string{other, aHost, bHost}, endpoints: both,
			input: listenerChange(other, other), planned: 0, checked: 0, gets: map[string]string{aHost: aHost, bHost: bHost}},
		{name: "F4: another policy, and the list is another state's", kind: v2.LoadBalancerTypeEnumApplication, attached: []string{other, aHost, bHost}, endpoints: both,
			input: listenerChange(other, other), apply: []apiCall{modify(other)}, planned: 0, checked: 0, gets: map[string]string{aHost: aHost, bHost: bHost}},
		{name: "a certificate is added", kind: v2.LoadBalancerTypeEnumApplication, attached: []string{aHost}, endpoints: plain,
			input: listChange("create", bHost), apply: []apiCall{enlist(bHost)}, planned: 0, checked: 0, gets: map[string]string{aHost: aHost, bHost: bHost}},
		{name: "a certificate is removed", kind: v2.LoadBalancerTypeEnumApplication, attached: []string{aHost, bHost}, endpoints: both,
			input: listChange("delete", bHost), apply: []apiCall{delist(bHost)}, planned: 1, checked: 1, gets: map[string]string{aHost: aHost, bHost: aHost}},
		{name: "a listener is deleted", kind: v2.LoadBalancerTypeEnumApplication, attached: []string{aHost, bHost}, endpoints: both,
			input: listenerDeletion, apply: []apiCall{deleteListener}, planned: 1, checked: 1},
		{name: "a network load balancer of the controller", kind: v2.LoadBalancerTypeEnumNetwork, tags: byController, attached: []string{aHost, bHost}, endpoints: both,
			input: service("loadBalancerClass: service.k8s.aws/nlb, ", aHost), apply: []apiCall{delist(bHost)}, planned: 1, checked: 1, gets: map[string]string{aHost: aHost, bHost: aHost}},
		{name: "a network load balancer of the controller, in another order", kind: v2.LoadBalancerTypeEnumNetwork, tags: byController, attached: []string{aHost, bHost}, endpoints: both,
			input: service("loadBalancerClass: service.k8s.aws/nlb, ", bHost, aHost), apply: []apiCall{modify(bHost), delist(bHost), enlist(aHost)}, planned: 0, checked: 0, gets: map[string]string{aHost: aHost, bHost: bHost}},
		{name: "a network load balancer of the cloud provider", kind: v2.LoadBalancerTypeEnumNetwork, tags: byProvider, attached: []string{aHost, bHost}, endpoints: both,
			input: service("", other), apply: []apiCall{modify(other)}, planned: 1, checked: 1, gets: map[string]string{aHost: other, bHost: bHost}},
		{name: "a network load balancer of the cloud provider, whose list stays", kind: v2.LoadBalancerTypeEnumNetwork, tags: byProvider, attached: []string{other, aHost, bHost}, endpoints: both,
			input: service("", other), apply: []apiCall{modify(other)}, planned: 0, checked: 0, gets: map[string]string{aHost: aHost, bHost: bHost}},
		{name: "a classic load balancer", tags: byProvider, attached: []string{aHost}, endpoints: map[string]string{aHost: aHost},
			input: service("", other), apply: []apiCall{setClassic(other)}, planned: 1, checked: 1, gets: map[string]string{aHost: other}},
		{name: "a classic load balancer, unchanged", tags: byProvider, attached: []string{aHost}, endpoints: map[string]string{aHost: aHost},
			input: service("", aHost), apply: []apiCall{setClassic(aHost)}, planned: 0, checked: 0, gets: map[string]string{aHost: aHost}},
		{name: "values that nothing renders", kind: v2.LoadBalancerTypeEnumApplication, attached: []string{aHost}, endpoints: map[string]string{aHost: aHost},
			input: values, planned: 3, checked: 3, gets: map[string]string{aHost: aHost}},
		{name: "F7: a member of a group, the other elsewhere", kind: v2.LoadBalancerTypeEnumApplication, tags: group, attached: []string{aHost, bHost}, endpoints: both,
			input: ingresses([2]string{aHost, aHost}), apply: []apiCall{modify(aHost)}, planned: 3, checked: 0, gets: map[string]string{aHost: aHost, bHost: bHost}},
		{name: "F7: all members of a group", kind: v2.LoadBalancerTypeEnumApplication, tags: group, attached: []string{aHost, bHost}, endpoints: both,
			input: ingresses([2]string{aHost, aHost}, [2]string{bHost, bHost}), apply: []apiCall{modify(aHost)}, planned: 0, checked: 0, gets: map[string]string{aHost: aHost, bHost: bHost}},
		{name: "F7: all members of a group, one wrong", kind: v2.LoadBalancerTypeEnumApplication, tags: group, attached: []string{aHost, bHost}, endpoints: both,
			input: ingresses([2]string{aHost, aHost}, [2]string{bHost, other}), apply: []apiCall{delist(bHost), enlist(other)}, planned: 1, checked: 1, gets: map[string]string{aHost: aHost, bHost: aHost}},
	}
}

// TestThePredictionHolds plans each deployment over the emulated account, applies it as its tool would, and checks: what plan said of each
// host's certificate holds, and check agrees with plan's verdict.
func TestThePredictionHolds(t *testing.T) {
	enabled(t)
	t.Parallel()
	f := startFront(t, startMoto(t))
	cfg := asTester(f.url)
	e := &estate{world: makeWorld(t, cfg), v2: elbv2.NewFromConfig(cfg), arns: map[string]string{}}
	e.fill(t, acm.NewFromConfig(cfg))
	c := openTerminal(t, e.world, f.url)
	e.network(t, c)
	server := serve(t, e.served)
	for i, d := range theDeployments() {
		t.Run(d.name, func(t *testing.T) {
			p := e.build(t, fmt.Sprintf("lb-%d", i), d)
			defer e.remove(t, d, p)
			e.write(t, c, d, p, server.Address)
			predicted := e.plan(t, c, d)
			if t.Failed() {
				return
			}
			for _, call := range d.apply {
				call(t, e, p)
			}
			e.check(t, c, d, predicted)
		})
	}
}

// estate is the account, and the load balancer of the deployment at hand.
type estate struct {
	*world
	v2              *elbv2.Client
	arns            map[string]string // certificates by what they are for
	subnets, target string

	mu      sync.Mutex
	current *port
	classic bool
}

func (e *estate) fill(t *testing.T, api *acm.Client) {
	t.Helper()
	issuer, err := e.ca.Intermediate("issuer of plans", time.Now())
	check(t, err)
	for _, name := range []string{aHost, bHost, other} {
		pair, err := issuer.Leaf(time.Now(), []string{strings.Replace(name, other, "www.example.net", 1)})
		check(t, err)
		e.arns[name] = e.importACM(t, api, pair)
	}
}

// network makes what a load balancer needs around it.
func (e *estate) network(t *testing.T, c *terminal) {
	t.Helper()
	said, status := c.shell(t, "aws ec2 describe-subnets --query 'Subnets[:2].SubnetId' --output text")
	vpc, vpcStatus := c.shell(t, "aws ec2 describe-vpcs --query 'Vpcs[0].VpcId' --output text")
	if status != 0 || vpcStatus != 0 {
		t.Fatalf("no subnets: %s %s", said, vpc)
	}
	e.subnets = said
	out, err := e.v2.CreateTargetGroup(t.Context(), &elbv2.CreateTargetGroupInput{Name: aws.String("targets"), Protocol: v2.ProtocolEnumTcp, Port: aws.Int32(80), VpcId: aws.String(strings.TrimSpace(vpc))})
	check(t, err)
	e.target = aws.ToString(out.TargetGroups[0].TargetGroupArn)
}

// build makes the deployment's load balancer as it is before.
func (e *estate) build(t *testing.T, name string, d deployment) *port {
	t.Helper()
	p := &port{name: name, arns: e.arns}
	defer func() {
		e.mu.Lock()
		e.current, e.classic = p, d.kind == ""
		e.mu.Unlock()
	}()
	if d.kind == "" {
		var tags []elbtypes.Tag
		for key, value := range d.tags {
			tags = append(tags, elbtypes.Tag{Key: &key, Value: &value})
		}
		_, err := e.elb.CreateLoadBalancer(t.Context(), &elb.CreateLoadBalancerInput{LoadBalancerName: &name, AvailabilityZones: []string{region + "a"}, Tags: tags, Listeners: []elbtypes.Listener{{
			Protocol: aws.String("HTTPS"), LoadBalancerPort: 443, InstanceProtocol: aws.String("HTTP"), InstancePort: aws.Int32(30080), SSLCertificateId: aws.String(e.arns[d.attached[0]])}}})
		check(t, err)
		return p
	}
	var tags []v2.Tag
	for key, value := range d.tags {
		tags = append(tags, v2.Tag{Key: &key, Value: &value})
	}
	made, err := e.v2.CreateLoadBalancer(t.Context(), &elbv2.CreateLoadBalancerInput{Name: &name, Type: d.kind, Subnets: strings.Fields(e.subnets), Tags: tags})
	check(t, err)
	p.balancerARN = aws.ToString(made.LoadBalancers[0].LoadBalancerArn)
	protocol := v2.ProtocolEnumHttps
	if d.kind == v2.LoadBalancerTypeEnumNetwork {
		protocol = v2.ProtocolEnumTls
	}
	out, err := e.v2.CreateListener(t.Context(), &elbv2.CreateListenerInput{
		LoadBalancerArn: &p.balancerARN, Protocol: protocol, Port: aws.Int32(443), SslPolicy: aws.String("ELBSecurityPolicy-TLS13-1-2-2021-06"), Certificates: e.certificates(d.attached[:1]),
		DefaultActions: []v2.Action{{Type: v2.ActionTypeEnumForward, TargetGroupArn: &e.target}},
	})
	check(t, err)
	p.listenerARN = aws.ToString(out.Listeners[0].ListenerArn)
	for _, name := range d.attached[1:] {
		enlist(name)(t, e, p)
	}
	return p
}

// remove deletes the load balancer: the tags of the next one may be the same.
func (e *estate) remove(t *testing.T, d deployment, p *port) {
	t.Helper()
	if d.kind == "" {
		_, err := e.elb.DeleteLoadBalancer(t.Context(), &elb.DeleteLoadBalancerInput{LoadBalancerName: &p.name})
		check(t, err)
		return
	}
	_, err := e.v2.DeleteLoadBalancer(t.Context(), &elbv2.DeleteLoadBalancerInput{LoadBalancerArn: &p.balancerARN})
	check(t, err)
}

func (e *estate) certificates(names []string) []v2.Certificate {
	var out []v2.Certificate
	for _, name := range names {
		out = append(out, v2.Certificate{CertificateArn: aws.String(e.arns[name])})
	}
	return out
}

// write writes the configuration of the deployment's endpoints, and the input as a manifest that check reads, too.
func (e *estate) write(t *testing.T, c *terminal, d deployment, p *port, address string) {
	t.Helper()
	var b strings.Builder
	b.WriteString("version: 1\ntrust: {ca_files: [ca.pem]}\nload_balancers: {regions: [" + region + "]}\nenvironments:\n  production:\n    endpoints:\n")
	for host, declared := range d.endpoints {
		fmt.Fprintf(&b, "      - {name: %s, url: \"https://%s/\", connect_to: [%q], load_balancer: {name: %s}", host[:1], host, address, p.name)
		if declared != "" {
			fmt.Fprintf(&b, ", certificate: {arn: %q}", e.arns[declared])
		}
		b.WriteString("}\n")
	}
	if d.planned != 1 { // check says of a manifest that is wrong what plan says
		b.WriteString("manifests: [input.yaml]\n")
	}
	check(t, os.WriteFile(filepath.Join(c.dir, "certdrift.yaml"), []byte(b.String()), 0o600))
	check(t, os.WriteFile(filepath.Join(c.dir, "input.yaml"), []byte(d.input(p)), 0o600))
}

// plan returns the certificate that plan says each host gets, and holds its verdict.
func (e *estate) plan(t *testing.T, c *terminal, d deployment) map[string]string {
	t.Helper()
	said, status := c.certdrift(t, "plan", "-c", "certdrift.yaml", "-f", "input.yaml", "--format", "json")
	if status != d.planned {
		text, _ := c.certdrift(t, "plan", "-c", "certdrift.yaml", "-f", "input.yaml")
		t.Fatalf("plan ends with %d, want %d:\n%s", status, d.planned, text)
	}
	var report struct {
		Plan []struct {
			Names []struct{ Name, ARN string }
		}
	}
	check(t, json.Unmarshal([]byte(said), &report))
	predicted := map[string]string{}
	for _, row := range report.Plan {
		for _, n := range row.Names {
			predicted[n.Name] = n.ARN
		}
	}
	if len(report.Plan) == 0 {
		t.Error("plan has no row")
	}
	return predicted
}

// check holds what check says against what plan did, and against what the account has.
func (e *estate) check(t *testing.T, c *terminal, d deployment, predicted map[string]string) {
	t.Helper()
	said, status := c.certdrift(t, "check", "-c", "certdrift.yaml", "--format", "json")
	if status != d.checked {
		text, _ := c.certdrift(t, "check", "-c", "certdrift.yaml")
		t.Errorf("check ends with %d, want %d:\n%s", status, d.checked, text)
	}
	var report struct {
		Endpoints []struct {
			URL      string
			Attached string
		}
		Findings []struct{ Code, Severity, Summary string }
	}
	check(t, json.Unmarshal([]byte(said), &report))
	for host, want := range d.gets {
		got, err := e.selected(t.Context(), host)
		if err != nil || got != e.arns[want] {
			t.Errorf("the account serves %s %q (%v), want %s: the case is wrong", host, got, err, want)
		}
		// A host that the change does not concern may have no row.
		if arn, said := predicted[host]; said && d.planned != 3 && arn != got {
			t.Errorf("plan says that %s gets %s, and it gets %s", host, arn, got)
		}
	}
	drifts := slices.DeleteFunc(report.Findings, func(f struct{ Code, Severity, Summary string }) bool { return f.Severity != "critical" })
	if (len(drifts) > 0) != (d.checked == 1) {
		t.Errorf("check finds %v", drifts)
	}
}

// selected is the certificate that the load balancer selects for a host: of the list the one for the name, else the default.
func (e *estate) selected(ctx context.Context, host string) (string, error) {
	e.mu.Lock()
	p, classic := e.current, e.classic
	e.mu.Unlock()
	if classic {
		return e.attached(ctx, p.name)
	}
	out, err := e.v2.DescribeListenerCertificates(ctx, &elbv2.DescribeListenerCertificatesInput{ListenerArn: &p.listenerARN})
	if err != nil {
		return "", fmt.Errorf("describing the listener's certificates: %w", err)
	}
	chosen := ""
	for _, c := range out.Certificates {
		arn := aws.ToString(c.CertificateArn)
		switch listed := !aws.ToBool(c.IsDefault); {
		case listed && e.pairs[arn].Certificate.VerifyHostname(host) == nil:
			return arn, nil
		case !listed:
			chosen = arn
		}
	}
	return chosen, nil
}

func (e *estate) served(host string) (*tls.Certificate, error) {
	arn, err := e.selected(context.Background(), host)
	if err != nil {
		return nil, err
	}
	pair, ok := e.pairs[arn]
	if !ok {
		return nil, fmt.Errorf("no certificate %q", arn)
	}
	return tlsOf(pair), nil
}

func tlsOf(pair *pki.Pair) *tls.Certificate {
	c := pair.TLS()
	return &c
}

// The calls that the tools make.

func modify(name string) apiCall {
	return func(t *testing.T, e *estate, p *port) {
		_, err := e.v2.ModifyListener(t.Context(), &elbv2.ModifyListenerInput{ListenerArn: &p.listenerARN, Certificates: e.certificates([]string{name})})
		check(t, err)
	}
}

func enlist(name string) apiCall {
	return func(t *testing.T, e *estate, p *port) {
		_, err := e.v2.AddListenerCertificates(t.Context(), &elbv2.AddListenerCertificatesInput{ListenerArn: &p.listenerARN, Certificates: e.certificates([]string{name})})
		check(t, err)
	}
}

func delist(name string) apiCall {
	return func(t *testing.T, e *estate, p *port) {
		_, err := e.v2.RemoveListenerCertificates(t.Context(), &elbv2.RemoveListenerCertificatesInput{ListenerArn: &p.listenerARN, Certificates: e.certificates([]string{name})})
		check(t, err)
	}
}

func deleteListener(t *testing.T, e *estate, p *port) {
	_, err := e.v2.DeleteListener(t.Context(), &elbv2.DeleteListenerInput{ListenerArn: &p.listenerARN})
	check(t, err)
}

func setClassic(name string) apiCall {
	return func(t *testing.T, e *estate, p *port) { e.attach(t, p.name, e.arns[name]) }
}

// The inputs.

func listenerValues(p *port, certificate string) string {
	return fmt.Sprintf(`{"arn":%q,"id":%q,"load_balancer_arn":%q,"port":443,"protocol":"HTTPS","certificate_arn":%q}`, p.listenerARN, p.listenerARN, p.balancerARN, p.arns[certificate])
}

func change(kind, actions, before, after string) string {
	return fmt.Sprintf(`{"address":"%s.x","mode":"managed","type":%q,"name":"x","change":{"actions":[%q],"before":%s,"after":%s,"after_unknown":{}}}`, kind, kind, actions, before, after)
}

func planned(kind, values string) string {
	return fmt.Sprintf(`{"address":"%s.x","mode":"managed","type":%q,"name":"x","values":%s}`, kind, kind, values)
}

// listenerChange is a Terraform plan for aws_lb_listener.
func listenerChange(before, after string) func(*port) string {
	return func(p *port) string {
		action := "update"
		if before == after {
			action = "no-op"
		}
		const kind = "aws_lb_listener"
		return fmt.Sprintf(inState, planned(kind, listenerValues(p, after)), change(kind, action, listenerValues(p, before), listenerValues(p, after)))
	}
}

func listenerDeletion(p *port) string {
	return fmt.Sprintf(inState, "", change("aws_lb_listener", "delete", listenerValues(p, aHost), "null"))
}

// listChange is a Terraform plan for aws_lb_listener_certificate, without the listener.
func listChange(action, certificate string) func(*port) string {
	return func(p *port) string {
		const kind = "aws_lb_listener_certificate"
		values := fmt.Sprintf(`{"listener_arn":%q,"certificate_arn":%q}`, p.listenerARN, p.arns[certificate])
		if action == "delete" {
			return fmt.Sprintf(inState, "", change(kind, action, values, "null"))
		}
		return fmt.Sprintf(inState, planned(kind, values), change(kind, action, "null", values))
	}
}

// service is a Service of type LoadBalancer with certificates.
func service(spec string, certificates ...string) func(*port) string {
	return func(p *port) string {
		var arns []string
		for _, name := range certificates {
			arns = append(arns, p.arns[name])
		}
		kind := ""
		if p.listenerARN != "" {
			kind = "    service.beta.kubernetes.io/aws-load-balancer-type: nlb\n"
		}
		return "apiVersion: v1\nkind: Service\nmetadata:\n  name: shop\n  namespace: store\n  annotations:\n" + kind +
			"    service.beta.kubernetes.io/aws-load-balancer-ssl-cert: \"" + strings.Join(arns, ",") + "\"\nspec: {type: LoadBalancer, " + spec + "ports: [{port: 443}]}\n"
	}
}

// values are those of a chart.
func values(p *port) string {
	return "service:\n  annotations:\n    service.beta.kubernetes.io/aws-load-balancer-ssl-cert: " + p.arns[other] + "\n"
}

// ingresses are members of the group web, each a host and a certificate.
func ingresses(members ...[2]string) func(*port) string {
	return func(p *port) string {
		var b strings.Builder
		for i, m := range members {
			fmt.Fprintf(&b, "---\napiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata:\n  name: m%d\n  namespace: store\n  annotations: {alb.ingress.kubernetes.io/group.name: web, alb.ingress.kubernetes.io/certificate-arn: %q}\n"+
				"spec: {ingressClassName: alb, rules: [{host: %s}]}\n", i, p.arns[m[1]], m[0])
		}
		return b.String()
	}
}
