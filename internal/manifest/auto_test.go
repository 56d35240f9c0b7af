package manifest

import (
	"fmt"
	"strings"
	"testing"

	"certdrift/internal/observation"
)

// TestServicesOfAutoMode: EKS Auto Mode makes network load balancers of Services with its class, and reads their annotations as the
// controller does, apart from the type, which it does not support
// (https://docs.aws.amazon.com/eks/latest/userguide/auto-configure-nlb.html).
func TestServicesOfAutoMode(t *testing.T) {
	service := func(class string, annotations ...string) string {
		annotations = append([]string{sslCert + ": " + quoted("1")}, annotations...)
		return "apiVersion: v1\nkind: Service\nmetadata:\n  name: shop\n  namespace: store\n  annotations: {" + strings.Join(annotations, ", ") +
			"}\nspec: {type: LoadBalancer" + class + ", ports: [{name: https, port: 443}, {name: http, port: 80}]}"
	}
	const auto = ", loadBalancerClass: eks.amazonaws.com/nlb"
	for name, c := range map[string]struct {
		document, want, says string
	}{
		"all ports":            {service(auto), "443=1 80=1", ""},
		"one port":             {service(auto, sslPorts+": https"), "443=1", ""},
		"trimmed":              {service(auto, sslPorts+`: " 443"`), "443=1", ""},
		"the asterisk":         {service(auto, sslPorts+`: "*"`), "", "not a port of the Service"},
		"several certificates": {strings.Replace(service(auto, sslPorts+": https"), quoted("1"), `"`+certificate+"1, "+certificate+`2"`, 1), "443=1+2", ""},
		"the type is ignored":  {service(auto, sslPorts+": https", serviceLBType+": nlb"), "443=1", ""},
		"no class, asterisk":   {service("", sslPorts+`: "*"`), "443=1 80=1", ""},
		"no class, a list":     {strings.Replace(service("", sslPorts+": https"), quoted("1"), `"`+certificate+"1, "+certificate+`2"`, 1), "443=1+2", ""},
		"another class":        {service(", loadBalancerClass: example.com/lb", sslPorts+": https"), "443=1?", "which controller makes load balancers"},
	} {
		t.Run(name, func(t *testing.T) {
			read := loaded(c.document)
			said := fmt.Sprint(read.Diagnostics)
			for _, d := range read.Declared {
				said += d.UndecidedBecause
			}
			if got := tls(read); got != c.want || !strings.Contains(said, c.says) {
				t.Errorf("%q, want %q and %q: %s", got, c.want, c.says, said)
			}
			for _, d := range read.Declared {
				lb := observation.LoadBalancer{Kind: observation.Network, Tags: map[string]string{"service.eks.amazonaws.com/stack": "store/shop"}}
				if strings.Contains(c.document, auto) && (d.Kind != observation.Network || !lb.MadeFor(d) || !d.Fits(lb.Kind)) {
					t.Errorf("it does not fit its load balancer: %+v", d)
				}
			}
		})
	}
}
