package cli

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const (
	tfWrong  = "arn:aws:acm:eu-west-1:111122223333:certificate/11111111-1111-4111-8111-111111111111"
	tfGood   = "arn:aws:acm:eu-west-1:111122223333:certificate/22222222-2222-4222-8222-222222222222"
	tfOther  = "arn:aws:acm:eu-west-1:111122223333:certificate/33333333-3333-4333-8333-333333333333"
	tfALB    = "arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/app/shop/0a1b2c3d4e5f6071"
	tfHTTPS  = "arn:aws:elasticloadbalancing:eu-west-1:111122223333:listener/app/shop/0a1b2c3d4e5f6071/9f8e7d6c5b4a3928"
	tfConfig = `version: 1
environments:
  production:
    endpoints:
      - name: shop
        url: https://shop.example.com
        %s
        certificate: {arn: "` + tfGood + `"}
`
	tfByName    = "load_balancer: {name: shop, region: eu-west-1}"
	tfByService = "service: store/shop"
)

// planTerraform plans a manifest without AWS, and returns the exit status and the output.
func planTerraform(t *testing.T, by, manifest string) (int, string) {
	t.Helper()
	dir := t.TempDir()
	t.Chdir(dir)
	write(t, filepath.Join(dir, "certdrift.yaml"), fmt.Sprintf(tfConfig, by))
	write(t, filepath.Join(dir, "plan.json"), manifest)
	status, stdout, stderr := run(t, nil, nil, "plan", "-f", "plan.json", "--offline")
	return status, stdout + stderr
}

// TestPlanOfReportedTerraform holds the inputs of public reports: hashicorp/terraform#17580, hashicorp/terraform-provider-aws#33429
// and #25652, the shape of terraform-aws-modules/terraform-aws-alb, and the Kubernetes provider.
func TestPlanOfReportedTerraform(t *testing.T) {
	for _, c := range []struct {
		file, by string
		status   int
		says     string
	}{
		{"t3b-elb-block-gone.json", tfByName, 1, "shop.example.com would be left without a certificate"},
		{"t3g-sni-removed-only.json", tfByName, 1, "shop.example.com would lose 22222222…, which the configuration declares for it"},
		{"t30-noop-sni-elsewhere.json", tfByName, 3, "which certificates shop:443 holds now"},
		// 3333… may cover the name as well: nobody told.
		{"t1-control-no-index.json", tfByName, 3, "? shop.example.com: one of 22222222…, 33333333…"},
		{"t1-module-index.json", tfByName, 3, "? shop.example.com: one of 22222222…, 33333333…"},
		{"t7-kubernetes-provider.json", tfByService, 1, "the configuration declares another certificate"},
	} {
		text, err := os.ReadFile(filepath.Join("testdata", "terraform", c.file))
		if err != nil {
			t.Fatal(err)
		}
		t.Run(c.file, func(t *testing.T) {
			if status, out := planTerraform(t, c.by, string(text)); status != c.status || !strings.Contains(out, c.says) {
				t.Errorf("exit status %d, want %d and %q\n%s", status, c.status, c.says, out)
			}
			if wrong := strings.ReplaceAll(string(text), tfGood, tfWrong); strings.HasPrefix(c.file, "t1-") {
				if status, out := planTerraform(t, c.by, wrong); status != 1 {
					t.Errorf("with a wrong default: exit status %d, want 1\n%s", status, out)
				}
			}
		})
	}
}

// tfChange is a resource of a plan with what it was; the values after it are in planned_values.
func tfChange(kind, name, actions, before, after, unknown string) (resource, change string) {
	if after != "" {
		resource = fmt.Sprintf(`{"address":"%[1]s.%[2]s","mode":"managed","type":%[1]q,"name":%[2]q,"values":%[3]s}`, kind, name, after)
	}
	values := cmp.Or(after, "null")
	if before == "" {
		before = "null"
	}
	if unknown == "" {
		unknown = "{}"
	}
	return resource, fmt.Sprintf(`{"address":"%[1]s.%[2]s","mode":"managed","type":%[1]q,"name":%[2]q,"change":{"actions":%[3]s,"before":%[4]s,"after":%[6]s,"after_unknown":%[5]s}}`, kind, name, actions, before, unknown, values)
}

// tfPlan is a plan of resources and changes, by turns.
func tfPlan(configuration string, pairs ...string) string {
	var resources, changes []string
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i] != "" {
			resources = append(resources, pairs[i])
		}
		changes = append(changes, pairs[i+1])
	}
	if configuration == "" {
		configuration = "{}"
	}
	return `{"format_version":"1.2","planned_values":{"root_module":{"resources":[` + strings.Join(resources, ",") + `]}},"resource_changes":[` +
		strings.Join(changes, ",") + `],"configuration":{"root_module":` + configuration + `}}`
}

// withoutFirst deletes the first resource of a plan.
func withoutFirst(plan string) string {
	before, rest, _ := strings.Cut(plan, `"resources":[`)
	_, rest, _ = strings.Cut(rest, `}},`)
	for !strings.HasPrefix(rest, `{"address"`) {
		_, rest, _ = strings.Cut(rest, `}},`)
	}
	return before + `"resources":[` + strings.Replace(rest, `["no-op"]`, `["delete"]`, 1)
}

func tfListener(lb, protocol string, port int, certificate string) string {
	return fmt.Sprintf(`{"arn":%q,"id":%q,"load_balancer_arn":%q,"port":%d,"protocol":%q,"certificate_arn":%q}`, tfHTTPS, tfHTTPS, lb, port, protocol, certificate)
}

func tfELB(name, blocks string) string {
	return fmt.Sprintf(`{"name":%q,"listener":[%s]}`, name, blocks)
}

func tfBlock(port int, protocol, certificate string) string {
	return fmt.Sprintf(`{"lb_port":%d,"lb_protocol":%q,"ssl_certificate_id":%q}`, port, protocol, certificate)
}

// TestPlanOfTerraformChanges holds what a plan takes away and leaves, resource by resource, without AWS.
func TestPlanOfTerraformChanges(t *testing.T) {
	one := func(kind, actions, before, after string) string {
		resource, change := tfChange(kind, "x", actions, before, after, "")
		return tfPlan("", resource, change)
	}
	https := tfListener(tfALB, "HTTPS", 443, tfGood)
	elsewhere := strings.ReplaceAll(tfALB, "app/shop/", "app/shop2/")
	elb := tfELB("shop", tfBlock(443, "https", tfGood))
	certificate := fmt.Sprintf(`{"listener_arn":%q,"certificate_arn":%q}`, tfHTTPS, tfGood)
	iam := func(body, name string) string {
		return fmt.Sprintf(`{"arn":"arn:aws:iam::111122223333:server-certificate/%[1]s","name":%[1]q,"path":"/","certificate_body":%[2]q}`, name, body)
	}
	provisioned := func(actions, command string) string {
		resource, change := tfChange("aws_instance", "x", actions, "", `{"ami":"a"}`, "")
		return tfPlan(`{"resources":[{"address":"aws_instance.x","provisioners":[{"type":"local-exec","expressions":{"command":`+command+`}}]}]}`, resource, change)
	}
	for name, c := range map[string]struct {
		plan   string
		status int
	}{
		"a listener, unchanged":                                   {one("aws_lb_listener", `["no-op"]`, https, https), 0},
		"a listener, another policy":                              {one("aws_lb_listener", `["update"]`, https, https), 0},
		"a listener, imported":                                    {strings.Replace(one("aws_lb_listener", `["no-op"]`, https, https), `"actions"`, `"importing":{"id":"x"},"actions"`, 1), 0},
		"a listener, moved":                                       {strings.Replace(one("aws_lb_listener", `["no-op"]`, https, https), `"change"`, `"previous_address":"aws_lb_listener.y","change"`, 1), 0},
		"a listener, forgotten":                                   {one("aws_lb_listener", `["forget"]`, https, ""), 0},
		"a new default beside a list nobody knows":                {one("aws_lb_listener", `["update"]`, tfListener(tfALB, "HTTPS", 443, tfWrong), https), 3},
		"a wrong default beside a list nobody knows":              {one("aws_lb_listener", `["update"]`, https, tfListener(tfALB, "HTTPS", 443, tfWrong)), 3},
		"a listener made anew":                                    {one("aws_lb_listener", `["delete","create"]`, tfListener(tfALB, "HTTPS", 443, tfWrong), https), 0},
		"a listener made anew, wrong":                             {one("aws_lb_listener", `["delete","create"]`, https, tfListener(tfALB, "HTTPS", 443, tfWrong)), 1},
		"a listener deleted":                                      {one("aws_lb_listener", `["delete"]`, https, ""), 1},
		"a listener made plain":                                   {one("aws_lb_listener", `["update"]`, https, tfListener(tfALB, "HTTP", 443, "")), 1},
		"a listener on another port":                              {one("aws_lb_listener", `["update"]`, https, tfListener(tfALB, "HTTPS", 8443, tfGood)), 1},
		"a listener of another load balancer":                     {one("aws_lb_listener", `["delete","create"]`, https, tfListener(elsewhere, "HTTPS", 443, tfGood)), 1},
		"a block unchanged":                                       {one("aws_elb", `["no-op"]`, elb, elb), 0},
		"a block's certificate":                                   {one("aws_elb", `["update"]`, elb, tfELB("shop", tfBlock(443, "https", tfWrong))), 1},
		"a block on another port":                                 {one("aws_elb", `["update"]`, elb, tfELB("shop", tfBlock(8443, "https", tfGood))), 1},
		"a block made plain":                                      {one("aws_elb", `["update"]`, elb, tfELB("shop", tfBlock(443, "tcp", ""))), 1},
		"a classic load balancer renamed":                         {one("aws_elb", `["delete","create"]`, elb, tfELB("shop2", tfBlock(443, "https", tfGood))), 1},
		"a classic load balancer made anew":                       {one("aws_elb", `["delete","create"]`, elb, elb), 0},
		"a classic load balancer deleted":                         {one("aws_elb", `["delete"]`, elb, ""), 1},
		"a load balancer deleted, its listeners in another state": {one("aws_lb", `["delete"]`, `{"name":"shop","arn":"`+tfALB+`"}`, ""), 3},
		"a certificate removed":                                   {one("aws_lb_listener_certificate", `["delete"]`, certificate, ""), 1},
		"a certificate replaced by itself":                        {one("aws_lb_listener_certificate", `["delete","create"]`, certificate, certificate), 3},
		"another certificate removed":                             {one("aws_lb_listener_certificate", `["delete"]`, strings.ReplaceAll(certificate, tfGood, tfOther), ""), 3},
		"a certificate added":                                     {one("aws_lb_listener_certificate", `["create"]`, "", strings.ReplaceAll(certificate, tfGood, tfOther)), 3},
		"a certificate imported again under its ARN":              {one("aws_acm_certificate", `["update"]`, `{"arn":"`+tfGood+`","certificate_body":"old"}`, `{"arn":"`+tfGood+`"}`), 3},
		"IAM's certificate replaced under its ARN":                {one("aws_iam_server_certificate", `["delete","create"]`, iam("old", "shop"), iam("new", "shop")), 3},
		"IAM's certificate replaced under another":                {one("aws_iam_server_certificate", `["create","delete"]`, iam("old", "shop"), iam("new", "shop2")), 3},
		"IAM's certificate, its tags":                             {one("aws_iam_server_certificate", `["update"]`, iam("old", "shop"), iam("old", "shop")), 0},
		"a version that nobody knows":                             {strings.Replace(one("aws_lb_listener", `["no-op"]`, https, https), `"1.2"`, `"2.0"`, 1), 2},
		"a command with a certificate":                            {provisioned(`["create"]`, `{"constant_value":"aws elbv2 modify-listener --certificates CertificateArn=`+tfGood+`"}`), 3},
		"a command with a certificate to come":                    {provisioned(`["delete","create"]`, `{"references":["aws_acm_certificate.shop.arn","aws_acm_certificate.shop"]}`), 3},
		"a command that does not run":                             {provisioned(`["no-op"]`, `{"constant_value":"`+tfGood+`"}`), 0},
		"a command without a certificate":                         {provisioned(`["create"]`, `{"constant_value":"echo made"}`), 0},
		"a listener deleted, its load balancer unknown":           {one("aws_lb_listener", `["delete"]`, `{"port":443,"protocol":"HTTPS"}`, ""), 3},
		"a plain listener deleted, its load balancer unknown":     {one("aws_lb_listener", `["delete"]`, `{"port":80,"protocol":"HTTP"}`, ""), 0},
		"a certificate removed from a listener that is unknown":   {one("aws_lb_listener_certificate", `["delete"]`, `{}`, ""), 3},
		"a protocol in lower case":                                {one("aws_lb_listener", `["create"]`, "", tfListener(tfALB, "https", 443, tfWrong)), 1},
		"modules without end":                                     {`{"format_version":"1.2","planned_values":{"root_module":` + strings.Repeat(`{"child_modules":[`, 60) + "{}" + strings.Repeat("]}", 60) + `}}`, 2},
		"a type that is not read":                                 {one("awscc_elasticloadbalancingv2_listener", `["create"]`, "", `{"certificates":[{"certificate_arn":"`+tfWrong+`"}]}`), 3},
		"a chart":                                                 {one("helm_release", `["create"]`, "", `{"values":["service.beta.kubernetes.io/aws-load-balancer-ssl-cert: x"]}`), 3},
	} {
		t.Run(name, func(t *testing.T) {
			if status, out := planTerraform(t, tfByName, c.plan); status != c.status {
				t.Errorf("exit status %d, want %d\n%s", status, c.status, out)
			}
		})
	}
}

// TestPlanOfWhatTerraformHidesIn holds what a plan does to load balancers without naming a certificate, or outside its resources: it is
// undecided. What cannot do so passes.
func TestPlanOfWhatTerraformHidesIn(t *testing.T) {
	one := func(kind, actions, before, after string) string {
		resource, change := tfChange(kind, "x", actions, before, after, "")
		return tfPlan("", resource, change)
	}
	with := func(plan, more string) string { return strings.TrimSuffix(plan, "}") + "," + more + "}" }
	const creates, updates, deletes, replaces = `["create"]`, `["update"]`, `["delete"]`, `["delete","create"]`
	https := tfListener(tfALB, "HTTPS", 443, tfGood)
	unchanged := one("aws_lb_listener", `["no-op"]`, https, https)
	const awscc, plain = "awscc_elasticloadbalancingv2_", `{"port":443,"protocol":"HTTPS"}`
	const url, other, tagged = `{"template_url":"https://example.com/a","tags":{}}`, `{"template_url":"https://example.com/b","tags":{}}`, `{"template_url":"https://example.com/a","tags":{"a":"b"}}`
	const body = `{"template_body":"{}"}`
	command := func(text string) string {
		resource, change := tfChange("terraform_data", "x", creates, "", `{}`, "")
		return tfPlan(`{"resources":[{"address":"terraform_data.x","provisioners":[{"type":"local-exec","expressions":{"command":{"constant_value":"`+text+`"}}}]}]}`, resource, change)
	}
	action := func(list, text string) string {
		return with(unchanged, `"`+list+`":[{"address":"action.local_command.x","type":"local_command","config_values":{"command":"`+text+`"}}]`)
	}
	const web = "arn:aws:iam::111122223333:server-certificate/web"
	const key, renamed = `{"arn":"` + web + `","name":"web","path":"/"}`, `{"name":"new","path":"/"}`
	gone, was := tfChange("aws_iam_server_certificate", "k", deletes, key, "", "")
	turned, anew := tfChange("aws_iam_server_certificate", "k", replaces, key, renamed, "")
	moved, moves := tfChange("aws_elb", "x", updates, tfELB("shop2", tfBlock(443, "https", web)), tfELB("shop2", tfBlock(443, "https", tfGood)), "")
	stays, same := tfChange("aws_elb", "x", `["no-op"]`, tfELB("shop2", tfBlock(443, "https", web)), tfELB("shop2", tfBlock(443, "https", web)), "")
	for name, c := range map[string]struct {
		plan   string
		status int
		says   string
	}{
		"Cloud Control's listener made plain":           {one(awscc+"listener", updates, plain, `{"port":443,"protocol":"HTTP"}`), 3, "make load balancers"},
		"Cloud Control's listener deleted":              {one(awscc+"listener", deletes, plain, ""), 3, "which the apply removes"},
		"Cloud Control's load balancer deleted":         {one(awscc+"load_balancer", deletes, `{"name":"shop"}`, ""), 3, "which the apply removes"},
		"Cloud Control's classic one made anew":         {one("awscc_elasticloadbalancing_load_balancer", replaces, `{"name":"shop"}`, `{"name":"shop"}`), 3, "make load balancers"},
		"Cloud Control's listener, unchanged":           {one(awscc+"listener", `["no-op"]`, plain, plain), 0, ""},
		"Cloud Control's target group":                  {one(awscc+"target_group", creates, "", `{"name":"shop"}`), 0, ""},
		"any resource of Cloud Control, deleted":        {one("aws_cloudcontrolapi_resource", deletes, `{"type_name":"AWS::ElasticLoadBalancingV2::LoadBalancer"}`, ""), 3, "which the apply removes"},
		"a stack with its template elsewhere":           {one("aws_cloudformation_stack", creates, "", url), 3, "is not in the input"},
		"such a stack, another template":                {one("aws_cloudformation_stack", updates, url, other), 3, "is not in the input"},
		"such a stack, other parameters":                {one("aws_cloudformation_stack", updates, url, strings.Replace(url, "tags", "parameters", 1)), 3, "is not in the input"},
		"such a stack, other tags":                      {one("aws_cloudformation_stack", updates, url, tagged), 0, ""},
		"such a stack, deleted":                         {one("aws_cloudformation_stack", deletes, url, ""), 3, "which the apply removes"},
		"an application of the repository":              {one("aws_serverlessapplicationrepository_cloudformation_stack", creates, "", `{"application_id":"a","semantic_version":"1"}`), 3, "is not in the input"},
		"a stack with a template that says it all":      {one("aws_cloudformation_stack", creates, "", body), 0, ""},
		"a command that changes a listener":             {command("aws elbv2 modify-listener --listener-arn $L --certificates CertificateArn=$C"), 3, "modify-listener"},
		"a command that adds to a list":                 {command("aws elbv2 add-listener-certificates"), 3, "listener-certificates"},
		"a command for a classic one":                   {command("aws elb set-load-balancer-listener-ssl-certificate"), 3, "listener-ssl-certificate"},
		"a command that looks":                          {command("aws elbv2 describe-listeners"), 0, ""},
		"an action that changes a listener":             {action("action_invocations", "aws elbv2 modify-listener"), 3, "action.local_command.x"},
		"an action with a certificate":                  {action("action_invocations", tfWrong), 3, "the ARN of a certificate"},
		"an action that is put off":                     {action("deferred_action_invocations", tfWrong), 3, "the ARN of a certificate"},
		"another action":                                {action("action_invocations", "echo"), 0, ""},
		"actions of another form":                       {with(unchanged, `"action_invocations":{}`), 2, "its actions have an unexpected form"},
		"a change whose values were cut":                {strings.Replace(one("aws_lb_listener", creates, "", tfListener(tfALB, "HTTPS", 443, tfWrong)), `"root_module":{"resources"`, `"root_module":{"cut"`, 1), 3, "its planned_values lack it"},
		"an object whose values were cut":               {strings.Replace(one("kubernetes_service_v1", creates, "", `{"metadata":[{"name":"a"}]}`), `"root_module":{"resources"`, `"root_module":{"cut"`, 1), 3, "its planned_values lack it"},
		"a key that is deleted":                         {tfPlan("", gone, was), 3, "may stop accepting connections"},
		"a key that is made anew":                       {tfPlan("", turned, anew), 3, "may stop accepting connections"},
		"a key that is deleted, and still in use":       {tfPlan("", gone, was, stays, same), 3, "may stop accepting connections"},
		"Helm's parameter for an annotation":            {one("helm_release", creates, "", `{"set":[{"name":"a.alb\\.ingress\\.kubernetes\\.io/certificate-arn","value":"x"}]}`), 3, "certificate-arn"},
		"a key that is deleted, taken from what had it": {tfPlan("", turned, anew, moved, moves), 3, "no endpoint"},
	} {
		status, out := planTerraform(t, tfByName, c.plan)
		if plain := strings.Join(strings.Fields(out), " "); status != c.status || !strings.Contains(plain, c.says) {
			t.Errorf("%s: exit status %d, want %d and %q\n%s", name, status, c.status, c.says, out)
		}
		if taken := name == "a key that is deleted, taken from what had it"; taken && strings.Contains(out, "accepting") {
			t.Errorf("%s:\n%s", name, out)
		}
	}
}

// TestPlanOfTerraformReferences holds that a listener and its certificates are found through variables, outputs and indexes, and that what
// is known after the apply only is undecided.
func TestPlanOfTerraformReferences(t *testing.T) {
	plan := func(module, lb, listener, certificate, configuration string) string {
		return `{"format_version":"1.2","planned_values":{"root_module":{` + lb + `"child_modules":[{"address":"` + module + `","resources":[` + listener + certificate +
			`]}]}},"resource_changes":[],"configuration":{"root_module":` + configuration + `}}`
	}
	resource := func(address, kind, name, values string) string {
		return fmt.Sprintf(`{"address":%q,"mode":"managed","type":%q,"name":%q,"values":%s}`, address, kind, name, values)
	}
	lb := `"resources":[` + resource("aws_lb.main", "aws_lb", "main", `{"name":"shop"}`) + `],`
	const https = `{"port":443,"protocol":"HTTPS","certificate_arn":"` + tfWrong + `"}`
	listener := func(module string) string {
		return resource(module+".aws_lb_listener.this[0]", "aws_lb_listener", "this", https)
	}
	inside := `"module":{"resources":[{"address":"aws_lb_listener.this","expressions":{"load_balancer_arn":{"references":["var.lb"]}}}]}`
	for name, c := range map[string]struct {
		plan, says string
	}{
		"a variable": {plan("module.l", lb, listener("module.l"), "",
			`{"module_calls":{"l":{"expressions":{"lb":{"references":["aws_lb.main.arn","aws_lb.main"]}},`+inside+`}}}`), "shop:443"},
		"a variable of a module with a key": {plan(`module.l[\"a.b\"]`, lb, listener(`module.l["a.b"]`), "",
			`{"module_calls":{"l":{"expressions":{"lb":{"references":["aws_lb.main.arn","aws_lb.main"]}},`+inside+`}}}`), "shop:443"},
		"an output of another module": {plan("module.l", `"resources":[],`, listener("module.l")+`]},{"address":"module.b","resources":[`, resource("module.b.aws_lb.main", "aws_lb", "main", `{"name":"shop"}`),
			`{"module_calls":{"l":{"expressions":{"lb":{"references":["module.b.arn","module.b"]}},`+inside+`},"b":{"module":{"outputs":{"arn":{"expression":{"references":["aws_lb.main.arn","aws_lb.main"]}}}}}}}`), "shop:443"},
		"a variable that leads to itself": {plan("module.l", lb, listener("module.l"), "",
			`{"module_calls":{"l":{"expressions":{"lb":{"references":["module.l.x"]}},"module":{"outputs":{"x":{"expression":{"references":["var.lb"]}}},"resources":[{"address":"aws_lb_listener.this","expressions":{"load_balancer_arn":{"references":["var.lb"]}}}]}}}}`), "undecided"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, out := planTerraform(t, tfByName, c.plan); !strings.Contains(out, c.says) {
				t.Errorf("it does not say %q\n%s", c.says, out)
			}
		})
	}
}

// TestPlanOfKubernetesInTerraform holds what Terraform's Kubernetes provider makes, changes and deletes, and what other providers take
// from resources that do not exist yet.
func TestPlanOfKubernetesInTerraform(t *testing.T) {
	one := func(kind, actions, before, after, unknown string) string {
		resource, change := tfChange(kind, "x", actions, before, after, unknown)
		return tfPlan("", resource, change)
	}
	service := func(name, certificate string) string {
		return fmt.Sprintf(`{"metadata":[{"name":%q,"namespace":"store","annotations":{"service.beta.kubernetes.io/aws-load-balancer-ssl-cert":%q}}],"spec":[{"type":"LoadBalancer","port":[{"port":443}]}]}`, name, certificate)
	}
	object := func(kind, name, spec string) string {
		version := "networking.k8s.io/v1"
		if kind == "IngressClassParams" {
			version = "elbv2.k8s.aws/v1beta1"
		}
		return fmt.Sprintf(`{"manifest":{"apiVersion":%q,"kind":%q,"metadata":{"name":%q,"namespace":"store"},"spec":{%s}}}`, version, kind, name, spec)
	}
	ingress := object("Ingress", "shop", `"ingressClassName":"public","rules":[{"host":"shop.example.com"}]`)
	class := object("IngressClass", "public", `"controller":"ingress.k8s.aws/alb","parameters":{"apiGroup":"elbv2.k8s.aws","kind":"IngressClassParams","name":"public"}`)
	const typedClass = `{"metadata":[{"name":"public"}],"spec":[{"controller":"ingress.k8s.aws/alb","parameters":[{"api_group":"elbv2.k8s.aws","kind":"IngressClassParams","name":"public"}]}]}`
	params := object("IngressClassParams", "public", `"certificateArn":["`+tfGood+`"]`)
	ack := `{"manifest":{"apiVersion":"elbv2.services.k8s.aws/v1alpha1","kind":"Listener","metadata":{"name":"a"},"spec":{"certificates":[{"certificateARN":"` + tfGood + `"}]}}}`
	gateway := `{"manifest":{"apiVersion":"gateway.k8s.aws/v1beta1","kind":"LoadBalancerConfiguration","metadata":{"name":"a"},"spec":{"listenerConfigurations":[{"protocolPort":"HTTPS:443","defaultCertificate":"` + tfGood + `"}]}}}`
	strange := `{"manifest":{"apiVersion":"gateway.k8s.aws/v1beta1","kind":"LoadBalancerConfiguration","metadata":{"name":"a"},"spec":{"defaultCertificate":"` + tfGood + `"}}}`
	// of plans an Ingress with its class and its parameters, each with what happens to it.
	of := func(class, classKind, classActions, params, paramsActions string) string {
		var pairs []string
		for name, c := range map[string][3]string{"i": {"kubernetes_manifest", `["no-op"]`, ingress}, "c": {classKind, classActions, class}, "p": {"kubernetes_manifest", paramsActions, params}} {
			after := c[2]
			if c[1] == `["delete"]` {
				after = ""
			}
			resource, change := tfChange(c[0], name, c[1], c[2], after, "")
			pairs = append(pairs, resource, change)
		}
		return tfPlan("", pairs...)
	}
	gateways := func(actions, certificate string) string {
		var pairs []string
		for i, c := range []string{
			`{"apiVersion":"gateway.networking.k8s.io/v1","kind":"GatewayClass","metadata":{"name":"alb"},"spec":{"controllerName":"gateway.k8s.aws/alb"}}`,
			`{"apiVersion":"gateway.k8s.aws/v1","kind":"LoadBalancerConfiguration","metadata":{"name":"shop","namespace":"store"},"spec":{"listenerConfigurations":[{"protocolPort":"HTTPS:443","defaultCertificate":"` + certificate + `"}]}}`,
			`{"apiVersion":"gateway.networking.k8s.io/v1","kind":"Gateway","metadata":{"name":"shop","namespace":"store"},"spec":{"gatewayClassName":"alb","infrastructure":{"parametersRef":{"group":"gateway.k8s.aws","kind":"LoadBalancerConfiguration","name":"shop"}},"listeners":[{"name":"https","protocol":"HTTPS","port":443}]}}`,
		} {
			before, after := `{"manifest":`+c+"}", `{"manifest":`+c+"}"
			switch actions {
			case `["create"]`:
				before = ""
			case `["delete"]`:
				after = ""
			}
			resource, change := tfChange("kubernetes_manifest", fmt.Sprint("x", i), actions, before, after, "")
			if after != "" {
				pairs = append(pairs, resource, change)
			} else {
				pairs = append(pairs, "", change)
			}
		}
		return tfPlan("", pairs...)
	}
	const noOp, deletes, creates, updates, replaces = `["no-op"]`, `["delete"]`, `["create"]`, `["update"]`, `["delete","create"]`
	const made = `{"metadata":[{"generation":true,"resource_version":true,"uid":true}],"spec":[{"cluster_ip":true,"port":[{"node_port":true}]}],"status":true}`
	values := func(text string) string { return `{"values":["` + text + `"]}` }
	for name, c := range map[string]struct {
		plan   string
		status int
		says   string
	}{
		"a Service made, right":                 {one("kubernetes_service_v1", creates, "", service("shop", tfGood), made), 0, "as declared"},
		"a Service made, wrong":                 {one("kubernetes_service_v1", creates, "", service("shop", tfWrong), made), 1, "refuse"},
		"a Service whose port is not known":     {one("kubernetes_service_v1", creates, "", service("shop", tfGood), `{"spec":[{"port":[{"port":true}]}]}`), 3, "known only after the apply"},
		"a Service made anew":                   {one("kubernetes_service_v1", replaces, service("shop", tfWrong), service("shop", tfGood), "{}"), 0, "as declared"},
		"a Service made anew under other name":  {one("kubernetes_service_v1", replaces, service("shop", tfGood), service("shop2", tfGood), "{}"), 3, "Service store/shop currently has a load balancer"},
		"a Service deleted that is not read":    {one("kubernetes_service_v1", deletes, service("shop", "nonsense"), "", "{}"), 3, "it is deleted"},
		"an Ingress, its class and parameters":  {of(class, "kubernetes_manifest", noOp, params, noOp), 0, "as declared"},
		"a class of the provider's own type":    {of(typedClass, "kubernetes_ingress_class_v1", noOp, params, noOp), 0, "as declared"},
		"the parameters deleted":                {of(class, "kubernetes_manifest", noOp, params, deletes), 3, "the apply deletes"},
		"the class deleted":                     {of(class, "kubernetes_manifest", deletes, params, noOp), 3, "the apply deletes"},
		"a class made":                          {one("kubernetes_ingress_class_v1", creates, "", `{"metadata":[{"name":"public"}],"spec":[{"controller":"ingress.k8s.aws/alb"}]}`, made), 0, "No load balancer's"},
		"a class with parameters elsewhere":     {one("kubernetes_ingress_class_v1", creates, "", typedClass, made), 3, "its parameters"},
		"an object that is not read, deleted":   {one("kubernetes_manifest", deletes, ack, "", "{}"), 3, "the apply removes"},
		"an object that is not read, emptied":   {one("kubernetes_manifest", updates, ack, strings.Replace(ack, tfGood, "", 1), "{}"), 3, "the apply removes"},
		"a configuration of Gateways deleted":   {one("kubernetes_manifest", deletes, gateway, "", "{}"), 3, "the apply removes"},
		"a configuration of Gateways emptied":   {one("kubernetes_manifest", updates, gateway, strings.Replace(gateway, `,"defaultCertificate":"`+tfGood+`"`, "", 1), "{}"), 3, "the apply removes"},
		"a configuration that is none, deleted": {one("kubernetes_manifest", deletes, strange, "", "{}"), 3, "the apply removes"},
		"a Gateway, right":                      {gateways(noOp, tfGood), 0, "as declared"},
		"a Gateway, wrong":                      {gateways(creates, tfWrong), 1, "Gateway store/shop"},
		"the class of a Gateway deleted":        {withoutFirst(gateways(noOp, tfGood)), 3, "the apply deletes its class"},
		"a Gateway deleted":                     {gateways(deletes, tfGood), 3, "Gateway store/shop currently has a load balancer"},
		"parameters of Ingresses emptied":       {one("kubernetes_manifest", updates, params, strings.Replace(params, `"`+tfGood+`"`, "", 1), "{}"), 3, "the apply removes"},
		"a chart's values lose it":              {one("helm_release", updates, values(tfGood), values("none"), `{"metadata":true}`), 3, "the apply removes"},
		"a chart made anew without":             {one("helm_release", replaces, values(tfGood), values("none"), `{"metadata":true}`), 3, "the apply removes"},
		"a chart's values keep it":              {one("helm_release", updates, values(tfGood), values(tfGood), `{"metadata":true}`), 3, "1 undecided"},
		"what a chart renders":                  {one("helm_release", creates, "", `{"name":"a"}`, `{"manifest":true,"metadata":true,"status":true}`), 0, "No load balancer's"},
		"what is put into a chart":              {one("helm_release", creates, "", `{"name":"a"}`, `{"set":[{"value":true}]}`), 3, "known only after the apply"},
		"AWS's other provider":                  {one("awscc_elasticloadbalancingv2_listener", creates, "", `{"port":443}`, `{"certificates":true}`), 3, "known only after the apply"},
		"Kustomize":                             {one("kustomization_resource", creates, "", `{}`, `{"manifest":true}`), 3, "known only after the apply"},
		"annotations":                           {one("kubernetes_annotations", creates, "", `{"kind":"Service"}`, `{"annotations":true}`), 3, "known only after the apply"},
		"annotations that are none of its keys": {one("kubernetes_annotations", creates, "", `{"kind":"Service"}`, `{"annotations":{"eks.amazonaws.com/role-arn":true}}`), 0, "No load balancer's"},
		"a ServiceAccount with a role":          {one("kubernetes_service_account_v1", creates, "", `{}`, `{"metadata":[{"annotations":{"eks.amazonaws.com/role-arn":true}}]}`), 0, "No load balancer's"},
	} {
		t.Run(name, func(t *testing.T) {
			if status, out := planTerraform(t, tfByService, c.plan); status != c.status || !strings.Contains(out, c.says) {
				t.Errorf("exit status %d, want %d and %q\n%s", status, c.status, c.says, out)
			}
		})
	}
}

// TestPlanOfAListFromElsewhere: what another plan adds to a listener's list, or may put in the place of what is removed, counts.
func TestPlanOfAListFromElsewhere(t *testing.T) {
	https := tfListener(tfALB, "HTTPS", 443, tfGood)
	one := func(kind, actions, before, after, unknown string) string {
		resource, change := tfChange(kind, "x", actions, before, after, unknown)
		return tfPlan("", resource, change)
	}
	extra := func(certificate string) string {
		return fmt.Sprintf(`{"listener_arn":%q,"certificate_arn":%q}`, tfHTTPS, certificate)
	}
	unchanged := one("aws_lb_listener", `["no-op"]`, https, https, "")
	removed := one("aws_lb_listener_certificate", `["delete"]`, extra(tfGood), "", "")
	for name, c := range map[string]struct {
		plan   string
		status int
	}{
		"nothing else": {unchanged, 0},
		"another plan adds to an unchanged listener": {unchanged + "\n" + one("aws_lb_listener_certificate", `["create"]`, "", extra(tfOther), ""), 3},
		"removed": {removed, 1},
		"removed, and one that does not exist yet takes its place": {removed + "\n" + one("aws_lb_listener_certificate", `["create"]`, "", `{"listener_arn":"`+tfHTTPS+`"}`, `{"certificate_arn":true}`), 3},
	} {
		t.Run(name, func(t *testing.T) {
			if status, out := planTerraform(t, tfByName, c.plan); status != c.status {
				t.Errorf("exit status %d, want %d\n%s", status, c.status, out)
			}
		})
	}
}
