package judge

import (
	"strings"
	"testing"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
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
			a := ok("10.0.0.1", s.leaf(host))
			a.TLS.ClientCertificateRequested, a.TLS.ClientCertificateSent, a.Failure = c.requested, c.sent, c.failure
			if c.failure != nil {
				a.HTTP = nil
			}
			s.https("api", host, a)
			if c.want == "" {
				s.only()
				return
			}
			s.only(c.want)
			f := s.one(c.want, finding.Critical)
			if c.sent && !strings.Contains(f.Summary, "refuses the client certificate that is configured") {
				t.Errorf("summary %q", f.Summary)
			}
		})
	}
}

func TestClientCertificateRequiredAsNginxSaysIt(t *testing.T) {
	s := newScene(t)
	a := ok("10.0.0.1", s.leaf(host))
	a.TLS.ClientCertificateRequested = true
	a.HTTP.Status, a.HTTP.Excerpt = 400, "<html><head><title>400 No required SSL certificate was sent</title></head>"
	s.https("api", host, a)
	s.only(finding.TLSClientCertificateRequired)
	s.round.Endpoints[0].Addresses[0].HTTP.Excerpt = "bad request"
	s.only(finding.HTTPStatus)
}
