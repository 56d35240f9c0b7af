package cli

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// planInput runs certdrift plan on a text from standard input, without AWS.
func planInput(t *testing.T, config, input string, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "certdrift.yaml"), config)
	return run(t, func(a *App) { a.Stdin = strings.NewReader(input) }, nil,
		append([]string{"plan", "-c", filepath.Join(dir, "certdrift.yaml"), "-f", "-", "--offline"}, args...)...)
}

const (
	netConfig = "version: 1\nenvironments:\n  production:\n    endpoints:\n      - {name: shop, url: \"https://shop.example.com\", service: store/shop, " +
		"certificate: {arn: \"" + acmPrefix + "declared\"}}\n"
	netEmpty = "version: 1\nload_balancers: {regions: [us-west-2]}\n"
)

// TestPlanOfReports holds the inputs of public bug reports to what is right (testdata/plan).
func TestPlanOfReports(t *testing.T) {
	for file, c := range map[string]struct {
		right []int
		says  string
	}{
		"F1-glued-documents/glued.yaml":            {[]int{1, 2}, "duplicate key"},
		"F1-glued-documents/service-first.yaml":    {[]int{2}, "duplicate key"},
		"F2-byte-order-mark/bom-plan.json":         {[]int{1, 3}, "aws_lb_listener.https"},
		"F2-byte-order-mark/bom-second.yaml":       {[]int{1}, "bom-second.yaml:11 (Service store/shop)"},
		"F5-several-plans/t20-concatenated.json":   {[]int{1, 3}, "2"},
		"F10-not-read/a.yaml":                      {[]int{3}, "GatewayClass \"aws-alb\", which is not in the input"},
		"F10-not-read/cfn.yaml":                    {[]int{3}, "cfn.yaml:3 (Listener Https)"},
		"F10-not-read/values.yaml":                 {[]int{3}, "values.yaml:4"},
		"F10-not-read/t7-kubernetes-provider.json": {[]int{1, 3}, "Ingress store/shop"},
		"F13-errored-plan/t24-errored.json":        {[]int{2, 3}, "the plan is incomplete"},
	} {
		path := filepath.Join("testdata/plan", filepath.FromSlash(file))
		status, stdout, stderr := run(t, nil, nil, "plan", "-c", filepath.Join(filepath.Dir(path), "cfg.yaml"), "-f", path, "--offline")
		if !slices.Contains(c.right, status) || !strings.Contains(stdout+stderr, c.says) {
			t.Errorf("%s: exit status %d, want one of %v and %q\n%s%s", file, status, c.right, c.says, stdout, stderr)
		}
	}
}

// TestPlanWithADraft: the incident's own stale manifests must not pass with the configuration that init makes of them, which has no
// endpoint yet.
func TestPlanWithADraft(t *testing.T) {
	stale, err := filepath.Abs("../manifest/testdata/incident/stale")
	if err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(t.TempDir(), "certdrift.yaml")
	status, _, stderr := run(t, nil, nil, "init", "-f", stale, "-o", config)
	for _, want := range []string{"no hostname found for 4 listeners", "next: in " + config + ", replace HOST in 4 places and uncomment those endpoints"} {
		if status != 3 || !strings.Contains(stderr, want) {
			t.Fatalf("init: exit status %d, want 3 and %q\n%s", status, want, stderr)
		}
	}
	for _, format := range []string{"text", "markdown", "html", "json", "junit", "github", "sarif"} {
		status, stdout, stderr := run(t, nil, nil, "plan", "-c", config, "-f", stale, "--offline", "--format", format)
		if status != 3 {
			t.Errorf("%s: exit status %d, want 3\n%s%s", format, status, stdout, stderr)
		}
		for _, never := range []string{"Safe to apply", "No objection", "as declared", "not checked", "may be applied", `"verdict": "pass"`, "| unchanged"} {
			if strings.Contains(stdout, never) {
				t.Errorf("%s says %q of what was compared with nothing:\n%s", format, never, stdout)
			}
		}
		if hint := "the configuration has no endpoints; add its URL there, with service: production/api"; format != "html" && !strings.Contains(stdout, hint) {
			t.Errorf("%s does not say %q:\n%s", format, hint, stdout)
		}
	}
}

// TestADraftOfAPart: a draft of manifests that were read in part only says what is not in it.
func TestADraftOfAPart(t *testing.T) {
	const ingress = "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: shop, namespace: store, annotations: {alb.ingress.kubernetes.io/certificate-arn: \"" + acmPrefix +
		"a\"}}\nspec: {ingressClassName: alb, rules: [{host: shop.example.com}]}\n"
	for name, c := range map[string]struct {
		other  string
		status int
		says   string
	}{
		"values":            {"acm: " + acmPrefix + "a\n", 3, "not in the draft: other.yaml:1 (a document without a kind)"},
		"an error page":     {"<html>\n", 3, "other.yaml:1"},
		"all that there is": {"apiVersion: v1\nkind: ConfigMap\n", 0, ""},
	} {
		dir := t.TempDir()
		t.Chdir(dir)
		write(t, filepath.Join(dir, "shop.yaml"), ingress)
		write(t, filepath.Join(dir, "other.yaml"), c.other)
		status, stdout, stderr := run(t, nil, nil, "init", "-f", "shop.yaml", "-f", "other.yaml")
		if status != c.status || !strings.Contains(stderr, c.says) || !strings.Contains(stdout, "https://shop.example.com/") {
			t.Errorf("%s: exit status %d, want %d and %q\n%s%s", name, status, c.status, c.says, stdout, stderr)
		}
	}
}

// TestDraftUncommented: with the hostnames filled in and the comments toggled, what init makes of the incident's right manifests is a
// valid configuration, and stops its stale ones.
func TestDraftUncommented(t *testing.T) {
	manifests, err := filepath.Abs("../manifest/testdata/incident")
	if err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(t.TempDir(), "certdrift.yaml")
	run(t, nil, nil, "init", "-f", filepath.Join(manifests, "right"), "-o", config)
	text, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(text), "\n")
	for i := range lines[2:] { // below the two lines at the top
		lines[2+i] = strings.ReplaceAll(strings.TrimPrefix(lines[2+i], "# "), "//HOST/", "//api.example.org/")
	}
	write(t, config, strings.Join(lines, "\n"))
	if status, stdout, stderr := run(t, nil, nil, "validate", "-c", config); status != 0 || !strings.Contains(stdout, "4 endpoints in 2 environments") {
		t.Errorf("validate: exit status %d\n%s%s", status, stdout, stderr)
	}
	if status, stdout, stderr := run(t, nil, nil, "plan", "-c", config, "-f", filepath.Join(manifests, "stale"), "--offline"); status != 1 || !strings.Contains(stdout, "4 listeners: 4 refused. Do not apply.") {
		t.Errorf("plan: exit status %d\n%s%s", status, stdout, stderr)
	}
}

// TestPlanOfWhatIsNoManifest: what a failed command leaves behind is an error.
func TestPlanOfWhatIsNoManifest(t *testing.T) {
	const service = "apiVersion: v1\nkind: Service\nmetadata: {name: inside}\nspec: {ports: [{port: 80}]}\n"
	for name, text := range map[string]string{
		"a word": "hello\n", "an empty object": "{}", "an empty list": "[]", "null": "null", "comments": "# Source: chart/x.yaml\n",
		"an error page": "<!DOCTYPE html>\n<html><head><title>502</title></head>\n<body>Bad gateway: retry</body></html>\n",
		"an error":      "error: no kustomization\n", "a list of objects": `[{"apiVersion":"v1","kind":"Service"}]`, "a number": "42", "only dashes": "---\n---\n",
		"a word behind an object": service + "---\nhello\n", "an error behind an object": service + "---\nerror: timeout\n",
		"JSON without a kind": `{"apiVersion":"v1"}`, "JSON without an apiVersion": `{"kind":"ConfigMap"}`, "a word behind JSON": `{"apiVersion":"v1","kind":"ConfigMap"} x`,
		"a Service of no version": strings.Replace(service, "v1", "v2", 1), "dashes glued to what follows": service + "---kind: ConfigMap\n",
		"a wrapper's line before a plan": "[command]/usr/bin/terraform show -json\n" + `{"format_version":"1.2","planned_values":{"root_module":{}}}`,
		"a word behind a plan":           `{"format_version":"1.2","planned_values":{"root_module":{}}}` + "\nok\n",
		"a plan that failed":             `{"format_version":"1.2","planned_values":{"root_module":{}},"errored":true}`,
		"an answer of the API server":    `{"kind":"Status","apiVersion":"v1","status":"Failure","message":"Unauthorized","code":401}`,
		"the same in YAML":               "apiVersion: v1\nkind: Status\nstatus: Failure\nmessage: Unauthorized\n", "a table of the API server": "apiVersion: meta.k8s.io/v1\nkind: Table\nrows: []\n",
		"a plan without values": `{"format_version":"1.2"}`, "Terraform's log": `{"@level":"info"}` + "\n" + `{"@level":"info"}`, "UTF-16": "\xff\xfeh\x00i\x00",
	} {
		for _, config := range []string{netConfig, netEmpty} {
			if status, stdout, stderr := planInput(t, config, text); status != 2 {
				t.Errorf("%s: exit status %d, want 2\n%s%s", name, status, stdout, stderr)
			}
		}
	}
}

// TestPlanReadsAsTheToolsDo: what kubectl reads is read, however it is written.
func TestPlanReadsAsTheToolsDo(t *testing.T) {
	const other = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n"
	service := "apiVersion: v1\nkind: Service\nmetadata:\n  name: shop\n  namespace: store\n  annotations:\n    service.beta.kubernetes.io/aws-load-balancer-ssl-cert: " +
		acmPrefix + "wrong\nspec:\n  type: LoadBalancer\n  ports: [{port: 443}]\n"
	asJSON := `{"apiVersion":"v1","kind":"Service","metadata":{"name":"shop","namespace":"store","annotations":{"service.beta.kubernetes.io\/aws-load-balancer-ssl-cert":"` +
		acmPrefix + `wrong"}},"spec":{"type":"LoadBalancer","ports":[{"port":443}]}}`
	const mark = "\ufeff"
	listed := "- " + strings.ReplaceAll(strings.TrimSuffix(service, "\n"), "\n", "\n  ") + "\n"
	bare := strings.Replace(listed, "- apiVersion: v1\n  kind: Service\n  metadata", "- metadata", 1)
	for name, text := range map[string]string{
		"as it is": service, "behind another": other + "---\n" + service, "a mark at the start": mark + service, "a mark behind the line": other + "---\n" + mark + service,
		"a comment behind the line": other + "--- # next\n" + service, "CRLF": strings.ReplaceAll(other+"---\n"+service, "\n", "\r\n"),
		"CR": strings.ReplaceAll(service, "\n", "\r"), "a mark and CRLF": mark + strings.ReplaceAll(other+"---\n"+mark+service, "\n", "\r\n"),
		"JSON": asJSON, "JSON behind JSON": `{"apiVersion":"v1","kind":"ConfigMap"}` + asJSON, "JSON on the next line": `{"apiVersion":"v1","kind":"ConfigMap"}` + "\n" + asJSON,
		"JSON with a mark": mark + asJSON, "JSON in documents": "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\"}\n---\n" + asJSON + "\n", "escaped": strings.Replace(asJSON, `"Service"`, `"\u0053ervice"`, 1),
		"a List": "apiVersion: v1\nkind: List\nitems:\n" + listed, "a list of another kind": "apiVersion: v1\nkind: Bundle\nitems:\n" + listed,
		"a list whose items say nothing": "apiVersion: v1\nkind: ServiceList\nitems:\n" + bare, "keys in quotes": strings.Replace(service, "kind:", `"kind":`, 1),
		"the kind at the end": strings.Replace(service, "kind: Service\n", "", 1) + "kind: Service\n", "merged": "x: &k {kind: Service}\n<<: *k\n" + strings.Replace(service, "kind: Service\n", "", 1),
		"a document's end": other + "...\n# next\n---\n" + service, "the document's own end": service + "...\n",
	} {
		if status, stdout, stderr := planInput(t, netConfig, text); status != 1 || !strings.Contains(stdout, "Service store/shop") {
			t.Errorf("%s: exit status %d, want 1\n%s%s", name, status, stdout, stderr)
		}
	}
	for name, text := range map[string]string{ // kubectl takes these for one object, of which the last keys count, or does not read the Service
		"a document's end, and no line behind it": other + "...\n" + service, "CR behind another": strings.ReplaceAll(other+"---\n"+service, "\n", "\r"),
		"a mark before the line": other + mark + "---\n" + service,
		"glued":                  "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: x}\n" + service, "glued, the Service first": service + other,
		"dashes glued to a value": "apiVersion: v1\nkind: ConfigMap\ndata: {}\nx: None---\n" + service, "JSON": strings.Replace(asJSON, `"kind"`, `"kind":"ConfigMap","kind"`, 1),
	} {
		if status, stdout, stderr := planInput(t, netConfig, text); status == 0 || status == 3 {
			t.Errorf("%s: exit status %d\n%s%s", name, status, stdout, stderr)
		}
	}
}

// wrappers are documents that nothing reads, and bring objects to a cluster or an account all the same.
var wrappers = map[string]string{
	"Gateway API":              `{"apiVersion":"gateway.k8s.aws/v1beta1","kind":"LoadBalancerConfiguration","metadata":{"name":"a"},"spec":{"listenerConfigurations":[{}]}}`,
	"CloudFormation":           `{"Resources":{"L":{"Type":"AWS::ElasticLoadBalancingV2::Listener","Properties":{"Port":443}}}}`,
	"Helm values":              `{"service":{"annotations":{}},"list":[1,2]}`,
	"Argo CD":                  `{"apiVersion":"argoproj.io/v1alpha1","kind":"Application","metadata":{"name":"a"},"spec":{"source":{"helm":{"parameters":[{"name":"x"}]}}}}`,
	"Flux":                     `{"apiVersion":"helm.toolkit.fluxcd.io/v2","kind":"HelmRelease","metadata":{"name":"a"},"spec":{"values":{"service":{}}}}`,
	"Istio":                    `{"apiVersion":"install.istio.io/v1alpha1","kind":"IstioOperator","spec":{"components":{"ingressGateways":[{"k8s":{}}]}}}`,
	"kops":                     `{"apiVersion":"kops.k8s.io/v1alpha2","kind":"Cluster","spec":{"api":{"loadBalancer":{"type":"Public"}}}}`,
	"Kustomize":                `{"apiVersion":"kustomize.config.k8s.io/v1beta1","kind":"Kustomization","patches":[{"target":{"kind":"Service"}}]}`,
	"a JSON patch":             `[{"op":"add","path":"/metadata/annotations"},{"op":"replace"}]`,
	"Terraform's code":         `{"resource":{"aws_lb_listener":{"https":{"port":443}}}}`,
	"ACK":                      `{"apiVersion":"elbv2.services.k8s.aws/v1alpha1","kind":"Listener","spec":{"port":443,"certificates":[{}]}}`,
	"Crossplane":               `{"apiVersion":"elbv2.aws.upbound.io/v1beta1","kind":"LBListener","spec":{"forProvider":{"port":443}}}`,
	"a Service of no version":  `{"kind":"Service","metadata":{"name":"a"},"spec":{"type":"LoadBalancer"}}`,
	"a Service of a wrong one": `{"apiVersion":"apps/v1","kind":"Service","metadata":{"name":"a"},"spec":{"type":"LoadBalancer"}}`,
	"a ConfigMap":              `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"},"data":{"values.yaml":"x"}}`,
	"Terraform's plan":         `{"format_version":"1.2","planned_values":{"root_module":{"resources":[{"address":"helm_release.a","mode":"managed","type":"helm_release","name":"a","values":{"set":[{"name":"x"}],"values":["y"]}}]}}}`,
}

// TestTheNet puts a certificate's ARN, or an annotation for one, in random places of documents that nothing reads: no plan of them
// passes, in whatever file they stand.
func TestTheNet(t *testing.T) {
	signs := []string{acmPrefix + "a", "arn:aws-cn:iam::111122223333:server-certificate/web", "arn:${AWS::Partition}:acm:${AWS::Region}:1:certificate/a",
		"service.beta.kubernetes.io/aws-load-balancer-ssl-cert", "service.beta.kubernetes.io/aws-load-balancer-ssl-ports", "alb.ingress.kubernetes.io/certificate-arn",
		"/metadata/annotations/alb.ingress.kubernetes.io~1certificate-arn", "a: |\n  alb.ingress.kubernetes.io/certificate-arn: x"}
	random := rand.New(rand.NewPCG(11, 1))
	for name, text := range wrappers {
		for range 12 {
			var doc any
			if err := json.Unmarshal([]byte(text), &doc); err != nil {
				t.Fatal(name, err)
			}
			sign := signs[random.IntN(len(signs))]
			root := doc
			if name == "Terraform's plan" { // elsewhere in a plan nothing is applied
				root = doc.(map[string]any)["planned_values"].(map[string]any)["root_module"].(map[string]any)["resources"].([]any)[0].(map[string]any)["values"]
			}
			plant(random, root, sign)
			wrapped, err := json.MarshalIndent(doc, "", "  ")
			if err != nil {
				t.Fatal(err)
			}
			input := string(wrapped)
			if random.IntN(2) == 0 && name != "Terraform's plan" {
				input = "apiVersion: v1\nkind: ConfigMap\n---\n" + input + "\n"
			}
			if status, stdout, stderr := planInput(t, netConfig, input); status != 3 || !strings.Contains(stdout, "standard input:") {
				t.Fatalf("%s: exit status %d, want 3\n%s\n%s%s", name, status, input, stdout, stderr)
			}
		}
	}
}

// plant puts a text at a random place of a document, as a key or a value.
func plant(random *rand.Rand, node any, text string) {
	switch v := node.(type) {
	case map[string]any:
		var deeper []any
		for _, key := range slices.Sorted(keysOf(v)) {
			switch v[key].(type) {
			case map[string]any:
				deeper = append(deeper, v[key])
			case []any:
				if len(v[key].([]any)) > 0 {
					deeper = append(deeper, v[key])
				}
			}
		}
		if len(deeper) > 0 && random.IntN(3) > 0 {
			plant(random, deeper[random.IntN(len(deeper))], text)
		} else if random.IntN(2) == 0 {
			v[fmt.Sprintf("k%d", random.IntN(9))] = text
		} else {
			v[text] = "x"
		}
	case []any:
		i := random.IntN(len(v))
		switch v[i].(type) {
		case map[string]any, []any:
			plant(random, v[i], text)
		default:
			v[i] = text
		}
	}
}

func keysOf(m map[string]any) func(func(string) bool) {
	return func(yield func(string) bool) {
		for key := range m {
			if !yield(key) {
				return
			}
		}
	}
}

// TestTheNetIsNoWall: what holds no certificate, or only mentions one, is passed over.
func TestTheNetIsNoWall(t *testing.T) {
	for name, text := range map[string]string{
		"a ConfigMap":           "apiVersion: v1\nkind: ConfigMap\ndata: {a: b}\n",
		"a comment":             "# " + acmPrefix + "a\napiVersion: v1\nkind: ConfigMap\n",
		"a resource definition": "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: a}\nspec: {description: alb.ingress.kubernetes.io/certificate-arn}\n",
		"Knative":               "apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata: {name: a}\n",
		"a Gateway of Istio":    "apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nspec: {gatewayClassName: istio, listeners: [{protocol: HTTPS, port: 443}]}\n",
		"a Gateway without TLS": "apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nspec: {gatewayClassName: alb, listeners: [{protocol: HTTP, port: 80}]}\n",
		"CloudFront":            `{"format_version":"1.2","planned_values":{"root_module":{"resources":[{"address":"aws_cloudfront_distribution.a","mode":"managed","type":"aws_cloudfront_distribution","name":"a","values":{"acm_certificate_arn":"` + acmPrefix + `a"}}]}}}`,
	} {
		if status, stdout, stderr := planInput(t, netConfig, text); status != 0 {
			t.Errorf("%s: exit status %d, want 0\n%s%s", name, status, stdout, stderr)
		}
	}
}

// TestThePlanOfOtherStates: what Terraform deletes, defers or makes by another tool is undecided where nobody knows what it attaches.
func TestThePlanOfOtherStates(t *testing.T) {
	plan := func(resources, changes, more string) string {
		return `{"format_version":"1.2","planned_values":{"root_module":{"resources":[` + resources + `]}},"resource_changes":[` + changes + `]` + more + `}`
	}
	release := `{"address":"helm_release.a","mode":"managed","type":"helm_release","name":"a","values":{"name":"a"}}`
	change := func(address, kind, actions, before, unknown string) string {
		return fmt.Sprintf(`{"address":%q,"mode":"managed","type":%q,"change":{"actions":%s,"before":%s,"after":null,"after_unknown":%s}}`, address, kind, actions, before, unknown)
	}
	for name, c := range map[string]struct {
		text string
		want int
	}{
		"a load balancer deleted":         {plan("", change("aws_lb.a", "aws_lb", `["delete"]`, `{"name":"shop","arn":"arn:aws:elasticloadbalancing:us-west-2:111122223333:loadbalancer/app/shop/1"}`, "{}"), ""), 3},
		"a chart removed":                 {plan("", change("helm_release.a", "helm_release", `["delete"]`, `{"values":["`+acmPrefix+`a"]}`, "{}"), ""), 3},
		"values not known yet":            {plan(release, change("helm_release.a", "helm_release", `["create"]`, "null", `{"values":[true]}`), ""), 3},
		"a chart without any":             {plan(release, change("helm_release.a", "helm_release", `["create"]`, "null", `{"status":true}`), ""), 0},
		"a listener deferred":             {plan("", "", `,"deferred_changes":[{"reason":"provider_config_unknown","resource_change":`+change("aws_lb_listener.a", "aws_lb_listener", `["create"]`, "null", "{}")+`}]`), 3},
		"two plans, the second undecided": {plan("", "", "") + "\n" + plan("", change("helm_release.a", "helm_release", `["delete"]`, `{"values":["`+acmPrefix+`a"]}`, "{}"), ""), 3},
	} {
		status, stdout, stderr := planInput(t, netConfig, c.text)
		if status != c.want {
			t.Errorf("%s: exit status %d, want %d\n%s%s", name, status, c.want, stdout, stderr)
		}
		if strings.HasPrefix(name, "two plans") && !strings.Contains(stdout, "standard input:2") {
			t.Errorf("the second plan's line is not named:\n%s", stdout)
		}
	}
}

// TestTheNetUnderAnnotations: an object that is read may hold a certificate where only another controller looks.
func TestTheNetUnderAnnotations(t *testing.T) {
	const config = "version: 1\nenvironments: {production: {endpoints: [{name: shop, url: https://shop.example.com}]}}\n"
	ingress := func(annotation string) string {
		return "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: shop, annotations: {" + annotation + "}}\nspec: {rules: [{host: www.example.com}]}\n"
	}
	service := func(kind, annotation string) string {
		return "apiVersion: v1\nkind: Service\nmetadata: {name: shop, annotations: {" + annotation + "}}\nspec: {type: " + kind + ", ports: [{port: 443}]}\n"
	}
	const sslCert = "service.beta.kubernetes.io/aws-load-balancer-ssl-cert"
	for name, c := range map[string]struct {
		text, says string
		want       int
	}{
		"another controller's":        {ingress("zalando.org/aws-load-balancer-ssl-cert: \"" + acmPrefix + "a\""), `"zalando.org/aws-load-balancer-ssl-cert"`, 3},
		"another prefix":              {ingress("alb.corp.example/certificate-arn: \"" + acmPrefix + "a\""), `"alb.corp.example/certificate-arn"`, 3},
		"a Service's on an Ingress":   {ingress(sslCert + ": \"" + acmPrefix + "a\""), sslCert, 3},
		"a misspelled one":            {service("LoadBalancer", sslCert+"s: \""+acmPrefix+"a\""), sslCert + "s", 3},
		"what kubectl applied before": {service("ClusterIP", "kubectl.kubernetes.io/last-applied-configuration: \""+sslCert+" "+acmPrefix+"a\""), "No load balancer's", 0},
		"a ClusterIP that had one":    {service("ClusterIP", sslCert+": \""+acmPrefix+"a\""), "No load balancer's", 0},
		"no certificate":              {ingress("example.com/team: shop"), "No load balancer's", 0},
		"another ARN":                 {ingress("example.com/role: \"arn:aws:iam::111122223333:role/certificate\""), "No load balancer's", 0},
	} {
		if status, stdout, stderr := planInput(t, config, c.text); status != c.want || !strings.Contains(stdout, c.says) {
			t.Errorf("%s: exit status %d, want %d and %q\n%s%s", name, status, c.want, c.says, stdout, stderr)
		}
	}
}

// TestPlanOfPorts: a port is the number that kubectl reads, or an error.
func TestPlanOfPorts(t *testing.T) {
	for port, want := range map[string]int{"443": 1, "0x1bb": 1, "0o673": 1, "4_43": 1, "https": 2, "99999": 2, "null": 2, "443.5": 2, "{{ .port }}": 2} {
		text := "apiVersion: v1\nkind: Service\nmetadata:\n  name: shop\n  namespace: store\n  annotations:\n    service.beta.kubernetes.io/aws-load-balancer-ssl-cert: " +
			acmPrefix + "wrong\nspec:\n  type: LoadBalancer\n  ports:\n    - port: " + port + "\n"
		if status, stdout, stderr := planInput(t, netConfig, text); status != want {
			t.Errorf("port %s: exit status %d, want %d\n%s%s", port, status, want, stdout, stderr)
		}
	}
}
