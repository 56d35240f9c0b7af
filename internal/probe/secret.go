package probe

import (
	"crypto/x509"
	"encoding/base64"
	"html"
	"net/url"
	"slices"
	"strings"

	"certdrift/internal/finding"
	"certdrift/internal/target"
)

// withheld is why no request was sent.
const withheld = "the request carries credentials or secret headers, and the certificate served does not verify: whoever answers may not be whom they are for"

// withholds tells whether a request must not be sent over a connection: it carries secrets, and the server did not prove
// to be the one they are for. The handshake itself trusts nobody, so that a bad chain can be seen.
func (v *visit) withholds(o *origin, peers []*x509.Certificate) bool {
	if !o.own || !secretive(v.target.Request) {
		return false
	}
	return v.verified == nil || !v.verified(v.target, peers, v.now())
}

// secretive tells whether a request carries anything that only the server it is meant for should see.
func secretive(r target.Request) bool {
	return r.Username != "" || r.Password != "" ||
		slices.ContainsFunc(r.Headers, func(h target.Header) bool { return h.Value != "" && !harmless(h.Name) })
}

// redactor hides configured secrets in what a server sends back: an echo of the request must not carry a token into a
// finding, a mail or a report.
type redactor struct {
	replacer *strings.Replacer
	longest  int
}

// minSecret is how long a text must be to be looked for: "1" as a header's value is no secret.
const minSecret = 4

func newRedactor(r target.Request) redactor {
	var secrets []string
	add := func(s string) {
		if len(s) >= minSecret {
			secrets = append(secrets, s, url.QueryEscape(s), url.PathEscape(s), base64.StdEncoding.EncodeToString([]byte(s)))
			secrets = append(secrets, inHTML(s)...)
			secrets = append(secrets, inJSON(s)...)
		}
	}
	add(r.Username.Reveal())
	add(r.Password.Reveal())
	if r.Password != "" {
		add(base64.StdEncoding.EncodeToString([]byte(r.Username.Reveal() + ":" + r.Password.Reveal())))
	}
	for _, h := range r.Headers {
		if harmless(h.Name) {
			continue
		}
		value := h.Value.Reveal()
		add(value)
		if _, token, found := strings.Cut(value, " "); found { // "Bearer …"
			add(token)
		}
		for pair := range strings.SplitSeq(value, ";") { // Cookie
			if _, token, found := strings.Cut(pair, "="); found {
				add(token)
			}
		}
	}
	// The longest first: a token within a header's value must not leave the rest standing.
	slices.SortFunc(secrets, func(a, b string) int { return len(b) - len(a) })
	secrets = slices.Compact(secrets)
	var pairs []string
	for _, s := range secrets {
		pairs = append(pairs, s, target.Secret(s).String())
	}
	out := redactor{}
	if len(pairs) > 0 {
		out.replacer, out.longest = strings.NewReplacer(pairs...), len(secrets[0])
	}
	return out
}

// inHTML is a text as pages have it: with numbers for quotation marks, and with names.
func inHTML(s string) []string {
	named := strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "'", "&#039;")
	return []string{html.EscapeString(s), named.Replace(s)}
}

// inJSON is a text as it stands within the quotes of a JSON string: with no more escapes than it must have, with those
// that make it fit into a page, and with slashes escaped, as PHP does.
func inJSON(s string) []string {
	bare := strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s)
	page := strings.NewReplacer("<", `\u003c`, ">", `\u003e`, "&", `\u0026`, "+", `\u002b`)
	slashes := strings.NewReplacer("/", `\/`)
	return []string{bare, page.Replace(bare), strings.ReplaceAll(page.Replace(bare), `\u002b`, "+"), slashes.Replace(bare)}
}

// harmless tells of headers that carry no secret: "Accept: application/json" must not hide the answer's type.
func harmless(name string) bool {
	switch strings.ToLower(name) {
	case "accept", "accept-charset", "accept-encoding", "accept-language", "cache-control", "connection", "content-type",
		"host", "origin", "pragma", "range", "referer", "user-agent":
		return true
	}
	return false
}

func (r redactor) hide(s string) string {
	if r.replacer == nil {
		return s
	}
	return r.replacer.Replace(s)
}

// show makes a remote text fit to be kept: secrets hidden, cleaned, cut.
func (r redactor) show(s string, limit int) string { return finding.Clean(r.hide(s), limit) }

// excerpt shows the start of a body. Where it was cut, its end may hold the first part of a secret: that goes too.
func (r redactor) excerpt(start []byte, cut bool) string {
	s := r.hide(string(start))
	if cut && r.longest > 0 {
		s = s[:max(0, len(s)-r.longest)]
	}
	return r.show(strings.TrimSpace(s), finding.QuoteLimit)
}
