package config

import (
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"

	"certdrift/internal/finding"
	"certdrift/internal/probe/redact"
	"certdrift/internal/target"
)

// maxURL is the maximum length of a URL in bytes.
const maxURL = 2048

// location is a parsed URL. Messages about mistakes never repeat the URL: it may contain credentials.
type location struct {
	shown    string // without credentials and the values of the query, the host in ASCII
	kind     target.Kind
	host     string
	port     int
	user     target.Secret
	password target.Secret
	query    target.Secret
}

// parseURL reads an endpoint's URL.
func parseURL(text string) (location, *mistake) {
	if m := checkText(text); m != nil {
		return location{}, m
	}
	scheme, _, ok := strings.Cut(text, "://")
	if !ok {
		return location{}, &mistake{"has no scheme", "begin it with https://, or with one of " + strings.Join(target.Schemes()[1:], ", ")}
	}
	l := location{kind: target.Kind(strings.ToLower(scheme))}
	if m := checkScheme(string(l.kind)); m != nil {
		return location{}, m
	}
	u, err := url.Parse(text)
	if err != nil || u.Opaque != "" {
		return location{}, &mistake{"cannot be parsed", "write SCHEME://HOST:PORT/PATH; in credentials, paths and queries write special characters as %XX"}
	}
	if u.Fragment != "" || strings.Contains(text, "#") {
		return location{}, &mistake{"has a fragment (#…), which is never sent", "remove it; write a # in a path as %23"}
	}
	var m *mistake
	if l.host, m = parseHost(u.Hostname()); m != nil {
		return location{}, m
	}
	if l.port, m = parsePort(u, l.kind); m != nil {
		return location{}, m
	}
	if m = l.checkParts(u); m != nil {
		return location{}, m
	}
	l.user = target.Secret(u.User.Username())
	if password, ok := u.User.Password(); ok {
		l.password = target.Secret(password)
	}
	l.query = target.Secret(u.RawQuery)
	l.shown = shown(l, u)
	return l, nil
}

func checkText(text string) *mistake {
	if len(text) > maxURL {
		return &mistake{"is longer than " + strconv.Itoa(maxURL) + " bytes", "shorten it"}
	}
	if !utf8.ValidString(text) || strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r == 0x7f || r == '\\' }) {
		return &mistake{"contains a space, a backslash, a control character or invalid UTF-8", "remove it, or write it as %XX"}
	}
	return nil
}

func checkScheme(scheme string) *mistake {
	for _, known := range target.Schemes() {
		if scheme == known {
			return nil
		}
	}
	hint, ok := schemeHints()[scheme]
	if !ok {
		hint = suggest(scheme, target.Schemes())
	}
	return &mistake{"has the scheme " + finding.Quote(scheme) + ", which certdrift does not support", hint}
}

// schemeHints says what to write instead of schemes that are in use elsewhere.
func schemeHints() map[string]string {
	hints := map[string]string{
		"wss": "write https://", "ws": "write http://", "tcp": "for a TLS handshake write tls://HOST:PORT", "ssl": "write tls://HOST:PORT",
		"postgresql": "write postgres://", "mariadb": "write mysql://", "managesieve": "write sieve://", "news": "write nntp://",
		"submission": "write smtp://HOST:587", "jabber": "write xmpp://",
	}
	for scheme, port := range map[string]string{
		"smtps": "465", "submissions": "465", "imaps": "993", "pop3s": "995", "ldaps": "636", "ftps": "990", "nntps": "563", "snews": "563", "xmpps": "5223",
	} {
		hints[scheme] = "for TLS from the first byte write tls://HOST:" + port
	}
	return hints
}

func parsePort(u *url.URL, kind target.Kind) (int, *mistake) {
	text := u.Port()
	if text == "" {
		if strings.HasSuffix(u.Host, ":") {
			return 0, &mistake{"has an empty port", "write a port after the colon, or remove the colon"}
		}
		if kind.DefaultPort() == 0 {
			return 0, &mistake{"has no port, and " + string(kind) + " has no default", "write it as " + string(kind) + "://HOST:PORT"}
		}
		return kind.DefaultPort(), nil
	}
	port, err := strconv.Atoi(text)
	if err != nil || port < 1 || port > 65535 {
		return 0, &mistake{"has the port " + finding.Quote(text), "a port is a number from 1 to 65535"}
	}
	return port, nil
}

func (l location) checkParts(u *url.URL) *mistake {
	if l.kind.Web() {
		return nil
	}
	if u.User != nil {
		return &mistake{"has credentials, which " + string(l.kind) + " does not use", "remove them: certdrift checks only the TLS handshake"}
	}
	if u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.ForceQuery {
		return &mistake{"has a path or a query, which " + string(l.kind) + " does not use", "write it as " + string(l.kind) + "://HOST:PORT"}
	}
	return nil
}

func shown(l location, u *url.URL) string {
	host := l.host
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	if u.Port() != "" {
		host += ":" + u.Port()
	}
	clean := url.URL{Scheme: string(l.kind), Host: host, Path: u.Path, RawPath: u.RawPath, RawQuery: redact.Query(u.RawQuery)}
	return clean.String()
}

// parseHost returns a host as it appears in SNI and certificates: lower-case A-labels without the trailing dot, or an IP
// address.
func parseHost(host string) (string, *mistake) {
	if host == "" {
		return "", &mistake{"has no host", "write it as https://HOST/"}
	}
	if ip, err := netip.ParseAddr(host); err == nil {
		if ip.Zone() != "" {
			return "", &mistake{"has an IPv6 address with a zone (%…)", "certificates have no zones: use a name or a global address"}
		}
		return ip.String(), nil
	}
	ascii, err := idnaProfile().ToASCII(strings.TrimSuffix(host, "."))
	if err != nil || !validName(ascii) || !utf8.ValidString(host) { // invalid UTF-8 would get a meaningless A-label
		return "", &mistake{"has the host " + finding.Quote(host) + ", which is not a valid host name",
			"use letters, digits and hyphens between dots; IPv6 addresses in [ ]"}
	}
	if last := ascii[strings.LastIndexByte(ascii, '.')+1:]; strings.Trim(last, "0123456789") == "" || strings.HasPrefix(last, "0x") {
		return "", &mistake{"has the host " + finding.Quote(host) + ", a number that is not an IP address", "write an IPv4 address as four decimal numbers"}
	}
	return ascii, nil
}

// idnaProfile maps as browsers do (UTS 46, non-transitional), but allows underscores and hyphens wherever DNS does.
func idnaProfile() *idna.Profile {
	return idna.New(idna.MapForLookup(), idna.Transitional(false), idna.BidiRule(), idna.StrictDomainName(false), idna.CheckHyphens(false))
}

// validName reports whether a name is valid in DNS (RFC 1035 §2.3.4) and in certificates; underscores are allowed, since
// internal names have them.
func validName(name string) bool {
	if len(name) > 253 {
		return false
	}
	for label := range strings.SplitSeq(name, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		if strings.ContainsFunc(label, func(r rune) bool {
			return !(r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-' || r == '_')
		}) {
			return false
		}
	}
	return true
}

// parseConnectTo parses HOST:PORT. A URL pasted there may contain credentials, which are not shown.
func parseConnectTo(text string) (string, *mistake) {
	shown := text
	if at := strings.LastIndexByte(text, '@'); at >= 0 {
		shown = "…" + text[at:]
	}
	shown = redact.URL(shown) // reporter cuts it short if it has a scheme
	wrong := &mistake{finding.Quote(shown) + " is not HOST:PORT", "write it as 127.0.0.1:8443, [::1]:8443 or name.example.org:443"}
	host, portText, err := net.SplitHostPort(text)
	if err != nil {
		return "", wrong
	}
	port, err := strconv.Atoi(portText)
	if err != nil || port < 1 || port > 65535 {
		return "", wrong
	}
	name, m := parseHost(host)
	if m != nil {
		return "", wrong
	}
	return net.JoinHostPort(name, strconv.Itoa(port)), nil
}
