package manifest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	tfCert    = "arn:aws:acm:us-west-2:111122223333:certificate/a"
	tfBalance = "arn:aws:elasticloadbalancing:us-west-2:111122223333:loadbalancer/app/web/50dc6c495c0c9188"
)

func tfPlan(resources, changes string) string {
	return `{"format_version":"1.2","terraform_version":"1.9.8","planned_values":{"root_module":{"resources":[` + resources + `]}},"resource_changes":[` + changes + `]}`
}

func ports(t *testing.T, text string) []string {
	t.Helper()
	read := Load([]string{"-"}, Options{Plain: true, Stdin: strings.NewReader(text)})
	declared, diagnostics := read.Declared, read.Diagnostics
	if len(diagnostics) > 0 {
		t.Fatal(diagnostics)
	}
	var out []string
	for _, d := range declared {
		out = append(out, fmt.Sprintf("%s %s:%d %d", d.Object, d.LoadBalancer, d.Port, len(d.ARNs)))
	}
	return out
}

// TestTerraformOfOthers: a plan holds hundreds of resources, whose attributes of the same names are of any form.
func TestTerraformOfOthers(t *testing.T) {
	got := ports(t, tfPlan(`{"address":"x_y.z","mode":"managed","type":"x_y","name":"z","values":{"port":"80","name":["a"],"listener":"b","arn":{"c":1}}},
		{"address":"data.aws_lb_listener.d","mode":"data","type":"aws_lb_listener","name":"d","values":{"port":"443"}},
		{"address":"aws_lb_listener.https","mode":"managed","type":"aws_lb_listener","name":"https","values":{"load_balancer_arn":"`+tfBalance+`","port":443,"protocol":"HTTPS","certificate_arn":"`+tfCert+`"}}`, ""))
	if diff := cmp.Diff([]string{"aws_lb_listener.https web:443 1"}, got); diff != "" {
		t.Error(diff)
	}
}

// TestTerraformTakesAway: a listener that a plan deletes, or makes a plain one, has no certificate any more. One that it
// replaces has the new one's.
func TestTerraformTakesAway(t *testing.T) {
	change := func(address, kind, actions, before string) string {
		return fmt.Sprintf(`{"address":%q,"mode":"managed","type":%q,"change":{"actions":%s,"before":%s}}`, address, kind, actions, before)
	}
	listener := `{"load_balancer_arn":"` + tfBalance + `","port":443,"protocol":"HTTPS","certificate_arn":"` + tfCert + `"}`
	got := ports(t, tfPlan(`{"address":"aws_lb_listener.plain","mode":"managed","type":"aws_lb_listener","name":"plain","values":{"load_balancer_arn":"`+tfBalance+`","port":8443,"protocol":"HTTP"}},
		{"address":"aws_elb.c","mode":"managed","type":"aws_elb","name":"c","values":{"name":"old","listener":[{"lb_port":443,"lb_protocol":"tcp"}]}}`,
		strings.Join([]string{
			change("aws_lb_listener.gone", "aws_lb_listener", `["delete"]`, listener),
			change("aws_lb_listener.replaced", "aws_lb_listener", `["delete","create"]`, listener),
			change("aws_lb_listener.made", "aws_lb_listener", `["create"]`, "null"),
			change("aws_elb.gone", "aws_elb", `["delete"]`, `{"name":"older","listener":[{"lb_port":443,"lb_protocol":"https","ssl_certificate_id":"`+tfCert+`"}]}`),
			change("x_y.gone", "x_y", `["delete"]`, `{"port":"a"}`),
		}, ",")))
	want := []string{"aws_lb_listener.plain web:8443 0", "aws_elb.c old:443 0", "aws_lb_listener.gone web:443 0", "aws_elb.gone older:443 0"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestMergeKeys: what YAML's merge key brings counts where the mapping itself is silent, and never before it.
func TestMergeKeys(t *testing.T) {
	declared, diagnostics := Read("f.yaml", []byte(`apiVersion: v1
kind: List
x-common: &common
  service.beta.kubernetes.io/aws-load-balancer-ssl-cert: `+tfCert+`
items:
- {apiVersion: v1, kind: Service, metadata: {name: alias, annotations: {<<: *common}}, spec: {type: LoadBalancer, ports: [{port: 443}]}}
- {apiVersion: v1, kind: Service, metadata: {name: list, annotations: {<<: [{team: web}, *common]}}, spec: {type: LoadBalancer, ports: [{port: 443}]}}
- {apiVersion: v1, kind: Service, metadata: {name: own, annotations: {service.beta.kubernetes.io/aws-load-balancer-ssl-cert: `+tfCert+`b, <<: *common}}, spec: {type: LoadBalancer, ports: [{port: 443}]}}
`))
	if len(diagnostics) > 0 || len(declared) != 3 {
		t.Fatalf("%+v %+v", declared, diagnostics)
	}
	for i, want := range []string{tfCert, tfCert, tfCert + "b"} {
		if d := declared[i]; len(d.ARNs) != 1 || d.ARNs[0] != want || d.Source.Line == 0 {
			t.Errorf("%+v, want %s", d, want)
		}
	}
}

// TestTerraformOfManyListeners: the work for a plan grows with its resources, not with the pairs of listeners and further certificates: a
// plan with 300 of each took a minute and a half.
func TestTerraformOfManyListeners(t *testing.T) {
	work := func(n int) float64 {
		var resources, references []string
		for i := range n {
			arn := fmt.Sprintf("arn:aws:elasticloadbalancing:eu-west-1:111122223333:listener/app/shop%d/0a/1b", i)
			resources = append(resources,
				fmt.Sprintf(`{"address":"aws_lb_listener.l%[1]d","mode":"managed","type":"aws_lb_listener","name":"l%[1]d","values":{"arn":%[2]q,"port":443,"protocol":"HTTPS","certificate_arn":%[3]q}}`, i, arn, tfCert+"a"),
				fmt.Sprintf(`{"address":"aws_lb_listener_certificate.c%[1]d","mode":"managed","type":"aws_lb_listener_certificate","name":"c%[1]d","values":{"listener_arn":%[2]q,"certificate_arn":%[3]q}}`, i, arn, tfCert+"b"),
				fmt.Sprintf(`{"address":"aws_lb_listener_certificate.r%[1]d","mode":"managed","type":"aws_lb_listener_certificate","name":"r%[1]d","values":{"certificate_arn":%[2]q}}`, i, tfCert+"b"))
			references = append(references, fmt.Sprintf(`{"address":"aws_lb_listener_certificate.r%[1]d","expressions":{"listener_arn":{"references":["aws_lb_listener.l%[1]d.arn","aws_lb_listener.l%[1]d"]}}}`, i))
		}
		plan := []byte(`{"format_version":"1.2","planned_values":{"root_module":{"resources":[` + strings.Join(resources, ",") + `]}},"configuration":{"root_module":{"resources":[` + strings.Join(references, ",") + `]}}}`)
		if declared, diagnostics := Read("plan.json", plan); len(declared) != n || len(declared[0].ARNs) != 3 || len(diagnostics) > 0 {
			t.Fatalf("%d listeners: %+v %+v", len(declared), declared[0], diagnostics)
		}
		return testing.AllocsPerRun(1, func() { Read("plan.json", plan) })
	}
	if few, many := work(20), work(80); many > 7*few {
		t.Errorf("four times the resources need %.0f times the allocations", many/few)
	}
}
