package manifest

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"certdrift/internal/arn"
	"certdrift/internal/finding"
	"certdrift/internal/observation"
	"certdrift/internal/target"
)

// maxModules is the maximum nesting depth of modules.
const maxModules = 50

// module is a module of planned_values or values (https://developer.hashicorp.com/terraform/internals/json-format).
type module struct {
	Address   string     `json:"address"`
	Resources []resource `json:"resources"`
	Children  []module   `json:"child_modules"`
}

type resource struct {
	Address string          `json:"address"`
	Mode    string          `json:"mode"`
	Type    string          `json:"type"`
	Name    string          `json:"name"`
	Raw     json.RawMessage `json:"values"`
	Values  attributes      `json:"-"`
	module  string          // the module's address
}

// attributes are the attributes of the resource types that certdrift reads. Other types use some of the names differently.
type attributes struct {
	ID             string     `json:"id"`
	ARN            string     `json:"arn"`
	Name           string     `json:"name"`
	LoadBalancer   string     `json:"load_balancer_arn"`
	Listener       string     `json:"listener_arn"`
	Port           int        `json:"port"`
	Protocol       string     `json:"protocol"`
	CertificateARN string     `json:"certificate_arn"`
	Policy         string     `json:"ssl_policy"`
	Listeners      []listener `json:"listener"`
}

// matters reports whether a type declares listeners, certificates or names of load balancers.
func matters(kind string) bool {
	switch kind {
	case "aws_elb", "aws_lb", "aws_alb":
		return true
	}
	return isListener(kind) || isListenerCertificate(kind)
}

func isListener(kind string) bool { return kind == "aws_lb_listener" || kind == "aws_alb_listener" }

func isListenerCertificate(kind string) bool {
	return kind == "aws_lb_listener_certificate" || kind == "aws_alb_listener_certificate"
}

// listener is a block of aws_elb.
type listener struct {
	Port        int    `json:"lb_port"`
	Protocol    string `json:"lb_protocol"`
	Certificate string `json:"ssl_certificate_id"`
}

// terraform reads one plan or state.
type terraform struct {
	*reader
	data      []byte
	resources []resource
	refs      references
	found     int // offset in data of the last address that was found
}

var errOtherForm = errors.New("its resources have an unexpected form")

func (t *terraform) read(values, configuration, changes json.RawMessage) error {
	var in struct {
		Root module `json:"root_module"`
	}
	if len(values) == 0 {
		return errors.New("it has neither planned_values nor values")
	}
	if err := json.Unmarshal(values, &in); err != nil {
		return errOtherForm
	}
	if err := t.collect(in.Root, 0); err != nil {
		return err
	}
	t.refs = readReferences(configuration)
	for _, res := range t.resources {
		switch {
		case isListener(res.Type):
			t.listener(res)
		case res.Type == "aws_elb":
			t.classic(res)
		}
	}
	t.orphans()
	return t.removed(changes)
}

func (t *terraform) collect(m module, depth int) error {
	for _, res := range m.Resources {
		if res.Mode == "data" || !matters(res.Type) {
			continue
		}
		if err := json.Unmarshal(res.Raw, &res.Values); len(res.Raw) > 0 && err != nil {
			return errOtherForm
		}
		res.module = m.Address
		t.resources = append(t.resources, res)
	}
	for _, child := range m.Children {
		if depth == maxModules {
			break
		}
		if err := t.collect(child, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// removed declares, on request, that the listeners that a plan deletes will have no certificate.
func (t *terraform) removed(changes json.RawMessage) error {
	var all []struct {
		Address string `json:"address"`
		Mode    string `json:"mode"`
		Type    string `json:"type"`
		Change  struct {
			Actions []string        `json:"actions"`
			Before  json.RawMessage `json:"before"`
		} `json:"change"`
	}
	if !t.plain || len(changes) == 0 {
		return nil
	}
	if err := json.Unmarshal(changes, &all); err != nil {
		return errOtherForm
	}
	for _, c := range all {
		if c.Mode == "data" || !isListener(c.Type) && c.Type != "aws_elb" || !slices.Equal(c.Change.Actions, []string{"delete"}) {
			continue
		}
		res := resource{Address: c.Address, Type: c.Type}
		if err := json.Unmarshal(c.Change.Before, &res.Values); err != nil {
			return errOtherForm
		}
		t.withoutCertificate(res, append(res.Values.Listeners, listener{Port: res.Values.Port})...)
	}
	return nil
}

// withoutCertificate declares, on request, ports of a load balancer that will have no certificate.
func (t *terraform) withoutCertificate(res resource, ports ...listener) {
	d := observation.Declaration{Object: clean(res.Address), Source: t.position(res.Address), Kind: observation.Classic, LoadBalancer: clean(res.Values.Name)}
	if isListener(res.Type) {
		d.Kind, d.LoadBalancer = "", t.balancerName(res)
	}
	for _, p := range ports {
		if d.Port = p.Port; t.plain && d.Port != 0 && d.LoadBalancer != "" {
			t.declared = append(t.declared, d)
		}
	}
}

// listener declares a listener of an ALB or NLB with its SNI certificates. A certificate that the plan creates has no ARN yet:
// it is unknown, like one that a controller discovers.
func (t *terraform) listener(res resource) {
	v := res.Values
	if v.Protocol != "HTTPS" && v.Protocol != "TLS" {
		t.withoutCertificate(res, listener{Port: v.Port})
		return
	}
	d := observation.Declaration{
		Object: clean(res.Address), Port: v.Port, Kind: observation.Application, Policy: clean(v.Policy),
		Source: t.position(res.Address),
	}
	if v.Protocol == "TLS" {
		d.Kind = observation.Network
	}
	d.LoadBalancer = t.balancerName(res)
	d.ARNs = t.certificate(res, d.Source, v.CertificateARN)
	d.Discovered = v.CertificateARN == ""
	for _, extra := range t.resources {
		if isListenerCertificate(extra.Type) && t.belongs(extra, res) && !d.Discovered {
			d.ARNs = append(d.ARNs, t.certificate(extra, t.position(extra.Address), extra.Values.CertificateARN)...)
		}
	}
	if len(d.ARNs) > 0 || d.Discovered {
		t.declared = append(t.declared, d)
	}
}

// belongs reports whether an additional certificate is for a listener: by the listener's ARN or, before it exists, by the
// reference in the configuration.
func (t *terraform) belongs(extra, listener resource) bool {
	if extra.Values.Listener != "" {
		return extra.Values.Listener == listener.Values.ARN || extra.Values.Listener == listener.Values.ID
	}
	return extra.module == listener.module && t.refs.leads(extra, "listener_arn", listener)
}

// orphans declares additional certificates of listeners that this file does not create: the listener's ARN is known, its port
// is not.
func (t *terraform) orphans() {
	for _, extra := range t.resources {
		name, kind := fromARN(extra.Values.Listener)
		if !isListenerCertificate(extra.Type) || name == "" || t.hasListener(extra) {
			continue
		}
		source := t.position(extra.Address)
		if arns := t.certificate(extra, source, extra.Values.CertificateARN); len(arns) > 0 {
			t.declared = append(t.declared, observation.Declaration{
				Object: clean(extra.Address), LoadBalancer: name, Kind: kind, Listener: clean(extra.Values.Listener), ARNs: arns, Source: source,
			})
		}
	}
}

func (t *terraform) hasListener(extra resource) bool {
	for _, res := range t.resources {
		if isListener(res.Type) && t.belongs(extra, res) {
			return true
		}
	}
	return false
}

// classic declares the TLS listeners of a classic load balancer.
func (t *terraform) classic(res resource) {
	source := t.position(res.Address)
	for _, l := range res.Values.Listeners {
		if protocol := strings.ToUpper(l.Protocol); protocol != "HTTPS" && protocol != "SSL" {
			t.withoutCertificate(res, l)
			continue
		}
		arns := t.certificate(res, source, l.Certificate)
		if len(arns) == 0 && l.Certificate != "" {
			continue
		}
		t.declared = append(t.declared, observation.Declaration{
			Object: clean(res.Address), LoadBalancer: clean(res.Values.Name), Kind: observation.Classic, Port: l.Port,
			ARNs: arns, Discovered: len(arns) == 0, Source: source,
		})
	}
}

// certificate checks an ARN; it returns none if the ARN is not known yet.
func (t *terraform) certificate(res resource, at target.Position, text string) []string {
	if text == "" {
		return nil
	}
	if _, err := arn.Certificate(text); err != nil {
		t.errorAt(at.Line, at.Column, clean(res.Address)+": the certificate "+finding.Quote(text)+" "+err.Error(),
			"use the ARN of an ACM certificate or an IAM server certificate")
		return nil
	}
	return []string{text}
}

// balancerName returns the name of a listener's load balancer: from its ARN or, before it exists, from the resource that the
// configuration refers to.
func (t *terraform) balancerName(res resource) string {
	if name, _ := fromARN(res.Values.LoadBalancer); name != "" {
		return name
	}
	for _, lb := range t.resources {
		if (lb.Type == "aws_lb" || lb.Type == "aws_alb") && lb.module == res.module && t.refs.leads(res, "load_balancer_arn", lb) {
			return clean(lb.Values.Name)
		}
	}
	return ""
}

// fromARN returns a load balancer's name and kind from its ARN or that of one of its listeners:
// …:loadbalancer/app/NAME/ID, …:listener/net/NAME/ID/ID.
func fromARN(text string) (string, observation.LoadBalancerKind) {
	a, err := arn.Parse(text)
	parts := strings.Split(a.Resource, "/")
	if err != nil || a.Service != "elasticloadbalancing" || len(parts) < 4 {
		return "", ""
	}
	switch parts[1] {
	case "app":
		return parts[2], observation.Application
	case "net":
		return parts[2], observation.Network
	}
	return "", ""
}

// position finds a resource in the text. Addresses mostly come in the order of the file, so the search begins where the last
// one ended.
func (t *terraform) position(address string) target.Position {
	quoted, err := json.Marshal(address)
	if err != nil {
		return t.at(1, 1)
	}
	i := bytes.Index(t.data[t.found:], quoted)
	if i < 0 {
		t.found = 0
		i = bytes.Index(t.data, quoted)
	}
	if i < 0 {
		return t.at(1, 1)
	}
	t.found += i
	before := t.data[:t.found]
	return t.at(1+bytes.Count(before, []byte("\n")), t.found-bytes.LastIndexByte(before, '\n'))
}
