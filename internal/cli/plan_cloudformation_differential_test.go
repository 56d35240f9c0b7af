package cli

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"certdrift/internal/judge"
	"certdrift/internal/manifest"
)

// TestPlanAgreesWithCheckOnStacks executes random change sets on random accounts as CloudFormation's documentation says, and checks the
// accounts then. The plan reads the change set, or only the template. What CloudFormation does not document (whether it sets again what a
// template did not change, and what becomes of a certificate that is both removed and added) is drawn, and the plan may be undecided there.
func TestPlanAgreesWithCheckOnStacks(t *testing.T) {
	w := newStage(t)
	verdicts := map[string]int{}
	rapid.Check(t, func(t *rapid.T) {
		now := w.account(t)
		was := w.stackOf(t, now)
		will := was.clone()
		x := &execution{t: t, w: w, open: map[string]bool{}}
		x.mutate(will, now)
		then := x.execute(was, will, now)
		input, form := x.changeSet(was, will), "a change set"
		// A template says neither which load balancers it takes away nor that a resource has another name now.
		if rapid.IntRange(0, 3).Draw(t, "input") == 0 && will.resources["Classic"].properties != nil && !x.renamed {
			input, form = will.template(), "a template"
			x.open["alb"], x.open["elb"] = true, true
		}
		read := manifest.Load([]string{"-"}, manifest.Options{Plain: true, Stdin: strings.NewReader(input)})
		if len(read.Diagnostics)+len(read.PassedOver) > 0 {
			t.Fatalf("%v %v\n%s", read.Diagnostics, read.PassedOver, input)
		}
		endpoints := w.endpoints(t)
		before, after := w.round(now, endpoints), w.round(then, endpoints)
		before.Manifests = read.Declared
		unseen := w.hide(t, &before)
		rows, _ := judge.Preview(w.input(before))
		w.agree(t, rows, w.round(now, endpoints), after, unseen, x.open)
		if t.Failed() {
			t.Logf("%s\n%+v\nbefore %+v\nafter %+v", input, rows, now, then)
		}
		for _, r := range rows {
			verdicts[form+" "+string(r.Verdict)]++
		}
	})
	for _, want := range []string{"a change set pass", "a change set refuse", "a change set undecided", "a template pass", "a template refuse", "a template undecided"} {
		if verdicts[want] == 0 {
			t.Errorf("no row is of %s: %v", want, verdicts)
		}
	}
}

// stackModel is a stack with one listener, its further certificates and one classic load balancer, by logical ID: the properties as a
// change set shows them.
type stackModel struct {
	resources map[string]modelResource
}

type modelResource struct {
	kind, physical string
	properties     map[string]any
	retain         bool
}

func (s stackModel) clone() stackModel { return stackModel{maps.Clone(s.resources)} }

func modelListener(lb string, port int, protocol, certificate string) map[string]any {
	out := map[string]any{"LoadBalancerArn": balancerOf(lb), "Port": fmt.Sprint(port), "Protocol": protocol, "DefaultActions": []any{"1"}}
	if certificate != "" {
		out["Certificates"] = modelCertificates(certificate)
	}
	return out
}

func modelCertificates(arns ...string) []any {
	var out []any
	for _, arn := range arns {
		out = append(out, map[string]any{"CertificateArn": arn})
	}
	return out
}

func modelARNs(properties map[string]any) []string {
	var out []string
	list, _ := properties["Certificates"].([]any)
	for _, item := range list {
		out = append(out, item.(map[string]any)["CertificateArn"].(string))
	}
	return out
}

func modelClassic(protocol, certificate string) map[string]any {
	secure := map[string]any{"LoadBalancerPort": "443", "Protocol": protocol, "InstancePort": "80"}
	if certificate != "" {
		secure["SSLCertificateId"] = certificate
	}
	listeners := []any{map[string]any{"LoadBalancerPort": "80", "Protocol": "HTTP", "InstancePort": "80"}}
	if protocol != "" {
		listeners = append(listeners, secure)
	}
	return map[string]any{"LoadBalancerName": "elb", "Listeners": listeners}
}

// stackOf is a stack that made the account's load balancers, before somebody may have changed certificates by hand.
func (w *estates) stackOf(t *rapid.T, now estate) stackModel {
	deployed := func(attached, label string) string {
		if rapid.IntRange(0, 2).Draw(t, label) == 0 {
			return w.cert(t, label+" then")
		}
		return attached
	}
	https := now["alb"][443]
	s := stackModel{map[string]modelResource{
		"Https":   {stackTypeListener, https.arn, modelListener("alb", 443, "HTTPS", deployed(https.byDefault, "deployed")), false},
		"Classic": {stackTypeClassic, "elb", modelClassic("HTTPS", deployed(now["elb"][443].byDefault, "deployed classic")), false},
	}}
	for i, arn := range https.list {
		arns := []string{arn}
		switch rapid.IntRange(0, 3).Draw(t, "listed by") {
		case 0: // another stack
			continue
		case 1:
			arns = https.list[i:]
		}
		s.resources[fmt.Sprint("Listed", i)] = modelResource{stackTypeListed, fmt.Sprint("listed-", i), map[string]any{"ListenerArn": https.arn, "Certificates": modelCertificates(arns...)}, false}
		if len(arns) > 1 {
			break
		}
	}
	return s
}

const (
	stackTypeListener = "AWS::ElasticLoadBalancingV2::Listener"
	stackTypeListed   = "AWS::ElasticLoadBalancingV2::ListenerCertificate"
	stackTypeClassic  = "AWS::ElasticLoadBalancing::LoadBalancer"
)

// execution is an update of a stack; open are the load balancers of which the documentation does not say what they hold then.
type execution struct {
	t    *rapid.T
	w    *estates
	open map[string]bool
	// renamed: one resource removes a certificate that another adds.
	renamed bool
}

// with is a copy of properties with another value.
func with(properties map[string]any, key string, value any) map[string]any {
	out := maps.Clone(properties)
	out[key] = value
	return out
}

// mutate changes the template.
func (x *execution) mutate(s stackModel, now estate) {
	t, w := x.t, x.w
	https := s.resources["Https"]
	switch rapid.SampledFrom([]string{"no", "other", "default", "default", "delete", "retain", "plain", "move", "elsewhere"}).Draw(t, "listener") {
	case "other":
		https.properties = with(https.properties, "DefaultActions", []any{"2"})
	case "default":
		https.properties = with(https.properties, "Certificates", modelCertificates(w.cert(t, "new default")))
	case "delete", "retain":
		https.retain = rapid.Bool().Draw(t, "kept")
		https.properties = nil
	case "plain":
		https.properties = modelListener("alb", 443, "HTTP", "")
	case "move":
		https.properties = with(https.properties, "Port", "8443")
	case "elsewhere":
		https.properties = with(https.properties, "LoadBalancerArn", balancerOf("alb2"))
	}
	s.resources["Https"] = https
	classic := s.resources["Classic"]
	switch rapid.SampledFrom([]string{"no", "other", "certificate", "block", "plain", "delete", "retain"}).Draw(t, "classic") {
	case "other":
		classic.properties = with(classic.properties, "CrossZone", "true")
	case "certificate":
		classic.properties = modelClassic("SSL", w.cert(t, "new classic"))
	case "block":
		classic.properties = modelClassic("", "")
	case "plain":
		classic.properties = modelClassic("TCP", "")
	case "delete", "retain":
		classic.retain = rapid.Bool().Draw(t, "classic kept")
		classic.properties = nil
	}
	s.resources["Classic"] = classic
	if https.properties == nil || https.properties["Protocol"] != "HTTPS" || https.properties["LoadBalancerArn"] != balancerOf("alb") {
		return // AWS refuses certificates in the list of such a listener, and the list goes with it
	}
	for _, id := range slices.Sorted(maps.Keys(s.resources)) {
		res := s.resources[id]
		if res.kind != stackTypeListed {
			continue
		}
		switch rapid.SampledFrom([]string{"no", "swap", "delete", "retain"}).Draw(t, id) {
		case "swap":
			arns := modelARNs(res.properties)
			arns[0] = w.cert(t, id+" then")
			res.properties = with(res.properties, "Certificates", modelCertificates(slices.Compact(arns)...))
		case "delete", "retain":
			res.retain = rapid.Bool().Draw(t, id+" kept")
			res.properties = nil
		}
		s.resources[id] = res
	}
	if rapid.IntRange(0, 2).Draw(t, "adds") == 0 {
		s.resources["Added"] = modelResource{stackTypeListed, "", map[string]any{"ListenerArn": now["alb"][443].arn, "Certificates": modelCertificates(w.cert(t, "added"))}, false}
	}
}

// execute updates the account: resources are made and changed first, and removed at the end
// (https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-updating-stacks-update-behaviors.html).
func (x *execution) execute(was, will stackModel, now estate) estate {
	then := now.clone()
	added, removed := []string{}, []string{}
	for _, id := range slices.Sorted(maps.Keys(will.resources)) {
		res, old := will.resources[id], was.resources[id]
		if reflect.DeepEqual(res.properties, old.properties) {
			continue
		}
		switch res.kind {
		case stackTypeListener:
			x.updateListener(then, res, old)
		case stackTypeClassic:
			x.updateClassic(then, res, old)
		case stackTypeListed:
			added = append(added, modelARNs(res.properties)...)
			if !res.retain {
				removed = append(removed, modelARNs(old.properties)...)
			}
		}
	}
	h, ok := then["alb"][443]
	if !ok || len(added)+len(removed) == 0 {
		return then
	}
	for _, arn := range slices.Concat(added, removed) {
		both := slices.Contains(added, arn) && slices.Contains(removed, arn)
		x.open["alb"], x.renamed = x.open["alb"] || both, x.renamed || both
		h.list = slices.DeleteFunc(h.list, func(a string) bool { return a == arn })
		if slices.Contains(added, arn) && !(both && rapid.Bool().Draw(x.t, "lost")) {
			h.list = append(h.list, arn)
		}
	}
	then["alb"][443] = h
	return then
}

func (x *execution) updateListener(then estate, res, old modelResource) {
	h := then["alb"][443]
	switch {
	case res.properties == nil && res.retain:
		return
	case res.properties == nil, res.properties["LoadBalancerArn"] != old.properties["LoadBalancerArn"]:
		delete(then["alb"], 443)
		if res.properties != nil {
			then["alb2"] = map[int]held{443: {arn: listenerOf("alb2", 9), protocol: "HTTPS", byDefault: modelARNs(res.properties)[0]}}
		}
		return
	case res.properties["Protocol"] == "HTTP":
		then["alb"][443] = held{arn: h.arn, protocol: "HTTP"}
		return
	}
	certificate := modelARNs(res.properties)[0]
	if certificate != modelARNs(old.properties)[0] || x.sets("alb", h.byDefault != certificate) {
		h.byDefault = certificate
	}
	delete(then["alb"], 443)
	port := 443
	if res.properties["Port"] == "8443" {
		port = 8443
	}
	then["alb"][port] = h
}

// sets reports whether an update sets a certificate again that its template did not change.
func (x *execution) sets(lb string, differs bool) bool {
	x.open[lb] = x.open[lb] || differs
	return rapid.Bool().Draw(x.t, "sets again")
}

func (x *execution) updateClassic(then estate, res, old modelResource) {
	if res.properties == nil {
		if !res.retain {
			delete(then, "elb")
		}
		return
	}
	entry := func(properties map[string]any) map[string]any {
		list := properties["Listeners"].([]any)
		if len(list) == 1 {
			return nil
		}
		return list[1].(map[string]any)
	}
	is, was := entry(res.properties), entry(old.properties)
	switch certificate, _ := is["SSLCertificateId"].(string); {
	case reflect.DeepEqual(is, was):
		if h := then["elb"][443]; x.sets("elb", h.byDefault != certificate) {
			h.byDefault = certificate
			then["elb"][443] = h
		}
	case is == nil:
		delete(then["elb"], 443)
	default:
		then["elb"][443] = held{protocol: is["Protocol"].(string), byDefault: certificate}
	}
}

// changeSet is what describe-change-set prints.
func (x *execution) changeSet(was, will stackModel) string {
	context := func(properties map[string]any) string {
		text, _ := json.Marshal(map[string]any{"Properties": properties})
		return string(text)
	}
	changes := []any{}
	for _, id := range slices.Sorted(maps.Keys(will.resources)) {
		res, old := will.resources[id], was.resources[id]
		if reflect.DeepEqual(res.properties, old.properties) {
			continue
		}
		change := map[string]any{"LogicalResourceId": id, "ResourceType": res.kind}
		switch {
		case old.properties == nil:
			change["Action"] = "Add"
		case res.properties == nil:
			change["Action"], change["PolicyAction"] = "Remove", map[bool]string{true: "Retain", false: "Delete"}[res.retain]
		default:
			change["Action"], change["Replacement"] = "Modify", "False"
			if res.kind == stackTypeListener && res.properties["LoadBalancerArn"] != old.properties["LoadBalancerArn"] {
				change["Replacement"], change["PolicyAction"] = "True", "ReplaceAndDelete"
			}
		}
		if old.properties != nil {
			change["PhysicalResourceId"], change["BeforeContext"] = res.physical, context(old.properties)
		}
		if res.properties != nil {
			change["AfterContext"] = context(res.properties)
		}
		changes = append(changes, map[string]any{"Type": "Resource", "ResourceChange": change})
	}
	return asText(map[string]any{
		"ChangeSetName": "next", "ChangeSetId": "arn:aws:cloudformation:eu-west-1:111122223333:changeSet/next/1", "StackName": "web",
		"Status": "CREATE_COMPLETE", "ExecutionStatus": "AVAILABLE", "Changes": changes,
	})
}

// template is the template alone.
func (s stackModel) template() string {
	resources := map[string]any{"Alb": map[string]any{"Type": "AWS::ElasticLoadBalancingV2::LoadBalancer", "Properties": map[string]any{"Name": "alb"}}}
	for id, res := range s.resources {
		if res.properties != nil {
			resources[id] = map[string]any{"Type": res.kind, "Properties": res.properties}
		}
	}
	return asText(map[string]any{"AWSTemplateFormatVersion": "2010-09-09", "Resources": resources})
}

func asText(v any) string {
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		panic(err)
	}
	return string(text)
}
