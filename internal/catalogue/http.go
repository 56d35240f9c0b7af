package catalogue

import "certdrift/internal/finding"

// http are the entries of the class "HTTP".
func http() []Entry {
	return []Entry{
		{
			Code:     finding.HTTPTimeout,
			Severity: "critical",
			Title:    "The response timed out",
			Meaning: "The connection and, for https, the handshake succeeded, but the headers or the body of the response did not arrive " +
				"within the endpoint's timeout; the evidence names the phase. Before the headers, the cause is usually the application " +
				"or its database; in the body, a stalled or endless response.",
			Check: "curl -v --max-time 10 --resolve HOST:PORT:ADDRESS https://HOST/PATH",
			Remedy: "Check the latency of the application and its backends at that time. If it is expected to be slow, raise `timeout`, or " +
				"probe a cheaper path.",
			Source: "certdrift's own rule: the endpoint's `timeout`",
		},
		{
			Code:     finding.HTTPInvalid,
			Severity: "critical",
			Title:    "The response is not valid HTTP, or its body cannot be decoded",
			Meaning: "The response is not HTTP, ended too early, has a header that HTTP/2 forbids (Connection, Upgrade), or has a body that " +
				"does not match its Content-Encoding, Transfer-Encoding or Content-Length. Some clients fail, others show a partial " +
				"page. If a port closes the connection on a plain HTTP request, certdrift checks whether it speaks TLS. A request that " +
				"an HTTP/2 server did not process (GOAWAY, REFUSED_STREAM) is sent once more on a new connection, as by other clients.",
			Check: "curl -v --raw --resolve HOST:PORT:ADDRESS https://HOST/PATH | head -c 500",
			Remedy: "Check which process answers on this port (another protocol?), whether it crashed in the middle of the response, and " +
				"how proxies change compression and length.",
			Source: "RFC 9112 (message syntax); RFC 9113 (HTTP/2); RFC 9110 §8.4 (content codings)",
		},
		{
			Code:     finding.HTTPStatus,
			Severity: "critical",
			Title:    "The response status is not the expected one",
			Meaning: "TLS works and a server answers, but not as the endpoint should. Without `expect.status`, any status from 200 to 299 is " +
				"expected. Redirects are followed unless their status is expected or there are more than `expect.redirects`, and the last " +
				"response counts. 502, 503 and 504 " +
				"usually come from the load balancer itself: it has no healthy target.",
			Check: "curl -sS -o /dev/null -w '%{http_code} %{url_effective}\\n' -L -b '' --resolve HOST:PORT:ADDRESS URL",
			Remedy: "Check the application, target health for 502 to 504, the path for 404, and credentials for 401 and 403. If the status " +
				"is right, add it to expect.status.",
			Source: "RFC 9110 §15 (status codes)",
		},
		{
			Code:     finding.HTTPBody,
			Severity: "critical",
			Title:    "The response body or headers are not as expected",
			Meaning: "The status is right, but body_contains, body_matches, body_json or an expected header does not match: a maintenance " +
				"page, a different application behind the name, an empty list. This is checked only if the status is as expected, and " +
				"the body only if it arrived completely.",
			Check:  "curl -sS -i -L --resolve HOST:PORT:ADDRESS URL | head -c 2000",
			Remedy: "Check what is served instead (the evidence shows the start of it), and fix the application or the expectation.",
			Source: "certdrift's own rule: the endpoint's `expect`; RFC 9535 (its body_json takes names and indices of JSONPath)",
		},
		{
			Code:     finding.HTTPTooLarge,
			Severity: "critical",
			Title:    "The response is larger than allowed",
			Meaning: "The headers or the decoded body exceeded the limit: the endpoint's max_size, or certdrift's own limit, which protects " +
				"it from endless bodies, compression bombs and frame floods. The rest was not read, so its content was not checked.",
			Check: "curl -s --compressed --max-time 20 https://HOST/PATH | wc -c; curl -sI https://HOST/PATH | wc -c",
			Remedy: "If the size is right, raise expect.max_size or probe a smaller path. If not, check the response for a dump, a log or a " +
				"looping template, or for a cookie that grows with every response.",
			Source: "RFC 9110 §5.4 (field limits), §15.5.14",
		},
		{
			Code:     finding.HTTPRedirectLoop,
			Severity: "critical",
			Title:    "The redirects never end",
			Meaning: "The redirects led back to a URL already visited, or exceeded the number that a client follows. Browsers show " +
				"ERR_TOO_MANY_REDIRECTS. This is typical where the load balancer terminates TLS and the application, which sees plain " +
				"HTTP, redirects to https again and again. Cookies that the redirects set are sent back, as browsers do; the finding names those " +
				"that clients don't send back, such as a Secure cookie set over plain HTTP.",
			Check:  "curl -sS -o /dev/null -D - -L -b '' --max-redirs 10 URL | grep -i '^location:'",
			Remedy: "Configure the application to trust X-Forwarded-Proto, or fix the rule that redirects the client back.",
			Source: "RFC 9110 §15.4 (a client should detect cyclical redirections)",
		},
		{
			Code:     finding.HTTPRedirectInsecure,
			Severity: "warning",
			Title:    "A redirect leads from https to http",
			Meaning: "The server sends clients from an encrypted connection to an unencrypted one, where anybody on the network path can " +
				"read and change the traffic; browsers may block it. The next hop is still probed.",
			Check: "curl -sS -o /dev/null -D - -L URL | grep -i '^location: http:'",
			Remedy: "Fix the redirect's target. Often the application builds absolute URLs from the plain connection behind the load " +
				"balancer: configure it to trust X-Forwarded-Proto.",
			Source: "RFC 9110 §15.4; W3C Mixed Content",
		},
		{
			Code:     finding.HTTPRedirectBlocked,
			Severity: "critical",
			Title:    "A redirect leads to an address that certdrift does not connect to",
			Meaning: "The server redirects to loopback, a private or link-local network, a metadata service or another special-purpose " +
				"address, or to a scheme that is not http. Public clients can't follow the redirect, and certdrift must not: otherwise " +
				"a server could make it send requests into your internal network. An endpoint whose hostname has private addresses only " +
				"may redirect to itself at any port; beside a public address, a private one counts for the endpoint's own probe only.",
			Check: "curl -sS -o /dev/null -D - URL | grep -i '^location:'",
			Remedy: "Fix the redirect: it exposes an internal hostname or address. If the target is right, such as an internal " +
				"sign-on page, add its network to networks.allow, or probe it as a separate endpoint with its address in connect_to.",
			Source: "IANA IPv4 and IPv6 Special-Purpose Address Registries (RFC 6890)",
		},
		{
			Code:     finding.HTTPSlow,
			Severity: "warning",
			Title:    "The first byte arrived later than max_latency",
			Meaning: "The response arrived, but later than the endpoint's expect.max_latency: measured from the request being written to the " +
				"first byte of the response, without interim responses and without DNS, connect and TLS, which the report shows " +
				"separately.",
			Check: "curl -sS -o /dev/null -w '%{time_pretransfer} %{time_starttransfer}\\n' --resolve HOST:PORT:ADDRESS URL",
			Remedy: "Check the latency of the application and its backends; compare the addresses. Raise max_latency if it is too strict " +
				"for a cold start.",
			Source: "certdrift's own rule: the endpoint's `expect.max_latency`; RFC 9110 §15.2 (interim responses don't count)",
		},
	}
}
