package cli

import (
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"certdrift/internal/observation"
	"certdrift/internal/sim/account"
	"certdrift/internal/sim/pki"
)

// kubernetesDeploy is an account with certificates for the names of a shop: "shop", "api" and "cart" for those names of example.com,
// "wild" for all of them, "other" for another.
func kubernetesDeploy(t *testing.T) *deploy {
	t.Helper()
	now := time.Now()
	d := &deploy{account: account.New(account.Options{})}
	root, err := pki.Root("Shop Root", now)
	if err != nil {
		t.Fatal(err)
	}
	for id, name := range map[string]string{"shop": "shop.example.com", "api": "api.example.com", "cart": "cart.example.com", "wild": "*.example.com", "other": "www.example.net"} {
		pair, err := root.Leaf(now, []string{name}, pki.Valid(now.AddDate(0, 0, -30), now.AddDate(0, 0, 60)))
		if err != nil {
			t.Fatal(err)
		}
		d.account.AddCertificate(id, pair)
	}
	return d
}

// arns names certificates of the account.
func arns(ids ...string) string {
	out := make([]string, 0, len(ids))
	for _, id := range ids {
		out = append(out, acmPrefix+id)
	}
	return strings.Join(out, ",")
}

// shopConfig has the endpoints shop and api, each with what names its load balancer.
func shopConfig(shop, api string) string {
	return "version: 1\nload_balancers: {regions: [us-west-2]}\nenvironments:\n  production:\n    endpoints:\n" +
		"      - {name: shop, url: https://shop.example.com, " + shop + ", certificate: {arn: \"" + acmPrefix + "shop\"}}\n" +
		"      - {name: api, url: https://api.example.com, " + api + "}\n"
}

// member is an Ingress for one host.
func member(name, host, certificates string, annotations ...string) string {
	annotations = append(annotations, "alb.ingress.kubernetes.io/certificate-arn: \""+certificates+"\"")
	return "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: " + name + ", namespace: store, annotations: {" + strings.Join(annotations, ", ") +
		"}}\nspec: {ingressClassName: alb, rules: [{host: " + host + "}]}\n---\n"
}

// TestPlanOfAnIngressGroup: the controller merges the certificates of all members, wherever their manifests are.
func TestPlanOfAnIngressGroup(t *testing.T) {
	const group = "alb.ingress.kubernetes.io/group.name: web"
	const byName, byStore, byAPI = "load_balancer: {name: k8s-web}", "service: store/cart", "service: store/api"
	cart, api := member("cart", "shop.example.com", arns("shop"), group), member("api", "api.example.com", arns("api"), group)
	readySignals(t)
	for name, c := range map[string]struct {
		attached, shop, api, manifests string
		status                         int
		says, silent                   string
	}{
		"a member elsewhere":                          {"shop,api", byName, byName, cart, 3, "that is not among the manifests keeps certificate/api", "would"},
		"endpoints by service":                        {"shop,api", byStore, byAPI, cart, 3, "not among the manifests", "would"},
		"all members":                                 {"shop,api", byName, byName, cart + api, 0, "1 listener: 1 changed.", "undecided"},
		"all members, one's certificate is another":   {"shop,api", byName, byName, cart + member("api", "api.example.com", arns("other"), group), 1, "api.example.com would not be covered", ""},
		"all members, one names none of its own":      {"shop,api", byName, byName, cart + member("api", "api.example.com", arns("shop"), group), 1, "api.example.com would not be covered", ""},
		"the member's own goes":                       {"shop,api", byName, byName, member("cart", "shop.example.com", arns("other"), group) + api, 1, "shop.example.com would not be covered", ""},
		"the member's own goes, another is elsewhere": {"shop,api", byName, byName, member("cart", "shop.example.com", arns("other"), group), 1, "shop.example.com would not be covered", ""},
		"a wildcard certificate may be anyone's":      {"wild,api", byName, byName, member("cart", "shop.example.com", arns("shop"), group) + api, 3, "keeps certificate/wild", "not be covered"},
		"the default may stay":                        {"other,shop", byName, byName, cart, 3, "keeps certificate/other", "would"},
		"in no group":                                 {"shop,api", byName, byName, member("cart", "shop.example.com", arns("shop"), "alb.ingress.kubernetes.io/load-balancer-name: k8s-web"), 1, "api.example.com would not be covered", ""},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := kubernetesDeploy(t)
				d.account.AddLoadBalancer(account.LoadBalancer{
					Kind: observation.Application, Name: "k8s-web", Tags: map[string]string{"ingress.k8s.aws/stack": "web"},
					Listeners: []account.Listener{{Port: 443, Protocol: "HTTPS", Certificates: strings.Split(arns(strings.Split(c.attached, ",")...), ",")}},
				})
				d.expect(t, shopConfig(c.shop, c.api), c.manifests, c.status, c.says, c.silent)
			})
		})
	}
}

// expect plans over the account.
func (d *deploy) expect(t *testing.T, config, manifests string, status int, says, silent string, args ...string) {
	t.Helper()
	dir := t.TempDir()
	t.Chdir(dir)
	write(t, filepath.Join(dir, "certdrift.yaml"), config)
	write(t, filepath.Join(dir, "m.yaml"), manifests)
	prepare := d.plans
	if d.account == nil {
		prepare = func(*App) {}
	}
	got, stdout, stderr := run(t, prepare, nil, append([]string{"plan", "-f", "m.yaml"}, args...)...)
	plain := strings.Join(strings.Fields(stdout+stderr), " ")
	if got != status || !strings.Contains(plain, says) || silent != "" && strings.Contains(plain, silent) {
		t.Errorf("exit status %d, want %d, with %q and without %q\n%s%s", got, status, says, silent, stdout, stderr)
	}
}

// TestPlanOfAnNLB: the cloud provider sends one certificate and leaves the SNI list alone; the controller replaces the list.
func TestPlanOfAnNLB(t *testing.T) {
	service := func(certificates, spec string) string {
		return "apiVersion: v1\nkind: Service\nmetadata:\n  name: shop\n  namespace: store\n  annotations:\n    service.beta.kubernetes.io/aws-load-balancer-type: nlb\n" +
			"    service.beta.kubernetes.io/aws-load-balancer-ssl-cert: \"" + certificates + "\"\nspec: {type: LoadBalancer, " + spec + "ports: [{port: 443}]}\n"
	}
	const provider, controller, auto = "kubernetes.io/service-name", "service.k8s.aws/stack", "service.eks.amazonaws.com/stack"
	readySignals(t)
	for name, c := range map[string]struct {
		tag, attached, manifest string
		status                  int
		says                    string
	}{
		"the provider leaves the list alone":    {provider, "shop,api", service(arns("shop"), ""), 0, "unchanged"},
		"the provider, another default":         {provider, "other,shop,api", service(arns("cart"), ""), 0, "changes the default certificate"},
		"the provider, and the default matters": {provider, "shop,api", service(arns("other"), ""), 1, "shop.example.com would not be covered"},
		"the provider takes no list":            {provider, "shop,api", service(arns("shop", "api"), ""), 3, "AWS refuses"},
		"the controller replaces the list":      {controller, "shop,api", service(arns("shop"), "loadBalancerClass: service.k8s.aws/nlb, "), 1, "api.example.com would not be covered"},
		"the controller takes a list":           {controller, "shop,api", service(arns("shop", "api"), "loadBalancerClass: service.k8s.aws/nlb, "), 0, "unchanged"},
		"EKS Auto Mode replaces the list":       {auto, "shop,api", service(arns("shop"), "loadBalancerClass: eks.amazonaws.com/nlb, "), 1, "api.example.com would not be covered"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := kubernetesDeploy(t)
				d.account.AddLoadBalancer(account.LoadBalancer{
					Kind: observation.Network, Name: "k8s-shop", Tags: map[string]string{c.tag: "store/shop"},
					Listeners: []account.Listener{{Port: 443, Protocol: "TLS", Certificates: strings.Split(arns(strings.Split(c.attached, ",")...), ",")}},
				})
				d.expect(t, shopConfig("load_balancer: {name: k8s-shop}", "load_balancer: {name: k8s-shop}"), c.manifest, c.status, c.says, "")
			})
		})
	}
}

// TestPlanOfReportedManifests holds inputs that people reported of other tools, without an account.
func TestPlanOfReportedManifests(t *testing.T) {
	const (
		class = "apiVersion: networking.k8s.io/v1\nkind: IngressClass\nmetadata: {name: public}\nspec:\n  controller: ingress.k8s.aws/alb\n" +
			"  parameters: {apiGroup: elbv2.k8s.aws, kind: IngressClassParams, name: public}\n---\n"
		params = "apiVersion: elbv2.k8s.aws/v1beta1\nkind: IngressClassParams\nmetadata: {name: public}\nspec:\n  certificateArn:\n    - " + acmPrefix + "other\n---\n"
		made   = "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: shop, namespace: store, annotations: {alb.ingress.kubernetes.io/create-acm-cert: \"true\"}}\n" +
			"spec: {ingressClassName: alb, rules: [{host: shop.example.com}]}\n"
		bare = "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: shop, namespace: store}\nspec: {ingressClassName: public, rules: [{host: shop.example.com}]}\n"
	)
	service := func(kind, ports string) string {
		return "apiVersion: v1\nkind: Service\nmetadata:\n  name: shop\n  namespace: store\n  annotations:\n    service.beta.kubernetes.io/aws-load-balancer-type: " + kind +
			"\n    service.beta.kubernetes.io/aws-load-balancer-ssl-cert: " + acmPrefix + "shop\n    service.beta.kubernetes.io/aws-load-balancer-ssl-ports: \"" + ports +
			"\"\nspec:\n  type: LoadBalancer\n  ports:\n    - {name: https, port: 443, targetPort: 8080}\n    - {name: admin, port: 8443, targetPort: 8081}\n"
	}
	config := "version: 1\nenvironments:\n  production:\n    endpoints:\n      - {name: shop, url: https://shop.example.com, service: store/shop, certificate: {arn: \"" + acmPrefix + "shop\"}}\n"
	for name, c := range map[string]struct {
		manifests    string
		status       int
		says, silent string
	}{
		"F8: the class alone":                    {params + class + bare, 1, "the configuration declares another certificate", "would remove"},
		"F8: the class before the annotation":    {params + class + strings.Replace(member("shop", "shop.example.com", arns("shop")), "ingressClassName: alb", "ingressClassName: public", 1), 1, "the configuration declares another certificate", ""},
		"F8: the parameters are not here":        {class + bare, 3, "IngressClassParams", ""},
		"F9: an asterisk for the controller":     {service("external", "*"), 2, "does not know the asterisk", ""},
		"F9: a space for the cloud provider":     {service("clb", " 443"), 3, "differently", "0 undecided"},
		"F9: a space for the controller":         {service("external", " 443"), 0, "as declared", ""},
		"F9: an asterisk for the cloud provider": {service("clb", "*"), 3, "2 listeners: 1 undecided, 1 as declared.", ""},
		"F12: a certificate that is made":        {made, 3, "create-acm-cert", "would remove"},
		"a list for either of them":              {strings.Replace(service("nlb", "443"), acmPrefix+"shop", arns("shop", "other"), 1), 3, "which AWS refuses", "Safe to apply"},
		"a list for the controller":              {strings.Replace(service("external", "443"), acmPrefix+"shop", arns("shop", "other"), 1), 3, "one of shop, other", "which AWS refuses"},
		"ssl-ports leaves the port out":          {service("external", "8443"), 1, "the configuration declares a certificate what to do Fix m.yaml:8 (Service store/shop) before the next apply: port 443 needs TLS there, with arn:", ""},
		"a patch with ssl-ports":                 {strings.Split(service("clb", "443"), "  ports:")[0], 3, "no ports, as a patch does", "not a port of the Service"},
		"a class that nobody knows":              {bare, 3, "name certificates", ""},
	} {
		t.Run(name, func(t *testing.T) {
			(&deploy{}).expect(t, config, c.manifests, c.status, c.says, c.silent, "--offline")
		})
	}
}

// TestPlanOfAGroupWithoutAWS: whether there is a member elsewhere, and what it names, is not known.
func TestPlanOfAGroupWithoutAWS(t *testing.T) {
	const group, name = "alb.ingress.kubernetes.io/group.name: web", "alb.ingress.kubernetes.io/load-balancer-name: k8s-web"
	config := "version: 1\nenvironments: {production: {endpoints: [{name: api, url: https://api.example.com, load_balancer: {name: k8s-web}, certificate: {arn: \"" + acmPrefix + "api\"}}]}}\n"
	cart := member("cart", "shop.example.com", arns("shop"), group, name)
	for manifests, want := range map[string]struct {
		status int // with members elsewhere, perhaps
		says   string
		whole  int // with --whole-groups
	}{
		cart: {3, "which certificate an Ingress of the group web names for api.example.com", 1},
		cart + member("api", "api.example.com", arns("shop"), group, name): {1, "the configuration declares another certificate", 1},
		member("api", "api.example.com", arns("api"), group, name):         {3, "--whole-groups", 0},
		cart + member("api", "api.example.com", arns("api"), group, name):  {3, "--whole-groups", 3}, // which of the two is selected, nobody knows
		member("api", "api.example.com", arns("api"), name):                {0, "", 0},
	} {
		(&deploy{}).expect(t, config, manifests, want.status, want.says, "", "--offline")
		(&deploy{}).expect(t, config, manifests, want.whole, "", "--whole-groups", "--offline", "--whole-groups")
	}
}
