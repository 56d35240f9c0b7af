package manifest

import (
	"encoding/json"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// pulumiTypes are the types that Terraform's provider has under another name, by Pulumi's tokens, also their older ones
// (https://www.pulumi.com/registry/packages/aws/). Those that make other resources are read by their inputs alone.
var pulumiTypes = map[string]string{
	"aws:lb/listener:Listener": "aws_lb_listener", "aws:alb/listener:Listener": "aws_lb_listener",
	"aws:elasticloadbalancingv2/listener:Listener": "aws_lb_listener", "aws:applicationloadbalancing/listener:Listener": "aws_lb_listener",
	"aws:lb/listenerCertificate:ListenerCertificate": "aws_lb_listener_certificate", "aws:alb/listenerCertificate:ListenerCertificate": "aws_lb_listener_certificate",
	"aws:elasticloadbalancingv2/listenerCertificate:ListenerCertificate":   "aws_lb_listener_certificate",
	"aws:applicationloadbalancing/listenerCertificate:ListenerCertificate": "aws_lb_listener_certificate",
	"aws:lb/loadBalancer:LoadBalancer":                                     "aws_lb", "aws:alb/loadBalancer:LoadBalancer": "aws_lb",
	"aws:elasticloadbalancingv2/loadBalancer:LoadBalancer": "aws_lb", "aws:applicationloadbalancing/loadBalancer:LoadBalancer": "aws_lb",
	"aws:elb/loadBalancer:LoadBalancer": "aws_elb", "aws:elasticloadbalancing/loadBalancer:LoadBalancer": "aws_elb",
	"aws:acm/certificate:Certificate": "aws_acm_certificate", "aws:iam/serverCertificate:ServerCertificate": "aws_iam_server_certificate",
	"aws:cloudformation/stack:Stack": "aws_cloudformation_stack", "aws:cloudformation/stackSet:StackSet": "aws_cloudformation_stack_set",
	"aws:cloudformation/stackSetInstance:StackSetInstance": "aws_cloudformation_stack_set_instance", "aws:cloudformation/stackInstances:StackInstances": "aws_cloudformation_stack_instances",
	"aws:elasticbeanstalk/environment:Environment":                     "aws_elastic_beanstalk_environment",
	"aws:elasticbeanstalk/configurationTemplate:ConfigurationTemplate": "aws_elastic_beanstalk_configuration_template",
	"aws:cloudcontrol/resource:Resource":                               "aws_cloudcontrolapi_resource",
	"aws:servicecatalog/provisionedProduct:ProvisionedProduct":         "aws_servicecatalog_provisioned_product",

	"aws-native:elasticloadbalancingv2:Listener": "aws_lb_listener", "aws-native:elasticloadbalancingv2:ListenerCertificate": "aws_lb_listener_certificate",
	"aws-native:elasticloadbalancingv2:LoadBalancer": "aws_lb",
}

// terraformType is the type of a resource in the translation. What else Pulumi's AWS provider has puts no certificate on a load balancer;
// of other providers, anything may.
func terraformType(token string) string {
	switch kind := pulumiTypes[token]; {
	case kind != "":
		return kind
	case strings.HasPrefix(token, "kubernetes:") && !strings.HasSuffix(token, "Patch") && !strings.HasPrefix(token, "kubernetes:helm.sh/") && !strings.HasPrefix(token, "kubernetes:yaml") &&
		!strings.HasPrefix(token, "kubernetes:kustomize"):
		return manifestKind
	case strings.HasPrefix(token, "aws:"):
		return "aws_other"
	}
	return token
}

// translation is a resource in Terraform's terms.
type translation struct {
	kind, index   string // index distinguishes what one resource is translated to
	before, after map[string]any
	unknown       any
	actions       []string // its own; nil for those of the whole
}

// translations are what a resource is in Terraform's terms; before or after is nil where it is not.
func translations(token string, before, after *pulumiState, made bool) []translation {
	kind := terraformType(token)
	one := translation{kind: kind, unknown: map[string]any{}}
	switch {
	case kind == manifestKind:
		one.before, one.after, one.unknown = manifestOf(before, false), manifestOf(after, true), nil
		if after != nil {
			_, one.unknown = splitKnown(map[string]any{"manifest": pruned(after.Inputs)})
		}
	case strings.HasPrefix(token, "aws-native:") && kind == "aws_lb_listener_certificate":
		return nativeCertificates(before, after, made)
	case strings.HasPrefix(token, "aws-native:") && kind != token:
		before, after = native(before), native(after)
		fallthrough
	case strings.HasPrefix(kind, "aws_"):
		one.before, one.after, one.unknown = awsValues(kind, before, after, made)
	default:
		one.before = inputsOf(before)
		if one.after = inputsOf(after); after != nil {
			_, one.unknown = splitKnown(map[string]any{"manifest": after.Inputs})
			values, _ := splitKnown(after.Inputs)
			one.after, _ = values.(map[string]any)
		}
	}
	return []translation{one}
}

func inputsOf(s *pulumiState) map[string]any {
	if s == nil {
		return nil
	}
	return s.Inputs
}

// awsValues are the attributes of a resource of Pulumi's AWS provider, which has Terraform's in camel case. What AWS assigns is among the
// outputs; what is made anew has none yet.
func awsValues(kind string, before, after *pulumiState, made bool) (was, will map[string]any, unknown any) {
	if before != nil {
		was = map[string]any{"id": before.ID}
		for _, from := range []map[string]any{before.Inputs, before.Outputs} {
			values, _ := splitKnown(from)
			addSnake(kind, was, values)
		}
	}
	if after == nil {
		return was, nil, nil
	}
	values, missing := splitKnown(after.Inputs)
	will = map[string]any{}
	addSnake(kind, will, values)
	unknowns := map[string]any{}
	addSnake(kind, unknowns, missing)
	if !made {
		for _, from := range []*pulumiState{before, after} {
			if from == nil {
				continue
			}
			if from.ID != "" {
				will["id"] = from.ID
			}
			for _, key := range []string{"arn", "name"} {
				if text, ok := from.Outputs[key].(string); ok && !isUnknown(text) && (key == "arn" || will[key] == nil) {
					will[key] = text
				}
			}
		}
	}
	return was, will, unknowns
}

// addSnake adds an object's entries under Terraform's names.
func addSnake(kind string, to map[string]any, object any) {
	entries, _ := object.(map[string]any)
	for key, value := range entries {
		name := snake(key)
		if kind == "aws_elb" && name == "listeners" { // Terraform names blocks in the singular
			name = "listener"
		}
		if to[name] = snakeAll(value); name == "port" || name == "lb_port" {
			to[name] = number(value)
		}
	}
}

func snakeAll(v any) any {
	switch v := v.(type) {
	case []any:
		out := make([]any, 0, len(v))
		for _, one := range v {
			out = append(out, snakeAll(one))
		}
		return out
	case map[string]any:
		out := map[string]any{}
		addSnake("", out, v)
		return out
	}
	return v
}

// number is a number that is written as text.
func number(v any) any {
	if text, ok := v.(string); ok {
		if n, err := strconv.Atoi(text); err == nil {
			return n
		}
	}
	return v
}

// snake is a name in snake case.
func snake(name string) string {
	var b strings.Builder
	for _, r := range name {
		if unicode.IsUpper(r) {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

// native is a resource of the AWS Cloud Control provider, which has the properties of CloudFormation, with those of the other provider: a
// listener has one certificate in a list.
func native(s *pulumiState) *pulumiState {
	if s == nil {
		return nil
	}
	out := *s
	out.Inputs, out.Outputs = nativeProperties(s.Inputs), nativeProperties(s.Outputs)
	if _, has := out.Outputs["arn"]; !has && strings.HasPrefix(s.ID, "arn:") {
		out.Outputs["arn"] = s.ID
	}
	return &out
}

func nativeProperties(in map[string]any) map[string]any {
	out := map[string]any{}
	for key, value := range in {
		switch key {
		case "listenerArn":
			out["arn"] = value
			continue
		case "loadBalancerArn":
			if in["type"] != nil || in["subnets"] != nil || in["subnetMappings"] != nil || in["dnsName"] != nil { // of a load balancer, its own
				out["arn"] = value
			}
		case "certificates":
			switch list := value.(type) {
			case []any:
				if len(list) == 1 {
					out["certificateArn"] = certificateIn(list[0])
				} else if len(list) > 1 {
					out["certificateArn"] = unknownText
				}
			default:
				out["certificateArn"] = value
			}
			continue
		}
		out[key] = value
	}
	return out
}

func certificateIn(v any) any {
	entry, ok := v.(map[string]any)
	if !ok {
		return v
	}
	return entry["certificateArn"]
}

// nativeCertificates are one resource for each certificate of a list.
func nativeCertificates(before, after *pulumiState, made bool) []translation {
	var out []translation
	list := func(s *pulumiState) (listener any, arns []any, id string) {
		if s == nil {
			return nil, nil, ""
		}
		entries, ok := s.Inputs["certificates"].([]any)
		if !ok && s.Inputs["certificates"] != nil {
			entries = []any{s.Inputs["certificates"]}
		}
		for _, e := range entries {
			arns = append(arns, certificateIn(e))
		}
		return s.Inputs["listenerArn"], arns, s.ID
	}
	wasOn, was, _ := list(before)
	isOn, is, _ := list(after)
	values := func(listener, certificate any) (map[string]any, map[string]any) {
		have, missing := splitKnown(map[string]any{"listener_arn": listener, "certificate_arn": certificate})
		h, _ := have.(map[string]any)
		m, _ := missing.(map[string]any)
		return h, m
	}
	for i, certificate := range is {
		one := translation{kind: "aws_lb_listener_certificate", index: strconv.Itoa(i)}
		one.after, one.unknown = values(isOn, certificate)
		switch kept := same(wasOn, isOn) && contains(was, certificate); {
		case before == nil: // an exported stack, or a resource that is made
		case kept && !made:
			one.before, one.actions = one.after, []string{"no-op"}
		case kept:
			one.before = one.after
		default:
			one.actions = []string{"create"}
		}
		out = append(out, one)
	}
	for i, certificate := range was {
		if same(wasOn, isOn) && contains(is, certificate) {
			continue
		}
		one := translation{kind: "aws_lb_listener_certificate", index: "was" + strconv.Itoa(i), actions: []string{"delete"}}
		one.before, _ = values(wasOn, certificate)
		out = append(out, one)
	}
	return out
}

func contains(all []any, v any) bool {
	return slices.ContainsFunc(all, func(one any) bool { return same(one, v) })
}

func same(a, b any) bool { return reflect.DeepEqual(a, b) }

// What stands for other values in a preview (sdk/go/common/resource/plugin, pkg/resource/stack): for one that is unknown until the update, and
// for a secret. An object with the signature is a secret of an exported stack, an asset, or a reference to a resource.
const (
	unknownText  = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
	hiddenText   = "[secret]"
	signatureKey = "4dabf18193072939515e22adb298388d"
)

var unknownTexts = []string{
	unknownText, "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7", "3eeb2bf0-c639-47a8-9e75-3b44932eb421", "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
	"030794c1-ac77-496b-92df-f27374a8bd58", "e48ece36-62e2-4504-bad9-02848725956a", "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
}

func isUnknown(text string) bool {
	return text == hiddenText || slices.ContainsFunc(unknownTexts, func(u string) bool { return strings.Contains(text, u) })
}

// splitKnown splits a value into what is known, and what is not in the form of Terraform's after_unknown: true in its place. Entries that are
// not known are left out.
func splitKnown(v any) (value, unknown any) {
	switch v := v.(type) {
	case string:
		if isUnknown(v) {
			return nil, true
		}
	case []any:
		values, unknowns := make([]any, 0, len(v)), make([]any, 0, len(v))
		for _, one := range v {
			have, missing := splitKnown(one)
			values, unknowns = append(values, have), append(unknowns, missing)
		}
		return values, unknowns
	case map[string]any:
		if v[signatureKey] != nil {
			return nil, true
		}
		values, unknowns := map[string]any{}, map[string]any{}
		for key, one := range v {
			have, missing := splitKnown(one)
			if missing != true {
				values[key] = have
			}
			unknowns[key] = missing
		}
		return values, unknowns
	}
	return v, false
}

// manifestOf is the object that a Kubernetes resource makes, without what is not known.
func manifestOf(s *pulumiState, without bool) map[string]any {
	if s == nil {
		return nil
	}
	object := any(s.Inputs)
	if without {
		object, _ = splitKnown(s.Inputs)
	}
	return map[string]any{"manifest": object}
}

// pruned is the part of an object that decides about listeners, or the whole if its kind is not known: what is not known elsewhere, such as
// an image or a selector, does not matter. Kubernetes' own kinds have none apart from those that are read.
func pruned(object map[string]any) any {
	kind, _ := object["kind"].(string)
	version, _ := object["apiVersion"].(string)
	if group := apiGroup(version); !declares(kind) {
		if group == version || !strings.Contains(group, ".") || strings.HasSuffix(group, ".k8s.io") {
			return nil
		}
		return object
	}
	text, err := json.Marshal(object)
	var out map[string]any
	if err != nil || json.Unmarshal(text, &out) != nil {
		return object
	}
	delete(out, "status")
	if metadata, ok := out["metadata"].(map[string]any); ok {
		delete(metadata, "labels")
	}
	spec, _ := out["spec"].(map[string]any)
	for _, key := range []string{"selector", "defaultBackend", "backend", "clusterIP"} {
		delete(spec, key)
	}
	rules, _ := spec["rules"].([]any)
	for _, r := range rules {
		if rule, ok := r.(map[string]any); ok {
			delete(rule, "http")
		}
	}
	return out
}
