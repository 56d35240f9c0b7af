package alert

import (
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
		if effect, reason = suffered(f); effect == "" {
			continue
		}
		if f.Address != "" { // else it holds for every address
			effect = "Some " + lower(effect)
		}
		return effect, reason
	}
	if s.code() == finding.DriftManifest && s.Severity == finding.Critical && render(s.first.Evidence["would"]) != "" {
		return "The next deploy would break clients", phrase(s.code())
	}
	return "", ""
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
