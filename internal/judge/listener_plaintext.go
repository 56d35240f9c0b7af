package judge

import (
	"strings"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
	"certdrift/internal/target"
	"certdrift/internal/topology"
)

func judgePlaintext(l *listener) []finding.Finding {
	if l.Port != 80 || l.Secure() || !l.besideTLS() {
		return nil
	}
	severity, why, evidence := finding.None, "", finding.Evidence{}
	if l.LoadBalancer.Kind == observation.Application {
		if rule, answers := plainRule(l.Rules); answers {
			severity, why = finding.Warning, "its rule "+finding.Quote(rule.Priority)+" has the action "+finding.Quote(rule.Action)
			evidence["rule"], evidence["action"] = finding.Clean(rule.Priority, finding.QuoteLimit), finding.Clean(rule.Action, finding.QuoteLimit)
		}
	} else {
		severity, why = finding.Info, "only the application behind it could redirect, and no http endpoint probes it"
		switch probed(l.Endpoints) {
		case redirects:
			return nil
		case serves:
			severity, why = finding.Warning, "a probe shows that it does not redirect"
		}
	}
	if severity == finding.None {
		return nil
	}
	var found []finding.Finding
	for _, g := range topology.OrNone(topology.ByEnvironment(l.Endpoints)) {
		own := finding.Evidence{"protocol": finding.Clean(l.Protocol, finding.QuoteLimit)}
		for k, v := range evidence {
			own[k] = v
		}
		f := l.Finding(finding.ListenerPlaintext, severity, g.Endpoints,
			"listener "+l.Label()+" serves plain HTTP: "+why, own,
			"Redirect port 80 to https (on an ALB with a listener rule, otherwise in the application), or close it.")
		if l.LoadBalancer.Kind != observation.Application {
			f.RestsOn = probeFacts(f, finding.FactResponse)
		}
		found = append(found, f)
	}
	return found
}

// besideTLS reports whether the load balancer also serves TLS, or no endpoint monitors the listener as plain HTTP.
func (l *listener) besideTLS() bool {
	for _, other := range l.LoadBalancer.Listeners {
		if other.Secure() {
			return true
		}
	}
	return len(l.Endpoints) == 0
}

// plainRule returns the first rule whose action is not a redirect to https.
func plainRule(rules []observation.ListenerRule) (observation.ListenerRule, bool) {
	for _, r := range rules {
		if r.Action != "redirect" || r.RedirectProtocol != "HTTPS" {
			return r, true
		}
	}
	return observation.ListenerRule{}, false
}

// plainAnswer is the result of probing port 80.
type plainAnswer int

const (
	unprobed plainAnswer = iota
	redirects
	serves
)

// probed returns what probes of the http endpoints behind a listener showed; one that serves outweighs one that redirects.
func probed(es []*topology.Endpoint) plainAnswer {
	answer := unprobed
	for _, e := range es {
		if e.Target.Kind != target.HTTP || !e.Probed {
			continue
		}
		for _, a := range e.Addresses {
			switch h := a.HTTP; {
			case h == nil || h.Status == 0:
			case toHTTPS(h):
				answer = max(answer, redirects)
			default:
				answer = serves
			}
		}
	}
	return answer
}

func toHTTPS(h *observation.HTTP) bool {
	if len(h.Hops) > 0 {
		return h.Hops[0].Kind == target.HTTPS
	}
	return h.Status >= 300 && h.Status < 400 && strings.HasPrefix(strings.ToLower(h.Location), "https:")
}
