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
	Path           string     `json:"path"`
	LoadBalancer   string     `json:"load_balancer_arn"`
	Listener       string     `json:"listener_arn"`
	Port           int        `json:"port"`
	Protocol       string     `json:"protocol"`
	CertificateARN string     `json:"certificate_arn"`
	Policy         string     `json:"ssl_policy"`
	Listeners      []listener `json:"listener"`
	Body           string     `json:"certificate_body"`
}

// matters reports whether a type declares listeners, certificates or names of load balancers.
func matters(kind string) bool {
	return kind == "aws_elb" || isBalancer(kind) || isListener(kind) || isListenerCertificate(kind)
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
	data          []byte
	resources     []resource
	configuration *configModule
	changes       map[string]*change         // by address; a state has none
	after         map[string]json.RawMessage // the resources' values, by address
	found         int                        // offset in data of the last address that was found
	lines         []int                      // offsets in data at which lines begin, once they were looked for
	spelled       map[string]string          // how the file writes an address, where it does so in another way
	positions     map[string]target.Position // of addresses that were looked for
	listeners     map[string][]resource      // of additional certificates, by address
}

func newTerraform(r *reader, data []byte) *terraform {
	return &terraform{
		reader: r, data: data, after: map[string]json.RawMessage{}, spelled: map[string]string{}, positions: map[string]target.Position{}, listeners: map[string][]resource{},
	}
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
	all, byAddress, err := readChanges(changes)
	if err != nil {
		return err
	}
	t.configuration, t.changes = readConfiguration(configuration), byAddress
	if err := t.collect(in.Root, 0); err != nil {
		return err
	}
	for _, res := range t.resources {
		switch {
		case isListener(res.Type):
			t.listener(res)
		case res.Type == "aws_elb":
			t.classic(res)
		}
	}
	t.orphans()
	t.reimported(all)
	t.passOverRemoved(all)
	t.passOverProvisioners(all)
	t.passOverMissing(all)
	t.passOverDeletedKeys(all)
	return t.removed(all)
}

func (t *terraform) collect(m module, depth int) error {
	for _, res := range m.Resources {
		res.module = m.Address
		t.after[res.Address] = res.Raw
		switch {
		case res.Mode == "data":
			continue
		case isKubernetes(res.Type):
			t.kubernetesResource(res)
			continue
		case !matters(res.Type):
			t.passOver(res)
			continue
		}
		if err := json.Unmarshal(res.Raw, &res.Values); len(res.Raw) > 0 && err != nil {
			return errOtherForm
		}
		t.resources = append(t.resources, res)
	}
	for _, child := range m.Children {
		if depth == maxModules {
			return errors.New("its modules are nested too deeply")
		}
		if err := t.collect(child, depth+1); err != nil {
			return err
		}
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

// listener declares a listener of an ALB or NLB with the SNI certificates that are known to be added to it. A certificate that the plan
// creates has no ARN yet.
func (t *terraform) listener(res resource) {
	v, c := res.Values, t.changes[res.Address]
	d := observation.Declaration{
		Object: clean(res.Address), Port: v.Port, Kind: observation.Application, Policy: clean(v.Policy), LoadBalancer: t.balancerName(res),
		KeepsOthers: true, Creates: c.does("create"), ListenerARN: clean(v.ARN), Source: t.position(res.Address),
	}
	switch {
	case c.unknown("protocol") || c.unknown("port"):
		d.UndecidedBecause = "the port or the protocol of " + d.Object + ", which are known only after the apply"
		t.declared = append(t.declared, d)
		return
	case strings.EqualFold(v.Protocol, "TLS"):
		d.Kind = observation.Network
	case !secured(res):
		t.withoutCertificate(res, listener{Port: v.Port})
		return
	}
	d.ARNs = t.certificate(res, d.Source, v.CertificateARN)
	d.Discovered = v.CertificateARN == ""
	if len(d.ARNs) == 0 && !d.Discovered {
		return // reported
	}
	t.addCertificates(&d, res)
	d.Unchanged = len(d.Pending) == 0 && len(d.ARNs) == 1 && t.keeps(res)
	t.declared = append(t.declared, d)
}

// keeps reports whether the plan leaves a listener's default certificate and port as they are.
func (t *terraform) keeps(res resource) bool {
	c, v := t.changes[res.Address], res.Values
	was, existed, err := c.before()
	return existed && err == nil && !c.does("create") && !c.does("delete") &&
		was.CertificateARN == v.CertificateARN && was.Port == v.Port && was.Protocol == v.Protocol && was.LoadBalancer == v.LoadBalancer
}

// addCertificates adds those of aws_lb_listener_certificate to a listener's. One that has no ARN yet, or may be for another
// listener, is pending.
func (t *terraform) addCertificates(d *observation.Declaration, listener resource) {
	for _, extra := range t.resources {
		if !isListenerCertificate(extra.Type) {
			continue
		}
		sure, perhaps := t.belongs(extra, listener)
		if !perhaps {
			continue
		}
		arns := t.certificate(extra, t.position(extra.Address), extra.Values.CertificateARN)
		switch {
		case extra.Values.CertificateARN == "":
			d.Pending = append(d.Pending, "the certificate of "+clean(extra.Address)+", which the same apply creates")
		case !sure && len(arns) > 0:
			d.Pending = append(d.Pending, "which listener "+clean(extra.Address)+" adds a certificate to")
		case d.Discovered: // the ARNs begin with the default
			d.Pending = append(d.Pending, arns...)
		default:
			d.ARNs = append(d.ARNs, arns...)
		}
	}
}

// belongs reports whether an additional certificate is for a listener: by the listener's ARN or, before it exists, by the
// reference in the configuration, which may leave several.
func (t *terraform) belongs(extra, listener resource) (sure, perhaps bool) {
	if extra.Values.Listener != "" {
		same := extra.Values.Listener == listener.Values.ARN || extra.Values.Listener == listener.Values.ID
		return same, same
	}
	found, resolved := t.listenersOf(extra)
	here := slices.ContainsFunc(found, func(r resource) bool { return r.Address == listener.Address })
	if !resolved { // a local value, for one: any of the listeners that have no ARN yet
		return false, t.changes[extra.Address] != nil && listener.Values.ARN == "" && secured(listener)
	}
	return here && len(found) == 1, here
}

// listenersOf are the listeners that an additional certificate may refer to, looked up once.
func (t *terraform) listenersOf(extra resource) (found []resource, resolved bool) {
	known, ok := t.listeners[extra.Address]
	if !ok {
		known, _ = t.referred(extra, "listener_arn", isListener)
		t.listeners[extra.Address] = known
	}
	return known, len(known) > 0
}

func secured(res resource) bool {
	return strings.EqualFold(res.Values.Protocol, "HTTPS") || strings.EqualFold(res.Values.Protocol, "TLS")
}

// referred are the resources of a kind that an attribute may refer to. Of several instances, the one with the same index is meant:
// that is what count.index and each.key lead to. resolved is false if the references lead to none.
func (t *terraform) referred(from resource, attribute string, wanted func(string) bool) (found []resource, resolved bool) {
	refs := t.configuration.referencesOf(from, attribute)
	for _, res := range t.resources {
		if wanted(res.Type) && slices.ContainsFunc(refs, func(r referred) bool { return r.is(res) }) {
			found = append(found, res)
		}
	}
	if len(found) > 1 {
		_, index := withoutIndexes(strings.TrimPrefix(from.Address, from.module))
		same := slices.DeleteFunc(slices.Clone(found), func(r resource) bool {
			_, other := withoutIndexes(strings.TrimPrefix(r.Address, r.module))
			return index == "" || other != index
		})
		if len(same) == 1 {
			found = same
		}
	}
	return found, len(found) > 0
}

// orphans declares additional certificates of listeners that this file does not create: the listener's ARN is known, its port
// is not.
func (t *terraform) orphans() {
	for _, extra := range t.resources {
		if !isListenerCertificate(extra.Type) || t.hasListener(extra) {
			continue
		}
		name, kind := fromARN(extra.Values.Listener)
		source, c := t.position(extra.Address), t.changes[extra.Address]
		d := observation.Declaration{Object: clean(extra.Address), LoadBalancer: name, Kind: kind, Listener: clean(extra.Values.Listener), Source: source}
		d.ARNs = t.certificate(extra, source, extra.Values.CertificateARN)
		switch {
		case name == "" && c != nil:
			d.UndecidedBecause = "which listener " + d.Object + " adds a certificate to"
		case name == "" || len(d.ARNs) == 0 && extra.Values.CertificateARN != "":
			continue
		case len(d.ARNs) == 0:
			d.Pending = []string{"the certificate of " + d.Object + ", which the same apply creates"}
		}
		t.declared = append(t.declared, d)
	}
}

func (t *terraform) hasListener(extra resource) bool {
	return slices.ContainsFunc(t.resources, func(res resource) bool {
		_, perhaps := t.belongs(extra, res)
		return isListener(res.Type) && perhaps
	})
}

// classic declares the TLS listeners of a classic load balancer.
func (t *terraform) classic(res resource) {
	source, c := t.position(res.Address), t.changes[res.Address]
	d := observation.Declaration{Object: clean(res.Address), LoadBalancer: clean(res.Values.Name), Kind: observation.Classic, Creates: c.does("create"), Source: source}
	if len(res.Values.Listeners) == 0 && c.unknown("listener") {
		d.UndecidedBecause = "the listeners of " + d.Object + ", which are known only after the apply"
		t.declared = append(t.declared, d)
	}
	for _, l := range res.Values.Listeners {
		d.Port, d.UndecidedBecause = l.Port, ""
		if protocol := strings.ToUpper(l.Protocol); c.unknown("listener") && (protocol == "" || l.Port == 0) {
			d.UndecidedBecause = "a listener of " + d.Object + ", which is known only after the apply"
		} else if protocol != "HTTPS" && protocol != "SSL" {
			t.withoutCertificate(res, l)
			continue
		}
		d.ARNs = t.certificate(res, source, l.Certificate)
		if d.Discovered = len(d.ARNs) == 0; d.Discovered && l.Certificate != "" {
			continue
		}
		t.declared = append(t.declared, d)
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
	found, _ := t.referred(res, "load_balancer_arn", isBalancer)
	if len(found) == 1 {
		return clean(found[0].Values.Name)
	}
	return ""
}

func isBalancer(kind string) bool { return kind == "aws_lb" || kind == "aws_alb" }

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
	at, ok := t.positions[address]
	if !ok {
		at = t.find(address)
		t.positions[address] = at
	}
	return at
}

func (t *terraform) find(address string) target.Position {
	if text, ok := t.spelled[address]; ok {
		address = text
	}
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
	if t.lines == nil { // looked for once: a plan of thousands of resources is often one line
		t.lines = []int{0}
		for at, c := range t.data {
			if c == '\n' {
				t.lines = append(t.lines, at+1)
			}
		}
	}
	line, _ := slices.BinarySearch(t.lines, t.found+1)
	return t.at(line, t.found-t.lines[line-1]+1)
}
