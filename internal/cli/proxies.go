package cli

import (
	"cmp"
	"fmt"
	"net/url"
	"strings"

	"golang.org/x/net/http/httpproxy"

	"certdrift/internal/target"
)

// reportProxies says on standard error that probes use no proxy, where the environment has one that other clients would use for an
// endpoint. A probe must see the endpoint's own certificate, and a proxy may replace it.
func (a *App) reportProxies(endpoints []target.Endpoint) {
	all := a.proxyVariable("ALL_PROXY")
	secure, plain := cmp.Or(a.proxyVariable("HTTPS_PROXY"), all), cmp.Or(a.proxyVariable("HTTP_PROXY"), all)
	without := a.Getenv(cmp.Or(a.proxyVariable("NO_PROXY"), "NO_PROXY"))
	// The proxies' own addresses do not matter, and may contain credentials.
	proxied := (&httpproxy.Config{HTTPProxy: "http://proxy", HTTPSProxy: "http://proxy", NoProxy: without}).ProxyFunc()
	for _, e := range endpoints {
		variable, scheme := secure, "https"
		if e.Kind == target.HTTP {
			variable, scheme = plain, "http"
		}
		host := e.Host
		if strings.Contains(host, ":") {
			host = "[" + host + "]"
		}
		via, err := proxied(&url.URL{Scheme: scheme, Host: fmt.Sprintf("%s:%d", host, e.Port)})
		if variable == "" || err != nil || via == nil || len(e.ConnectTo) > 0 {
			continue
		}
		fmt.Fprintf(a.Stderr, "certdrift: %s is ignored: probes connect directly, so that they see the endpoints' own certificates. "+
			"If only the proxy has a route to them, run certdrift where there is a direct one.\n", variable)
		return
	}
}

// proxyVariable returns the variable that is set, in upper or lower case as clients read it; empty if neither is.
func (a *App) proxyVariable(name string) string {
	for _, variable := range []string{name, strings.ToLower(name)} {
		if a.Getenv(variable) != "" {
			return variable
		}
	}
	return ""
}
