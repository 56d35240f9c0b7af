package cli

import (
	"context"
	"strings"
	"testing"

	"certdrift/internal/boot"
	"certdrift/internal/round"
)

// TestProxiesAreReportedAsIgnored: a proxy of the environment that other clients would use is named, once, and nothing of its address.
func TestProxiesAreReportedAsIgnored(t *testing.T) {
	const proxy = "http://user:s3cr3t@proxy.example.net:3128"
	for name, c := range map[string]struct {
		env  map[string]string
		args []string
		want string // the variable; empty if nothing is said
	}{
		"none":                       {nil, []string{"https://example.org"}, ""},
		"for https":                  {map[string]string{"HTTPS_PROXY": proxy}, []string{"https://example.org", "https://example.net"}, "HTTPS_PROXY"},
		"in lower case":              {map[string]string{"https_proxy": proxy}, []string{"https://example.org"}, "https_proxy"},
		"for everything":             {map[string]string{"ALL_PROXY": "socks5://proxy.example.net"}, []string{"smtp://mail.example.org"}, "ALL_PROXY"},
		"for TLS":                    {map[string]string{"HTTPS_PROXY": proxy}, []string{"tls://example.org:8443"}, "HTTPS_PROXY"},
		"for http, but it is https":  {map[string]string{"HTTP_PROXY": proxy}, []string{"https://example.org"}, ""},
		"for http":                   {map[string]string{"http_proxy": proxy}, []string{"https://example.org", "http://example.org"}, "http_proxy"},
		"not for the host":           {map[string]string{"HTTPS_PROXY": proxy, "NO_PROXY": ".example.org"}, []string{"https://www.example.org"}, ""},
		"not for the network":        {map[string]string{"HTTPS_PROXY": proxy, "no_proxy": "10.0.0.0/8"}, []string{"https://10.1.2.3"}, ""},
		"not for all hosts":          {map[string]string{"HTTPS_PROXY": proxy, "NO_PROXY": ".example.org"}, []string{"https://www.example.org", "https://example.net"}, "HTTPS_PROXY"},
		"not for any":                {map[string]string{"HTTPS_PROXY": proxy, "NO_PROXY": "*"}, []string{"https://example.org"}, ""},
		"never for this machine":     {map[string]string{"HTTPS_PROXY": proxy}, []string{"https://localhost", "https://127.0.0.1", "https://[::1]"}, ""},
		"not to where we connect to": {map[string]string{"HTTPS_PROXY": proxy}, []string{"https://example.org", "--connect-to", "10.0.0.7:443"}, ""},
		"IPv6":                       {map[string]string{"HTTPS_PROXY": proxy}, []string{"https://[2001:db8::1]"}, "HTTPS_PROXY"},
	} {
		t.Run(name, func(t *testing.T) {
			edit := func(a *App) { a.Getenv = func(name string) string { return c.env[name] } }
			rounds := func(_ context.Context, q round.Request, _ boot.Options) (round.Result, error) { return seen(q), nil }
			status, stdout, stderr := run(t, edit, rounds, append([]string{"check", "--format", "json"}, c.args...)...)
			if status != 0 || strings.Contains(stdout+stderr, "s3cr3t") || strings.Contains(stdout, "_PROXY") {
				t.Errorf("%d\n%s\n%s", status, stdout, stderr)
			}
			if said := strings.Count(stderr, " is ignored: probes connect directly"); (c.want == "") != (said == 0) || said > 1 || !strings.Contains(stderr, c.want) {
				t.Errorf("said %d times: %q", said, stderr)
			}
		})
	}
}
