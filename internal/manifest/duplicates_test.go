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
		case c.line > 0 && (len(read.Diagnostics) == 0 || read.Diagnostics[0].Line != c.line || !strings.Contains(read.Diagnostics[0].Message, "duplicate key")):
			t.Errorf("%s: %+v, want one at line %d", name, read.Diagnostics, c.line)
		}
	}
}

// TestAliases checks that nothing is left out without a word because an alias, a tag or a merge key cannot be followed.
func TestAliases(t *testing.T) {
	const head = "apiVersion: v1\nkind: Service\nmetadata:\n  name: api\n"
	const arn = "arn:aws:acm:us-west-2:111122223333:certificate/a"
	const key = "service.beta.kubernetes.io/aws-load-balancer-ssl-cert"
	const tail = "\nspec: {type: LoadBalancer, ports: [{port: 443}]}\n"
	for name, c := range map[string]struct {
		text, message string
		declared      int
	}{
		"an alias":               {"x: &a {" + key + ": \"" + arn + "\"}\n" + head + "  annotations: *a" + tail, "", 1},
		"merged":                 {"x: &a {" + key + ": \"" + arn + "\"}\n" + head + "  annotations:\n    <<: [{b: c}, *a]" + tail, "", 1},
		"own before merged":      {head + "  annotations:\n    " + key + ": " + arn + "\n    <<: {" + key + ": b}" + tail, "", 1},
		"the first merged":       {head + "  annotations:\n    <<: [{" + key + ": \"" + arn + "\"}, {" + key + ": b}]" + tail, "", 1},
		"the nearest anchor":     {"x: [&a {b: c}, &a {" + key + ": \"" + arn + "\"}]\n" + head + "  annotations: *a" + tail + "y: &a {}\n", "", 1},
		"an explicit key":        {head + "  annotations:\n    ? " + key + "\n    : " + arn + tail, "", 1},
		"no anchor":              {head + "  annotations: *a" + tail, "no anchor of this name", 0},
		"the anchor comes later": {head + "  annotations: *a" + tail + "x: &a {b: c}\n", "no anchor of this name", 0},
		"a tag":                  {head + "  annotations: {" + key + ": !file x}" + tail, "is not supported", 0},
		"merging text":           {head + "  annotations: {<<: x}" + tail, "what << merges", 0},
		"a loop":                 {head + "  annotations: &a {<<: [" + strings.Repeat("*a, ", 999) + "*a]}" + tail, "too large", 0},
	} {
		t.Run(name, func(t *testing.T) {
			read := Load([]string{"-"}, Options{Stdin: strings.NewReader(c.text)})
			if len(read.Declared) != c.declared {
				t.Errorf("%d declarations, want %d", len(read.Declared), c.declared)
			}
			switch {
			case c.message == "" && len(read.Diagnostics) > 0:
				t.Errorf("%+v", read.Diagnostics)
			case c.message != "" && (len(read.Diagnostics) != 1 || !strings.Contains(read.Diagnostics[0].Message, c.message) || read.Diagnostics[0].Hint == ""):
				t.Errorf("%+v, want one with %q", read.Diagnostics, c.message)
			}
		})
	}
}
