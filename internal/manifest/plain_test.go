package manifest

import (
	"fmt"
	"strings"
	"testing"
)

// TestPlain holds that ports without a certificate are told where they are asked for, and only there.
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
		true:  "default/lost:80 0 default/lost:443 0 default/unset:443 0 default/half:443 1 default/half:8443 0",
	} {
		read := Load([]string{"-"}, Options{Stdin: strings.NewReader(services), Plain: plain})
		declared, faults := read.Declared, read.Faults
		var got []string
		for _, d := range declared {
			got = append(got, fmt.Sprintf("%s:%d %d", d.Service, d.Port, len(d.ARNs)))
			if d.Source.Line == 0 {
				t.Errorf("%s has no place", d.Object)
			}
		}
		if strings.Join(got, " ") != want || len(faults) > 0 {
			t.Errorf("plain %v: %q, want %q; %v", plain, got, want, faults)
		}
	}
}
