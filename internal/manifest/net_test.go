package manifest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestKustomizations: what a kustomization makes of other files, only kustomize knows. One that lists the files beside it changes nothing
// about certificates; named alone, it has nothing beside it.
func TestKustomizations(t *testing.T) {
	const typed = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n"
	for text, undecided := range map[string]bool{
		"resources: [shop.yaml]\n": false,
		typed + "resources: [shop.yaml, sub/api.yml]\nimages: [{name: shop, newTag: \"2\"}]\nreplicas: [{name: shop, count: 3}]\n": false,
		typed + "resources: [../base]\n":                                                     true,
		typed + "resources: [\"https://example.com/shop.yaml\"]\n":                           true,
		typed + "resources: [\"github.com/example/shop//base?ref=v1\"]\n":                    true,
		typed + "resources: [/srv/shop.yaml]\n":                                              true,
		"resources: [shop.yaml]\nnamespace: store\n":                                         true,
		typed + "resources: [shop.yaml]\npatches: [{path: patch.yaml}]\n":                    true,
		typed + "helmCharts: [{name: shop}]\n":                                               true,
		typed + "bases: [../base]\n":                                                         true,
		"resources: [shop.yaml]\ncommonAnnotations: {example.com/team: shop}\n":              true,
		"apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\npatches: [{}]\n":     true,
		"apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nspec: {path: x}\n": false, // Flux's says where, not what
	} {
		dir := folder(t, "shop.yaml")
		if err := os.WriteFile(filepath.Join(dir, "kustomization.yaml"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		read := Load([]string{dir}, Options{})
		if got := len(read.PassedOver) == 1 && strings.Contains(read.PassedOver[0].Why, "kustomize build"); got != undecided || len(read.Declared) != 1 || len(read.Diagnostics) > 0 {
			t.Errorf("%q: undecided %v, want %v: %+v", text, got, undecided, read)
		}
		if flux := strings.Contains(text, "fluxcd"); !flux {
			if alone := Load([]string{filepath.Join(dir, "kustomization.yaml")}, Options{}); len(alone.PassedOver) != 1 || len(alone.Diagnostics) > 0 {
				t.Errorf("%q alone: %+v", text, alone)
			}
		}
	}
}

// TestOperatedListeners: an operator's listener may refer to a certificate by the name of another object, so that no ARN shows.
func TestOperatedListeners(t *testing.T) {
	for of, undecided := range map[[2]string]bool{
		{"elbv2.services.k8s.aws/v1alpha1", "Listener"}:           true,
		{"elbv2.aws.crossplane.io/v1alpha1", "Listener"}:          true,
		{"elbv2.aws.upbound.io/v1beta2", "LBListener"}:            true,
		{"elbv2.aws.m.upbound.io/v1beta1", "LBListener"}:          true,
		{"elbv2.services.k8s.aws/v1alpha1", "TargetGroup"}:        false,
		{"triggers.tekton.dev/v1beta1", "EventListener"}:          false,
		{"elbv2.k8s.aws/v1beta1", "TargetGroupBinding"}:           false,
		{"networking.example.com/v1", "Listener"}:                 false,
		{"elbv2.aws.upbound.io/v1beta1", "LBListenerCertificate"}: true,
	} {
		read := loaded("apiVersion: " + of[0] + "\nkind: " + of[1] + "\nmetadata: {name: a}\nspec: {port: 443, protocol: HTTPS}\n")
		if got := len(read.PassedOver) == 1; got != undecided || len(read.Diagnostics) > 0 {
			t.Errorf("%v: undecided %v, want %v: %+v", of, got, undecided, read)
		}
	}
	for _, reference := range []string{"certificateARNRef: {name: a}", "certificateArnSelector: {matchLabels: {a: b}}", "certificateArnRef: {name: a}"} {
		read := loaded("apiVersion: example.com/v1\nkind: Any\nmetadata: {name: a}\nspec: {" + reference + "}\n")
		if len(read.PassedOver) != 1 {
			t.Errorf("%s: %+v", reference, read)
		}
	}
}

// TestRemediesOfWhatIsNotRead: what helps depends on what is missing. A document that a tool renders is rendered; nothing renders an
// annotation that nobody knows, nor an object whose counterpart is missing.
func TestRemediesOfWhatIsNotRead(t *testing.T) {
	arn := certificate + "1"
	for name, c := range map[string]struct{ text, remedy string }{
		"values":        {"acm: " + arn + "\n", renderRemedy},
		"an annotation": {"apiVersion: v1\nkind: Service\nmetadata: {name: a, annotations: {" + sslCert + "s: \"" + arn + "\"}}\nspec: {type: LoadBalancer, ports: [{port: 443}]}\n", annotationRemedy},
		"parameters":    {paramsOf("elbv2.k8s.aws/v1beta1", "public", "certificateArn: [\""+arn+"\"]"), objectsRemedy},
		"a plan":        {`{"format_version":"1.2","planned_values":{"root_module":{"resources":[{"address":"helm_release.a","mode":"managed","type":"helm_release","name":"a","values":{"values":["` + arn + `"]}}]}}}`, resourceRemedy},
		"a template":    {`{"Resources":{"A":{"Type":"Custom::A","Properties":{"Certificate":"` + arn + `"}}}}`, changeSetRemedy},
	} {
		if read := loaded(c.text); len(read.PassedOver) != 1 || read.PassedOver[0].Remedy != c.remedy {
			t.Errorf("%s: %+v, want the remedy %q", name, read.PassedOver, c.remedy)
		}
	}
}
