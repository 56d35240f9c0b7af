package manifest

import (
	"strings"
	"testing"
)

// TestKeysGivenTwice: of two Services without a line between them the first must not vanish in silence.
func TestKeysGivenTwice(t *testing.T) {
	const service = `apiVersion: v1
kind: Service
metadata:
  name: api
  annotations:
    service.beta.kubernetes.io/aws-load-balancer-ssl-cert: arn:aws:acm:us-west-2:111122223333:certificate/a
spec: {type: LoadBalancer, ports: [{port: 443}]}
`
	const certificate = "    service.beta.kubernetes.io/aws-load-balancer-ssl-cert: arn:aws:acm:us-west-2:111122223333:certificate/b\n"
	for name, c := range map[string]struct {
		text string
		line int
	}{
		"one document":            {service, 0},
		"two documents":           {service + "---\n" + strings.ReplaceAll(service, "api", "ui"), 0},
		"no line between":         {service + service, 8},
		"a Service hidden":        {service + "apiVersion: v1\nkind: ConfigMap\n", 8},
		"two certificates":        {strings.Replace(service, "spec:", certificate+"spec:", 1), 7},
		"merge keys":              {strings.Replace(service, "  annotations:\n", "  annotations:\n    <<: {a: b}\n    <<: {c: d}\n", 1), 0},
		"somebody else's objects": {"apiVersion: v1\nkind: ConfigMap\nkind: ConfigMap\n", 0},
	} {
		read := Load([]string{"-"}, Options{Stdin: strings.NewReader(c.text)})
		switch {
		case c.line == 0 && len(read.Diagnostics) > 0:
			t.Errorf("%s: %+v", name, read.Diagnostics)
		case c.line > 0 && (len(read.Diagnostics) == 0 || read.Diagnostics[0].Line != c.line || !strings.Contains(read.Diagnostics[0].Message, "twice")):
			t.Errorf("%s: %+v, want one at line %d", name, read.Diagnostics, c.line)
		}
	}
}
