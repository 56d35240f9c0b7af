package manifest

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// TestServicesAsTheirMakersDo compares the TLS ports of generated Services with two models, written from the documentation of the
// AWS Load Balancer Controller and of the cloud provider. Where both may make the load balancer, what they agree on is certain.
func TestServicesAsTheirMakersDo(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ports := map[string]int{} // the name of each
		for i, name := range []string{"https", "admin", "mqtt"}[:rapid.IntRange(1, 3).Draw(t, "ports")] {
			ports[name] = []int{443, 8443, 8883}[i]
		}
		entry := rapid.SampledFrom([]string{"443", "8443", "https", "admin", "mqtt", " 443", " admin", "8443 ", "", " ", "*", " *", "0443", "80", "http", "HTTPS"})
		entries := rapid.SliceOfN(entry, 0, 3).Draw(t, "entries")
		text := strings.Join(entries, ",")
		by := rapid.SampledFrom([]struct{ annotation, class string }{
			{"", ""}, {"nlb", ""}, {"clb", ""}, {"external", ""}, {"nlb-ip", ""}, {"", "service.k8s.aws/nlb"}, {"nlb", "eks.amazonaws.com/nlb"},
		}).Draw(t, "maker")
		controllerOnly := by.annotation == "external" || by.annotation == "nlb-ip" || by.class != ""

		provider := map[int]bool{}
		for name, number := range ports {
			provider[number] = text == "" || text == "*"
			for _, e := range entries {
				provider[number] = provider[number] || e == name || e == fmt.Sprint(number) || e == "0"+fmt.Sprint(number)
			}
		}
		controller, refused, all := map[int]bool{}, false, true
		for _, e := range entries {
			if e = strings.TrimSpace(e); e == "" {
				continue
			}
			all = false
			found := false
			for name, number := range ports {
				if e == name || e == fmt.Sprint(number) {
					controller[number], found = true, true
				}
			}
			refused = refused || !found
		}
		for _, number := range ports {
			controller[number] = controller[number] || all
		}

		manifest := "apiVersion: v1\nkind: Service\nmetadata:\n  name: shop\n  annotations:\n    " + sslCert + ": \"" + certificate + "1\"\n    " + sslPorts + ": " + asJSON(text) + "\n"
		if by.annotation != "" {
			manifest += "    " + serviceLBType + ": " + by.annotation + "\n"
		}
		manifest += "spec:\n  type: LoadBalancer\n"
		if by.class != "" {
			manifest += "  loadBalancerClass: " + by.class + "\n"
		}
		manifest += "  ports:\n"
		for _, name := range slices.Sorted(maps.Keys(ports)) {
			manifest += fmt.Sprintf("    - {name: %s, port: %d}\n", name, ports[name])
		}
		read := loaded(manifest)
		got := map[int]string{}
		for _, d := range read.Declared {
			switch {
			case d.RemovesListeners:
			case d.UndecidedBecause != "":
				got[d.Port] = "?"
			case len(d.ARNs) > 0:
				got[d.Port] = "TLS"
			default:
				got[d.Port] = "plain"
			}
		}
		want := map[int]string{}
		for _, number := range ports {
			switch tls := provider[number]; {
			case controllerOnly && refused: // nothing changes
			case controllerOnly && controller[number], !controllerOnly && tls && (refused || controller[number]):
				want[number] = "TLS"
			case controllerOnly || refused || tls == controller[number]:
				want[number] = "plain"
			default:
				want[number] = "?"
			}
		}
		if !maps.Equal(got, want) {
			t.Errorf("%v, want %v: %+v\n%s", got, want, read.Diagnostics, manifest)
		}
		if controllerOnly && refused != (len(read.Diagnostics) > 0) {
			t.Errorf("reported %v, want %v\n%s", read.Diagnostics, refused, manifest)
		}
	})
}

func asJSON(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	return string(text)
}

// TestIngressesAsTheControllerDoes compares the HTTPS ports of generated Ingresses, and their certificates, with a model written
// from the controller's documentation: the class goes before the annotation, both before a certificate that is made, that before
// discovery; listen-ports goes before the defaults.
func TestIngressesAsTheControllerDoes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ids := rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"1", "2", "3"}), 0, 2, rapid.ID[string])
		ofClass, own := ids.Draw(t, "class's"), ids.Draw(t, "own")
		create := rapid.Bool().Draw(t, "create")
		listed := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) map[string]int {
			return map[string]int{rapid.SampledFrom([]string{"HTTP", "HTTPS", "HTTPS", "https"}).Draw(t, "protocol"): rapid.SampledFrom([]int{80, 443, 443, 8443, 0}).Draw(t, "port")}
		}), 0, 3).Draw(t, "listen-ports")
		given := rapid.Bool().Draw(t, "ports are given")

		refused := given && len(listed) == 0
		secure := map[int]bool{}
		for _, entry := range listed {
			for protocol, port := range entry {
				refused = refused || given && (port == 0 || protocol == "https")
				secure[port] = protocol == "HTTPS"
			}
		}
		held := "discovered"
		switch {
		case len(ofClass) > 0:
			held = strings.Join(ofClass, "+")
		case len(own) > 0:
			held = strings.Join(own, "+")
		case create:
			held = "discovered?"
		}
		if !given {
			secure = map[int]bool{443: held != "discovered"}
		}
		var want []string
		for _, port := range slices.Sorted(maps.Keys(secure)) {
			if secure[port] && !refused {
				want = append(want, fmt.Sprintf("%d=%s", port, held))
			}
		}

		arns := func(ids []string) string {
			out := make([]string, 0, len(ids))
			for _, id := range ids {
				out = append(out, certificate+id)
			}
			return asJSON(out)
		}
		annotations := []string{createCertificate + ": " + asJSON(fmt.Sprint(create))}
		if len(own) > 0 {
			annotations = append(annotations, certificateARN+": "+asJSON(strings.Join(strings.Split(strings.Trim(strings.ReplaceAll(arns(own), `"`, ""), "[]"), ","), ", ")))
		}
		if given {
			annotations = append(annotations, listenPorts+": "+asJSON(asJSON(listed)))
		}
		documents := []string{
			paramsOf("elbv2.k8s.aws/v1beta1", "public", "certificateArn: "+arns(ofClass)),
			classOf("public", "ingress.k8s.aws/alb", ", parameters: {apiGroup: elbv2.k8s.aws, kind: IngressClassParams, name: public}"),
			ingressOf("ingressClassName: public", annotations...),
		}
		read := loaded(rapid.Permutation(documents).Draw(t, "order")...)
		if got := tls(read); got != strings.Join(want, " ") || refused != (len(read.Diagnostics) > 0) {
			t.Errorf("%q, want %q, refused %v: %+v\n%s", got, strings.Join(want, " "), refused, read.Diagnostics, strings.Join(documents, "\n---\n"))
		}
	})
}
