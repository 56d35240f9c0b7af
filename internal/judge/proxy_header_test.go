package judge

import (
	"strings"
	"testing"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
	"certdrift/internal/target"
)

// TestProxyHeader: the PROXY protocol at one side only, both ways round, in front of every kind of load balancer and of none.
func TestProxyHeader(t *testing.T) {
	missing := &observation.ProxyHeader{Missing: 1}
	for name, c := range map[string]struct {
		phase   observation.Phase
		kind    observation.FailureKind
		header  *observation.ProxyHeader
		code    finding.Code
		summary string
	}{
		"reset":           {observation.PhaseTLS, observation.Reset, missing, finding.ConnectReset, "resets the connection during the TLS handshake, but answers behind a header of the PROXY protocol (version 1)"},
		"closed":          {observation.PhaseTLS, observation.Closed, missing, finding.TLSHandshake, "closes the connection during the TLS handshake, but"},
		"silent":          {observation.PhaseStartTLS, observation.TimedOut, missing, finding.TLSTimeout, "does not answer within 10s, but"},
		"closed on HTTP":  {observation.PhaseHeaders, observation.Closed, missing, finding.HTTPInvalid, "closes the connection after the request"},
		"version 2":       {observation.PhaseTLS, observation.Closed, &observation.ProxyHeader{Missing: 2}, finding.TLSHandshake, "(version 2)"},
		"unexpected":      {observation.PhaseTLS, observation.Plaintext, &observation.ProxyHeader{Unexpected: true}, finding.TLSPlaintext, "puts a header of the PROXY protocol in front of the handshake, which the server does not expect"},
		"maybe, for 400s": {observation.PhaseTLS, observation.Plaintext, &observation.ProxyHeader{Suspected: true}, finding.TLSPlaintext, "either the port serves no TLS, or"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			a := failing("10.0.0.1", c.phase, c.kind)
			a.Failure.ProxyHeader = c.header
			s.HTTPS("api", host, a).Target.Timeout = 10_000_000_000
			s.only(c.code)
			f := s.one(c.code, finding.Critical)
			if !strings.Contains(f.Summary, c.summary) || !strings.Contains(f.Remedy, "PROXY protocol") || f.Evidence["proxy_protocol"] == nil {
				t.Errorf("got %q, %q, %v", f.Summary, f.Remedy, f.Evidence)
			}
			if strings.Contains(f.Remedy, "NLB") || strings.Contains(f.Remedy, "classic") || strings.Contains(f.Remedy, "aws") {
				t.Errorf("a load balancer's remedy without one: %q", f.Remedy)
			}
		})
	}
	for kind, c := range map[observation.LoadBalancerKind][2]string{
		observation.Network: {"proxy_protocol_v2.enabled", "classic load balancer"}, observation.Classic: {"ProxyProtocol policy", "NLB"},
	} {
		for _, header := range []*observation.ProxyHeader{missing, {Unexpected: true}} {
			s := newScene(t)
			a := failing("10.0.0.1", observation.PhaseTLS, observation.Plaintext)
			a.Failure.ProxyHeader = header
			e := s.HTTPS("api", host, a)
			e.Target.LoadBalancer = &target.LoadBalancerRef{Name: "lb", Port: 443}
			s.Balancer(kind, "lb", observation.Listener{Port: 443, Protocol: "TCP"})
			f := s.one(finding.TLSPlaintext, finding.Critical)
			if !strings.Contains(f.Remedy, c[0]) || strings.Contains(f.Remedy, c[1]) || !strings.Contains(f.Remedy, "aws-load-balancer-proxy-protocol") {
				t.Errorf("%s: %q", kind, f.Remedy)
			}
		}
	}
}

// TestRemediesWithoutALoadBalancer: an endpoint that is behind no load balancer as far as anything says is not told to fix one's
// listener or targets; one that may be is.
func TestRemediesWithoutALoadBalancer(t *testing.T) {
	bad := func(status int, excerpt string) func(*scene) observation.Address {
		return func(s *scene) observation.Address {
			a := ok("10.0.0.1", s.Leaf(host))
			a.HTTP.Status, a.HTTP.Excerpt = status, excerpt
			return a
		}
	}
	fails := func(phase observation.Phase, kind observation.FailureKind) func(*scene) observation.Address {
		return func(*scene) observation.Address { return failing("10.0.0.1", phase, kind) }
	}
	named := map[string]func(*scene, *observation.Endpoint){
		"by the configuration": func(_ *scene, e *observation.Endpoint) {
			e.Target.LoadBalancer = &target.LoadBalancerRef{Name: "lb", Port: 443}
		},
		"by its service":   func(_ *scene, e *observation.Endpoint) { e.Target.Service = "production/api" },
		"by DNS":           func(_ *scene, e *observation.Endpoint) { e.DNS.CanonicalName = "lb-1.us-west-2.elb.amazonaws.com" },
		"in China":         func(_ *scene, e *observation.Endpoint) { e.DNS.CanonicalName = "lb-1.cn-north-1.elb.amazonaws.com.cn" },
		"by another round": func(s *scene, _ *observation.Endpoint) { s.Round.EndpointsOnly, s.Round.ListenersRead = true, false },
	}
	for name, c := range map[string]struct {
		made    func(*scene) observation.Address
		code    finding.Code
		without string // what only the remedy without a load balancer says
		with    string
	}{
		"plaintext":  {fails(observation.PhaseTLS, observation.Plaintext), finding.TLSPlaintext, "on the server or proxy that listens at 10.0.0.1:443", "Restore the listener's TLS protocol"},
		"503":        {bad(503, ""), finding.HTTPStatus, "Check the application behind", "Check target health"},
		"TLS within": {bad(400, "The plain HTTP request was sent to HTTPS port"), finding.HTTPStatus, "The proxy at", "target group's protocol"},
		"expired":    {func(s *scene) observation.Address { return ok("10.0.0.1", s.LeafUntil(noon.AddDate(0, 0, -1), host)) }, finding.CertExpired, "(server or proxy)", "(server or load balancer)"},
		"TLS 1.0":    {fails(observation.PhaseTLS, observation.VersionOld), finding.TLSVersionOld, "on the server.", "security policy for the listener"},
		"speaks TLS": {fails(observation.PhaseHeaders, observation.SpeaksTLS), finding.HTTPInvalid, "the server back to plain HTTP", "the listener back to plain HTTP"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			s.Round.ListenersRead = false
			s.HTTPS("api", host, c.made(s))
			if f := s.one(c.code, finding.Critical); !strings.Contains(f.Remedy, c.without) || strings.Contains(f.Remedy, c.with) {
				t.Errorf("without: %q", f.Remedy)
			}
			for by, name := range named {
				s := newScene(t)
				e := s.HTTPS("api", host, c.made(s))
				name(s, e)
				if f := s.one(c.code, finding.Critical); !strings.Contains(f.Remedy, c.with) || strings.Contains(f.Remedy, c.without) {
					t.Errorf("%s: %q", by, f.Remedy)
				}
			}
		})
	}
}
