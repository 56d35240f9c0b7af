package cli

import (
	"path/filepath"
	"strings"
	"testing"

	"certdrift/internal/observation"
	"certdrift/internal/sim/account"
)

// TestPlanOfAListenerThatGoes runs the whole of it: manifests that name no certificate at all, and take one away.
func TestPlanOfAListenerThatGoes(t *testing.T) {
	const inside = "apiVersion: v1\nkind: Service\nmetadata: {name: api, namespace: production}\nspec:\n  ports: [{port: 443}]\n"
	ingress := func(annotations, spec string) string {
		return "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata:\n  name: api\n  namespace: production\n  annotations: {" + annotations +
			"}\nspec:\n  ingressClassName: alb\n" + spec
	}
	for name, c := range map[string]struct {
		tag, manifest string
		kind          observation.LoadBalancerKind
		status        int
		says          string
	}{
		"a Service without a load balancer": {"kubernetes.io/service-name", inside, observation.Classic, 1, "api.example.org would be left without a listener"},
		"beside an Ingress of its name":     {"ingress.k8s.aws/stack", inside, observation.Application, 0, "No load balancer's certificate is declared"},
		"an Ingress on port 80 alone": {"ingress.k8s.aws/stack", ingress(`alb.ingress.kubernetes.io/listen-ports: '[{"HTTP": 80}]'`, ""), observation.Application,
			1, "api.example.org would be left without a listener"},
		"an Ingress that says nothing of ports": {"ingress.k8s.aws/stack", ingress("team: web", ""), observation.Application, 3, "IngressClassParams"},
		"an Ingress whose certificate is discovered": {"ingress.k8s.aws/stack",
			ingress(`alb.ingress.kubernetes.io/listen-ports: '[{"HTTP": 80}, {"HTTPS": 443}]'`, "  rules: [{host: api.example.org}]\n"), observation.Application, 3, "not known yet"},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDeploy(t)
			d.manifest = "first"
			d.plan(t) // writes the configuration
			d.account.RemoveLoadBalancer("a1b2c3")
			d.account.AddLoadBalancer(account.LoadBalancer{
				Kind: c.kind, Name: "a1b2c3", Tags: map[string]string{c.tag: "production/api"},
				Listeners: []account.Listener{{Port: 443, Protocol: "HTTPS", Certificates: []string{acmPrefix + "first"}}},
			})
			write(t, filepath.Join(".", "api.yaml"), c.manifest)
			status, stdout, stderr := run(t, d.plans, nil, "plan", "-f", "api.yaml")
			if status != c.status || !strings.Contains(stdout, c.says) {
				t.Errorf("exit status %d, want %d and %q\n%s%s", status, c.status, c.says, stdout, stderr)
			}
			if c.status == 1 && !strings.Contains(stdout, "→ no listener") {
				t.Errorf("the removal is not shown:\n%s", stdout)
			}
		})
	}
}
