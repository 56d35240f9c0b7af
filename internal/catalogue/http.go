package catalogue

import "certdrift/internal/finding"

// http are the entries of the class "HTTP".
func http() []Entry {
	return []Entry{
		{
			Code:     finding.HTTPTimeout,
			Severity: "critical",
			Title:    "The answer did not come in time",
			Meaning: "The connection and, with https, the handshake were fine, but headers or body of the answer did not " +
				"come within the endpoint's timeout; the evidence names the phase. Before the headers it is mostly " +
				"the application or its database; in the body a stalled or endless response.",
			Check: "curl -v --max-time 10 --resolve HOST:PORT:ADDRESS https://HOST/PATH",
			Remedy: "Look at the application's latency and its backends at that time. If it is meant to be slow, raise " +
				"`timeout`, or probe a cheaper path.",
			Source: "certdrift's own rule: the endpoint's `timeout`",
		},
		{
			Code:     finding.HTTPInvalid,
			Severity: "critical",
			Title:    "The answer is not valid HTTP, or its body cannot be decoded",
			Meaning: "What came back is no HTTP response, ended too early, has a header that HTTP/2 forbids (Connection, " +
				"Upgrade), or has a body that does not match its Content-Encoding, Transfer-Encoding or Content-Length. " +
				"Some clients fail, others show half a page. Where plain HTTP is asked for at a port that breaks off, certdrift looks " +
				"whether it speaks TLS.",
			Check: "curl -v --raw --resolve HOST:PORT:ADDRESS https://HOST/PATH | head -c 500",
			Remedy: "See which process answers on this port (another protocol?), whether it crashed in mid-answer, and " +
				"what a proxy does to compression and length.",
			Source: "RFC 9112 (message syntax); RFC 9113 (HTTP/2); RFC 9110 §8.4 (content codings)",
		},
		{
			Code:     finding.HTTPStatus,
			Severity: "critical",
			Title:    "The answer's status is not the expected one",
			Meaning: "TLS is fine and somebody answers, but not as the endpoint should. Without `expect.status` anything from 200 " +
				"to 299 is expected. Redirects are followed unless their status is expected, and the last answer is the one " +
				"that counts. 502, 503 and 504 mostly come from the load balancer itself: no healthy target behind it.",
			Check:  "curl -sS -o /dev/null -w '%{http_code} %{url_effective}\\n' -L --resolve HOST:PORT:ADDRESS URL",
			Remedy: "Look at the application, at target health for 502 to 504, at the path for 404, and at credentials for 401 and 403. If the status is right, put it into expect.status.",
			Source: "RFC 9110 §15 (status codes)",
		},
		{
			Code:     finding.HTTPBody,
			Severity: "critical",
			Title:    "Body or headers of the answer are not as expected",
			Meaning: "The status is right, but body_contains, body_matches, body_json or an expected header does not hold: a maintenance " +
				"page, another application behind the name, an empty list. It is judged only when the status is as expected, " +
				"and the body only when it came whole.",
			Check:  "curl -sS -i -L --resolve HOST:PORT:ADDRESS URL | head -c 2000",
			Remedy: "See what answers instead (the evidence shows the start of it), and mend the application or the expectation.",
			Source: "certdrift's own rule: the endpoint's `expect`; RFC 9535 (its body_json takes names and indices of JSONPath)",
		},
		{
			Code:     finding.HTTPTooLarge,
			Severity: "critical",
			Title:    "The answer is larger than allowed",
			Meaning: "Headers or decoded body passed the bound: the endpoint's max_size, or certdrift's own, which " +
				"protects it from endless bodies, compression bombs and floods of frames. The rest was not read, so nothing is said " +
				"about its content.",
			Check: "curl -s --compressed --max-time 20 https://HOST/PATH | wc -c; curl -sI https://HOST/PATH | wc -c",
			Remedy: "If the size is right, raise expect.max_size or probe a smaller path. If not, look for a dump, a log " +
				"or a looping template in the answer, or a cookie that grows with every response.",
			Source: "RFC 9110 §5.4 (field limits), §15.5.14",
		},
		{
			Code:     finding.HTTPRedirectLoop,
			Severity: "critical",
			Title:    "The redirects never end",
			Meaning: "The redirects came back to a URL already seen, or were more than a client follows. Browsers say " +
				"ERR_TOO_MANY_REDIRECTS. Typical where the load balancer ends TLS and the application, seeing plain HTTP, " +
				"redirects to https again and again.",
			Check:  "curl -sS -o /dev/null -D - -L --max-redirs 10 URL | grep -i '^location:'",
			Remedy: "Have the application trust X-Forwarded-Proto, or mend the rule that sends the client back.",
			Source: "RFC 9110 §15.4 (a client should detect cyclical redirections)",
		},
		{
			Code:     finding.HTTPRedirectInsecure,
			Severity: "warning",
			Title:    "A redirect leads from https to http",
			Meaning: "The server sends clients from an encrypted connection to a plain one, where anybody on the way can read and change " +
				"what follows; browsers may block it. The next hop is still probed.",
			Check:  "curl -sS -o /dev/null -D - -L URL | grep -i '^location: http:'",
			Remedy: "Mend the redirect's target. Often the application builds absolute URLs from the plain connection behind the load balancer: have it trust X-Forwarded-Proto.",
			Source: "RFC 9110 §15.4; W3C Mixed Content",
		},
		{
			Code:     finding.HTTPRedirectBlocked,
			Severity: "critical",
			Title:    "A redirect leads to an address that certdrift does not dial",
			Meaning: "The server redirects to loopback, a private or link-local network, a metadata service or another special-purpose " +
				"address, or to a scheme that is not http. Public clients can't follow it, and certdrift must not: a server " +
				"could make it knock at the inside of your network.",
			Check:  "curl -sS -o /dev/null -D - URL | grep -i '^location:'",
			Remedy: "Mend the redirect: an internal host name or address has leaked into it. If the place is right, probe it as an endpoint of its own, with its address in connect_to.",
			Source: "IANA IPv4 and IPv6 Special-Purpose Address Registries (RFC 6890)",
		},
		{
			Code:     finding.HTTPSlow,
			Severity: "warning",
			Title:    "The first byte came later than max_latency",
			Meaning: "The answer came, but later than the endpoint's expect.max_latency: from the request being written to the " +
				"first byte of the answer, interim responses aside, without DNS, connect and TLS, which stand beside it in the report.",
			Check:  "curl -sS -o /dev/null -w '%{time_pretransfer} %{time_starttransfer}\\n' --resolve HOST:PORT:ADDRESS URL",
			Remedy: "Look at the application's latency and its backends; compare the addresses. Raise max_latency if it is too strict for a cold start.",
			Source: "certdrift's own rule: the endpoint's `expect.max_latency`; RFC 9110 §15.2 (interim responses don't count)",
		},
	}
}
