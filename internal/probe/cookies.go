package probe

import (
	"net/http"
	"net/http/cookiejar"
	"net/netip"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/publicsuffix"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
	"certdrift/internal/target"
)

const (
	// maxCookies bounds the cookies of one chain of redirects. RFC 6265 §6.1 asks clients for at least so many of one domain.
	maxCookies = 50
	// maxCookie bounds the name and value of a cookie in bytes, as in RFC 6265 §6.1 and in browsers.
	maxCookie = 4096
	// maxShownCookies bounds the cookies that an observation names.
	maxShownCookies = 5
)

// cookies are those that one chain of redirects has set. They are sent back within the chain, as RFC 6265 has it, and forgotten
// with it. Their values are in no observation.
type cookies struct {
	jar *cookiejar.Jar // nil without cookies
	set []chainCookie
	// guarded reports whether one came over a connection with a verified certificate: from then on, they go over no https
	// connection without one.
	guarded bool
}

// chainCookie is one cookie of a chain.
type chainCookie struct {
	*http.Cookie
	host   string // that set it
	unsent observation.CookieFault
	sent   bool
}

// setCookies returns the cookies that a response sets, and has their values hidden in whatever is shown of its server.
func (v *endpointProbe) setCookies(h http.Header) []*http.Cookie {
	var set []*http.Cookie
	for _, line := range h.Values("Set-Cookie") {
		c := parseCookie(line)
		if c == nil {
			continue
		}
		if len(set) == maxCookies || !v.secrets.Learn(c.Value) {
			break
		}
		set = append(set, c)
	}
	return set
}

// parseCookie reads a Set-Cookie header as RFC 6265 §5.2 has it; nil if it sets none. Names and values may contain what
// net/http does not accept, such as brackets and quotes.
func parseCookie(line string) *http.Cookie {
	pair, attributes, _ := strings.Cut(line, ";")
	name, value, found := strings.Cut(pair, "=")
	name, value = strings.Trim(name, " \t"), strings.Trim(value, " \t")
	if !found || name == "" || strings.ContainsFunc(name+value, isControl) {
		return nil
	}
	c, err := http.ParseSetCookie("name=value;" + attributes)
	if err != nil {
		return nil
	}
	c.Name, c.Value = name, value
	c.Domain = strings.TrimPrefix(strings.ToLower(c.Domain), ".") // none, if it is a dot alone
	if c.RawExpires != "" && c.Expires.IsZero() {
		c.Expires = oldDate(c.RawExpires)
	}
	return c
}

func isControl(r rune) bool { return r < ' ' || r == 0x7f }

// oldDate reads the forms of dates that net/http does not expect in a cookie, two digits of a year among them; zero if it is none.
func oldDate(text string) time.Time {
	if at, err := http.ParseTime(text); err == nil {
		return at
	}
	at, err := time.Parse("Mon, 02-Jan-06 15:04:05 MST", text)
	if err != nil {
		return time.Time{}
	}
	return at
}

// receive takes up the cookies of a response from an origin.
func (c *cookies) receive(from *origin, set []*http.Cookie, verified bool) {
	for _, cookie := range set {
		c.set = slices.DeleteFunc(c.set, func(old chainCookie) bool { return old.Name == cookie.Name && old.host == from.host })
		if len(c.set) == maxCookies {
			return
		}
		why := refusal(from, cookie)
		c.set = append(c.set, chainCookie{Cookie: cookie, host: from.host, unsent: why})
		if why != "" && why != observation.CookieExpired {
			continue
		}
		if c.jar == nil {
			c.jar, _ = cookiejar.New(&cookiejar.Options{PublicSuffixList: publicsuffix.List}) // it never fails
		}
		c.jar.SetCookies(from.url, []*http.Cookie{cookie})
		c.guarded = c.guarded || verified
	}
}

// refusal says why clients do not keep a cookie; empty if they do. RFC 6265 has most of it; not to take a Secure cookie over plain
// HTTP, and the prefixes of names, are what browsers and curl added (draft-ietf-httpbis-rfc6265bis).
func refusal(from *origin, c *http.Cookie) observation.CookieFault {
	domain := c.Domain
	suffix, _ := publicsuffix.PublicSuffix(domain)
	onHost, onlySecure := hasPrefixFold(c.Name, "__Host-"), hasPrefixFold(c.Name, "__Secure-")
	switch {
	case len(c.Name)+len(c.Value) > maxCookie:
		return observation.CookieTooLarge
	case c.Secure && !from.trustworthy():
		return observation.CookieInsecure
	case (onHost || onlySecure) && !c.Secure, onHost && (domain != "" || c.Path != "/"):
		return observation.CookiePrefix
	case domain != "" && domain != from.host && (!strings.HasSuffix(from.host, "."+domain) || from.sni() == ""):
		return observation.CookieDomain
	case domain != "" && domain != from.host && suffix == domain:
		return observation.CookieSuffix
	case c.MaxAge < 0, c.MaxAge == 0 && !c.Expires.IsZero() && !c.Expires.After(time.Now()):
		return observation.CookieExpired
	}
	return ""
}

// trustworthy reports whether Secure cookies are for an origin. Browsers and net/http's jar take this machine for one without TLS.
func (o *origin) trustworthy() bool {
	ip, err := netip.ParseAddr(o.host)
	return o.kind == target.HTTPS || o.host == "localhost" || strings.HasSuffix(o.host, ".localhost") || err == nil && ip.IsLoopback()
}

func hasPrefixFold(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}

// header returns the Cookie header for a request to an origin; empty for none.
func (c *cookies) header(to *origin) string {
	if c.jar == nil || !to.kind.Web() {
		return ""
	}
	var pairs []string
	for _, cookie := range c.jar.Cookies(to.url) {
		pairs = append(pairs, cookie.Name+"="+cookie.Value)
		for i := range c.set {
			c.set[i].sent = c.set[i].sent || c.set[i].Name == cookie.Name
		}
	}
	return strings.Join(pairs, "; ")
}

// shown returns the cookies of a chain that does not end, those first that are not sent back, with why.
func (v *endpointProbe) shown(c *cookies, last *origin) []observation.Cookie {
	var lost, sent []observation.Cookie
	for _, set := range c.set {
		shown := observation.Cookie{Name: v.secrets.Show(set.Name, finding.QuoteLimit), Unsent: set.unsent}
		switch {
		case set.sent && set.unsent == observation.CookieExpired: // it ends an earlier one
		case set.sent:
			shown.Unsent = ""
			sent = append(sent, shown)
		case set.unsent != "":
			lost = append(lost, shown)
		default:
			shown.Unsent = elsewhere(set, last)
			lost = append(lost, shown)
		}
	}
	all := append(lost, sent...)
	return all[:min(len(all), maxShownCookies)]
}

// elsewhere says why a cookie that clients keep was not sent to an origin.
func elsewhere(c chainCookie, to *origin) observation.CookieFault {
	switch {
	case c.Secure && !to.trustworthy():
		return observation.CookieSecureOnly
	case c.host != to.host:
		return observation.CookieHost
	}
	return observation.CookiePath
}

// joinCookies adds the cookies of a chain to those of a configured header, which they replace by name.
func joinCookies(configured, set string) string {
	if set == "" {
		return configured
	}
	var names, pairs []string
	for pair := range strings.SplitSeq(set, "; ") {
		name, _, _ := strings.Cut(pair, "=")
		names = append(names, name)
	}
	for pair := range strings.SplitSeq(configured, ";") {
		pair = strings.TrimSpace(pair)
		if name, _, _ := strings.Cut(pair, "="); pair != "" && !slices.Contains(names, strings.TrimSpace(name)) {
			pairs = append(pairs, pair)
		}
	}
	return strings.Join(append(pairs, set), "; ")
}

// sendTo returns an origin as the next of a chain, with the cookies to send there.
func (c *cookies) sendTo(location *origin) *origin {
	next := *location // other chains have the same
	next.cookies, next.guarded = c.header(location), c.guarded
	return &next
}
