package manifest

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

const certificate = "arn:aws:acm:eu-west-1:111122223333:certificate/"

// loaded reads documents from standard input.
func loaded(documents ...string) Loaded {
	return Load([]string{"-"}, Options{Stdin: strings.NewReader(strings.Join(documents, "\n---\n")), Plain: true})
}

// tls lists the TLS ports with their certificates, "discovered" for those that the controller finds, and a question mark where
// something must be known first.
func tls(read Loaded) string {
	var out []string
	for _, d := range read.Declared {
		if d.RemovesListeners || len(d.ARNs) == 0 && !d.Discovered {
			continue
		}
		held := "discovered"
		if !d.Discovered {
			held = strings.ReplaceAll(strings.Join(d.ARNs, "+"), certificate, "")
		}
		if d.UndecidedBecause != "" {
			held += "?"
		}
		out = append(out, fmt.Sprintf("%d=%s", d.Port, held))
	}
	return strings.Join(out, " ")
}

func ingressOf(spec string, annotations ...string) string {
	return "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata:\n  name: shop\n  namespace: store\n  annotations: {" + strings.Join(annotations, ", ") +
		"}\nspec: {" + spec + ", rules: [{host: shop.example.com}]}"
}

func quoted(id string) string { return `"` + certificate + id + `"` }

func classOf(name, controller, parameters string) string {
	return "apiVersion: networking.k8s.io/v1\nkind: IngressClass\nmetadata: {name: " + name + "}\nspec: {controller: " + controller + parameters + "}"
}

func paramsOf(version, name, spec string) string {
	return "apiVersion: " + version + "\nkind: IngressClassParams\nmetadata: {name: " + name + "}\nspec: {" + spec + "}"
}

// TestIngressClasses holds what the class of an Ingress decides, as the controller's guide to IngressClassParams has it.
func TestIngressClasses(t *testing.T) {
	const (
		lbc, alb  = "elbv2.k8s.aws/v1beta1", "ingress.k8s.aws/alb"
		auto      = "eks.amazonaws.com/v1"
		reference = ", parameters: {apiGroup: elbv2.k8s.aws, kind: IngressClassParams, name: public}"
		own       = "alb.ingress.kubernetes.io/certificate-arn: " + certificate + "2"
		public    = "ingressClassName: public"
	)
	class, params := classOf("public", alb, reference), paramsOf(lbc, "public", "certificateArn: ["+quoted("1")+"]")
	for name, c := range map[string]struct {
		documents  []string
		want, says string // what is undecided, or reported
	}{
		"the class alone":                         {[]string{params, class, ingressOf(public)}, "443=1", ""},
		"the class goes first":                    {[]string{params, class, ingressOf(public, own)}, "443=1", ""},
		"certificates without quotes":             {[]string{paramsOf(lbc, "public", "certificateArn: ["+certificate+"1, "+certificate+"3]"), class, ingressOf(public)}, "443=1+3", ""},
		"in any order":                            {[]string{ingressOf(public, own), class, params}, "443=1", ""},
		"the default class":                       {[]string{strings.Replace(class, "name: public}", "name: public, annotations: {ingressclass.kubernetes.io/is-default-class: \"true\"}}", 1), params, ingressOf("a: b")}, "443=1", ""},
		"several of the class":                    {[]string{paramsOf(lbc, "public", "certificateArn: ["+quoted("1")+", "+quoted("3")+"]"), class, ingressOf(public)}, "443=1+3", ""},
		"parameters without one":                  {[]string{paramsOf(lbc, "public", "scheme: internal"), class, ingressOf(public, own)}, "443=2", ""},
		"a class without parameters":              {[]string{classOf("public", alb, ""), ingressOf(public, own)}, "443=2", ""},
		"the old annotation goes first":           {[]string{params, class, ingressOf(public, own, "kubernetes.io/ingress.class: alb")}, "443=2", ""},
		"the old annotation, of another":          {[]string{params, class, ingressOf(public, own, "kubernetes.io/ingress.class: nginx")}, "", ""},
		"the class is another controller's":       {[]string{classOf("public", "k8s.io/ingress-nginx", ""), ingressOf(public, own)}, "", ""},
		"a name of nginx's, the controller ALB's": {[]string{params, classOf("nginx", alb, reference), ingressOf("ingressClassName: nginx")}, "443=1", ""},
		"the parameters are elsewhere":            {[]string{class, ingressOf(public, own)}, "443=2?", "IngressClassParams \"public\""},
		"parameters of another group":             {[]string{params, classOf("public", alb, ", parameters: {apiGroup: example.com, kind: IngressClassParams, name: public}"), ingressOf(public, own)}, "443=2?", "ignores its Ingresses"},
		"of another kind":                         {[]string{params, classOf("public", alb, ", parameters: {apiGroup: elbv2.k8s.aws, kind: Params, name: public}"), ingressOf(public, own)}, "443=2?", "ignores its Ingresses"},
		"two that differ":                         {[]string{params, paramsOf(lbc, "public", "certificateArn: ["+quoted("3")+"]"), class, ingressOf(public, own)}, "443=2?", "several that differ"},
		"twice the same":                          {[]string{params, params, class, class, ingressOf(public, own)}, "443=1", ""},
		"two classes that differ":                 {[]string{params, class, classOf("public", "k8s.io/ingress-nginx", ""), ingressOf(public, own)}, "443=2?", "several that differ"},
		"two default classes":                     {[]string{strings.Replace(class, "name: public}", "name: a, annotations: {ingressclass.kubernetes.io/is-default-class: \"true\"}}", 1), strings.Replace(class, "name: public}", "name: b, annotations: {ingressclass.kubernetes.io/is-default-class: \"true\"}}", 1), params, ingressOf("a: b", own)}, "443=2?", "which of the default classes"},
		"this namespace is selected":              {[]string{paramsOf(lbc, "public", "certificateArn: ["+quoted("1")+"], namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: store}}"), class, ingressOf(public)}, "443=1", ""},
		"every namespace is selected":             {[]string{paramsOf(lbc, "public", "certificateArn: ["+quoted("1")+"], namespaceSelector: {}"), class, ingressOf(public)}, "443=1", ""},
		"by a label":                              {[]string{paramsOf(lbc, "public", "certificateArn: ["+quoted("1")+"], namespaceSelector: {matchLabels: {team: web}}"), class, ingressOf(public)}, "443=1?", "selects the namespace"},
		"no ARN":                                  {[]string{paramsOf(lbc, "public", "certificateArn: [nonsense]"), class, ingressOf(public, own)}, "", `"nonsense"`},
		"EKS Auto Mode":                           {[]string{paramsOf(auto, "public", "certificateARNs: ["+quoted("1")+"]"), classOf("public", "eks.amazonaws.com/alb", strings.Replace(reference, "elbv2.k8s.aws", "eks.amazonaws.com", 1)), ingressOf(public, own)}, "443=1", ""},
		"EKS Auto Mode, its own":                  {[]string{classOf("public", "eks.amazonaws.com/alb", ""), ingressOf(public, own)}, "443=2", ""},
		"EKS Auto Mode, the other's field":        {[]string{paramsOf(auto, "public", "certificateArn: ["+quoted("1")+"]"), classOf("public", "eks.amazonaws.com/alb", strings.Replace(reference, "elbv2.k8s.aws", "eks.amazonaws.com", 1)), ingressOf(public, own)}, "443=2", ""},
		"EKS Auto Mode, the other's parameters":   {[]string{params, classOf("public", "eks.amazonaws.com/alb", reference), ingressOf(public, own)}, "443=2?", "ignores its Ingresses"},
		"EKS Auto Mode, several":                  {[]string{paramsOf(auto, "public", "certificateARNs: ["+quoted("1")+", "+quoted("3")+"]"), classOf("public", "eks.amazonaws.com/alb", strings.Replace(reference, "elbv2.k8s.aws", "eks.amazonaws.com", 1)), ingressOf(public)}, "443=1+3", ""},
		"EKS Auto Mode, parameters elsewhere":     {[]string{classOf("public", "eks.amazonaws.com/alb", strings.Replace(reference, "elbv2.k8s.aws", "eks.amazonaws.com", 1)), ingressOf(public, own)}, "443=2?", "IngressClassParams \"public\""},
		"EKS Auto Mode, discovered":               {[]string{classOf("public", "eks.amazonaws.com/alb", ""), ingressOf(public, `alb.ingress.kubernetes.io/listen-ports: '[{"HTTPS":443}]'`)}, "443=discovered", ""},
		"EKS Auto Mode ignores the annotation":    {[]string{classOf("public", "eks.amazonaws.com/alb", ""), ingressOf(public, own, "kubernetes.io/ingress.class: nginx")}, "443=2", ""},
		"EKS Auto Mode or the controller":         {[]string{classOf("public", "eks.amazonaws.com/alb", ""), ingressOf(public, own, "kubernetes.io/ingress.class: alb")}, "443=2?", "makes the load balancer of store/shop"},
		"made by the controller":                  {[]string{ingressOf("ingressClassName: alb", `alb.ingress.kubernetes.io/create-acm-cert: "true"`)}, "443=discovered?", "create-acm-cert"},
		"made, on a port":                         {[]string{ingressOf("ingressClassName: alb", `alb.ingress.kubernetes.io/create-acm-cert: "1"`, `alb.ingress.kubernetes.io/listen-ports: '[{"HTTPS":8443}]'`)}, "8443=discovered?", "create-acm-cert"},
		"named goes before made":                  {[]string{ingressOf("ingressClassName: alb", own, `alb.ingress.kubernetes.io/create-acm-cert: "true"`)}, "443=2", ""},
		"the class goes before made":              {[]string{params, class, ingressOf(public, `alb.ingress.kubernetes.io/create-acm-cert: "true"`)}, "443=1", ""},
		"not made":                                {[]string{ingressOf("ingressClassName: alb", `alb.ingress.kubernetes.io/create-acm-cert: "false"`, `alb.ingress.kubernetes.io/listen-ports: '[{"HTTP":80}]'`)}, "", ""},
		"redirects":                               {[]string{params, class, ingressOf(public, `alb.ingress.kubernetes.io/ssl-redirect: "443"`)}, "443=1", ""},
		"redirects to no listener":                {[]string{ingressOf("ingressClassName: alb", own, `alb.ingress.kubernetes.io/ssl-redirect: "8443"`)}, "", "ssl-redirect leads to \"8443\""},
		"redirects to a member's":                 {[]string{ingressOf("ingressClassName: alb", own, `alb.ingress.kubernetes.io/ssl-redirect: "8443"`, "alb.ingress.kubernetes.io/group.name: web")}, "443=2", ""},
		"redirects, its class unknown":            {[]string{ingressOf(public, `alb.ingress.kubernetes.io/ssl-redirect: "443"`, `alb.ingress.kubernetes.io/group.name: web`)}, "443=discovered?", "IngressClassParams"},
		"group of an invalid name":                {[]string{ingressOf("ingressClassName: alb", own, "alb.ingress.kubernetes.io/group.name: Web")}, "", "group.name is not valid"},
		"group.order out of range":                {[]string{ingressOf("ingressClassName: alb", own, "alb.ingress.kubernetes.io/group.name: web", `alb.ingress.kubernetes.io/group.order: "1001"`)}, "", "group.order is not valid"},
		"group.order is no number":                {[]string{ingressOf("ingressClassName: alb", own, "alb.ingress.kubernetes.io/group.name: web", `alb.ingress.kubernetes.io/group.order: first`)}, "", "group.order is not valid"},
	} {
		t.Run(name, func(t *testing.T) {
			read := loaded(c.documents...)
			if got := tls(read); got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
			var said []string
			for _, d := range read.Declared {
				said = append(said, d.UndecidedBecause)
			}
			for _, d := range read.Diagnostics {
				said = append(said, d.Message)
			}
			if all := strings.Join(said, ""); !strings.Contains(all, c.says) || c.says == "" && c.want != "" && (all != "" || len(read.Diagnostics) > 0) {
				t.Errorf("it says %q, want %q", all, c.says)
			}
		})
	}
}

// TestClassesDecideMore: the group, the load balancer's name and the policy come from the class too, and the place to change
// is there. EKS Auto Mode ignores the annotation of the group.
func TestClassesDecideMore(t *testing.T) {
	const annotations = "alb.ingress.kubernetes.io/group.name: mine, alb.ingress.kubernetes.io/load-balancer-name: mine, alb.ingress.kubernetes.io/ssl-policy: mine"
	spec := "certificateArn: [" + quoted("1") + "], group: {name: web}, loadBalancerName: web-alb, sslPolicy: theirs"
	for name, c := range map[string]struct {
		documents           []string
		group, name, policy string
		line                int
	}{
		"the class": {[]string{
			paramsOf("elbv2.k8s.aws/v1beta1", "public", spec), classOf("public", "ingress.k8s.aws/alb", ", parameters: {apiGroup: elbv2.k8s.aws, kind: IngressClassParams, name: public}"),
			ingressOf("ingressClassName: public", annotations),
		}, "web", "web-alb", "theirs", 4},
		"the Ingress": {[]string{classOf("public", "ingress.k8s.aws/alb", ""), ingressOf("ingressClassName: public", annotations, "alb.ingress.kubernetes.io/certificate-arn: "+certificate+"2")},
			"mine", "mine", "mine", 11},
		"EKS Auto Mode": {[]string{classOf("public", "eks.amazonaws.com/alb", ""), ingressOf("ingressClassName: public", annotations, "alb.ingress.kubernetes.io/certificate-arn: "+certificate+"2")},
			"", "mine", "mine", 11},
	} {
		read := loaded(c.documents...)
		if len(read.Declared) != 2 || len(read.Diagnostics) > 0 {
			t.Fatalf("%s: %+v", name, read)
		}
		for _, d := range read.Declared {
			if d.Group != c.group || d.LoadBalancer != c.name || !slices.Equal(d.Hosts, []string{"shop.example.com"}) {
				t.Errorf("%s: %+v", name, d)
			}
		}
		if d := read.Declared[0]; d.Policy != c.policy || d.Source.Line != c.line || d.Object != "Ingress store/shop" {
			t.Errorf("%s: %+v", name, d)
		}
	}
}

// TestDeclarationsStayInOrder: Ingresses are read last, since their classes may come later, and stay where they are.
func TestDeclarationsStayInOrder(t *testing.T) {
	service := func(name string) string {
		return "apiVersion: v1\nkind: Service\nmetadata: {name: " + name + ", annotations: {service.beta.kubernetes.io/aws-load-balancer-ssl-cert: \"" + certificate + "1\"}}\nspec: {type: LoadBalancer, ports: [{port: 443}]}"
	}
	own := "alb.ingress.kubernetes.io/certificate-arn: " + certificate + "2"
	read, _ := Read("m.yaml", []byte(strings.Join([]string{
		ingressOf("ingressClassName: alb", own), service("a"), ingressOf("ingressClassName: alb", own), ingressOf("ingressClassName: alb", own), service("b"),
	}, "\n---\n")))
	line := 0
	for _, d := range read {
		if d.Source.Line < line {
			t.Errorf("%s at line %d comes after line %d", d.Object, d.Source.Line, line)
		}
		line = d.Source.Line
	}
	if len(read) != 5 {
		t.Errorf("%d declarations", len(read))
	}
}

// TestParametersWithoutIngresses: applied alone, they change the listeners of Ingresses that are elsewhere.
func TestParametersWithoutIngresses(t *testing.T) {
	params := paramsOf("elbv2.k8s.aws/v1beta1", "public", "certificateArn: ["+quoted("1")+"]")
	class := classOf("public", "ingress.k8s.aws/alb", ", parameters: {apiGroup: elbv2.k8s.aws, kind: IngressClassParams, name: public}")
	for name, c := range map[string]struct {
		documents []string
		want      int
	}{
		"alone":                 {[]string{params}, 1},
		"with its class":        {[]string{params, class}, 1},
		"an Ingress of another": {[]string{params, class, ingressOf("ingressClassName: nginx")}, 1},
		"an Ingress of its own": {[]string{params, class, ingressOf("ingressClassName: public")}, 0},
		"without certificates":  {[]string{paramsOf("elbv2.k8s.aws/v1beta1", "public", "scheme: internal"), class}, 0},
	} {
		if read := loaded(c.documents...); len(read.PassedOver) != c.want || c.want > 0 && (read.PassedOver[0].Line != 4 || read.PassedOver[0].Object != "IngressClassParams public") {
			t.Errorf("%s: %+v", name, read.PassedOver)
		}
	}
}
