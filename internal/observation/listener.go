package observation

import (
	"slices"
	"strings"
	"time"

	"certdrift/internal/arn"
	"certdrift/internal/target"
)

// LoadBalancerKind is a kind of load balancer.
type LoadBalancerKind string

// The kinds.
const (
	Classic     LoadBalancerKind = "classic"
	Application LoadBalancerKind = "application"
	Network     LoadBalancerKind = "network"
)

// LoadBalancer is one load balancer with its listeners.
type LoadBalancer struct {
	Kind    LoadBalancerKind `json:"kind"`
	Name    string           `json:"name"`
	ARN     string           `json:"arn"` // built from region, account and name for a classic one
	Region  string           `json:"region"`
	Account string           `json:"account"`
	DNSName string           `json:"dns_name"` // lower case, no trailing dot
	// Addresses are what DNSName resolves to, sorted; empty where it was not resolved.
	Addresses []string `json:"addresses,omitempty"`
	// Unresolved reports whether resolving DNSName failed; an ObserveError says why.
	Unresolved bool              `json:"unresolved,omitempty"`
	Internal   bool              `json:"internal,omitempty"`
	Tags       map[string]string `json:"tags,omitempty"`
	Listeners  []Listener        `json:"listeners"`
	// Partial: some of the load balancer could not be read; an ObserveError says what. Nothing may be concluded from what is
	// absent.
	Partial bool `json:"partial,omitempty"`
}

// Stack is the Kubernetes object that a load balancer belongs to. A Service, an Ingress and a Gateway of the same name are
// different stacks.
type Stack struct {
	Kind string // Service, Ingress or Gateway
	Name string // NAMESPACE/NAME, or the name of a group of Ingresses
}

// The kinds of Stacks.
const (
	Service = "Service"
	Ingress = "Ingress"
	Gateway = "Gateway"
)

// Stacks returns the objects that the load balancer belongs to according to its tags: those of the in-tree provider
// (cloud-provider-aws), of the AWS Load Balancer Controller for Services, Ingresses and Gateways, and of the controller within
// EKS Auto Mode. Each is listed once.
func (lb LoadBalancer) Stacks() []Stack {
	var out []Stack
	for _, tag := range [...]struct{ kind, key string }{
		{Service, "kubernetes.io/service-name"}, {Service, "service.k8s.aws/stack"}, {Ingress, "ingress.k8s.aws/stack"},
		{Service, "service.eks.amazonaws.com/stack"}, {Ingress, "ingress.eks.amazonaws.com/stack"},
		{Gateway, "gateway.k8s.aws.alb/stack"}, {Gateway, "gateway.k8s.aws.nlb/stack"},
	} {
		made := Stack{tag.kind, lb.Tags[tag.key]}
		if made.Name != "" && !slices.Contains(out, made) {
			out = append(out, made)
		}
	}
	return out
}

// MadeFor reports whether the load balancer is the one that the declaration's object creates, by its name or its tags.
func (lb LoadBalancer) MadeFor(d Declaration) bool {
	if d.LoadBalancer != "" && d.LoadBalancer == lb.Name {
		return true
	}
	made := lb.Stacks()
	return slices.ContainsFunc(d.Stacks(), func(s Stack) bool { return slices.Contains(made, s) })
}

// Listener is one port of a load balancer.
type Listener struct {
	ARN      string `json:"arn,omitempty"` // none for classic
	Port     int    `json:"port"`
	Protocol string `json:"protocol"` // HTTP, HTTPS, TCP, SSL (classic), TLS (network), …
	// Certificates are the attached ones, the default first; the others are selected by SNI.
	Certificates []Attachment `json:"certificates,omitempty"`
	// Policy is the name of the security policy, Protocols what it allows ("TLSv1.2"); empty where unknown.
	Policy    string   `json:"policy,omitempty"`
	Protocols []string `json:"protocols,omitempty"`
	// PolicyUnread reports whether what the policy allows could not be read; an ObserveError says why.
	PolicyUnread bool `json:"policy_unread,omitempty"`
	// MutualTLS is the mode: "off", "passthrough", "verify"; empty where the kind has none.
	MutualTLS string `json:"mutual_tls,omitempty"`
	// Rules are an ALB's rules, default first; read for plain HTTP listeners only.
	Rules []ListenerRule `json:"rules,omitempty"`
}

// Secure reports whether the listener speaks TLS to clients.
func (l Listener) Secure() bool {
	switch l.Protocol {
	case "HTTPS", "SSL", "TLS", "QUIC", "TCP_QUIC":
		return true
	}
	return false
}

// Attachment is a certificate on a listener.
type Attachment struct {
	ARN     string `json:"arn"`
	Default bool   `json:"default,omitempty"`
}

// ListenerRule is an ALB's rule for requests.
type ListenerRule struct {
	Priority string `json:"priority"` // "default", or a number
	Action   string `json:"action"`   // forward, redirect, fixed-response, …
	// RedirectProtocol is the protocol a redirect leads to: HTTPS, HTTP or #{protocol}.
	RedirectProtocol string `json:"redirect_protocol,omitempty"`
}

// Certificate is what ACM or IAM stores under an ARN.
type Certificate struct {
	ARN string `json:"arn"`
	// Missing reports whether ACM or IAM says that there is none.
	Missing bool `json:"missing,omitempty"`
	// Unreadable: it could not be asked for; an ObserveError says why.
	Unreadable bool `json:"unreadable,omitempty"`
	// Chain is the chain, leaf first, DER; empty where only the record could be read.
	Chain [][]byte `json:"chain,omitempty"`
	// Names are the record's, used where Chain is empty.
	Names     []string  `json:"names,omitempty"`
	NotBefore time.Time `json:"not_before,omitzero"`
	NotAfter  time.Time `json:"not_after,omitzero"`
	// Imported is when the current certificate was imported under the ARN: ACM's ImportedAt, IAM's UploadDate.
	Imported time.Time `json:"imported,omitzero"`
	// Status, Type, Renewal… are ACM's own words (DescribeCertificate); empty for IAM.
	Status              string `json:"status,omitempty"`
	Type                string `json:"type,omitempty"` // IMPORTED, AMAZON_ISSUED, PRIVATE
	RenewalEligibility  string `json:"renewal_eligibility,omitempty"`
	RenewalStatus       string `json:"renewal_status,omitempty"`
	RenewalStatusReason string `json:"renewal_status_reason,omitempty"`
	// PendingValidation are the domains whose validation has not succeeded.
	PendingValidation []Validation `json:"pending_validation,omitempty"`
	InUseBy           []string     `json:"in_use_by,omitempty"`
}

// Validation is one domain's validation by ACM.
type Validation struct {
	Domain string `json:"domain"`
	Status string `json:"status"`
	Method string `json:"method,omitempty"`
	// RecordName and RecordValue are the CNAME that DNS validation needs.
	RecordName  string `json:"record_name,omitempty"`
	RecordValue string `json:"record_value,omitempty"`
}

// Declaration is one listener's certificates as a manifest declares them.
type Declaration struct {
	// Object is the declaring object: "Service production/api", "Ingress web/site", "aws_lb_listener.https".
	Object string `json:"object"`
	// Service is NAMESPACE/NAME for a Kubernetes object; empty for Terraform, Pulumi and CloudFormation.
	Service string `json:"service,omitempty"`
	// LoadBalancer is the load balancer's name, where the manifest names it.
	LoadBalancer string `json:"load_balancer,omitempty"`
	// Group is an Ingress's group.name, Order its group.order: the lowest is first.
	Group string `json:"group,omitempty"`
	Order int    `json:"order,omitempty"`
	// Kind is the kind of load balancer that the object creates; empty where the manifest does not determine it.
	Kind LoadBalancerKind `json:"kind,omitempty"`
	Port int              `json:"port"`
	// MakerUnknown reports that the cloud provider or the AWS Load Balancer Controller makes a Service's load balancer, whichever the
	// cluster has. The provider takes one certificate, and AWS refuses a list from it.
	MakerUnknown bool `json:"maker_unknown,omitempty"`
	// Listener is the ARN of a listener that the certificates are added to, in addition to others; Port is then 0.
	Listener string `json:"listener,omitempty"`
	// ARNs are the certificates, the default first. Empty with Discovered: the controller selects them from ACM by Hosts.
	ARNs       []string `json:"arns,omitempty"`
	Discovered bool     `json:"discovered,omitempty"`
	// Pending names certificates that are attached besides, and have no ARN or no certain listener before the apply.
	Pending []string `json:"pending,omitempty"`
	// KeepsOthers reports that the tool sets the default certificate and leaves the SNI list alone, as Terraform's
	// aws_lb_listener does. The ARNs after the first are then added to the list.
	KeepsOthers bool `json:"keeps_others,omitempty"`
	// Detaches are certificates that are removed from the SNI list.
	Detaches []string `json:"detaches,omitempty"`
	// Creates reports that the apply makes the listener anew, with an empty SNI list; Unchanged that the tool itself found nothing
	// to change. ListenerARN is the listener that exists already, where the manifest knows it: it may be on another port now.
	Creates     bool   `json:"creates,omitempty"`
	Unchanged   bool   `json:"unchanged,omitempty"`
	ListenerARN string `json:"listener_arn,omitempty"`
	// Reimports reports that the apply puts other certificates under the ARNs, wherever they are attached.
	Reimports bool `json:"reimports,omitempty"`
	// More reports whether the controller adds certificates to the ARNs that it discovers for other Ingresses of the group.
	More   bool     `json:"more,omitempty"`
	Hosts  []string `json:"hosts,omitempty"`
	Policy string   `json:"policy,omitempty"`
	// Restates reports that the source names the certificates and it is not known whether its deployment sets them again:
	// CloudFormation updates what a template changed, not what was changed by hand since.
	Restates bool `json:"restates,omitempty"`
	// RemovesListeners reports that the object's load balancer keeps only the listeners of the object's other
	// declarations; without any, the load balancer is deleted. Port is then 0. UndecidedBecause names what may keep them
	// nevertheless (for an Ingress: port 443) and is not visible in the manifest.
	RemovesListeners bool `json:"closes,omitempty"`
	// PortUncertain reports that whether there is a listener at all depends on UndecidedBecause.
	PortUncertain    bool            `json:"port_uncertain,omitempty"`
	UndecidedBecause string          `json:"perhaps,omitempty"`
	Source           target.Position `json:"source"`
	// Tool is what the source is for; empty for Kubernetes and Terraform, between which Service decides.
	Tool Tool `json:"tool,omitempty"`
}

// Tool is a tool that a source is for, where that decides what people edit.
type Tool string

// The tools. People edit a template, unless the CDK wrote it; a change set is made from one, and a preview from a program.
const (
	Template  Tool = "cloudformation-template"
	CDK       Tool = "cdk-template"
	ChangeSet Tool = "cloudformation-change-set"
	Pulumi    Tool = "pulumi"
)

// PassedOver is an object of a manifest, plan or template that was not understood, although it may put a certificate on a load
// balancer.
type PassedOver struct {
	target.Position
	// Object is its kind and name, as far as it has them.
	Object string `json:"object"`
	// Why says what it may do, and why it was not read.
	Why string `json:"why"`
	// Remedy says how to have it compared; empty for what holds for any document: to pass what its tool renders.
	Remedy string `json:"remedy,omitempty"`
}

// Stacks returns the objects that the tags of the object's load balancer may name.
func (d Declaration) Stacks() []Stack {
	var out []Stack
	if kind, _, _ := strings.Cut(d.Object, " "); d.Service != "" {
		out = append(out, Stack{kind, d.Service})
	}
	if d.Group != "" {
		out = append(out, Stack{Ingress, d.Group})
	}
	return out
}

// Of reports whether the object is of a kind: Service, Ingress or Gateway.
func (d Declaration) Of(kind string) bool { return strings.HasPrefix(d.Object, kind+" ") }

// Fits reports whether the object may create a load balancer of that kind: an Ingress creates application load balancers, a Gateway
// those of its class, and a Service others.
func (d Declaration) Fits(kind LoadBalancerKind) bool {
	switch {
	case d.Service == "":
		return true
	case d.Of(Gateway):
		return kind != Classic && (d.Kind == "" || d.Kind == kind)
	}
	return d.Of(Ingress) == (kind == Application)
}

// Generated reports whether Source is a file that a tool generated: Terraform's plan or state, Pulumi's preview or stack, a change set, a template that the CDK
// wrote. To change it, change the code that it was generated from.
func (d Declaration) Generated() bool { return d.Service == "" && d.Tool != Template }

// OfTemplate reports whether Source is a CloudFormation template. It does not say what its deployment changes and takes away.
func (d Declaration) OfTemplate() bool { return d.Tool == Template || d.Tool == CDK }

// Change is a change that CloudTrail or ACM reported.
type Change struct {
	EventID string    `json:"event_id,omitempty"`
	Event   string    `json:"event"` // "SetLoadBalancerListenerSSLCertificate", "ACM Certificate Expired"
	At      time.Time `json:"at"`
	Region  string    `json:"region"`
	Account string    `json:"account"`
	// LoadBalancer is a name or an ARN, Listener an ARN; Port and Certificates are as requested. What the event does
	// not contain is empty.
	LoadBalancer string   `json:"load_balancer,omitempty"`
	Listener     string   `json:"listener,omitempty"`
	Port         int      `json:"port,omitempty"`
	Certificates []string `json:"certificates,omitempty"`
	// Renamed is the new ARN that UpdateServerCertificate assigned to a certificate, if the event contains all of it.
	Renamed string `json:"renamed,omitempty"`
	// Author is who made it; nil for ACM's own events, which have Facts: the event's detail, in ACM's words.
	Author *Author           `json:"author,omitempty"`
	Facts  map[string]string `json:"facts,omitempty"`
	// Confirmed reports whether LookupEvents or the state of the listener confirms the event. An event alone is a claim.
	Confirmed bool `json:"confirmed"`
}

// Names reports whether the change names a certificate: by its ARN, or as IAM's calls on a server certificate do, by its name.
func (c Change) Names(certificate string) bool {
	if slices.Contains(c.Certificates, certificate) {
		return true
	}
	byName := c.Event == "DeleteServerCertificate" || c.Event == "UpdateServerCertificate"
	return byName && slices.ContainsFunc(c.Certificates, func(named string) bool { return arn.SameServerCertificate(named, certificate) })
}

// Author is who made a change.
type Author struct {
	// Principal is the ARN; Name is the role or user as people know it.
	Principal string `json:"principal"`
	Name      string `json:"name"`
	// Session distinguishes the users of a role.
	Session string `json:"session,omitempty"`
	// Tool is the tool that the user agent identifies: "AWS console", "Kubernetes cloud provider", "AWS Load Balancer Controller",
	// "Terraform", "AWS CLI", "CloudFormation", or the agent's own first word.
	Tool      string `json:"tool"`
	UserAgent string `json:"user_agent,omitempty"`
	SourceIP  string `json:"source_ip,omitempty"`
}

// Attached is the result of reading AWS.
type Attached struct {
	LoadBalancers []LoadBalancer
	Certificates  []Certificate
	ObserveErrors []ObserveError
}
