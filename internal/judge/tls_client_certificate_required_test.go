package judge

import (
	"strings"
	"testing"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
	"certdrift/internal/target"
)

func TestClientCertificateRequired(t *testing.T) {
	alert := func(phase observation.Phase, name string) *observation.Failure {
		return &observation.Failure{Phase: phase, Kind: observation.Alert, Alert: name}
	}
	for _, c := range []struct {
		name            string
		requested, sent bool
		failure         *observation.Failure
		want            finding.Code
	}{
		{"asked for only", true, false, nil, ""},
		{"TLS 1.3, after the handshake", true, false, &observation.Failure{Phase: observation.PhaseHeaders, Kind: observation.ClientCertNeeded}, finding.TLSClientCertificateRequired},
		{"TLS 1.3's own alert", false, false, alert(observation.PhaseHeaders, "certificate_required"), finding.TLSClientCertificateRequired},
		{"TLS 1.2", true, false, alert(observation.PhaseTLS, "bad_certificate"), finding.TLSClientCertificateRequired},
		{"refused the one shown", true, true, alert(observation.PhaseHeaders, "unknown_ca"), finding.TLSClientCertificateRequired},
		{"an alert without being asked", false, false, alert(observation.PhaseTLS, "handshake_failure"), finding.TLSHandshake},
		{"an alert about something else", true, false, alert(observation.PhaseTLS, "internal_error"), finding.TLSHandshake},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newScene(t)
			a := ok("10.0.0.1", s.Leaf(host))
			a.TLS.ClientCertificateRequested, a.TLS.ClientCertificateSent, a.Failure = c.requested, c.sent, c.failure
			if c.failure != nil {
				a.HTTP = nil
			}
			s.HTTPS("api", host, a)
			if c.want == "" {
				s.only()
				return
			}
			s.only(c.want)
			f := s.one(c.want, finding.Critical)
			if c.sent && !strings.Contains(f.Summary, "rejects the configured client certificate") {
				t.Errorf("summary %q", f.Summary)
			}
		})
	}
}

func TestClientCertificateRequiredAsNginxSaysIt(t *testing.T) {
	s := newScene(t)
	a := ok("10.0.0.1", s.Leaf(host))
	a.TLS.ClientCertificateRequested = true
	a.HTTP.Status, a.HTTP.Excerpt = 400, "<html><head><title>400 No required SSL certificate was sent</title></head>"
	s.HTTPS("api", host, a)
	s.only(finding.TLSClientCertificateRequired)
	s.Round.Endpoints[0].Addresses[0].HTTP.Excerpt = "bad request"
	s.only(finding.HTTPStatus)
}

// mutual is a scene with an endpoint that rejects clients without a certificate, behind a listener with a mutual TLS mode.
func mutual(t *testing.T, mode string) *scene {
	t.Helper()
	s := newScene(t)
	leaf := s.Leaf(host)
	s.ALB("web", s.ACM("a", leaf)).Listeners[0].MutualTLS = mode
	a := ok("10.0.0.1", leaf)
	a.TLS.ClientCertificateRequested, a.HTTP = true, nil
	a.Failure = &observation.Failure{Phase: observation.PhaseHeaders, Kind: observation.Alert, Alert: "certificate_required"}
	behind(s.HTTPS("api", host, a), "web", arnOf("a"))
	return s
}

func TestClientCertificateRequiredByTheListener(t *testing.T) {
	const listenerARN = "arn:aws:elasticloadbalancing:us-west-2:111122223333:listener/app/web/50dc/0467"
	const look = "\naws elbv2 describe-listeners --region us-west-2 --listener-arns " + listenerARN + " --query 'Listeners[].MutualAuthentication'"
	const off = "\naws elbv2 modify-listener --region us-west-2 --listener-arn " + listenerARN + " --mutual-authentication Mode=off"
	for mode, says := range map[string]string{"verify": "verifies client certificates itself", "passthrough": "the targets behind it reject clients"} {
		t.Run(mode, func(t *testing.T) {
			s := mutual(t, mode)
			s.only(finding.TLSClientCertificateRequired)
			f := s.one(finding.TLSClientCertificateRequired, finding.Critical)
			if e := f.AllEvidence(); e["listener"] != "web:443" || e["arn"] != listenerARN || e["mutual_tls"] != mode || e["region"] != region {
				t.Errorf("evidence %v", e)
			}
			for _, want := range []string{"Configure client_certificate", says, look, "Only if mutual TLS is not intended, disable it:" + off} {
				if !strings.Contains(f.Remedy, want) {
					t.Errorf("the remedy lacks %q:\n%s", want, f.Remedy)
				}
			}
			s.Round.Endpoints[0].Addresses[0].TLS.ClientCertificateSent = true
			if f := s.one(finding.TLSClientCertificateRequired, finding.Critical); !strings.Contains(f.Remedy, look) || strings.Contains(f.Remedy, "Mode=off") {
				t.Errorf("a certificate is configured, so mutual TLS is meant:\n%s", f.Remedy)
			}
		})
	}
}

func TestClientCertificateRequiredAsNginxSaysItBehindAListener(t *testing.T) {
	s := mutual(t, "passthrough")
	a := &s.Round.Endpoints[0].Addresses[0]
	a.Failure, a.HTTP = nil, &observation.HTTP{Proto: "HTTP/1.1", Status: 400, Excerpt: "<title>400 No required SSL certificate was sent</title>"}
	if f := s.one(finding.TLSClientCertificateRequired, finding.Critical); f.Evidence["mutual_tls"] != "passthrough" || f.Evidence["status"] != 400 {
		t.Errorf("evidence %v", f.Evidence)
	}
}

// The listener is named only if it is the cause: not if it requests no certificate, is unknown, or is the endpoint's own while
// a redirect's hop rejects the client.
func TestClientCertificateRequiredByNoListenerThatIsKnown(t *testing.T) {
	hop := func(s *scene) {
		own := ok("10.0.0.1", s.Leaf(host))
		own.HTTP.Status = 301
		own.HTTP.Hops = []observation.Hop{{URL: "https://next.example.org/", Host: "next.example.org", Port: 443, Kind: target.HTTPS, Addresses: s.Round.Endpoints[0].Addresses}}
		s.Round.Endpoints[0].Addresses = []observation.Address{own}
	}
	for name, c := range map[string]struct {
		mode   string
		change func(*scene)
	}{
		"off":                  {"off", func(*scene) {}},
		"a kind without modes": {"", func(*scene) {}},
		"an unknown listener":  {"verify", func(s *scene) { s.Round.LoadBalancers = nil }},
		"a redirect's hop":     {"verify", hop},
	} {
		t.Run(name, func(t *testing.T) {
			s := mutual(t, c.mode)
			c.change(s)
			f := s.one(finding.TLSClientCertificateRequired, finding.Critical)
			if f.AllEvidence()["listener"] != nil || f.Evidence["mutual_tls"] != nil || strings.Contains(f.Remedy, "elbv2") {
				t.Errorf("%v: %s", f.Evidence, f.Remedy)
			}
		})
	}
}
