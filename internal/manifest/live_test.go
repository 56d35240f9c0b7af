package manifest

import (
	"strings"
	"testing"
)

// ofCluster is a document as `kubectl get -o yaml` prints it: with a uid, and with what only a cluster knows.
func ofCluster(document string) string {
	fields := []string{"uid: 6f5c7a5e-5f0e-4d6c-9d5e-2b7f6a1c0d11", `resourceVersion: "7"`, `managedFields: [{manager: kubectl, fieldsV1: {"f:spec": {}}}]`}
	if strings.Contains(document, "metadata: {") {
		document = strings.Replace(document, "metadata: {", "metadata: {"+strings.Join(fields, ", ")+", ", 1)
	} else {
		document = strings.Replace(document, "metadata:\n", "metadata:\n  "+strings.Join(fields, "\n  ")+"\n", 1)
	}
	return document + "\nstatus: {conditions: []}\n"
}

// TestRenderedObjectsPrecedeTheClusters: an object that is rendered and in the cluster as well will be as rendered, in whatever order the
// two come. What only the cluster has is read like anything else.
func TestRenderedObjectsPrecedeTheClusters(t *testing.T) {
	const byParams = ", parameters: {apiGroup: elbv2.k8s.aws, kind: IngressClassParams, name: public}"
	names := func(id string) string { return ingressOf("ingressClassName: public", certificateARN+": "+quoted(id)) }
	params := func(id string) string {
		return paramsOf("elbv2.k8s.aws/v1beta1", "public", "certificateArn: ["+quoted(id)+"]")
	}
	service := func(id string) string {
		return "apiVersion: v1\nkind: Service\nmetadata: {name: shop, namespace: store, annotations: {" + sslCert + ": " + quoted(id) + "}}\nspec: {type: LoadBalancer, ports: [{port: 443}]}"
	}
	class, plain := classOf("public", "ingress.k8s.aws/alb", byParams), classOf("public", "ingress.k8s.aws/alb", "")
	gateways, config := gatewayClassOf("public", albController, ""), func(id string) string { return configOf("own", configsOf(listenerConfigOf("HTTPS:443", id))) }
	for name, c := range map[string]struct {
		rendered, cluster []string
		want              string
	}{
		"a Service":                         {[]string{service("1")}, []string{service("2")}, "443=1"},
		"an Ingress":                        {[]string{names("1")}, []string{names("2"), plain}, "443=1"},
		"an Ingress that loses its port":    {[]string{ingressOf("ingressClassName: public", listenPorts+`: '[{"HTTP":80}]'`)}, []string{names("2"), plain}, ""},
		"parameters":                        {[]string{names("3"), params("1")}, []string{class, params("2")}, "443=1"},
		"parameters of the cluster alone":   {[]string{names("3")}, []string{class, params("2")}, "443=2"},
		"a class":                           {[]string{names("3"), plain}, []string{class, params("2")}, "443=3"},
		"a Gateway and its configuration":   {[]string{gatewayOf(ofOwn, httpsListener), config("1")}, []string{gatewayOf("", httpsListener), gateways, config("2")}, "443=1"},
		"a Gateway of a cluster's own":      {[]string{gatewayOf(ofOwn, httpsListener)}, []string{gateways, config("2")}, "443=2"},
		"nothing is rendered":               {nil, []string{gatewayOf(ofOwn, httpsListener), gateways, config("2"), service("1")}, "443=2 443=1"},
		"an object of another namespace":    {[]string{service("1")}, []string{strings.Replace(service("2"), "namespace: store", "namespace: dev", 1)}, "443=1 443=2"},
		"two of the cluster that disagree":  {[]string{names("3")}, []string{class, params("1"), params("2")}, "443=3?"},
		"two rendered ones that disagree":   {[]string{names("3"), class, params("1"), params("2")}, nil, "443=3?"},
		"Auto Mode's parameters are others": {[]string{names("3"), class, params("1")}, []string{paramsOf("eks.amazonaws.com/v1", "public", "certificateARNs: ["+quoted("2")+"]")}, "443=1"},
	} {
		var cluster []string
		for _, document := range c.cluster {
			cluster = append(cluster, ofCluster(document))
		}
		for order, documents := range map[string][]string{"behind": append(append([]string{}, c.rendered...), cluster...), "before": append(append([]string{}, cluster...), c.rendered...)} {
			read := loaded(documents...)
			if got := strings.Split(tls(read), " "); !sameWords(got, strings.Split(c.want, " ")) || len(read.Diagnostics) > 0 {
				t.Errorf("%s, the cluster's %s: %q, want %q %+v", name, order, got, c.want, read.Diagnostics)
			}
		}
	}
}

// sameWords compares in any order.
func sameWords(a, b []string) bool {
	count := map[string]int{}
	for _, w := range a {
		count[w]++
	}
	for _, w := range b {
		count[w]--
	}
	for _, n := range count {
		if n != 0 {
			return false
		}
	}
	return true
}
