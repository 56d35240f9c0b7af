package manifest

import (
	"fmt"
	"strings"
	"testing"

	"certdrift/internal/observation"
)

// TestPlain holds that ports without a certificate are returned where they are asked for, and only there.
func TestPlain(t *testing.T) {
	const services = `apiVersion: v1
kind: Service
metadata:
  name: lost
spec:
  type: LoadBalancer
  ports: [{port: 80}, {port: 443}, {port: 53, protocol: UDP}]
---
apiVersion: v1
kind: Service
metadata: {name: unset, annotations: {service.beta.kubernetes.io/aws-load-balancer-ssl-cert: ""}}
spec: {type: LoadBalancer, ports: [{port: 443}]}
---
apiVersion: v1
kind: Service
metadata:
  name: half
  annotations:
    service.beta.kubernetes.io/aws-load-balancer-ssl-cert: arn:aws:acm:us-west-2:111122223333:certificate/a
    service.beta.kubernetes.io/aws-load-balancer-ssl-ports: "443"
spec:
  type: LoadBalancer
  ports: [{port: 443}, {port: 8443}]
---
apiVersion: v1
kind: Service
metadata: {name: inside}
spec: {ports: [{port: 443}]}
`
	for plain, want := range map[bool]string{
		false: "default/half:443 1",
		true: "default/lost:80 0 default/lost:443 0 default/lost:0 0 default/unset:443 0 default/unset:0 0 " +
			"default/half:443 1 default/half:8443 0 default/half:0 0 default/inside:0 0",
	} {
		read := Load([]string{"-"}, Options{Stdin: strings.NewReader(services), Plain: plain})
		declared, diagnostics := read.Declared, read.Diagnostics
		var got []string
		for _, d := range declared {
			got = append(got, fmt.Sprintf("%s:%d %d", d.Service, d.Port, len(d.ARNs)))
			if d.Source.Line == 0 || d.RemovesListeners != (d.Port == 0) {
				t.Errorf("%s has no place, or no port: %+v", d.Object, d)
			}
		}
		if strings.Join(got, " ") != want || len(diagnostics) > 0 {
			t.Errorf("plain %v: %q, want %q; %v", plain, got, want, diagnostics)
		}
	}
}

// TestIngressesClose holds what an Ingress without certificates leaves open: nothing, where it says so itself; what the
// parameters of its class may say, where it doesn't.
func TestIngressesClose(t *testing.T) {
	const head = "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata:\n  name: site\n  annotations:\n"
	for name, c := range map[string]struct {
		annotations, spec, want string
		perhaps                 string
	}{
		"plain ports only":           {`alb.ingress.kubernetes.io/listen-ports: '[{"HTTP": 80}]'`, "ingressClassName: alb", "0", ""},
		"plain ports, a certificate": {`alb.ingress.kubernetes.io/listen-ports: '[{"HTTP": 80}]'` + "\n    " + `alb.ingress.kubernetes.io/certificate-arn: arn:aws:acm:us-west-2:111122223333:certificate/a`, "ingressClassName: alb", "0", ""},
		"another port":               {`alb.ingress.kubernetes.io/listen-ports: '[{"HTTPS": 8443}]'`, "ingressClassName: alb", "8443 0", ""},
		"discovery":                  {`alb.ingress.kubernetes.io/listen-ports: '[{"HTTPS": 443}]'`, "ingressClassName: alb", "443 0", ""},
		"no ports, no certificate":   {`team: web`, "ingressClassName: alb", "443 0", "the parameters of the class"},
		"no class":                   {`team: web`, "rules: []", "0", "default IngressClass"},
		"the old annotation":         {`kubernetes.io/ingress.class: alb`, "rules: []", "0", ""},
		"another controller":         {`team: web`, "ingressClassName: nginx", "0", ""},
		"a certificate":              {`alb.ingress.kubernetes.io/certificate-arn: arn:aws:acm:us-west-2:111122223333:certificate/a`, "ingressClassName: alb", "443 0", ""},
	} {
		t.Run(name, func(t *testing.T) {
			read := Load([]string{"-"}, Options{Stdin: strings.NewReader(head + "    " + c.annotations + "\nspec:\n  " + c.spec + "\n"), Plain: true})
			var ports []string
			for _, d := range read.Declared {
				ports = append(ports, fmt.Sprint(d.Port))
			}
			last := read.Declared[len(read.Declared)-1]
			perhaps := ""
			for _, d := range read.Declared {
				perhaps += d.UndecidedBecause
				if d.PortUncertain != (d.UndecidedBecause != "" && d.Port == 443) {
					t.Errorf("%+v", d)
				}
			}
			if got := strings.Join(ports, " "); got != c.want || !last.RemovesListeners || len(read.Diagnostics) > 0 {
				t.Fatalf("ports %q, want %q: %+v", got, c.want, read)
			}
			if !strings.Contains(perhaps, c.perhaps) || (perhaps == "") != (c.perhaps == "") || last.Kind != observation.Application {
				t.Errorf("%+v", last)
			}
		})
	}
}

// TestPatchesClose holds that a Service without ports is taken for the patch that it must be.
func TestPatchesClose(t *testing.T) {
	for spec, patch := range map[string]bool{
		"metadata: {name: api, annotations: {team: web}}":                                       true,
		"metadata: {name: api}\nspec: {type: LoadBalancer}":                                     true,
		"metadata: {name: api}\nspec: {type: ExternalName, externalName: api.example.org}":      false,
		"metadata: {name: api}\nspec: {type: NodePort}":                                         false,
		"metadata: {name: api}\nspec: {ports: [{port: 443}]}":                                   false,
		"metadata: {name: api}\nspec: {type: LoadBalancer, ports: [{port: 53, protocol: UDP}]}": false,
	} {
		read := Load([]string{"-"}, Options{Stdin: strings.NewReader("apiVersion: v1\nkind: Service\n" + spec + "\n"), Plain: true})
		if len(read.Declared) != 1 || !read.Declared[0].RemovesListeners || (read.Declared[0].UndecidedBecause != "") != patch {
			t.Errorf("%q: %+v", spec, read.Declared)
		}
	}
}
