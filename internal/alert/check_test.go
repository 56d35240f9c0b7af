package alert

import (
	"strings"
	"testing"

	"certdrift/internal/incident"
)

// TestChecksWithoutARunbook: an alert that links no runbook has its commands, for this endpoint; one that does has none, nor has what
// is over or is about no endpoint.
func TestChecksWithoutARunbook(t *testing.T) {
	const heading = "CHECK IT YOURSELF"
	for name, c := range map[string]struct {
		url   string
		want  []string
		never string
	}{
		"HTTPS": {"https://api.example.org/health?a=b", []string{
			"certdrift check 'https://api.example.org/health?a=b'",
			"openssl s_client -connect api.example.org:443 -servername api.example.org -verify_return_error </dev/null",
			"certdrift verify -c certdrift.yaml --environment production",
		}, "x"},
		"a port":       {"https://api.example.org:8443/", []string{"-connect api.example.org:8443 -servername api.example.org "}, "x"},
		"another kind": {"smtp://mail.example.org", []string{"certdrift check smtp://mail.example.org"}, "openssl"},
		"hostile":      {"https://a;reboot$(x)'.example.org/", []string{`certdrift check 'https://a;reboot$(x)'\''.example.org/'`}, "x y"},
	} {
		n := drifted()
		n.URLs = []string{c.url}
		_, section, found := strings.Cut(Compose(n, Options{}).Email, heading+"\n")
		section, _, _ = strings.Cut(section, "\nMORE\n")
		for _, want := range c.want {
			if !strings.Contains(section, want) {
				t.Errorf("%s: the section lacks %q:\n%s", name, want, section)
			}
		}
		if !found || strings.Contains(section, c.never) && c.never != "x" {
			t.Errorf("%s: %s", name, section)
		}
		if strings.Contains(Compose(n, options).Email, heading) {
			t.Errorf("%s: both a link and the commands", name)
		}
		if over := later(n, 0, incident.Recovered); strings.Contains(Compose(over, Options{}).Email, heading) {
			t.Errorf("%s: commands for what is over", name)
		}
		n.URLs = nil
		if strings.Contains(Compose(n, Options{}).Email, heading) {
			t.Errorf("%s: commands for no endpoint", name)
		}
	}
}
