package manifest

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"certdrift/internal/observation"
)

// plannedStack is what the controller writes: the listener of a port with its certificates, and a rule.
func plannedStack(id, protocol string, port int, host string, ids ...string) string {
	certificates := make([]string, 0, len(ids))
	for _, id := range ids {
		certificates = append(certificates, `{"certificateARN":`+quoted(id)+`}`)
	}
	return fmt.Sprintf(`{"id":%q,"resources":{"AWS::ElasticLoadBalancingV2::Listener":{"%d":{"spec":{"port":%d,"protocol":%q,"certificates":[%s]}}},`+
		`"AWS::ElasticLoadBalancingV2::ListenerRule":{"%d:1":{"spec":{"priority":1,"conditions":[{"field":"host-header","hostHeaderConfig":{"values":[%q]}}]}}}}}`,
		id, port, port, protocol, strings.Join(certificates, ","), port, host)
}

// TestControllerPlans: where certdrift cannot know the certificates, the controller's own plan says so, if it is the cluster's and no
// older than the manifests; where the two disagree, nobody knows.
func TestControllerPlans(t *testing.T) {
	const uid, none = "uid: 6f5c7a5e-5f0e-4d6c-9d5e-2b7f6a1c0d11", ""
	class, own := gatewayClassOf("public", albController, ""), configOf("own", configsOf(listenerConfigOf("HTTPS:443", "1", "2")))
	planned := plannedStack("store/shop", "HTTPS", 443, "shop.example.com", "1", "2")
	gateway := func(meta, spec, plan string) string {
		return strings.Replace(gatewayOf(spec, httpsListener), "namespace: store}", "namespace: store, annotations: {gateway.k8s.aws/dry-run: \"true\", "+gatewayPlan+": "+asJSON(plan)+"}, "+meta+"}", 1)
	}
	ingress := func(meta, annotations, plan string) string {
		return strings.Replace(ingressOf("ingressClassName: alb", annotations, ingressPlan+": "+asJSON(plan)), "  namespace: store\n", "  namespace: store\n  "+meta+"\n", 1)
	}
	const discovers, names = `alb.ingress.kubernetes.io/listen-ports: '[{"HTTPS":443}]'`, "alb.ingress.kubernetes.io/certificate-arn: " + certificate + "1"
	const grouped = names + ", alb.ingress.kubernetes.io/group.name: web"
	for name, c := range map[string]struct {
		documents  []string
		want, says string
	}{
		"it says what we say":            {[]string{class, own, gateway(none, ofOwn, planned)}, "443=1+2", ""},
		"another default":                {[]string{class, own, gateway(none, ofOwn, plannedStack("store/shop", "HTTPS", 443, "shop.example.com", "2", "1"))}, "443=1+2?", "the controller's own plan"},
		"another certificate":            {[]string{class, own, gateway(uid, ofOwn, plannedStack("store/shop", "HTTPS", 443, "shop.example.com", "3"))}, "443=1+2?", "the controller's own plan"},
		"one fewer":                      {[]string{class, own, gateway(uid, ofOwn, plannedStack("store/shop", "HTTPS", 443, "shop.example.com", "1"))}, "443=1+2?", "the controller's own plan"},
		"no TLS":                         {[]string{class, own, gateway(uid, ofOwn, plannedStack("store/shop", "HTTP", 443, "shop.example.com"))}, "443=1+2?", "has no certificate on port 443"},
		"another port":                   {[]string{class, own, gateway(uid, ofOwn, plannedStack("store/shop", "HTTPS", 8443, "shop.example.com", "3"))}, "443=1+2? 8443=discovered?", "on port 8443"},
		"what it discovers":              {[]string{class, gateway(uid, "", planned)}, "443=1+2", ""},
		"what it discovers, copied":      {[]string{class, gateway(none, "", planned)}, "443=discovered", ""},
		"what it discovers, older":       {[]string{class, gateway(uid, "", plannedStack("store/shop", "HTTPS", 443, "www.example.com", "1"))}, "443=discovered", ""},
		"what it makes":                  {[]string{class, gateway(uid, "", strings.Replace(planned, quoted("1"), `{"$ref":"#/resources/AWS::CertificateManager::Certificate/a/status/certificateARN"}`, 1))}, "443=discovered", ""},
		"its class elsewhere":            {[]string{own, gateway(uid, ofOwn, planned)}, "443=1+2", ""},
		"its class elsewhere, copied":    {[]string{own, gateway(none, ofOwn, planned)}, "443=1+2?", "not in the input"},
		"its class elsewhere, says else": {[]string{own, gateway(uid, ofOwn, plannedStack("store/shop", "HTTPS", 443, "shop.example.com", "3"))}, "443=1+2?", "the controller's own plan"},
		"all of it elsewhere":            {[]string{gateway(uid, ofOwn, planned)}, "443=1+2", ""},
		"of two classes that differ":     {[]string{class, gatewayClassOf("public", nlbController, ""), own, gateway(uid, ofOwn, planned)}, "443=1+2?", "several that differ"},
		"of another object":              {[]string{class, own, gateway(uid, ofOwn, plannedStack("store/api", "HTTPS", 443, "shop.example.com", "1", "2"))}, "443=1+2", `the plan of "store/api"`},
		"nonsense":                       {[]string{class, own, gateway(uid, ofOwn, "{}")}, "443=1+2", "not in the controller's format"},
		"no ARN":                         {[]string{class, own, gateway(uid, ofOwn, strings.ReplaceAll(planned, "arn:aws:acm", "x"))}, "443=1+2", "does not begin with"},
		"an Ingress, the same":           {[]string{ingress(none+"labels: {}", names, plannedStack("store/shop", "HTTPS", 443, "shop.example.com", "1"))}, "443=1", ""},
		"an Ingress, another":            {[]string{ingress(uid, names, planned)}, "443=1?", "the controller's own plan"},
		"an Ingress that discovers":      {[]string{ingress(uid, discovers, planned)}, "443=1+2", ""},
		"an Ingress of a group":          {[]string{ingress(uid, grouped, plannedStack("web", "HTTPS", 443, "shop.example.com", "3", "1"))}, "443=1", ""},
		"of a group, that lacks it":      {[]string{ingress(uid, grouped, plannedStack("web", "HTTPS", 443, "shop.example.com", "3"))}, "443=1?", "the controller's own plan"},
	} {
		t.Run(name, func(t *testing.T) {
			read := loaded(c.documents...)
			said := fmt.Sprint(read.PassedOver)
			for _, d := range read.Declared {
				said += d.UndecidedBecause
			}
			if got := tls(read); got != c.want || !strings.Contains(said, c.says) || c.says == "" && len(read.PassedOver) > 0 || len(read.Diagnostics) > 0 {
				t.Errorf("%q, want %q and %q: %s %+v", got, c.want, c.says, said, read.Diagnostics)
			}
		})
	}
}

// FuzzLoad reads what a plan reads, with what is taken away: it never panics, and reading twice gives the same.
func FuzzLoad(f *testing.F) {
	for _, name := range cases(f) {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte(strings.Join([]string{
		gatewayClassOf("public", nlbController, ofClass), configOf("class", configsOf(listenerConfigOf("TLS:443", "1"))), gatewayOf(ofOwn+"  allowedListeners: {namespaces: {from: All}}\n", tlsListener),
		listenerSetOf("more", "store", "parentRef: {name: shop}, listeners: [{name: a, protocol: TCP, port: 443}]"), routeOf("TLSRoute", "r", "parentRefs: [{name: shop}], hostnames: [a.example.com]"),
		ingressOf("ingressClassName: alb", ingressPlan+": "+asJSON(plannedStack("store/shop", "HTTPS", 443, "a.example.com", "1"))),
	}, "\n---\n")))
	f.Fuzz(func(t *testing.T, data []byte) {
		read := func() Loaded {
			return Load([]string{"s3://x/"}, Options{Plain: true, Remote: func(string) ([]File, error) { return []File{{"file", data}}, nil }})
		}
		once := read()
		lines := strings.Count(string(data), "\n") + strings.Count(string(data), "\r") + 1
		for _, d := range once.Declared {
			if d.Source.File != "file" || d.Source.Line < 1 || d.Source.Line > lines {
				t.Fatalf("a declaration outside the file: %+v", d)
			}
		}
		for _, o := range once.PassedOver {
			if o.File != "file" || o.Line < 1 || o.Line > lines || o.Why == "" {
				t.Fatalf("what was passed over has no place or reason: %+v", o)
			}
		}
		again := read()
		if diff := cmp.Diff(once.Declared, again.Declared, cmp.AllowUnexported(observation.Declaration{})); diff != "" || len(once.PassedOver) != len(again.PassedOver) {
			t.Fatalf("reading twice differs:\n%s", diff)
		}
	})
}
