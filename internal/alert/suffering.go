package alert

import (
	"fmt"
	"strings"

	"certdrift/internal/finding"
	"certdrift/internal/incident"
)

// suffering says what clients suffer, as certdrift's own probes saw it, and why. Both are empty where nothing shows that
// they suffer: a listener's certificate alone does not.
func (s *story) suffering() (effect, reason string) {
	if s.Event == incident.Recovered {
		return "", ""
	}
	for _, f := range s.Findings {
		if f.Severity != finding.Critical {
			continue
		}
		if effect, reason = suffered(f); effect != "" {
			return effect + s.at(f), reason
		}
	}
	if s.code() == finding.DriftManifest && s.Severity == finding.Critical && render(s.first.Evidence["would"]) != "" {
		return "The next deploy would break clients", phrase(s.code())
	}
	return "", ""
}

// at names the address that a finding is about, and says how many more there are; empty where it holds for all of them.
func (s *story) at(f finding.Finding) string {
	if f.Address == "" {
		return ""
	}
	others := map[string]bool{}
	for _, g := range s.Findings {
		if g.Code == f.Code && g.Address != f.Address {
			others[g.Address] = true
		}
	}
	text := " at " + finding.Clean(f.Address, maxValue)
	if len(others) > 0 {
		text += fmt.Sprintf(" and %d more", len(others))
	}
	return text
}

// suffered is what one finding shows.
func suffered(f finding.Finding) (effect, reason string) {
	reason = phrase(f.Code)
	switch f.Code {
	case finding.CertExpiring, finding.CertLifetimeLong, finding.HTTPSlow:
		return "", ""
	case finding.DriftAttached:
		if render(f.Evidence["name_mismatches"]) != "" {
			return "Clients are refused", phrase(finding.CertNameMismatch)
		}
		if render(f.Evidence["uncovered"]) != "" {
			return "Clients will be refused", phrase(finding.CertNameMismatch)
		}
		return "", ""
	}
	switch group, _, _ := strings.Cut(string(f.Code), "-"); group {
	case "cert":
		return "Clients are refused", reason
	case "dns", "connect", "tls":
		return "Clients get no connection", reason
	case "http":
		return "Clients get errors", reason
	}
	return "", ""
}

// lower begins a sentence of ours small, for the middle of a line.
func lower(sentence string) string {
	if sentence == "" {
		return ""
	}
	return strings.ToLower(sentence[:1]) + sentence[1:]
}
