package judge

import (
	"fmt"
	"strings"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
	"certdrift/internal/topology"
)

func httpRedirectLoop() rule {
	return rule{
		Code: finding.HTTPRedirectLoop,
		connection: func(c *connection) []finding.Finding {
			if c.hop != nil || c.HTTP == nil || !c.HTTP.Loop {
				return nil
			}
			evidence := answerEvidence(c.HTTP)
			var path []string
			for _, hop := range c.HTTP.Hops {
				path = append(path, hop.URL)
			}
			evidence["redirects"] = topology.CleanAll(path)
			why, remedy := aboutCookies(c.HTTP.Cookies, evidence)
			return []finding.Finding{c.finding(finding.HTTPRedirectLoop, finding.Critical, c.where()+" redirects endlessly"+why, evidence,
				remedy+"If a proxy or load balancer terminates TLS, configure the application to trust X-Forwarded-Proto, or fix the rule that redirects the client back.")}
		},
	}
}

// aboutCookies says what became of the cookies that the redirects of a loop set, and adds it to the evidence. An application that
// redirects until a cookie comes back never stops if clients do not send it back.
func aboutCookies(cookies []observation.Cookie, evidence finding.Evidence) (why, remedy string) {
	var unsent, sent, facts []string
	for _, cookie := range cookies {
		name := finding.Quote(cookie.Name)
		words := cookieWords(cookie.Unsent)
		if words == "" {
			sent, facts = append(sent, name), append(facts, cookie.Name+": sent back")
			continue
		}
		unsent, facts = append(unsent, name+" ("+words+")"), append(facts, cookie.Name+": not sent back: "+words)
	}
	if len(cookies) > 0 {
		evidence["cookies"] = topology.CleanAll(facts)
	}
	switch {
	case len(unsent) > 0:
		return fmt.Sprintf("; clients don't send back the %s that it sets: %s", cookieNoun(unsent), strings.Join(unsent, ", ")),
			"If the application waits for that cookie, set it so that clients send it back: without Domain, with Path=/, and with Secure only over https. "
	case len(sent) > 0:
		return fmt.Sprintf(", although clients send back the %s that it sets: %s", cookieNoun(sent), strings.Join(sent, ", ")),
			"If the application waits for that cookie, check why it does not recognize it: backends that share neither sessions nor keys need session affinity (stickiness) in front of them. "
	}
	return "", ""
}

// cookieWords says why clients do not send a cookie back; empty if they do.
func cookieWords(why observation.CookieFault) string {
	switch why {
	case "":
		return ""
	case observation.CookieInsecure:
		return "Secure, but set over plain HTTP"
	case observation.CookieDomain:
		return "its Domain does not include the host that sets it"
	case observation.CookieSuffix:
		return "its Domain is a public suffix"
	case observation.CookiePrefix:
		return "its name requires Secure, and __Host- also Path=/ without Domain"
	case observation.CookieExpired:
		return "already expired"
	case observation.CookieTooLarge:
		return "larger than 4096 bytes"
	case observation.CookieSecureOnly:
		return "Secure, but the redirect leads to plain HTTP"
	case observation.CookieHost:
		return "for another host than the redirect leads to"
	case observation.CookiePath:
		return "for another path than the redirect leads to"
	}
	return "rejected by clients"
}

func cookieNoun(names []string) string {
	if len(names) == 1 {
		return "cookie"
	}
	return "cookies"
}
