package judge

import (
	"strings"
	"testing"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
	"certdrift/internal/target"
)

func TestTLSTimeout(t *testing.T) {
	for _, c := range []struct {
		phase observation.Phase
		kind  observation.FailureKind
		want  bool
	}{
		{observation.PhaseTLS, observation.TimedOut, true},
		{observation.PhaseStartTLS, observation.TimedOut, true},
		{observation.PhaseConnect, observation.TimedOut, false},
		{observation.PhaseBody, observation.TimedOut, false},
	} {
		s := newScene(t)
		s.HTTPS("api", host, failing("10.0.0.1", c.phase, c.kind))
		if !c.want {
			s.none(finding.TLSTimeout)
			continue
		}
		f := s.one(finding.TLSTimeout, finding.Critical)
		if f.Address != "10.0.0.1:443" || f.Evidence["phase"] != string(c.phase) || f.Remedy == "" {
			t.Errorf("%s in %s: %+v", c.kind, c.phase, f)
		}
	}
}

// TestTLSTimeoutBeforeSTARTTLS: the remedy names the port where the very protocol has TLS from the first byte, if there is one.
func TestTLSTimeoutBeforeSTARTTLS(t *testing.T) {
	for kind, says := range map[target.Kind]string{
		target.SMTP: "port 465,", target.IMAP: "port 993,", target.POP3: "port 995,", target.LDAP: "port 636,", target.FTP: "port 990,",
		target.XMPP: "port 5223,", target.XMPPServer: "port 5270,", target.NNTP: "port 563,",
		target.Postgres: "the first byte, use", target.MySQL: "the first byte, use", target.Sieve: "the first byte, use",
	} {
		s := newScene(t)
		s.HTTPS("relay", host, failing("10.0.0.1", observation.PhaseStartTLS, observation.TimedOut)).Target.Kind = kind
		f := s.one(finding.TLSTimeout, finding.Critical)
		if !strings.Contains(f.Remedy, "speaks "+string(kind)+" on this port") || !strings.Contains(f.Remedy, "tls URL") || !strings.Contains(f.Remedy, says) {
			t.Errorf("%s: %q", kind, f.Remedy)
		}
	}
}
