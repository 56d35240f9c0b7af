package manifest

import (
	"bytes"
	"encoding/json"
	"regexp"
	"slices"
	"strings"

	"certdrift/internal/finding"
)

// mayAttach reports whether resources of a type that certdrift does not read may put a certificate on a load balancer. Of AWS's own
// provider, only those that make other resources do; of others, anything may.
func mayAttach(kind string) bool {
	switch kind {
	case "aws_cloudformation_stack", "aws_cloudformation_stack_set", "aws_cloudformation_stack_set_instance", "aws_cloudformation_stack_instances",
		"aws_elastic_beanstalk_environment", "aws_elastic_beanstalk_configuration_template",
		"aws_serverlessapplicationrepository_cloudformation_stack", "aws_cloudcontrolapi_resource", "aws_servicecatalog_provisioned_product":
		return true
	}
	return !strings.HasPrefix(kind, "aws_")
}

// carriers are the attributes in which resources take another tool's input, or a certificate.
var carriers = [...]string{
	"annotations", "certificate_arn", "certificates", "desired_state", "manifest", "parameters", "provisioning_parameters", "set", "set_list",
	"set_sensitive", "set_wo", "setting", "template_body", "template_url", "values", "yaml_body",
}

// inputUnknown reports whether what a resource takes as another tool's input is known after the apply only. What a provider finds out
// itself is no input: the manifest of a Helm release is what it rendered. Where the keys of annotations are known, they say what they
// are for.
func (c *change) inputUnknown() bool {
	var unknown map[string]any
	if c == nil || json.Unmarshal(c.Change.Unknown, &unknown) != nil {
		return false
	}
	return slices.ContainsFunc(carriers[:], func(attribute string) bool {
		switch {
		case attribute == "manifest" && strings.HasPrefix(c.Type, "helm_"):
			return false
		case attribute == "annotations":
			return unknown[attribute] == true
		}
		return anyTrue(unknown[attribute])
	}) || strings.HasPrefix(c.Type, "argocd_") && anyTrue(unknown["spec"])
}

// ofBalancers are the types of Cloud Control's provider that make load balancers, or what they hold.
var ofBalancers = regexp.MustCompile(`^awscc_elasticloadbalancing(v2)?_(load_balancer|listener|listener_certificate)$`)

// takesTemplate reports whether a stack, which the plan makes, deletes or gives another template, has it from elsewhere, so that nobody sees
// what listeners it has.
func (c *change) takesTemplate() bool {
	type stack struct {
		URL         string `json:"template_url"`
		Application string `json:"application_id"`
		Version     string `json:"semantic_version"`
	}
	var was, is struct {
		stack
		Parameters json.RawMessage `json:"parameters"`
	}
	if c == nil || json.Unmarshal(c.Change.Before, &was) != nil || json.Unmarshal(c.Change.After, &is) != nil {
		return false
	}
	switch {
	case was.stack == stack{} && is.stack == stack{}:
		return false
	case c.does("create") || c.does("delete"):
		return true
	}
	return c.does("update") && (was.stack != is.stack || !bytes.Equal(was.Parameters, is.Parameters))
}

// passOver is the net under Terraform's resources: one that certdrift does not read and that names a certificate, or may do so once
// the apply has begun, makes the plan undecided. One that the apply leaves alone does nothing.
func (t *terraform) passOver(res resource) {
	c := t.changes[res.Address]
	if !mayAttach(res.Type) || c.does("no-op") {
		return
	}
	what := namesCertificate(unescaped(res.Raw))
	if what == "" && c != nil {
		what = namesCertificate(unescaped(c.Change.Unknown))
	}
	switch {
	case what != "":
		t.undecided(res, notRead(res.Type)+", and this one contains "+what)
	case c.inputUnknown():
		t.undecided(res, notRead(res.Type)+", and part of this one is known only after the apply")
	case c != nil && ofBalancers.MatchString(res.Type):
		t.undecided(res, notRead(res.Type)+", which make load balancers and their listeners")
	case c.takesTemplate():
		t.undecided(res, notRead(res.Type)+", and the template of this one is not in the input")
	}
}

// passOverRemoved is the same for what an apply takes away: a certificate that a resource holds no more, or that goes with it.
func (t *terraform) passOverRemoved(all []change) {
	for i := range all {
		c := &all[i]
		if matters(c.Type) || !mayAttach(c.Type) || isRead(c.Type, c.Change.Before) || !c.does("delete") && !c.does("update") {
			continue
		}
		held := namesCertificate(unescaped(c.Change.Before))
		if held == "" && c.does("delete") && (ofBalancers.MatchString(c.Type) || c.takesTemplate() || strings.Contains(unescaped(c.Change.Before), stackBalancer+"\n")) {
			held = "what it has made"
			if t.after[c.Address] != nil {
				continue // it is passed over as it is then
			}
		}
		if held != "" && namesCertificate(unescaped(t.after[c.Address])) == "" && !c.inputUnknown() { // else it is passed over as it is then
			t.undecided(resource{Address: c.Address}, notRead(c.Type)+", and this one contains "+held+", which the apply removes")
		}
	}
}

// passOverProvisioners is the same for commands: a resource of any type may run some when it is made or replaced. Of a text with holes, a
// plan has only what the holes refer to.
func (t *terraform) passOverProvisioners(all []change) {
	for i := range all {
		c := &all[i]
		if !c.does("create") {
			continue
		}
		commands := unescaped(t.configuration.resource(c.Module, c.Address).Provisioners)
		what := namesCertificate(commands)
		if what == "" && (strings.Contains(commands, "aws_acm_certificate") || strings.Contains(commands, "aws_iam_server_certificate")) {
			what = "a reference to a certificate"
		}
		if what != "" {
			t.undecided(resource{Address: c.Address}, "certdrift does not know what its provisioners do, and they contain "+what)
		}
	}
}

// passOverActions is the same for actions, which are no resources: Terraform invokes them during the apply.
func (t *terraform) passOverActions(raw ...json.RawMessage) {
	for _, list := range raw {
		var actions []json.RawMessage
		if len(list) > 0 && json.Unmarshal(list, &actions) != nil {
			t.errorAt(1, 1, "the Terraform JSON cannot be read: its actions have an unexpected form", "use a newer certdrift, or plan without actions")
		}
		for _, action := range actions {
			var one struct{ Address string }
			_ = json.Unmarshal(action, &one)
			if what := namesCertificate(unescaped(action)); what != "" {
				t.undecided(resource{Address: one.Address}, "certdrift does not know what the action does, and it contains "+what)
			}
		}
	}
}

// passOverMissing is the same for a plan that was cut: of what it makes or changes it must have the values.
func (t *terraform) passOverMissing(all []change) {
	for i := range all {
		c := &all[i]
		if _, planned := t.after[c.Address]; !planned && (c.does("create") || c.does("update")) && (matters(c.Type) || isKubernetes(c.Type) || mayAttach(c.Type)) {
			t.undecided(resource{Address: c.Address}, "the plan makes or changes it, and its planned_values lack it")
		}
	}
}

// passOverDeletedKeys is the same for IAM's server certificates that the apply deletes. A load balancer that still has one may go on, or stop
// accepting connections (https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteServerCertificate.html); ACM refuses instead. Where
// the same plan takes it from what had it, nothing is left to be asked.
func (t *terraform) passOverDeletedKeys(all []change) {
	for i := range all {
		c := &all[i]
		was, existed, err := c.before()
		if err != nil || !existed || c.Type != "aws_iam_server_certificate" || !c.does("delete") || c.keepsARN(was) || was.ARN == "" {
			continue
		}
		had, has := false, false
		for j := range all {
			if other := &all[j]; other != c {
				had = had || strings.Contains(unescaped(other.Change.Before), was.ARN+"\n")
				has = has || strings.Contains(unescaped(t.after[other.Address]), was.ARN+"\n")
			}
		}
		if !had || has {
			t.undecided(resource{Address: c.Address}, "the apply deletes "+clean(was.ARN)+", and a load balancer that has it may stop accepting connections")
			t.passedOver[len(t.passedOver)-1].Remedy = "Check that no load balancer has it: give those that do another certificate first."
		}
	}
}

// passOverDeferred is the same for what Terraform puts off to a later plan: nobody knows what it will do.
func (t *terraform) passOverDeferred(raw json.RawMessage) {
	var deferred []struct {
		Change change `json:"resource_change"`
	}
	if len(raw) > 0 && json.Unmarshal(raw, &deferred) != nil {
		t.errorAt(1, 1, "the Terraform JSON cannot be read: its deferred changes have an unexpected form", "apply what is planned, and plan again")
	}
	for _, d := range deferred {
		if kind := d.Change.Type; d.Change.Mode != "data" && (matters(kind) || isKubernetes(kind) || mayAttach(kind)) {
			t.undecided(resource{Address: d.Change.Address}, "Terraform defers this change to a later plan")
		}
	}
}

func notRead(kind string) string {
	if kind == manifestKind {
		return "certdrift does not read objects of this kind"
	}
	return "certdrift does not read resources of type " + finding.Quote(kind)
}

// unescaped is JSON with its texts as they are meant.
func unescaped(raw json.RawMessage) string {
	var v any
	if json.Unmarshal(raw, &v) != nil {
		return string(raw)
	}
	var b strings.Builder
	texts(&b, v)
	return b.String()
}

func texts(b *strings.Builder, v any) {
	switch v := v.(type) {
	case string:
		b.WriteString(v + "\n")
	case []any:
		for _, one := range v {
			texts(b, one)
		}
	case map[string]any:
		for key, one := range v {
			b.WriteString(key + "\n")
			texts(b, one)
		}
	}
}
