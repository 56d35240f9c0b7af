package alert

import (
	"cmp"
	"net/url"

	"certdrift/internal/topology"
)

// checks are the runbook's first and last commands, for whoever has no link to it: see it for yourself, and verify that it is fixed.
func (m *message) checks(w *emailWriter) {
	if m.runbook() != "" || m.over() || len(m.URLs) == 0 {
		return
	}
	w.heading("Check it yourself")
	w.command("certdrift check " + topology.Shell(m.URLs[0]))
	if u, err := url.Parse(m.URLs[0]); err == nil && u.Scheme == "https" && u.Hostname() != "" {
		host := u.Hostname() + ":" + cmp.Or(u.Port(), "443")
		w.command("openssl s_client -connect " + topology.Shell(host) + " -servername " + topology.Shell(u.Hostname()) + " -verify_return_error </dev/null")
	}
	if m.Record.Environment != "" {
		w.prose(emailIndent, "When it is fixed:")
		w.command("certdrift verify -c certdrift.yaml --environment " + topology.Shell(m.environment()))
	}
	w.tidy()
}
