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
			if followed := c.redirects(); followed.Unfollowed {
				return []finding.Finding{c.unexpectedRedirect(h, followed, evidence)}
			}
			return []finding.Finding{c.finding(finding.HTTPStatus, finding.Critical,
				fmt.Sprintf("%s returns %d (expected %s)", c.where(), h.Status, wantedStatus(want)), evidence, c.statusRemedy(h))}
		},
	}
}

// redirects returns the response that the connection's endpoint began with, which has the redirects that followed.
func (c *connection) redirects() *observation.HTTP {
	if c.hop != nil {
		return c.parent.HTTP
	}
	return c.HTTP
}

// unexpectedRedirect is the finding for one more redirect than expect.redirects.
func (c *connection) unexpectedRedirect(h, followed *observation.HTTP, evidence finding.Evidence) finding.Finding {
	evidence["location"] = finding.Clean(followed.Location, finding.QuoteLimit)
	limit := "no redirect"
	if n := len(followed.Hops); n == 1 {
		limit = "at most 1 redirect"
	} else if n > 1 {
		limit = fmt.Sprintf("at most %d redirects", n)
	}
	evidence["expected_redirects"] = len(followed.Hops)
	return c.finding(finding.HTTPStatus, finding.Critical,
		fmt.Sprintf("%s returns %d, a redirect to %s (expected %s)", c.where(), h.Status, finding.Quote(followed.Location), limit), evidence,
		"Fix the redirect: compare with curl -v. If it is right, raise expect.redirects, or add its status to expect.status, so that it is not followed.")
}

// where is the endpoint's URL, or the host for a redirect's hop.
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

// wantsTLS recognizes the responses of nginx, Go and Tomcat to plain HTTP on a TLS port. Apache's does not fit into an
// excerpt.
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
		return "The port speaks TLS: change the endpoint to an https URL, or change the " + c.listening() + " back to plain HTTP."
	case wantsTLS(h) && !c.mayBeBalanced():
		return "The proxy at " + c.Address.Address + " terminates TLS and sends plain HTTP to a server that expects TLS: have the proxy use TLS towards it, or use the server's plain HTTP port."
	case wantsTLS(h):
		return "The load balancer or proxy terminates TLS and sends plain HTTP to a target that expects TLS: set the target group's protocol or the listener's " +
			"instance protocol to HTTPS (on Kubernetes the annotation aws-load-balancer-backend-protocol), or use the target's plain HTTP port."
	case status >= 502 && status <= 504 && !c.mayBeBalanced():
		return "Check the application behind " + c.Address.Address + ": a proxy or gateway there answers for it, and does not reach it or gets no answer in time."
	case status >= 502 && status <= 504:
		return "Check target health: the load balancer is answering on the targets' behalf."
	case status >= 500:
		return "Check the application's log at the time of the probe."
	case status == 401 || status == 403:
		return "Check the credentials and headers configured for the endpoint, and the server's access rules."
	case status == 400 && c.forwarded(h):
		return "Check the path, the headers and the application. If what forwards the connection sends a header of the PROXY protocol and the server does not expect it, every request gets this answer: " +
			"turn it on or off on both sides (" + c.proxySetting("off") + ")."
	case status >= 300 && status < 400 && status != 304:
		return "Follow the redirect manually (curl -v), or add its status to expect.status if it is the right response."
	}
	return "Check the path and the application; if the status is right, add it to expect.status."
}

// forwarded reports whether a response with status 400 may be that of a server which got a header of the PROXY protocol in front of
// the request: a web server's own page about the form of the request, behind a load balancer that forwards connections.
func (c *connection) forwarded(h *observation.HTTP) bool {
	kind := c.balancer()
	return (kind == observation.Network || kind == observation.Classic) && strings.Contains(h.Excerpt, "Bad Request")
}

// listening names what serves a port.
func (c *connection) listening() string {
	if c.mayBeBalanced() {
		return "listener"
	}
	return "server"
}
