package manifest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"certdrift/internal/observation"
)

func gatewayClassOf(name, controller, parameters string) string {
	return "apiVersion: gateway.networking.k8s.io/v1\nkind: GatewayClass\nmetadata: {name: " + name + "}\nspec: {controllerName: " + controller + parameters + "}"
}

// gatewayOf is a Gateway store/shop of the class public.
func gatewayOf(spec string, listeners ...string) string {
	return "apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata: {name: shop, namespace: store}\nspec:\n  gatewayClassName: public\n" + spec +
		"  listeners:\n    - " + strings.Join(listeners, "\n    - ")
}

func configOf(name, spec string) string {
	return "apiVersion: gateway.k8s.aws/v1beta1\nkind: LoadBalancerConfiguration\nmetadata: {name: " + name + ", namespace: store}\nspec: {" + spec + "}"
}

// listenerConfigOf is an entry of listenerConfigurations with certificates, the default first.
func listenerConfigOf(protocolPort string, ids ...string) string {
	text := `{protocolPort: "` + protocolPort + `"`
	if len(ids) > 0 {
		text += ", defaultCertificate: " + quoted(ids[0])
	}
	if len(ids) > 1 {
		more := make([]string, 0, len(ids))
		for _, id := range ids[1:] {
			more = append(more, quoted(id))
		}
		text += ", certificates: [" + strings.Join(more, ", ") + "]"
	}
	return text + "}"
}

func configsOf(entries ...string) string {
	return "listenerConfigurations: [" + strings.Join(entries, ", ") + "]"
}

func routeOf(kind, name, spec string) string {
	return "apiVersion: gateway.networking.k8s.io/v1\nkind: " + kind + "\nmetadata: {name: " + name + ", namespace: store}\nspec: {" + spec + "}"
}

func listenerSetOf(name, namespace, spec string) string {
	return "apiVersion: gateway.networking.k8s.io/v1\nkind: ListenerSet\nmetadata: {name: " + name + ", namespace: " + namespace + "}\nspec: {" + spec + "}"
}

const (
	albController = "gateway.k8s.aws/alb"
	nlbController = "gateway.k8s.aws/nlb"
	ofOwn         = "  infrastructure: {parametersRef: {group: gateway.k8s.aws, kind: LoadBalancerConfiguration, name: own}}\n"
	ofClass       = ", parametersRef: {group: gateway.k8s.aws, kind: LoadBalancerConfiguration, name: class, namespace: store}"
	httpsListener = "{name: https, protocol: HTTPS, port: 443, hostname: shop.example.com}"
	tlsListener   = "{name: tls, protocol: TLS, port: 443}"
)

// TestGateways holds what certificates the listeners of Gateways get, as the controller's guide to the Gateway API has it.
func TestGateways(t *testing.T) {
	class, nlb := gatewayClassOf("public", albController, ""), gatewayClassOf("public", nlbController, "")
	own := configOf("own", configsOf(listenerConfigOf("HTTPS:443", "1", "2")))
	byClass := gatewayClassOf("public", albController, ofClass)
	for name, c := range map[string]struct {
		documents  []string
		want, says string // what is undecided, reported or passed over
	}{
		"its own configuration":             {[]string{class, own, gatewayOf(ofOwn, httpsListener)}, "443=1+2", ""},
		"in any order":                      {[]string{gatewayOf(ofOwn, httpsListener), own, class}, "443=1+2", ""},
		"the stable version":                {[]string{class, strings.Replace(own, "v1beta1", "v1", 1), gatewayOf(ofOwn, httpsListener)}, "443=1+2", ""},
		"a Gateway of the old version":      {[]string{class, own, strings.Replace(gatewayOf(ofOwn, httpsListener), "io/v1", "io/v1beta1", 1)}, "443=1+2", ""},
		"the class's configuration":         {[]string{byClass, configOf("class", configsOf(listenerConfigOf("HTTPS:443", "3"))), gatewayOf("", httpsListener)}, "443=3", ""},
		"the class goes first":              {[]string{byClass, configOf("class", configsOf(listenerConfigOf("HTTPS:443", "3"))), own, gatewayOf(ofOwn, httpsListener)}, "443=3", ""},
		"the class goes first, as it says":  {[]string{byClass, configOf("class", "mergingMode: prefer-gateway-class, "+configsOf(listenerConfigOf("HTTPS:443", "3"))), own, gatewayOf(ofOwn, httpsListener)}, "443=3", ""},
		"the Gateway goes first":            {[]string{byClass, configOf("class", "mergingMode: prefer-gateway, "+configsOf(listenerConfigOf("HTTPS:443", "3"))), own, gatewayOf(ofOwn, httpsListener)}, "443=1+2", ""},
		"the Gateway's mode does not count": {[]string{byClass, configOf("class", configsOf(listenerConfigOf("HTTPS:443", "3"))), configOf("own", "mergingMode: prefer-gateway, "+configsOf(listenerConfigOf("HTTPS:443", "1"))), gatewayOf(ofOwn, httpsListener)}, "443=3", ""},
		"the class has another port":        {[]string{byClass, configOf("class", configsOf(listenerConfigOf("HTTPS:8443", "3"))), own, gatewayOf(ofOwn, httpsListener, "{name: b, protocol: HTTPS, port: 8443}")}, "443=1+2 8443=3", ""},
		"the class has the port only":       {[]string{byClass, configOf("class", configsOf(`{protocolPort: "HTTPS:443", sslPolicy: ELBSecurityPolicy-TLS13-1-2-2021-06}`)), own, gatewayOf(ofOwn, httpsListener)}, "443=discovered", ""},
		"no default certificate":            {[]string{class, configOf("own", configsOf(`{protocolPort: "HTTPS:443", certificates: [`+quoted("2")+", "+quoted("1")+"]}")), gatewayOf(ofOwn, httpsListener)}, "443=2+1", ""},
		"the default in the list as well":   {[]string{class, configOf("own", configsOf(listenerConfigOf("HTTPS:443", "1", "1", "2"))), gatewayOf(ofOwn, httpsListener)}, "443=1+1+2", ""},
		"of entries for a port the last":    {[]string{class, configOf("own", configsOf(listenerConfigOf("HTTPS:443", "1"), listenerConfigOf("HTTPS:443", "2"))), gatewayOf(ofOwn, httpsListener)}, "443=2", ""},
		"none for the port":                 {[]string{class, configOf("own", configsOf(listenerConfigOf("HTTPS:8443", "1"))), gatewayOf(ofOwn, httpsListener)}, "443=discovered", ""},
		"none for the protocol":             {[]string{class, configOf("own", configsOf(listenerConfigOf("TLS:443", "1"))), gatewayOf(ofOwn, httpsListener)}, "443=discovered", ""},
		"no configuration":                  {[]string{class, gatewayOf("", httpsListener)}, "443=discovered", ""},
		"plain text only":                   {[]string{class, gatewayOf("", "{name: http, protocol: HTTP, port: 80}")}, "", ""},
		"two hostnames on a port":           {[]string{class, own, gatewayOf(ofOwn, httpsListener, "{name: b, protocol: HTTPS, port: 443, hostname: api.example.com}")}, "443=1+2", ""},
		"a network load balancer":           {[]string{nlb, configOf("own", configsOf(listenerConfigOf("TLS:443", "1"))), gatewayOf(ofOwn, tlsListener)}, "443=1", ""},
		"TLS that is passed through":        {[]string{nlb, configOf("own", configsOf(listenerConfigOf("TLS:443", "1"))), gatewayOf(ofOwn, "{name: tls, protocol: TLS, port: 443, tls: {mode: Passthrough}}")}, "", ""},
		"HTTPS is not passed through":       {[]string{class, own, gatewayOf(ofOwn, "{name: a, protocol: HTTPS, port: 443, tls: {mode: Passthrough}}")}, "443=1+2", ""},
		"certificateRefs are ignored":       {[]string{class, own, gatewayOf(ofOwn, "{name: a, protocol: HTTPS, port: 443, tls: {certificateRefs: [{name: secret}]}}")}, "443=1+2", ""},
		"an ARN in tls.options":             {[]string{class, own, gatewayOf(ofOwn, "{name: a, protocol: HTTPS, port: 443, tls: {options: {certificate: "+quoted("3")+"}}}")}, "443=1+2", "reads none"},
		"TLS on an ALB":                     {[]string{class, gatewayOf("", tlsListener)}, "", `the protocol "TLS", and the controller ignores it`},
		"HTTPS on an NLB":                   {[]string{nlb, gatewayOf("", httpsListener)}, "", `the protocol "HTTPS", and the controller ignores it`},
		"passed through on an ALB":          {[]string{class, gatewayOf("", "{name: tls, protocol: TLS, port: 443, tls: {mode: Passthrough}}")}, "", `the controller ignores it`},
		"HTTP and HTTPS on a port":          {[]string{class, own, gatewayOf(ofOwn, "{name: a, protocol: HTTP, port: 443}", httpsListener)}, "", `on a port that speaks "HTTP"`},
		"no port":                           {[]string{class, gatewayOf("", "{name: https, protocol: HTTPS, port: https}")}, "", "kubectl refuses it"},
		"no ARN":                            {[]string{class, configOf("own", configsOf(`{protocolPort: "HTTPS:443", defaultCertificate: my-cert}`)), gatewayOf(ofOwn, httpsListener)}, "", `"my-cert"`},
		"a list for a certificate":          {[]string{class, configOf("own", configsOf(`{protocolPort: "HTTPS:443", defaultCertificate: [`+quoted("1")+"]}")), gatewayOf(ofOwn, httpsListener)}, "", "must be text"},
		"a template":                        {[]string{class, configOf("own", configsOf(`{protocolPort: "HTTPS:443", defaultCertificate: "{{ .Values.certificate }}"}`)), gatewayOf(ofOwn, httpsListener)}, "", "not rendered"},
		"the class is elsewhere":            {[]string{own, gatewayOf(ofOwn, httpsListener)}, "443=1+2?", `GatewayClass "public", which is not in the input`},
		"all of it is elsewhere":            {[]string{gatewayOf("", httpsListener)}, "443=discovered?", `GatewayClass "public", which is not in the input`},
		"the configuration is elsewhere":    {[]string{class, gatewayOf(ofOwn, httpsListener)}, "443=discovered?", `LoadBalancerConfiguration "store/own"`},
		"the class's is elsewhere":          {[]string{byClass, own, gatewayOf(ofOwn, httpsListener)}, "443=1+2?", `LoadBalancerConfiguration "store/class"`},
		"in another namespace":              {[]string{class, strings.Replace(own, "namespace: store", "namespace: other", 1), gatewayOf(ofOwn, httpsListener)}, "443=discovered?", `LoadBalancerConfiguration "store/own"`},
		"other parameters":                  {[]string{class, gatewayOf("  infrastructure: {parametersRef: {group: example.com, kind: Parameters, name: own}}\n", httpsListener)}, "443=discovered?", "they are no LoadBalancerConfiguration"},
		"two configurations that differ":    {[]string{class, own, configOf("own", configsOf(listenerConfigOf("HTTPS:443", "3"))), gatewayOf(ofOwn, httpsListener)}, "443=3?", "several that differ"},
		"twice the same configuration":      {[]string{class, class, own, own, gatewayOf(ofOwn, httpsListener)}, "443=1+2", ""},
		"two classes that differ":           {[]string{class, gatewayClassOf("public", "istio.io/gateway-controller", ""), own, gatewayOf(ofOwn, httpsListener)}, "443=1+2?", "several that differ"},
		"a class without a namespace":       {[]string{gatewayClassOf("public", albController, ", parametersRef: {group: gateway.k8s.aws, kind: LoadBalancerConfiguration, name: class}"), gatewayOf("", httpsListener)}, "443=discovered?", "rejects the class"},
		"another controller's":              {[]string{gatewayClassOf("public", "istio.io/gateway-controller", ""), gatewayOf("", httpsListener)}, "", ""},
		"another controller's, with an ARN": {[]string{gatewayClassOf("public", "istio.io/gateway-controller", ""), gatewayOf("  infrastructure: {annotations: {service.beta.kubernetes.io/aws-load-balancer-ssl-cert: "+quoted("1")+"}}\n", httpsListener)}, "", `does not read objects of kind "Gateway"`},
		"VPC Lattice's":                     {[]string{gatewayClassOf("public", latticeController, ""), gatewayOf("", "{name: a, protocol: HTTPS, port: 443, tls: {options: {application-networking.k8s.aws/certificate-arn: "+quoted("1")+"}}}")}, "", ""},
		"an unknown controller of Amazon":   {[]string{gatewayClassOf("public", "eks.amazonaws.com/alb", ""), gatewayOf("", httpsListener)}, "443=discovered?", "certdrift does not know it"},
		"a usual name of another's":         {[]string{strings.Replace(gatewayOf("", httpsListener), "public", "istio", 1)}, "", ""},
		"a usual name, with parameters":     {[]string{strings.Replace(gatewayOf(ofOwn, httpsListener), "public", "envoy", 1), own}, "443=1+2?", "which is not in the input"},
		"a ListenerSet":                     {[]string{class, own, listenerSetOf("more", "store", "parentRef: {name: shop}, listeners: [{name: a, protocol: HTTPS, port: 8443}]"), gatewayOf(ofOwn+"  allowedListeners: {namespaces: {from: Same}}\n", httpsListener)}, "443=1+2 8443=discovered", ""},
		"a ListenerSet on the same port":    {[]string{class, own, listenerSetOf("more", "store", "parentRef: {name: shop}, listeners: [{name: a, protocol: HTTPS, port: 443}]"), gatewayOf(ofOwn+"  allowedListeners: {namespaces: {from: Same}}\n", httpsListener)}, "443=1+2", ""},
		"a ListenerSet that is not allowed": {[]string{class, own, listenerSetOf("more", "store", "parentRef: {name: shop}, listeners: [{name: a, protocol: HTTPS, port: 8443}]"), gatewayOf(ofOwn, httpsListener)}, "443=1+2", ""},
		"a ListenerSet of elsewhere":        {[]string{class, own, listenerSetOf("more", "other", "parentRef: {name: shop, namespace: store}, listeners: [{name: a, protocol: HTTPS, port: 8443}]"), gatewayOf(ofOwn+"  allowedListeners: {namespaces: {from: Same}}\n", httpsListener)}, "443=1+2", ""},
		"a ListenerSet of a selected place": {[]string{class, own, listenerSetOf("more", "other", "parentRef: {name: shop, namespace: store}, listeners: [{name: a, protocol: HTTPS, port: 8443}]"), gatewayOf(ofOwn+"  allowedListeners: {namespaces: {from: Selector, selector: {matchLabels: {a: b}}}}\n", httpsListener)}, "443=1+2 8443=discovered", ""},
		"a protocol in lower case":          {[]string{class, configOf("own", configsOf(listenerConfigOf("https:443", "1"))), gatewayOf(ofOwn, httpsListener)}, "443=discovered", "protocolPort is not valid"},
		"a ListenerSet that conflicts":      {[]string{class, own, listenerSetOf("more", "store", "parentRef: {name: shop}, listeners: [{name: a, protocol: HTTP, port: 443}]"), gatewayOf(ofOwn+"  allowedListeners: {namespaces: {from: All}}\n", httpsListener)}, "443=1+2", ""},
		"two ListenerSets that conflict":    {[]string{class, own, listenerSetOf("b", "store", "parentRef: {name: shop}, listeners: [{name: a, protocol: HTTP, port: 8443}]"), listenerSetOf("a", "store", "parentRef: {name: shop}, listeners: [{name: a, protocol: HTTPS, port: 8443}]"), gatewayOf(ofOwn+"  allowedListeners: {namespaces: {from: All}}\n", httpsListener)}, "443=1+2 8443=discovered?", "the older one does"},
		"a ListenerSet without its Gateway": {[]string{class, listenerSetOf("more", "store", "parentRef: {name: shop}, listeners: [{name: a, protocol: HTTPS, port: 8443}]")}, "", `belong to the Gateway "store/shop"`},
		"a configuration alone":             {[]string{own}, "", "the Gateways that use it are not in the input"},
		"a configuration and a class":       {[]string{byClass, configOf("class", configsOf(listenerConfigOf("HTTPS:443", "3")))}, "", "the Gateways that use it are not in the input"},
		"a class whose parameters are not":  {[]string{byClass}, "", "which may specify certificates"},
		"a configuration of no certificate": {[]string{configOf("own", "scheme: internal")}, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			read := loaded(c.documents...)
			if got := tls(read); got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
			said := fmt.Sprint(read.Diagnostics, read.PassedOver)
			for _, d := range read.Declared {
				said += d.UndecidedBecause
			}
			switch silent := len(read.Diagnostics)+len(read.PassedOver) == 0; {
			case c.says == "" && !silent, c.says != "" && !strings.Contains(said, c.says):
				t.Errorf("says %s, want %q", said, c.says)
			}
		})
	}
}

// TestWhatGatewaysDeclare: the load balancer, the hostnames and the line to change.
func TestWhatGatewaysDeclare(t *testing.T) {
	spec := "loadBalancerName: shop-alb, " + configsOf(`{protocolPort: "HTTPS:443", sslPolicy: Strict, defaultCertificate: `+quoted("1")+"}")
	read := loaded(gatewayClassOf("public", albController, ""), gatewayOf(ofOwn, "{name: https, protocol: HTTPS, port: 443}"), configOf("own", spec),
		routeOf("HTTPRoute", "www", "parentRefs: [{name: shop}], hostnames: [www.example.com]"),
		routeOf("GRPCRoute", "rpc", "parentRefs: [{name: shop, sectionName: https}], hostnames: [rpc.example.com]"),
		routeOf("HTTPRoute", "other", "parentRefs: [{name: shop, sectionName: http}], hostnames: [other.example.com]"),
		routeOf("HTTPRoute", "port", "parentRefs: [{name: shop, port: 8443}], hostnames: [port.example.com]"),
		routeOf("HTTPRoute", "set", "parentRefs: [{name: shop, kind: ListenerSet}], hostnames: [set.example.com]"),
		routeOf("TLSRoute", "tls", "parentRefs: [{name: shop}], hostnames: [tls.example.com]"))
	if len(read.Declared) != 2 || len(read.Diagnostics)+len(read.PassedOver) > 0 {
		t.Fatalf("%+v", read)
	}
	d, closes := read.Declared[0], read.Declared[1]
	if d.Object != "Gateway store/shop" || d.Service != "store/shop" || d.Kind != observation.Application || d.LoadBalancer != "shop-alb" || d.Policy != "Strict" ||
		d.Source.Line != 18 || !slices.Equal(d.Hosts, []string{"rpc.example.com", "www.example.com"}) {
		t.Errorf("%+v", d)
	}
	if !closes.RemovesListeners || closes.UndecidedBecause != "" || closes.Object != d.Object {
		t.Errorf("%+v", closes)
	}
	lb := observation.LoadBalancer{Kind: observation.Application, Name: "k8s-store-shop-1234", Tags: map[string]string{"gateway.k8s.aws.alb/stack": "store/shop"}}
	if !lb.MadeFor(d) || !d.Fits(observation.Application) || d.Fits(observation.Network) || d.Fits(observation.Classic) {
		t.Errorf("it does not fit its load balancer")
	}
	open := loaded(gatewayClassOf("public", albController, ""), gatewayOf("  allowedListeners: {namespaces: {from: All}}\n", "{name: http, protocol: HTTP, port: 80}"))
	if len(open.Declared) != 1 || !strings.Contains(open.Declared[0].UndecidedBecause, "a ListenerSet that is not among the manifests") {
		t.Errorf("%+v", open)
	}
}

// TestGatewaysAsTheControllerDoes compares the TLS ports of generated Gateways, their certificates and their hostnames with a model written
// from the controller's documentation and the Gateway API's.
func TestGatewaysAsTheControllerDoes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		alb := rapid.Bool().Draw(t, "ALB")
		controller, protocols := nlbController, []string{"TLS", "TCP"}
		if alb {
			controller, protocols = albController, []string{"HTTPS", "HTTP"}
		}
		ports := []int{443, 8443}
		names := []string{"", "a.example.com", "b.example.com", "*.example.com", "*.a.example.com"}

		type entry struct {
			protocol string
			port     int
			ids      []string
		}
		entries := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) entry {
			return entry{rapid.SampledFrom(protocols).Draw(t, "protocol"), rapid.SampledFrom(ports).Draw(t, "port"), rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"1", "2", "3"}), 0, 2, rapid.ID[string]).Draw(t, "ids")}
		}), 0, 3)
		ofGateway, ofTheClass := entries.Draw(t, "the Gateway's"), entries.Draw(t, "the class's")
		has, classHas, prefersGateway := rapid.Bool().Draw(t, "has its own"), rapid.Bool().Draw(t, "the class has"), rapid.Bool().Draw(t, "prefers")

		type listener struct {
			protocol, host, from string
			port                 int
		}
		listeners := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) listener {
			return listener{rapid.SampledFrom(protocols).Draw(t, "protocol"), rapid.SampledFrom(names).Draw(t, "host"), rapid.SampledFrom([]string{"Same", "All", "None"}).Draw(t, "from"), rapid.SampledFrom(ports).Draw(t, "port")}
		}), 1, 4).Draw(t, "listeners")
		type route struct {
			kind, namespace, section string
			hosts                    []string
		}
		routes := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) route {
			return route{
				rapid.SampledFrom([]string{"HTTPRoute", "GRPCRoute", "TLSRoute"}).Draw(t, "kind"), rapid.SampledFrom([]string{"store", "other"}).Draw(t, "namespace"),
				rapid.SampledFrom([]string{"", "l0", "l1"}).Draw(t, "section"), rapid.SliceOfNDistinct(rapid.SampledFrom(names[1:]), 0, 2, rapid.ID[string]).Draw(t, "hosts"),
			}
		}), 0, 3).Draw(t, "routes")

		// The model: which entry decides about a port, and the names of those who may ask for it.
		deciding := map[string][]string{}
		apply := func(all []entry) {
			for _, e := range all {
				deciding[fmt.Sprint(e.protocol, ":", e.port)] = e.ids
			}
		}
		switch {
		case has && classHas && prefersGateway:
			apply(ofTheClass)
			apply(ofGateway)
		default:
			if has {
				apply(ofGateway)
			}
			if classHas {
				apply(ofTheClass)
			}
		}
		speaks, asked, conflicts := map[int]string{}, map[int]map[string]bool{}, 0
		for i, l := range listeners {
			if first, ok := speaks[l.port]; ok && first != l.protocol {
				conflicts++
				continue
			}
			if speaks[l.port] = l.protocol; asked[l.port] == nil {
				asked[l.port] = map[string]bool{}
			}
			if l.host != "" {
				asked[l.port][l.host] = true
			}
			for _, r := range routes {
				kindOK := alb && (r.kind == "HTTPRoute" || r.kind == "GRPCRoute") || !alb && r.kind == "TLSRoute"
				if !kindOK || r.section != "" && r.section != fmt.Sprint("l", i) || l.from == "Same" && r.namespace != "store" || l.from == "None" {
					continue
				}
				for _, h := range r.hosts {
					switch wild := strings.TrimPrefix(l.host, "*"); {
					case l.host == "" || h == l.host, wild != l.host && strings.HasSuffix(h, wild):
						asked[l.port][h] = true
					case strings.HasPrefix(h, "*") && strings.HasSuffix(l.host, h[1:]):
						asked[l.port][l.host] = true
					}
				}
			}
		}
		var want []string
		for _, port := range slices.Sorted(maps.Keys(speaks)) {
			if speaks[port] != "HTTPS" && speaks[port] != "TLS" {
				continue
			}
			held := strings.Join(deciding[fmt.Sprint(speaks[port], ":", port)], "+")
			if held == "" {
				held = "discovered"
			}
			want = append(want, fmt.Sprintf("%d=%s %v", port, held, slices.Sorted(maps.Keys(asked[port]))))
		}

		write := func(all []entry) string {
			var out []string
			for _, e := range all {
				out = append(out, listenerConfigOf(fmt.Sprint(e.protocol, ":", e.port), e.ids...))
			}
			return configsOf(out...)
		}
		var documents []string
		parameters, spec := "", ""
		if classHas {
			mode := ""
			if prefersGateway {
				mode = "mergingMode: prefer-gateway, "
			}
			parameters = ofClass
			documents = append(documents, configOf("class", mode+write(ofTheClass)))
		}
		if has {
			spec = ofOwn
			documents = append(documents, configOf("own", write(ofGateway)))
		}
		var written []string
		for i, l := range listeners {
			text := fmt.Sprintf("{name: l%d, protocol: %s, port: %d, allowedRoutes: {namespaces: {from: %s}}", i, l.protocol, l.port, l.from)
			if l.host != "" {
				text += `, hostname: "` + l.host + `"`
			}
			written = append(written, text+"}")
		}
		for i, r := range routes {
			section := ""
			if r.section != "" {
				section = ", sectionName: " + r.section
			}
			text := routeOf(r.kind, fmt.Sprint("r", i), "parentRefs: [{name: shop, namespace: store"+section+"}], hostnames: "+asJSON(append([]string{}, r.hosts...)))
			documents = append(documents, strings.Replace(text, "namespace: store}", "namespace: "+r.namespace+"}", 1))
		}
		documents = append(documents, gatewayClassOf("public", controller, parameters), gatewayOf(spec, written...))
		read := loaded(rapid.Permutation(documents).Draw(t, "order")...)
		var got []string
		for _, d := range read.Declared {
			if !d.RemovesListeners {
				got = append(got, tls(Loaded{Declared: []observation.Declaration{d}})+fmt.Sprint(" ", append([]string{}, d.Hosts...)))
			}
		}
		if !slices.Equal(got, want) || conflicts != len(read.Diagnostics) || len(read.PassedOver) > 0 {
			t.Errorf("%q, want %q: %+v %+v\n%s", got, want, read.Diagnostics, read.PassedOver, strings.Join(documents, "\n---\n"))
		}
	})
}
