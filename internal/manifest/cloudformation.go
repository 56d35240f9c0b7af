package manifest

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"certdrift/internal/arn"
	"certdrift/internal/finding"
	"certdrift/internal/observation"
	"certdrift/internal/target"
)

// The resource types that put certificates on load balancers.
const (
	elbv2Prefix        = "AWS::ElasticLoadBalancingV2::"
	stackBalancer      = elbv2Prefix + "LoadBalancer"
	stackListener      = elbv2Prefix + "Listener"
	stackListed        = elbv2Prefix + "ListenerCertificate"
	stackClassic       = "AWS::ElasticLoadBalancing::LoadBalancer"
	acmCertificate     = "AWS::CertificateManager::Certificate"
	iamCertificate     = "AWS::IAM::ServerCertificate"
	nestedStack        = "AWS::CloudFormation::Stack"
	nestedApplication  = "AWS::Serverless::Application"
	createdByTheDeploy = "which the same deployment creates"
)

// stackResource is a resource of a CloudFormation stack, as a template or a change set has it.
type stackResource struct {
	id, kind, object string
	at               target.Position
	properties       map[string]any
	tool             observation.Tool
	// undecided says why the resource may not be there, or may be another one. notMade: its condition does not hold.
	undecided string
	notMade   bool
}

func newStackResource(id, kind, stack string, at target.Position, tool observation.Tool) *stackResource {
	if stack != "" {
		stack += "/"
	}
	last := kind[strings.LastIndex(kind, ":")+1:]
	return &stackResource{id: id, kind: kind, object: clean(last + " " + stack + id), at: at, tool: tool}
}

// declaration is what all declarations of the resource have in common.
func (res *stackResource) declaration() observation.Declaration {
	return observation.Declaration{Object: res.object, Source: res.at, Tool: res.tool, UndecidedBecause: res.undecided}
}

// stack reads the resources of a template or a change set.
type stack struct {
	*reader
	resources map[string]*stackResource // those that a reference may name; none in a change set
}

func (s stack) fault(res *stackResource, message, hint string) {
	s.diagnostics = append(s.diagnostics, observation.Diagnostic{Position: res.at, Message: finding.Clean(res.object+": "+message, 2*finding.QuoteLimit), Hint: hint})
}

// undecide notes a resource that is not understood.
func (s stack) undecide(res *stackResource, why string) {
	remedy := changeSetRemedy
	if res.tool == observation.ChangeSet {
		remedy = resourceRemedy
	}
	s.passedOver = append(s.passedOver, observation.PassedOver{Position: res.at, Object: res.object, Why: why, Remedy: remedy})
}

// certificates are the certificates that a property lists, and why others of it have no ARN here. A text that is no certificate's ARN is
// reported, and ok is then false.
type certificates struct {
	arns, pending []string
	// made counts those of pending that the deployment makes.
	made int
	why  string // the list itself is not known
	ok   bool
}

// certificatesOf reads Certificates: a list of {CertificateArn}.
func (s stack) certificatesOf(res *stackResource) certificates {
	list, isList := res.properties["Certificates"].([]any)
	if !isList {
		_, why := known(res.properties["Certificates"])
		return certificates{why: why, ok: true}
	}
	out := certificates{ok: true}
	for _, item := range list {
		entry, isMapping := item.(map[string]any)
		if !isMapping {
			_, why := known(item)
			out.pending = append(out.pending, "a certificate of "+res.object+": "+cmp.Or(why, "it is not a mapping"))
			continue
		}
		s.addCertificate(&out, res, entry["CertificateArn"])
	}
	return out
}

func (s stack) addCertificate(to *certificates, res *stackResource, value any) {
	text, why := known(value)
	ref, isRef := value.(reference)
	switch {
	case isRef && s.isCertificate(ref), madeByTheDeploy(value):
		to.made++
		to.pending = append(to.pending, "the certificate of "+res.object+", "+createdByTheDeploy)
	case why != "":
		to.pending = append(to.pending, "the certificate of "+res.object+": "+why)
	default:
		if _, err := arn.Certificate(text); err != nil {
			s.fault(res, "the certificate "+finding.Quote(text)+" "+err.Error(), "use the ARN of an ACM certificate or an IAM server certificate")
			to.ok = false
			return
		}
		to.arns = append(to.arns, text)
	}
}

func (s stack) isCertificate(ref reference) bool {
	res := s.resources[ref.id]
	return res != nil && (res.kind == acmCertificate || res.kind == iamCertificate)
}

// madeByTheDeploy reports whether a change set knows a value only after it was executed.
func madeByTheDeploy(value any) bool {
	unknown, ok := value.(unknownValue)
	return ok && unknown == afterExecution
}

// port returns a port's number; 0 with the reason where it is not known, and without one where there is none.
func port(value any) (number int, why string) {
	text, why := known(value)
	if why != "" || text == "" {
		return 0, why
	}
	number, err := strconv.Atoi(text)
	if err != nil || number < 1 || number > 65535 {
		return 0, "it is " + finding.Quote(text)
	}
	return number, ""
}

// listener declares a listener of an ALB or NLB. Certificates is its default certificate alone, exactly one
// (https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-elasticloadbalancingv2-listener.html); a change of
// it leaves the SNI list alone, as ELB's ModifyListener does. It is false where there is nothing to declare.
func (s stack) listener(res *stackResource) (observation.Declaration, bool) {
	d := res.declaration()
	policy, _ := known(res.properties["SslPolicy"])
	d.Kind, d.KeepsOthers, d.Policy, d.LoadBalancer = observation.Application, true, clean(policy), s.balancerName(res.properties["LoadBalancerArn"])
	protocol, protocolWhy := known(res.properties["Protocol"])
	number, portWhy := port(res.properties["Port"])
	d.Port = number
	protocol = strings.ToUpper(protocol)
	found := s.certificatesOf(res)
	switch {
	case protocolWhy != "":
		return undecided(d, "the protocol of "+res.object+": "+protocolWhy)
	case protocol == "TLS":
		d.Kind = observation.Network
	case protocol != "HTTPS" && (len(found.arns)+len(found.pending) > 0 || found.why != "" || !found.ok):
		return undecided(d, "what becomes of the certificate of "+res.object+", whose protocol is "+finding.Quote(protocol))
	case protocol != "HTTPS":
		d.Kind, d.KeepsOthers = "", false
		return d, s.plain && d.Port != 0 && d.LoadBalancer != ""
	}
	switch count := len(found.arns) + len(found.pending); {
	case portWhy != "":
		return undecided(d, "the port of "+res.object+": "+portWhy)
	case !found.ok:
		return d, false
	case found.why != "":
		return undecided(d, "the certificate of "+res.object+": "+found.why)
	case len(found.pending) > found.made: // it may be there or not
		return undecided(d, found.pending[0])
	case count > 1:
		s.fault(res, "it lists "+strconv.Itoa(count)+" certificates, and CloudFormation takes exactly one", "put the others into resources of type "+stackListed)
		return d, false
	case count == 0:
		s.fault(res, "it has no certificate, and CloudFormation rejects a listener of protocol "+protocol+" without one", "add Certificates: [{CertificateArn: …}]")
		return d, false
	}
	d.ARNs, d.Discovered = found.arns, len(found.arns) == 0
	return d, true
}

// undecided is a declaration of which nobody knows what it attaches.
func undecided(d observation.Declaration, why string) (observation.Declaration, bool) {
	d.UndecidedBecause, d.Discovered, d.ARNs = cmp.Or(d.UndecidedBecause, finding.Clean(why, 2*finding.QuoteLimit)), true, nil
	return d, true
}

// enlist adds the certificates of AWS::ElasticLoadBalancingV2::ListenerCertificate to the declaration of their listener.
func (s stack) enlist(d *observation.Declaration, res *stackResource, found certificates) {
	switch {
	case res.undecided != "":
		d.Pending = append(d.Pending, "whether "+res.object+" adds a certificate: "+res.undecided)
		return
	case found.why != "":
		d.Pending = append(d.Pending, "the certificates of "+res.object+": "+found.why)
	}
	d.Pending = append(d.Pending, found.pending...)
	if d.Discovered { // the ARNs begin with the default
		d.Pending = append(d.Pending, found.arns...)
		return
	}
	d.ARNs = append(d.ARNs, found.arns...)
}

// listed declares the certificates of AWS::ElasticLoadBalancingV2::ListenerCertificate for a listener that is not declared beside it.
func (s stack) listed(res *stackResource, found certificates) (observation.Declaration, bool) {
	d := res.declaration()
	listener, why := known(res.properties["ListenerArn"])
	name, kind := fromARN(listener)
	if name == "" {
		return undecided(d, "which listener "+res.object+" adds a certificate to: "+cmp.Or(why, finding.Quote(listener)))
	}
	d.LoadBalancer, d.Kind, d.Listener = clean(name), kind, clean(listener)
	s.enlist(&d, res, found)
	return d, len(d.ARNs)+len(d.Pending) > 0
}

// classic declares the listeners of a classic load balancer
// (https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-elasticloadbalancing-loadbalancer.html).
func (s stack) classic(res *stackResource, name string) []observation.Declaration {
	base := res.declaration()
	base.Kind, base.LoadBalancer = observation.Classic, name
	list, isList := res.properties["Listeners"].([]any)
	if !isList {
		_, why := known(res.properties["Listeners"])
		d, _ := undecided(base, "the listeners of "+res.object+": "+cmp.Or(why, "it has none"))
		return []observation.Declaration{d}
	}
	var out []observation.Declaration
	for _, item := range list {
		entry, isMapping := item.(map[string]any)
		if !isMapping {
			_, why := known(item)
			d, _ := undecided(base, "a listener of "+res.object+": "+why)
			out = append(out, d)
			continue
		}
		if d, ok := s.classicListener(res, base, entry); ok {
			out = append(out, d)
		}
	}
	return out
}

func (s stack) classicListener(res *stackResource, d observation.Declaration, entry map[string]any) (observation.Declaration, bool) {
	number, portWhy := port(entry["LoadBalancerPort"])
	protocol, protocolWhy := known(entry["Protocol"])
	d.Port = number
	secure := strings.EqualFold(protocol, "HTTPS") || strings.EqualFold(protocol, "SSL")
	switch {
	case portWhy != "" || d.Port == 0:
		return undecided(d, "the port of a listener of "+res.object+": "+cmp.Or(portWhy, "it has none"))
	case protocolWhy != "":
		return undecided(d, fmt.Sprintf("the protocol of port %d of %s: %s", number, res.object, protocolWhy))
	case !secure && entry["SSLCertificateId"] != nil:
		return undecided(d, fmt.Sprintf("what becomes of the certificate of port %d of %s, whose protocol is %s", number, res.object, finding.Quote(protocol)))
	case !secure:
		return d, s.plain && d.LoadBalancer != "" && d.Port != 0
	case entry["SSLCertificateId"] == nil:
		s.fault(res, fmt.Sprintf("port %d has no certificate, and CloudFormation rejects a listener of protocol %s without one", number, strings.ToUpper(protocol)), "add SSLCertificateId")
		return d, false
	}
	found := certificates{ok: true}
	s.addCertificate(&found, res, entry["SSLCertificateId"])
	switch {
	case !found.ok:
		return d, false
	case len(found.pending) > found.made:
		return undecided(d, found.pending[0])
	}
	d.ARNs, d.Discovered = found.arns, len(found.arns) == 0
	return d, true
}

// balancerName is the name of a listener's load balancer: from its ARN, or from the resource that a reference names. It is empty where
// CloudFormation makes the name.
func (s stack) balancerName(value any) string {
	switch x := value.(type) {
	case string:
		name, _ := fromARN(x)
		return clean(name)
	case reference:
		if res := s.resources[x.id]; res != nil && res.kind == stackBalancer {
			name, _ := known(res.properties["Name"])
			return clean(name)
		}
	}
	return ""
}

// mayMakeListeners reports whether resources of a type that certdrift does not read may make listeners, and does not show which
// (hidden), or shows it in its properties. The other types of AWS do not.
func mayMakeListeners(kind string) (hidden, shown bool) {
	switch {
	case kind == nestedStack, kind == nestedApplication, kind == "AWS::CloudFormation::StackSet", kind == "AWS::ServiceCatalog::CloudFormationProvisionedProduct",
		strings.HasSuffix(kind, "::MODULE"):
		return true, true
	case strings.HasPrefix(kind, "AWS::ElasticBeanstalk::"), kind == "AWS::CloudFormation::CustomResource", strings.HasPrefix(kind, "AWS::EKS::"):
		return false, true
	}
	return false, !strings.HasPrefix(kind, "AWS::")
}

// signs are parts of texts, in lower case, with which a custom resource or another tool's input names a load balancer's listener.
var signs = [...]string{"listener", "sslcertificate", "elasticloadbalancing", "elbv2"}

// namesListener returns what in a text may put a certificate on a listener; empty if there is nothing.
func namesListener(text string) string {
	if what := namesCertificate(text); what != "" {
		return what
	}
	lower := strings.ToLower(text)
	if i := slices.IndexFunc(signs[:], func(sign string) bool { return strings.Contains(lower, sign) }); i >= 0 {
		return finding.Quote(signs[i])
	}
	return ""
}
