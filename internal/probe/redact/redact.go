// Package redact hides an endpoint's configured secrets in what its server sends back: an echo of the request must not carry
// a token into a finding, an email or a report. It finds them in every encoding that servers use (see match.go).
package redact

import (
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"slices"
	"strings"
	"sync"

	"certdrift/internal/finding"
	"certdrift/internal/target"
)

// CarriesSecrets reports whether a request carries anything that only the intended server may receive.
func CarriesSecrets(r target.Request) bool {
	return r.Username != "" || r.Password != "" ||
		hasValue(r.Query.Reveal()) || slices.ContainsFunc(r.Headers, func(h target.Header) bool { return h.Value != "" && !harmless(h.Name) })
}

func hasValue(query string) bool {
	for _, value := range parameters(query) {
		if value != "" {
			return true
		}
	}
	return false
}

// Redactor hides the secrets of one endpoint's request, and those that its servers hand out.
type Redactor struct {
	secrets []string
	learned *learned
}

// learned are secrets that came to be known while others were hidden already.
type learned struct {
	mu      sync.RWMutex
	secrets []string
}

// maxLearned bounds the forms of secrets that are learned.
const maxLearned = 2000

// Learn has a secret of a server's own hidden from now on. It reports whether there is room for it. One of fewer than four characters
// is a flag and no secret.
func (r Redactor) Learn(secret string) bool {
	if len(secret) < minAnywhere {
		return true
	}
	r.learned.mu.Lock()
	defer r.learned.mu.Unlock()
	if slices.Contains(r.learned.secrets, lower(secret)) {
		return true
	}
	if len(r.learned.secrets) >= maxLearned {
		return false
	}
	var forms Redactor
	forms.add(secret)
	r.learned.secrets = append(r.learned.secrets, forms.secrets...)
	return true
}

// known returns all secrets.
func (r Redactor) known() []string {
	if r.learned == nil {
		return r.secrets
	}
	r.learned.mu.RLock()
	defer r.learned.mu.RUnlock()
	return slices.Concat(r.secrets, r.learned.secrets)
}

// minAnywhere is the minimum length of a secret that is hidden within a word too. A shorter one is hidden only where it is a word
// of its own: hiding every "1" would leave nothing to read, and show what is hidden.
const minAnywhere = 4

// New returns a Redactor for what a request carries: user name, password, the values of its query and of its secret headers.
func New(r target.Request) Redactor {
	out := Redactor{learned: &learned{}}
	out.add(r.Username.Reveal())
	out.add(r.Password.Reveal())
	if r.Password != "" {
		out.add(r.Username.Reveal() + ":" + r.Password.Reveal())
	}
	for _, value := range parameters(r.Query.Reveal()) {
		out.add(value)
	}
	for _, h := range r.Headers {
		if harmless(h.Name) {
			continue
		}
		value := h.Value.Reveal()
		out.add(value)
		if scheme, token, found := strings.Cut(value, " "); found { // "Bearer …"
			out.add(token)
			if credentials, err := base64.StdEncoding.DecodeString(token); err == nil && strings.EqualFold(scheme, "Basic") {
				user, password, _ := strings.Cut(string(credentials), ":")
				out.add(string(credentials))
				out.add(user)
				out.add(password)
			}
		}
		for pair := range strings.SplitSeq(value, ";") { // Cookie
			if _, token, found := strings.Cut(pair, "="); found {
				out.add(token)
			}
		}
	}
	return out
}

// add adds a secret as written and as a server may decode it, and the encodings of each as a whole; matchEncoded finds escapes of
// single characters.
func (r *Redactor) add(secret string) {
	forms := []string{secret}
	for _, decode := range []func(string) (string, error){url.QueryUnescape, url.PathUnescape} {
		if decoded, err := decode(secret); err == nil && !slices.Contains(forms, decoded) {
			forms = append(forms, decoded)
		}
	}
	for _, s := range forms {
		if s == "" {
			continue
		}
		for _, text := range []string{
			s, base64.RawStdEncoding.EncodeToString([]byte(s)), base64.RawURLEncoding.EncodeToString([]byte(s)), hex.EncodeToString([]byte(s)),
		} {
			r.secrets = append(r.secrets, lower(text))
		}
	}
}

// harmless reports whether a header carries no secret: "Accept: application/json" must not hide the response's type.
func harmless(name string) bool {
	switch strings.ToLower(name) {
	case "accept", "accept-charset", "accept-encoding", "accept-language", "cache-control", "connection", "content-type",
		"host", "origin", "pragma", "range", "referer", "user-agent":
		return true
	}
	return false
}

// hide replaces the secrets in a text. cut reports that the text was truncated: its end may be the first part of a secret.
func (r Redactor) hide(s string, cut bool) string {
	secrets := r.known()
	if len(secrets) == 0 {
		return s
	}
	var shown strings.Builder
	lowered := lower(s)
	for rest := lowered; rest != ""; {
		n, first := 0, firstBytes(rest)
		for _, secret := range secrets { // the longest: a token within a header's value must not leave the rest visible
			if strings.IndexByte(first, secret[0]) < 0 {
				continue
			}
			if found := matchEncoded(rest, secret, cut); len(secret) >= minAnywhere || isWord(lowered, len(lowered)-len(rest), found) {
				n = max(n, found)
			}
		}
		if n > 0 {
			shown.WriteString(target.Secret(rest[:n]).String())
		} else {
			n = 1
			shown.WriteByte(s[len(s)-len(rest)])
		}
		rest = rest[n:]
	}
	return shown.String()
}

// maxShown bounds in bytes the part of a text that is searched; only a few hundred characters are shown.
const maxShown = 4 << 10

// Show returns a remote text with secrets hidden, cleaned and truncated.
func (r Redactor) Show(s string, limit int) string {
	if len(s) > maxShown {
		return finding.Clean(r.hide(s[:maxShown], true)+"…", limit)
	}
	return finding.Clean(r.hide(s, false), limit)
}

// ShowURL is Show for a URL or a text that contains one: what redact.URL hides is hidden too.
func (r Redactor) ShowURL(s string, limit int) string { return r.Show(URL(s), limit) }

// Excerpt returns the start of a body.
func (r Redactor) Excerpt(start []byte, cut bool) string {
	return finding.Clean(strings.TrimSpace(r.hide(string(start), cut)), finding.QuoteLimit)
}

// Expectation returns the expectation without secrets, so that it can be saved: it may expect the echo of a secret.
func (r Redactor) Expectation(e target.Expect) target.Expect {
	e.BodyContains, e.BodyMatches = r.hide(e.BodyContains, false), r.hide(e.BodyMatches, false)
	e.Headers, e.BodyJSON = slices.Clone(e.Headers), slices.Clone(e.BodyJSON)
	for i, h := range e.Headers {
		e.Headers[i].Contains = r.hide(h.Contains, false)
	}
	for i, value := range e.BodyJSON {
		if value.Equals != nil {
			hidden := r.hide(*value.Equals, false)
			e.BodyJSON[i].Equals = &hidden
		}
	}
	return e
}
