package alert

import (
	"fmt"
	"strings"

	"certdrift/internal/finding"
	"certdrift/internal/incident"
)

// impact is how clients are affected, as certdrift's own probes saw it, and the code that says why. Both are empty where
// nothing shows that they are: a listener's certificate alone does not.
func (m *message) impact() (effect string, cause finding.Code) {
	if m.Event == incident.Recovered || m.mixed {
		return "", ""
	}
	if m.Storm != nil {
		return m.commonImpact()
	}
	effect, f := m.worstImpact()
	if effect == "" {
		return "", ""
	}
	return effect + m.at(f), f.Code
}

// worstImpact is the impact of the first critical finding that has one, and that finding.
func (m *message) worstImpact() (effect string, f finding.Finding) {
	for _, f := range m.Findings {
		if f.Severity == finding.Critical {
			if effect, cause := impactOf(f); effect != "" {
				f.Code = cause
				return effect, f
			}
		}
	}
	if m.code() == finding.DriftManifest && has(m.first, "would") {
		return "The next deploy will break clients", m.first
	}
	return "", finding.Finding{}
}

// commonImpact is what all incidents of a combined message do to clients; empty where they differ.
func (m *message) commonImpact() (effect string, cause finding.Code) {
	for i, one := range m.members() {
		also, f := one.worstImpact()
		if i > 0 && (also != effect || f.Code != cause) {
			return "", ""
		}
		effect, cause = also, f.Code
	}
	return effect, cause
}

// at names the address that a finding is about, and how many more there are; empty where it holds for all of them.
func (m *message) at(f finding.Finding) string {
	if f.Address == "" {
		return ""
	}
	others := map[string]bool{}
	for _, g := range m.Findings {
		if g.Code == f.Code && g.Address != f.Address {
			others[g.Address] = true
		}
	}
	text := " at " + clean(f.Address)
	if len(others) > 0 {
		text += fmt.Sprintf(" and %d more", len(others))
	}
	return text
}

// impactOf is the impact that one finding shows.
func impactOf(f finding.Finding) (effect string, cause finding.Code) {
	switch f.Code {
	case finding.CertExpiring, finding.CertLifetimeLong, finding.CertRootRemoval, finding.HTTPSlow:
		return "", ""
	case finding.DriftAttached:
		switch {
		case has(f, "name_mismatches"):
			return "Clients are rejecting the certificate", finding.CertNameMismatch
		case has(f, "uncovered"):
			return "Clients will reject the certificate", finding.CertNameMismatch
		}
		return "", ""
	}
	switch f.Code.Class() {
	case finding.ClassCertificate:
		if f.Subject.KeyType != "" { // the server has two
			return "Clients are rejecting the " + clean(f.KeyName()) + " certificate", f.Code
		}
		if f.Severity < finding.Critical && !f.Clients.Empty() {
			return "Some clients are rejecting the certificate", f.Code
		}
		return "Clients are rejecting the certificate", f.Code
	case finding.ClassReach, finding.ClassTLS:
		if f.Subject.KeyType != "" {
			return "Clients that get the " + clean(f.KeyName()) + " certificate can't connect", f.Code
		}
		if f.Code != finding.AddressBlocked {
			return "Clients can't connect", f.Code
		}
	case finding.ClassHTTP:
		return "Clients get errors", f.Code
	}
	return "", ""
}

// lower begins one of our own sentences in lower case, for the middle of a line.
func lower(sentence string) string {
	if sentence == "" {
		return ""
	}
	return strings.ToLower(sentence[:1]) + sentence[1:]
}
