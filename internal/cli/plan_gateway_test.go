package cli

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// changeGateway has the AWS Load Balancer Controller apply a Gateway that makes the account's ALB, with its class and their
// LoadBalancerConfigurations: each listener holds what they say and nothing else, and listeners that the Gateway has not go.
func (w *estates) changeGateway(t *rapid.T, now estate) (estate, []string) {
	then := now.clone()
	certificates := rapid.SliceOfN(rapid.SampledFrom(w.arns), 1, 3) // the default may be among the others
	own, byClass := map[int][]string{}, map[int][]string{}
	listeners, ports := []string{"{name: http, protocol: HTTP, port: 80}"}, map[int]held{80: {arn: listenerOf("alb", 2), protocol: "HTTP"}}
	before := now["alb"][443]
	listsDefault := slices.Contains(before.list, before.byDefault) // the controller since v3.4.1
	prefersGateway := rapid.Bool().Draw(t, "prefers the Gateway")
	for i, port := range []int{443, 8443} {
		protocol := rapid.SampledFrom([]string{"", "HTTP", "HTTPS", "HTTPS", "HTTPS"}).Draw(t, "protocol")
		if protocol == "" {
			continue
		}
		listeners = append(listeners, fmt.Sprintf("{name: l%d, protocol: %s, port: %d}", port, protocol, port))
		h := held{arn: listenerOf("alb", 3*i+1), protocol: protocol}
		if protocol == "HTTPS" {
			if rapid.Bool().Draw(t, "its own") {
				own[port] = certificates.Draw(t, "own")
			}
			if own[port] == nil || rapid.Bool().Draw(t, "the class's") {
				byClass[port] = certificates.Draw(t, "class")
			}
			holds := byClass[port]
			if holds == nil || prefersGateway && own[port] != nil {
				holds = own[port]
			}
			h.byDefault, h.list = holds[0], slices.Clone(holds[1:])
			if listsDefault {
				h.list = append(h.list, holds[0])
			}
			h.list = slices.Compact(slices.Sorted(slices.Values(h.list)))
		}
		ports[port] = h
	}
	then["alb"] = ports
	mode := ""
	if prefersGateway {
		mode = "mergingMode: prefer-gateway, "
	}
	return then, []string{strings.Join([]string{
		gatewayConfig("class", mode, byClass), gatewayConfig("own", "loadBalancerName: alb, ", own),
		"apiVersion: gateway.networking.k8s.io/v1\nkind: GatewayClass\nmetadata: {name: alb}\nspec: {controllerName: gateway.k8s.aws/alb, " +
			"parametersRef: {group: gateway.k8s.aws, kind: LoadBalancerConfiguration, name: class, namespace: store}}",
		"apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata: {name: shop, namespace: store}\nspec: {gatewayClassName: alb, " +
			"infrastructure: {parametersRef: {group: gateway.k8s.aws, kind: LoadBalancerConfiguration, name: own}}, listeners: [" + strings.Join(listeners, ", ") + "]}",
	}, "\n---\n")}
}

func gatewayConfig(name, more string, ports map[int][]string) string {
	var entries []string
	for port, arns := range ports {
		more := ""
		if len(arns) > 1 {
			more = `, certificates: ["` + strings.Join(arns[1:], `", "`) + `"]`
		}
		entries = append(entries, fmt.Sprintf(`{protocolPort: "HTTPS:%d", defaultCertificate: %q%s}`, port, arns[0], more))
	}
	return "apiVersion: gateway.k8s.aws/v1beta1\nkind: LoadBalancerConfiguration\nmetadata: {name: " + name + ", namespace: store}\nspec: {" + more + "listenerConfigurations: [" + strings.Join(entries, ", ") + "]}"
}

// TestPlanOfGateways: the exit status for the manifests that teams write (testdata/gateway), and what it says.
func TestPlanOfGateways(t *testing.T) {
	all, err := filepath.Glob("testdata/gateway/*.yaml")
	if err != nil || len(all) == 0 {
		t.Fatal(err)
	}
	cases := map[string]struct {
		status int
		says   string
	}{
		"right.yaml":           {0, "as declared"},
		"stale.yaml":           {1, "stale.yaml:14"},
		"discovered.yaml":      {3, "what the controller would pick from ACM"},
		"class-elsewhere.yaml": {3, "which is not in the input"},
		"class-wins.yaml":      {1, "class-wins.yaml:24"},
		"port-gone.yaml":       {3, "Gateway store/shop currently has a load balancer with port 443, which applying would remove"},
		"istio.yaml":           {0, "No load balancer's certificate"},
		"nlb.yaml":             {0, "as declared"},
		"dry-run.yaml":         {0, "as declared"},
		"dry-run-stale.yaml":   {3, "the controller's own plan"},
		"ingress-plan.yaml":    {3, "the controller's own plan"},
	}
	for _, path := range all {
		c, ok := cases[filepath.Base(path)]
		status, stdout, stderr := run(t, nil, nil, "plan", "-c", "testdata/gateway/cfg/certdrift.yaml", "-f", path, "--offline")
		if !ok || status != c.status || !strings.Contains(stdout+stderr, c.says) {
			t.Errorf("%s: exit status %d, want %d and %q\n%s%s", path, status, c.status, c.says, stdout, stderr)
		}
	}
	for name := range cases {
		if !slices.ContainsFunc(all, func(path string) bool { return filepath.Base(path) == name }) {
			t.Errorf("%s is missing", name)
		}
	}
}
