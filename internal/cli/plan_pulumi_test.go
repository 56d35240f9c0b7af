package cli

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

const (
	pulumiUnknown  = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
	pulumiListener = "aws:lb/listener:Listener"
	pulumiExtra    = "aws:lb/listenerCertificate:ListenerCertificate"
)

// preview writes a plan as Pulumi previews it: what stays is left out, and a replacement is one step.
func (s *terraformState) preview() string {
	tokens := map[string]string{"aws_lb_listener": pulumiListener, "aws_lb_listener_certificate": pulumiExtra, "aws_elb": "aws:elb/loadBalancer:LoadBalancer"}
	steps := []any{map[string]any{"op": "same", "urn": "urn:pulumi:prod::shop::pulumi:pulumi:Stack::shop-prod"}}
	for _, c := range s.Changes {
		change := c["change"].(map[string]any)
		op := map[string]string{"create": "create", "update": "update", "delete": "delete", "delete,create": "replace"}[strings.Join(change["actions"].([]string), ",")]
		if op == "" {
			continue
		}
		step := map[string]any{"op": op, "urn": pulumiURN(tokens[c["type"].(string)], c["name"].(string))}
		if before, ok := change["before"].(map[string]any); ok {
			step["oldState"] = pulumiState(tokens[c["type"].(string)], c["name"].(string), before)
		}
		for _, v := range s.values {
			if value := v.(map[string]any); op != "delete" && value["address"] == c["address"] {
				step["newState"] = pulumiState(tokens[c["type"].(string)], c["name"].(string), value["values"].(map[string]any))
			}
		}
		steps = append(steps, step)
	}
	return indented(map[string]any{"steps": steps, "duration": 1, "changeSummary": map[string]any{"same": 1}})
}

func pulumiURN(token, name string) string { return "urn:pulumi:prod::shop::" + token + "::" + name }

// pulumiState is the state of a resource with Terraform's attributes.
func pulumiState(token, name string, values map[string]any) map[string]any {
	inputs, outputs := map[string]any{}, map[string]any{}
	for key, value := range camel(values).(map[string]any) {
		if key == "listener" {
			key = "listeners"
		}
		if outputs[key] = value; key != "arn" && key != "id" {
			inputs[key] = value
		}
	}
	return map[string]any{"urn": pulumiURN(token, name), "custom": true, "type": token, "id": values["id"], "inputs": inputs, "outputs": outputs}
}

func camel(v any) any {
	switch v := v.(type) {
	case []any:
		out := make([]any, 0, len(v))
		for _, one := range v {
			out = append(out, camel(one))
		}
		return out
	case map[string]any:
		out := map[string]any{}
		for key, one := range v {
			words := strings.Split(key, "_")
			for i := range words[1:] {
				words[i+1] = strings.ToUpper(words[i+1][:1]) + words[i+1][1:]
			}
			out[strings.Join(words, "")] = camel(one)
		}
		return out
	}
	return v
}

func indented(v any) string {
	out, err := json.MarshalIndent(v, "", "    ")
	if err != nil {
		panic(err)
	}
	return string(out)
}

const (
	pulumiLB   = "arn:aws:elasticloadbalancing:us-west-2:111122223333:loadbalancer/app/shop/50dc6c495c0c9188"
	pulumiLARN = "arn:aws:elasticloadbalancing:us-west-2:111122223333:listener/app/shop/50dc6c495c0c9188/0467ef3c8400ae65"
)

// pulumiStep is a step of a preview with the inputs before and after; empty for none.
func pulumiStep(op, token, name, before, after, more string) string {
	state := func(inputs, outputs string) string {
		return fmt.Sprintf(`{"urn":%q,"custom":true,"type":%q,"id":%q,"inputs":%s,"outputs":%s%s}`, pulumiURN(token, name), token, pulumiLARN, inputs, outputs, more)
	}
	step := fmt.Sprintf(`{"op":%q,"urn":%q`, op, pulumiURN(token, name))
	if before != "" {
		step += `,"oldState":` + state(before, strings.Replace(before, "{", `{"arn":"`+pulumiLARN+`",`, 1))
	}
	if after != "" {
		step += `,"newState":` + strings.Replace(state(after, "{}"), `"id":"`+pulumiLARN+`"`, `"id":""`, 1)
	}
	return step + "}"
}

func pulumiPreview(steps ...string) string {
	return "{\n    \"config\": {\"aws:region\": \"us-west-2\"},\n    \"steps\": [\n        " + strings.Join(append([]string{`{"op":"same","urn":"urn:pulumi:prod::shop::pulumi:pulumi:Stack::shop-prod","oldState":{"urn":"u","custom":false,"type":"pulumi:pulumi:Stack"}}`}, steps...), ",\n        ") +
		"\n    ],\n    \"duration\": 1000,\n    \"changeSummary\": {\"same\": 1}\n}\n"
}

// TestPlanOfPulumi: the exit status for what a preview says, and why.
func TestPlanOfPulumi(t *testing.T) {
	const config = "version: 1\nenvironments:\n  production:\n    endpoints:\n      - {name: shop, url: \"https://shop.example.com\", load_balancer: {name: shop}, certificate: {arn: \"" + acmPrefix + "declared\"}}\n" +
		"      - {name: api, url: \"https://api.example.com\", service: store/api, certificate: {arn: \"" + acmPrefix + "declared\"}}\n"
	listener := func(id string) string {
		return `{"loadBalancerArn":"` + pulumiLB + `","port":443,"protocol":"HTTPS","sslPolicy":"Strict","certificateArn":"` + acmPrefix + id + `"}`
	}
	unknown := strings.Replace(listener(""), acmPrefix, pulumiUnknown, 1)
	secret := strings.Replace(listener(""), `"`+acmPrefix+`"`, `"[secret]"`, 1)
	plain := `{"loadBalancerArn":"` + pulumiLB + `","port":443,"protocol":"HTTP"}`
	extra := func(id string) string {
		return `{"listenerArn":"` + pulumiLARN + `","certificateArn":"` + acmPrefix + id + `"}`
	}
	classic := func(id string) string {
		return `{"name":"shop","listeners":[{"instancePort":80,"instanceProtocol":"http","lbPort":443,"lbProtocol":"https","sslCertificateId":"` + acmPrefix + id + `"}]}`
	}
	native := func(ids ...string) string {
		var list []string
		for _, id := range ids {
			list = append(list, `{"certificateArn":"`+acmPrefix+id+`"}`)
		}
		return `{"loadBalancerArn":"` + pulumiLB + `","port":443,"protocol":"HTTPS","certificates":[` + strings.Join(list, ",") + `]}`
	}
	nativeExtra := func(ids ...string) string {
		return strings.Replace(strings.Replace(native(ids...), `"loadBalancerArn":"`+pulumiLB, `"listenerArn":"`+pulumiLARN, 1), `"port":443,"protocol":"HTTPS",`, "", 1)
	}
	service := func(certificate string) string {
		return `{"apiVersion":"v1","kind":"Service","metadata":{"name":"api","namespace":"store","annotations":{"service.beta.kubernetes.io/aws-load-balancer-ssl-cert":"` + certificate +
			`"},"labels":{"a":"` + pulumiUnknown + `"}},"spec":{"type":"LoadBalancer","selector":"` + pulumiUnknown + `","ports":[{"port":443}]}}`
	}
	const serviceToken, custom = "kubernetes:core/v1:Service", "kubernetes:apiextensions.k8s.io:CustomResource"
	const nativeListener, nativeCertificate = "aws-native:elasticloadbalancingv2:Listener", "aws-native:elasticloadbalancingv2:ListenerCertificate"
	const balancer = `{"name":"shop"}`
	dependsOn := `,"propertyDependencies":{"loadBalancerArn":["` + pulumiURN("aws:lb/loadBalancer:LoadBalancer", "web") + `"]}`
	if _, stdout, _ := planInput(t, config, pulumiPreview(pulumiStep("update", "aws:elb/loadBalancer:LoadBalancer", "web", classic("declared"), classic("wrong"), ""))); !strings.Contains(stdout, "web in the Pulumi program") {
		t.Errorf("names no program to change:\n%s", stdout)
	}
	for name, c := range map[string]struct {
		input  string
		status int
		says   string
	}{
		"nothing changes":                        {pulumiPreview(), 0, "No load balancer's certificate"},
		"made, right":                            {pulumiPreview(pulumiStep("create", pulumiListener, "https", "", listener("declared"), "")), 0, "as declared"},
		"made, with its load balancer":           {pulumiPreview(pulumiStep("create", "aws:lb/loadBalancer:LoadBalancer", "web", "", balancer, ""), pulumiStep("create", pulumiListener, "https", "", strings.Replace(listener("declared"), pulumiLB, pulumiUnknown, 1), dependsOn)), 0, "as declared"},
		"made, which depends on it":              {pulumiPreview(pulumiStep("create", "aws:lb/loadBalancer:LoadBalancer", "web", "", balancer, ""), pulumiStep("create", pulumiListener, "https", "", strings.Replace(listener("wrong"), pulumiLB, pulumiUnknown, 1), strings.NewReplacer("propertyDependencies", "dependencies", `{"loadBalancerArn":[`, "[", "]}", "]").Replace(dependsOn))), 1, "another certificate"},
		"made, with its load balancer, wrong":    {pulumiPreview(pulumiStep("create", "aws:lb/loadBalancer:LoadBalancer", "web", "", balancer, ""), pulumiStep("create", pulumiListener, "https", "", strings.Replace(listener("wrong"), pulumiLB, pulumiUnknown, 1), dependsOn)), 1, "another certificate"},
		"made, whose load balancer is not known": {pulumiPreview(pulumiStep("create", pulumiListener, "https", "", strings.Replace(listener("wrong"), pulumiLB, pulumiUnknown, 1), "")), 3, "which endpoint is behind"},
		"the older token":                        {pulumiPreview(pulumiStep("create", "aws:alb/listener:Listener", "https", "", listener("wrong"), "")), 1, "aws:alb/listener:Listener::https"},
		"made, its certificate not known":        {pulumiPreview(pulumiStep("create", pulumiListener, "https", "", unknown, "")), 3, "which the same apply creates"},
		"made, its certificate a secret":         {pulumiPreview(pulumiStep("create", pulumiListener, "https", "", secret, "")), 3, "which the same apply creates"},
		"its port not known":                     {pulumiPreview(pulumiStep("create", pulumiListener, "https", "", strings.Replace(listener("declared"), "443", `"`+pulumiUnknown+`"`, 1), "")), 3, "the port or the protocol"},
		"its port as text":                       {pulumiPreview(pulumiStep("create", pulumiListener, "https", "", strings.Replace(listener("wrong"), "443", `"443"`, 1), "")), 1, "another certificate"},
		"updated":                                {pulumiPreview(pulumiStep("update", pulumiListener, "https", listener("declared"), listener("wrong"), "")), 3, "which certificates shop:443 holds now"},
		"unchanged, shown":                       {pulumiPreview(pulumiStep("same", pulumiListener, "https", listener("wrong"), listener("wrong"), "")), 0, "No load balancer's certificate"},
		"replaced":                               {pulumiPreview(pulumiStep("replace", pulumiListener, "https", listener("declared"), listener("wrong"), "")), 1, "another certificate"},
		"replaced, in three steps":               {pulumiPreview(pulumiStep("create-replacement", pulumiListener, "https", listener("declared"), listener("wrong"), ""), pulumiStep("replace", pulumiListener, "https", listener("declared"), listener("wrong"), ""), pulumiStep("delete-replaced", pulumiListener, "https", listener("declared"), "", "")), 1, "another certificate"},
		"replaced by the same":                   {pulumiPreview(pulumiStep("delete-replaced", pulumiListener, "https", listener("declared"), "", ""), pulumiStep("replace", pulumiListener, "https", listener("declared"), listener("declared"), ""), pulumiStep("create-replacement", pulumiListener, "https", listener("declared"), listener("declared"), "")), 0, "as declared"},
		"no TLS any more":                        {pulumiPreview(pulumiStep("update", pulumiListener, "https", listener("declared"), plain, "")), 1, "without a"},
		"deleted":                                {pulumiPreview(pulumiStep("delete", pulumiListener, "https", listener("declared"), "", "")), 1, "without a"},
		"deleted from the state only":            {pulumiPreview(pulumiStep("delete", pulumiListener, "https", listener("declared"), "", `,"retainOnDelete":true`)), 0, "No load balancer's certificate"},
		"read":                                   {pulumiPreview(pulumiStep("read", pulumiListener, "https", "", listener("wrong"), `,"external":true`)), 0, "No load balancer's certificate"},
		"imported":                               {pulumiPreview(pulumiStep("import", pulumiListener, "https", "", listener("wrong"), "")), 3, "which certificates shop:443 holds now"},
		"an operation that nobody knows":         {pulumiPreview(pulumiStep("transmogrify", pulumiListener, "https", listener("declared"), listener("declared"), "")), 3, "transmogrify"},
		"an operation that nobody knows, of S3":  {pulumiPreview(pulumiStep("transmogrify", "aws:s3/bucket:Bucket", "logs", `{"a":1}`, `{"a":1}`, "")), 0, "No load balancer's certificate"},
		"an interrupted replacement":             {pulumiPreview(pulumiStep("delete-replaced", pulumiListener, "https", listener("wrong"), "", ""), pulumiStep("update", pulumiListener, "https", listener("wrong"), listener("declared"), "")), 3, "was interrupted"},
		"a state that is missing":                {pulumiPreview(`{"op":"create","urn":"` + pulumiURN(pulumiListener, "https") + `"}`), 3, "its state is missing"},
		"the load balancer deleted":              {pulumiPreview(pulumiStep("delete", "aws:lb/loadBalancer:LoadBalancer", "web", balancer, "", "")), 3, "which applying would remove"},
		"a further certificate":                  {pulumiPreview(pulumiStep("create", pulumiExtra, "more", "", extra("other"), "")), 3, "which certificates the listener of shop holds now"},
		"a further certificate goes":             {pulumiPreview(pulumiStep("delete", pulumiExtra, "more", extra("declared"), "", "")), 1, "would lose"},
		"a further certificate, not known":       {pulumiPreview(pulumiStep("create", pulumiExtra, "more", "", strings.Replace(extra(""), acmPrefix, pulumiUnknown, 1), "")), 3, "which the same apply creates"},
		"classic, right":                         {pulumiPreview(pulumiStep("update", "aws:elb/loadBalancer:LoadBalancer", "web", classic("wrong"), classic("declared"), "")), 0, "as declared"},
		"classic, wrong":                         {pulumiPreview(pulumiStep("update", "aws:elb/loadBalancer:LoadBalancer", "web", classic("declared"), classic("wrong"), "")), 1, "another certificate"},
		"classic, its block gone":                {pulumiPreview(pulumiStep("update", "aws:elb/loadBalancer:LoadBalancer", "web", classic("declared"), `{"name":"shop","listeners":[]}`, "")), 1, "without a"},
		"a certificate imported anew":            {pulumiPreview(pulumiStep("update", "aws:acm/certificate:Certificate", "c", `{"certificateBody":"a"}`, `{"certificateBody":"b"}`, "")), 3, "imports another certificate"},
		"a certificate's tags":                   {pulumiPreview(pulumiStep("update", "aws:acm/certificate:Certificate", "c", `{"certificateBody":"a"}`, `{"certificateBody":"a","tags":{"a":"b"}}`, "")), 0, "No load balancer's certificate"},
		"Cloud Control":                          {pulumiPreview(pulumiStep("update", nativeListener, "https", native("declared"), native("wrong"), "")), 3, "which certificates shop:443 holds now"},
		"Cloud Control, not known":               {pulumiPreview(pulumiStep("create", nativeListener, "https", "", strings.Replace(native("x"), acmPrefix+"x", pulumiUnknown, 1), "")), 3, "which the same apply creates"},
		"Cloud Control, a further certificate":   {pulumiPreview(pulumiStep("update", nativeCertificate, "more", nativeExtra("declared", "other"), nativeExtra("other"), "")), 1, "would lose"},
		"Cloud Control, the same further ones":   {pulumiPreview(pulumiStep("update", nativeCertificate, "more", nativeExtra("declared", "other"), nativeExtra("other", "declared"), "")), 3, "which certificates the listener of shop holds now"},
		"a Service, right":                       {pulumiPreview(pulumiStep("update", serviceToken, "api", service(acmPrefix+"wrong"), service(acmPrefix+"declared"), "")), 0, "as declared"},
		"a Service, wrong":                       {pulumiPreview(pulumiStep("update", serviceToken, "api", service(acmPrefix+"declared"), service(acmPrefix+"wrong"), "")), 1, "Service store/api"},
		"a Service, not known":                   {pulumiPreview(pulumiStep("create", serviceToken, "api", "", service(pulumiUnknown), "")), 3, "known only after the apply"},
		"a Service deleted":                      {pulumiPreview(pulumiStep("delete", serviceToken, "api", service(acmPrefix+"declared"), "", "")), 3, "Service store/api currently has a load balancer"},
		"a Deployment with an image to come":     {pulumiPreview(pulumiStep("create", "kubernetes:apps/v1:Deployment", "api", "", `{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"a"},"spec":{"template":"`+pulumiUnknown+`"}}`, "")), 0, "No load balancer's certificate"},
		"a custom resource, not known":           {pulumiPreview(pulumiStep("create", custom, "r", "", `{"apiVersion":"helm.toolkit.fluxcd.io/v2","kind":"HelmRelease","metadata":{"name":"a"},"spec":"`+pulumiUnknown+`"}`, "")), 3, "known only after the apply"},
		"a custom resource with a certificate":   {pulumiPreview(pulumiStep("create", custom, "r", "", `{"apiVersion":"helm.toolkit.fluxcd.io/v2","kind":"HelmRelease","metadata":{"name":"a"},"spec":{"values":"`+acmPrefix+`a"}}`, "")), 3, "the ARN of a certificate"},
		"a chart":                                {pulumiPreview(pulumiStep("create", "kubernetes:helm.sh/v3:Release", "r", "", `{"chart":"ingress-nginx","values":{"controller":{"annotations":"`+acmPrefix+`a"}}}`, "")), 3, "the ARN of a certificate"},
		"a chart of values to come":              {pulumiPreview(pulumiStep("create", "kubernetes:helm.sh/v3:Release", "r", "", `{"chart":"ingress-nginx","values":{"a":"`+pulumiUnknown+`"}}`, "")), 3, "known only after the apply"},
		"a chart without any":                    {pulumiPreview(pulumiStep("create", "kubernetes:helm.sh/v3:Release", "r", "", `{"chart":"metrics-server"}`, "")), 0, "No load balancer's certificate"},
		"a patch":                                {pulumiPreview(pulumiStep("create", "kubernetes:core/v1:ServicePatch", "p", "", service(acmPrefix+"a"), "")), 3, "the ARN of a certificate"},
		"a patch to come":                        {pulumiPreview(pulumiStep("create", "kubernetes:core/v1:ServicePatch", "p", "", `{"metadata":{"name":"api","annotations":"`+pulumiUnknown+`"}}`, "")), 3, "known only after the apply"},
		"another provider":                       {pulumiPreview(pulumiStep("create", "command:local:Command", "c", "", `{"create":"aws elbv2 modify-listener --certificates CertificateArn=`+acmPrefix+`a"}`, "")), 3, `"command:local:Command"`},
		"CloudFront":                             {pulumiPreview(pulumiStep("create", "aws:cloudfront/distribution:Distribution", "c", "", `{"viewerCertificate":{"acmCertificateArn":"`+acmPrefix+`a"}}`, "")), 0, "No load balancer's certificate"},
		"a stack of CloudFormation":              {pulumiPreview(pulumiStep("create", "aws:cloudformation/stack:Stack", "c", "", `{"parameters":{"Certificate":"`+acmPrefix+`a"}}`, "")), 3, "the ARN of a certificate"},
		"a component":                            {pulumiPreview(strings.Replace(pulumiStep("create", "shop:index:Web", "w", "", `{"certificateArn":"`+acmPrefix+`a"}`, ""), `"custom":true`, `"custom":false`, 1)), 0, "No load balancer's certificate"},
		"a chart as a component, to come":        {pulumiPreview(strings.Replace(pulumiStep("create", "kubernetes:helm.sh/v4:Chart", "w", "", `{"values":"`+pulumiUnknown+`"}`, ""), `"custom":true`, `"custom":false`, 1)), 3, "known only after the apply"},
		"an error":                               {strings.Replace(pulumiPreview(), `"duration"`, `"diagnostics": [{"message":"error: could not load plugin","severity":"error"}], "duration"`, 1), 2, "could not load plugin"},
		"a warning":                              {strings.Replace(pulumiPreview(), `"duration"`, `"diagnostics": [{"message":"deprecated","severity":"warning"}], "duration"`, 1), 0, "No load balancer's certificate"},
		"a state that may be corrupt":            {strings.Replace(pulumiPreview(), `"duration"`, `"maybeCorrupt": true, "duration"`, 1), 2, "may be corrupt"},
		"the log of events":                      {`{"sequence":0,"timestamp":1,"preludeEvent":{"config":{}}}` + "\n" + `{"sequence":1,"timestamp":1,"resourcePreEvent":{}}`, 2, "log of events"},
		"a preview for people":                   {"Previewing update (prod)\n\n     Type                     Name       Plan\n +   pulumi:pulumi:Stack      shop-prod  create\n +   └─ aws:lb:Listener       https      create\n\nResources:\n    + 2 to create\n", 2, "standard input"},
		"two previews, the second wrong":         {pulumiPreview() + pulumiPreview(pulumiStep("update", pulumiListener, "https", listener("declared"), listener("wrong"), "")), 3, "which certificates shop:443 holds now"},
		"two resources of one name":              {pulumiPreview(pulumiStep("update", pulumiListener, "https", listener("declared"), listener("wrong"), ""), strings.ReplaceAll(pulumiStep("create", pulumiListener, "https", "", strings.Replace(listener("declared"), "443", "8443", 1), ""), "shop::aws", "shop::a:b:C$aws")), 3, "urn:pulumi:prod::shop::aws:lb/listener:Listener::https"},
		"a Gateway":                              {pulumiPreview(pulumiStep("create", custom, "g", "", `{"apiVersion":"gateway.networking.k8s.io/v1","kind":"Gateway","metadata":{"name":"api","namespace":"store"},"spec":{"gatewayClassName":"alb","listeners":[{"name":"https","port":443,"protocol":"HTTPS"}]}}`, "")), 3, `GatewayClass "alb", which is not in the input`},
		"a configuration of Gateways that shrinks": {pulumiPreview(pulumiStep("update", custom, "l", `{"apiVersion":"gateway.k8s.aws/v1","kind":"LoadBalancerConfiguration","metadata":{"name":"l","namespace":"store"},"spec":{"listenerConfigurations":[{"protocolPort":"HTTPS:443","defaultCertificate":"`+acmPrefix+`a"}]}}`,
			`{"apiVersion":"gateway.k8s.aws/v1","kind":"LoadBalancerConfiguration","metadata":{"name":"l","namespace":"store"},"spec":{}}`, "")), 3, "the apply removes"},
		"an exported stack, right": {pulumiExport(pulumiListener, "https", strings.Replace(listener("declared"), "{", `{"arn":"`+pulumiLARN+`",`, 1)), 3, "which certificates shop:443 holds now"},
		"an exported stack, wrong": {pulumiExport(pulumiListener, "https", listener("wrong")), 3, "which certificates shop:443 holds now"},
		"an exported secret":       {pulumiExport(pulumiListener, "https", strings.Replace(listener("x"), `"`+acmPrefix+`x"`, `{"4dabf18193072939515e22adb298388d":"1b47061264138c4ac30d75fd1eb44270","ciphertext":"AAAB"}`, 1)), 3, "undecided"},
		"an exported Service":      {pulumiExport(serviceToken, "api", service(acmPrefix+"declared")), 0, "as declared"},
	} {
		t.Run(name, func(t *testing.T) {
			status, stdout, stderr := planInput(t, config, c.input)
			if status != c.status || !strings.Contains(stdout+stderr, c.says) {
				t.Errorf("exit status %d, want %d and %q\n%s%s", status, c.status, c.says, stdout, stderr)
			}
			if status != 2 && c.status != 0 && !strings.Contains(stdout, "standard input") {
				t.Errorf("names no line:\n%s", stdout)
			}
		})
	}
}

func pulumiExport(token, name, inputs string) string {
	return fmt.Sprintf("{\n    \"version\": 3,\n    \"deployment\": {\n        \"manifest\": {\"version\": \"v3.200.0\"},\n        \"resources\": [\n            "+
		`{"urn":%q,"custom":true,"type":%q,"id":%q,"inputs":%s,"outputs":%s}`+"\n        ]\n    }\n}\n", pulumiURN(token, name), token, pulumiLARN, inputs, inputs)
}
