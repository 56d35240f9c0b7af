package judge

import (
	"fmt"
	"net/url"
	"strings"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
	"certdrift/internal/target"
)

func httpStatus() rule {
	return rule{
		Code: finding.HTTPStatus,
		connection: func(c *connection) []finding.Finding {
			h := c.answer()
			want := c.endpoint.Target.Expect
			if h == nil || expected(want, h.Status) || c.wantsClientCertificate(h) {
				return nil
			}
			evidence := answerEvidence(h)
			evidence["expected"] = wantedStatus(want)
			return []finding.Finding{c.finding(finding.HTTPStatus, finding.Critical,
				fmt.Sprintf("%s answers %d where %s is expected", c.where(), h.Status, wantedStatus(want)), evidence, c.statusRemedy(h))}
		},
	}
}

// where is the URL asked, or the host where the hop's URL is meant.
func (c *connection) where() string {
	if c.hop != nil {
		return c.name()
	}
	u, err := url.Parse(c.endpoint.Target.URL)
	if err != nil || u.Host == "" {
		return c.name()
	}
	u.User, u.RawQuery, u.Fragment = nil, "", "" // a query may carry a token
	return finding.Clean(u.String(), finding.QuoteLimit)
}

// wantsTLS recognises the answers of nginx, Go and Tomcat to plain HTTP on a port of theirs that speaks TLS. Apache's
// begins with more than an excerpt holds.
func wantsTLS(h *observation.HTTP) bool {
	if h.Status != 400 {
		return false
	}
	for _, words := range []string{"plain HTTP request was sent to HTTPS port", "sent an HTTP request to an HTTPS server", "This combination of host and port requires TLS"} {
		if strings.Contains(h.Excerpt, words) {
			return true
		}
	}
	return false
}

func wantedStatus(e target.Expect) string {
	if len(e.Status) == 0 {
		return "200 to 299"
	}
	words := make([]string, 0, len(e.Status))
	for _, s := range e.Status {
		words = append(words, fmt.Sprint(s))
	}
	return strings.Join(words, " or ")
}

func (c *connection) statusRemedy(h *observation.HTTP) string {
	status := h.Status
	switch {
	case wantsTLS(h) && c.TLS == nil:
		return "The port speaks TLS: give the endpoint an https URL, or the listener its plain HTTP back."
	case wantsTLS(h):
		return "What ends TLS here speaks plain HTTP to a target that wants TLS: set the target group's or the listener's instance protocol to " +
			"HTTPS (on Kubernetes the annotation aws-load-balancer-backend-protocol), or send it to the target's plain port."
	case status >= 502 && status <= 504:
		return "Look at the health of the targets behind the load balancer: it answers for them."
	case status >= 500:
		return "Look into the application's log at the time of the probe."
	case status == 401 || status == 403:
		return "Look at the credentials and headers configured for the endpoint, and at what the server lets in."
	case status >= 300 && status < 400 && status != 304:
		return "Follow the redirect by hand (curl -v), or put its status into expect.status if it is the right answer."
	}
	return "Look at the path and the application; if the status is right, put it into expect.status."
}
