package manifest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// says is what reading says: errors and what was passed over, a line each.
func says(read Loaded) string {
	var lines []string
	for _, d := range read.Diagnostics {
		lines = append(lines, d.Message)
	}
	for _, p := range read.PassedOver {
		lines = append(lines, p.Object+": "+p.Why)
	}
	return strings.Join(lines, "\n")
}

// TestShapes: the cluster refuses a whole object for one value of a wrong kind, so that what was applied before stays. Nothing of such
// an object counts as read.
func TestShapes(t *testing.T) {
	service := func(annotation, spec string) string {
		return "apiVersion: v1\nkind: Service\nmetadata:\n  name: shop\n  annotations:\n    " + sslCert + ": " + certificate + "1\n    " + annotation + "\nspec: {" + spec + "}"
	}
	const port = "type: LoadBalancer, ports: [{port: 443}]"
	const own = certificateARN + ": " + certificate + "1"
	lbc := func(spec string) string { return paramsOf("elbv2.k8s.aws/v1beta1", "public", spec) }
	config := func(entry string) string { return configOf("own", "listenerConfigurations: ["+entry+"]") }
	for name, c := range map[string]struct{ text, says string }{
		"text":                                {service("a: b", port), ""},
		"text in quotes":                      {service("a: \"yes\"", port), ""},
		"nothing":                             {service("a:", port), ""},
		"a date":                              {service("a: 2026-11-30", port), ""},
		"a number with a tag":                 {service("a: !!str 443", port), ""},
		"a template that is not about this":   {service("a: \"{{ b }}\"", port), ""},
		"an annotation that is true":          {service(servicePrefix+"internal: true", port), `internal" must be text, not true or false`},
		"an annotation that is yes":           {service(servicePrefix+"internal: yes", port), `must be text, not true or false`},
		"an annotation that is a number":      {service(sslPorts+": 443", port), `must be text, not a number`},
		"someone else's annotation":           {service("prometheus.io/scrape: true", port), `must be text, not true or false`},
		"an annotation behind an alias":       {service("a: &n 1", port) + "\nx: *n", `must be text, not a number`},
		"annotations that are a list":         {"apiVersion: v1\nkind: Service\nmetadata: {name: a, annotations: [b]}\nspec: {" + port + "}", `"annotations" must be a mapping, not a list`},
		"a label that is a number":            {"apiVersion: v1\nkind: Service\nmetadata: {name: a, labels: {version: 1.0}}\nspec: {" + port + "}", `"version" must be text, not a number`},
		"a type that is a number":             {service("a: b", "type: 1, ports: [{port: 443}]"), `"spec.type" must be text`},
		"ports that are none":                 {service("a: b", "type: LoadBalancer, ports: {port: 443}"), `"spec.ports" must be a list, not a mapping`},
		"an Ingress's annotation":             {ingressOf("ingressClassName: alb", own, sslRedirect+": 443"), `must be text, not a number`},
		"the default class":                   {"apiVersion: networking.k8s.io/v1\nkind: IngressClass\nmetadata: {name: a, annotations: {ingressclass.kubernetes.io/is-default-class: true}}\nspec: {controller: ingress.k8s.aws/alb}", `must be text, not true or false`},
		"parameters: a text for a list":       {lbc("certificateArn: " + certificate + "1"), `"spec.certificateArn" must be a list, not text`},
		"parameters: a name for a group":      {lbc("group: web"), `"spec.group" must be a mapping, not text`},
		"parameters: a number for a redirect": {lbc("sslRedirectPort: 443"), `"spec.sslRedirectPort" must be text, not a number`},
		"parameters: nothing":                 {lbc("certificateArn: null"), ""},
		"a configuration: a text for a list":  {config("{protocolPort: \"HTTPS:443\", certificates: \"" + certificate + "1\"}"), `"certificates" must be a list, not text`},
		"a configuration: a mapping for one":  {configOf("own", "listenerConfigurations: {protocolPort: \"HTTPS:443\"}"), `"spec.listenerConfigurations" must be a list`},
		"a configuration: no such protocol":   {config("{protocolPort: 443}"), `protocolPort is not valid: "443"`},
		"another group's kind":                {"apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata: {name: a}\nspec: {type: 1, ports: {}}", ""},
		"another kind":                        {"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, labels: {b: 1}}", ""},
		"items that are no list":              {"apiVersion: v1\nkind: List\nitems: {a: b}", "items must be a list, not a mapping"},
		"items that are text":                 {"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\nitems: b", "items must be a list, not text"},
		"no items":                            {"apiVersion: v1\nkind: List\nitems:", ""},
	} {
		if got := says(loaded(c.text)); !strings.Contains(got, c.says) || c.says == "" && got != "" {
			t.Errorf("%s: says %q, want %q", name, got, c.says)
		}
	}
}

// TestCertificatesOutOfPlace: a certificate in a field that the controller does not have is for something that nobody reads, even in an
// object that is read.
func TestCertificatesOutOfPlace(t *testing.T) {
	const class = "ingressClassName: public"
	const own = certificateARN + ": " + certificate + "2"
	ofParams := classOf("public", "ingress.k8s.aws/alb", ", parameters: {apiGroup: elbv2.k8s.aws, kind: IngressClassParams, name: public}")
	for name, text := range map[string]string{
		"a field in the plural":           paramsOf("elbv2.k8s.aws/v1beta1", "public", "certificateArns: ["+quoted("1")+"]"),
		"the field of Auto Mode":          paramsOf("elbv2.k8s.aws/v1beta1", "public", "certificateARNs: ["+quoted("1")+"]"),
		"beside the right one":            paramsOf("elbv2.k8s.aws/v1beta1", "public", "certificateArn: ["+quoted("2")+"], certificates: ["+quoted("1")+"]"),
		"not in the spec":                 "apiVersion: elbv2.k8s.aws/v1beta1\nkind: IngressClassParams\nmetadata: {name: public}\ncertificateArn: [" + quoted("1") + "]",
		"the class's annotation":          strings.Replace(ofParams, "name: public}", "name: public, annotations: {"+certificateARN+": "+quoted("1")+"}}", 1),
		"Auto Mode with the other's name": paramsOf("eks.amazonaws.com/v1", "public", "certificateArn: ["+quoted("1")+"]"),
	} {
		documents := []string{ofParams, text, ingressOf(class, own)}
		if strings.Contains(text, "kind: IngressClass\n") {
			documents = []string{text, paramsOf("elbv2.k8s.aws/v1beta1", "public", ""), ingressOf(class, own)}
		}
		if read := loaded(documents...); !strings.Contains(says(read), "reads none: certificates belong in") {
			t.Errorf("%s: says %q", name, says(read))
		}
	}
	if got := says(loaded(ofParams, paramsOf("elbv2.k8s.aws/v1beta1", "public", "certificateArn: ["+quoted("1")+"]"), ingressOf(class, own))); got != "" {
		t.Errorf("in its place: says %q", got)
	}
}

// TestGroupsThatDisagree: the controller refuses a group of Ingresses that contradict each other, and changes nothing.
func TestGroupsThatDisagree(t *testing.T) {
	const group, own = groupName + ": web", certificateARN + ": " + certificate + "1"
	ports := func(text string) string { return listenPorts + ": '" + text + "'" }
	one := func(annotations ...string) string { return ingressOf("ingressClassName: alb", annotations...) }
	other := func(annotations ...string) string {
		return strings.Replace(one(annotations...), "name: shop", "name: api", 1)
	}
	for name, c := range map[string]struct{ a, b, says string }{
		"one port, two protocols":       {one(group, own), other(group, ports(`[{"HTTP": 443}]`)), `the protocol of port 443 is "HTTP" here, and "HTTPS" in Ingress store/shop`},
		"in the other order":            {one(group, ports(`[{"HTTP": 443}]`)), other(group, own), `the protocol of port 443 is "HTTPS" here, and "HTTP" in Ingress store/shop`},
		"the default port is HTTP":      {one(group, ports(`[{"HTTPS": 80}]`), own), other(group), `the protocol of port 80`},
		"two policies":                  {one(group, own, ingressPolicy+": A"), other(group, own, ingressPolicy+": B"), `the ssl-policy of port 443 is "B" here, and "A" in Ingress store/shop`},
		"two names":                     {one(group, own, ingressLBName+": a"), other(group, own, ingressLBName+": b"), `load-balancer-name is "b" here`},
		"one policy":                    {one(group, own, ingressPolicy+": A"), other(group, own), ""},
		"different ports":               {one(group, own), other(group, ports(`[{"HTTP": 80}]`)), ""},
		"two groups":                    {one(group, own), other(groupName+": api", ports(`[{"HTTP": 443}]`)), ""},
		"no group":                      {one(own), other(ports(`[{"HTTP": 443}]`)), ""},
		"a port of one, given twice":    {one(group, own, ports(`[{"HTTP": 443}, {"HTTPS": 443}]`)), other(group, own), ""},
		"the same with its first entry": {one(group, own, ports(`[{"HTTPS": 443}, {"HTTP": 443}]`)), other(group, own), `the protocol of port 443`},
	} {
		if got := says(loaded(c.a, c.b)); !strings.Contains(got, c.says) || c.says == "" && got != "" {
			t.Errorf("%s: says %q, want %q", name, got, c.says)
		}
	}
}

// TestEncodedCertificates: what a generator put into a Secret or a ConfigMap reaches a chart all the same, and so does a name as Helm's
// parameters write it, or a command.
func TestEncodedCertificates(t *testing.T) {
	const annotation = "aW5ncmVzczoKICBhbm5vdGF0aW9uczoKICAgIGFsYi5pbmdyZXNzLmt1YmVybmV0ZXMuaW8vY2VydGlmaWNhdGUtYXJuOiB4Cg==" // ingress: annotations: …/certificate-arn
	for text, undecided := range map[string]bool{
		"apiVersion: v1\nkind: Secret\nmetadata: {name: a}\ndata:\n  values.yaml: " + annotation + "\n":                                                           true,
		"apiVersion: v1\nkind: Secret\nmetadata: {name: a}\ndata:\n  values.yaml: |\n    " + annotation[:40] + "\n    " + annotation[40:] + "\n":                  true,
		"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\nbinaryData:\n  values.yaml: " + annotation + "\n":                                                  true,
		"apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Secret, metadata: {name: a}, data: {values.yaml: " + annotation + "}}\n":                    true,
		"apiVersion: v1\nkind: Secret\nmetadata: {name: a}\ndata:\n  password: c2VjcmV0\n":                                                                        false,
		"apiVersion: v1\nkind: Secret\nmetadata: {name: a}\ndata:\n  password: no base 64\n":                                                                      false,
		"apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: a}\nspec: {p: [{name: 'a.alb\\.ingress\\.kubernetes\\.io/certificate-arn'}]}":      true,
		"apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: a}\nspec: {p: [{name: \"a.alb\\\\.ingress\\\\.kubernetes\\\\.io/listen-ports\"}]}": true,
		"apiVersion: batch/v1\nkind: Job\nmetadata: {name: a}\nspec: {command: [aws, elbv2, modify-listener, --certificates, CertificateArn=$C]}":                 true,
		"apiVersion: batch/v1\nkind: Job\nmetadata: {name: a}\nspec: {command: [aws, elb, set-load-balancer-listener-ssl-certificate]}":                           true,
		"apiVersion: batch/v1\nkind: Job\nmetadata: {name: a}\nspec: {command: [aws, elbv2, describe-listeners]}":                                                 false,
	} {
		if read := loaded(text); len(read.PassedOver) > 0 != undecided || len(read.Diagnostics) > 0 {
			t.Errorf("%s\nundecided %v, want %v: %q", text, len(read.PassedOver) > 0, undecided, says(read))
		}
	}
}

// TestObjectsThatGo: what the cluster is deleting is decided by the cluster.
func TestObjectsThatGo(t *testing.T) {
	going := func(text string) string {
		return strings.Replace(text, "name: shop", "name: shop\n  uid: 1\n  deletionTimestamp: \"2026-11-30T00:00:00Z\"", 1)
	}
	service := "apiVersion: v1\nkind: Service\nmetadata:\n  name: shop\n  annotations: {" + sslCert + ": " + certificate + "1}\nspec: {type: LoadBalancer, ports: [{port: 443}]}"
	for _, text := range []string{service, ingressOf("ingressClassName: alb", certificateARN+": "+certificate+"1")} {
		if got := tls(loaded(text)); got != "443=1" {
			t.Errorf("%q of\n%s", got, text)
		}
		if got := tls(loaded(going(text))); got != "443=1?" {
			t.Errorf("%q, want 443=1? of\n%s", got, going(text))
		}
	}
}

// TestLinkedDirectories: kubectl follows no symbolic link to a directory, others may, and so its files are neither read nor forgotten.
// Those that lead below the directory itself, as in mounted ConfigMaps, bring nothing new.
func TestLinkedDirectories(t *testing.T) {
	for name, c := range map[string]struct {
		link, to  string
		undecided bool
	}{
		"elsewhere": {"more", "../elsewhere", true}, "below": {"more", "sub", false}, "itself": {"more", ".", false}, "hidden": {"..data", "../elsewhere", false},
		"nowhere": {"more", "nowhere", false}, "with an ending": {"more.yaml", "../elsewhere", true}, "beside, of the same beginning": {"more", "../manifests2", true},
	} {
		dir := t.TempDir()
		for _, below := range []string{"manifests/sub", "manifests2", "elsewhere"} {
			if err := os.MkdirAll(filepath.Join(dir, below), 0o700); err != nil {
				t.Fatal(err)
			}
		}
		root := filepath.Join(dir, "manifests")
		if err := os.WriteFile(filepath.Join(root, "a.yaml"), []byte("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(c.to, filepath.Join(root, c.link)); err != nil {
			t.Fatal(err)
		}
		read := Load([]string{root}, Options{})
		if len(read.PassedOver) > 0 != c.undecided || len(read.Diagnostics) > 0 {
			t.Errorf("%s: undecided %v, want %v: %q", name, len(read.PassedOver) > 0, c.undecided, says(read))
		}
	}
}

// TestKustomizationWithoutAnEnding: kustomize reads a third name.
func TestKustomizationWithoutAnEnding(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "Kustomization"), []byte("resources: [a.yaml]\npatches: [{path: b.yaml}]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if read := Load([]string{dir}, Options{}); !strings.Contains(says(read), "kustomize build") {
		t.Errorf("says %q", says(read))
	}
}
