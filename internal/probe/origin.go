package probe

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/idna"

	"certdrift/internal/finding"
	"certdrift/internal/probe/netguard"
	"certdrift/internal/probe/redact"
	"certdrift/internal/target"
)

// origin is the server a connection goes to, the endpoint itself or a redirect's target, with the request to send.
type origin struct {
	kind   target.Kind
	host   string // A-labels, or an IP address without brackets
	port   int
	url    *url.URL // nil if no HTTP request is sent
	method string
	// own reports whether it is the endpoint's own scheme, host and port: credentials and connect_to are for it alone.
	own bool
	// cookies is the Cookie header to send besides a configured one; empty for none.
	cookies string
	// guarded reports whether these came over a verified connection.
	guarded bool
	// proxyVersion is the version of the PROXY protocol's header to send first; 0 for none. Follow-up probes only.
	proxyVersion int
	// http1 keeps HTTP/2 from being offered.
	http1 bool
	// offer is what to offer in the TLS handshake.
	offer offer
	// curves are the key exchanges to offer; those of offer if nil.
	curves []tls.CurveID
	// until is by when questions about a silent server should be answered; zero if only their own bounds count.
	until time.Time
}

// origin returns the endpoint's own origin.
func (v *endpointProbe) origin() (*origin, error) {
	e := v.target
	o := &origin{kind: e.Kind, host: e.Host, port: e.Port, method: e.Request.Method, own: true}
	if o.method == "" {
		o.method = http.MethodGet
	}
	if !e.Kind.Web() {
		return o, nil
	}
	u, err := url.Parse(e.URL)
	if err != nil {
		return nil, fmt.Errorf("reading the URL of %q: %w", e.Name, errors.Unwrap(err))
	}
	if query := e.Request.Query.Reveal(); query != "" {
		u.RawQuery = query
	}
	o.setURL(u)
	return o, nil
}

// setURL sets the URL in the form in which it is requested and compared.
func (o *origin) setURL(u *url.URL) {
	u.User, u.Fragment, u.RawFragment = nil, "", ""
	u.Host = o.authority()
	if u.Path == "" {
		u.Path = "/"
	}
	o.url = u
}

// authority returns HOST or HOST:PORT as sent in a request.
func (o *origin) authority() string {
	host := o.host
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	if o.port == o.kind.DefaultPort() {
		return host
	}
	return host + ":" + strconv.Itoa(o.port)
}

// sni returns the name to send in SNI; empty for an address, which RFC 6066 §3 does not allow there.
func (o *origin) sni() string {
	if _, isIP := netguard.ParseHost(o.host); isIP {
		return ""
	}
	return o.host
}

// maxLocation bounds a Location header in bytes; browsers accept about as much.
const maxLocation = 8 << 10

// maxScheme bounds what is shown of a scheme in characters.
const maxScheme = 32

// redirected returns the target of a Location header received from o.
func (v *endpointProbe) redirected(o *origin, status int, location string) (*origin, error) {
	if len(location) > maxLocation {
		return nil, fmt.Errorf("the redirect's location has %d bytes", len(location))
	}
	u, err := o.url.Parse(location)
	if err != nil {
		return nil, fmt.Errorf("the redirect's location %s is not a URL", finding.Quote(redact.URL(location)))
	}
	next := &origin{kind: target.Kind(u.Scheme), url: u}
	if !next.kind.Web() { // not followed: see visitHop
		u.User = nil
		next.kind = target.Kind(v.secrets.Show(u.Scheme, maxScheme))
		next.host = v.secrets.Show(u.Hostname(), finding.QuoteLimit)
		return next, nil
	}
	if next.host, err = asciiHost(u.Hostname()); err != nil {
		return nil, fmt.Errorf("the redirect's host %s is not a valid name: %w", finding.Quote(u.Hostname()), err)
	}
	next.port = next.kind.DefaultPort()
	if p := u.Port(); p != "" {
		if next.port, err = strconv.Atoi(p); err != nil || next.port < 1 || next.port > 65535 {
			return nil, fmt.Errorf("the redirect's port %s is not valid", finding.Quote(p))
		}
	}
	next.method = methodAfter(status, o.method)
	next.setURL(u)
	next.own = next.kind == v.target.Kind && next.host == v.target.Host && next.port == v.target.Port
	return next, nil
}

// methodAfter returns the method of the next request: a POST becomes a GET after 301 and 302, as in browsers, and
// everything but HEAD after 303 (RFC 9110 §15.4.2 to §15.4.4).
func methodAfter(status int, method string) string {
	moved := status == http.StatusMovedPermanently || status == http.StatusFound
	if moved && method == http.MethodPost || status == http.StatusSeeOther && method != http.MethodHead {
		return http.MethodGet
	}
	return method
}

// asciiHost returns a host in the form of target.Endpoint.Host.
func asciiHost(host string) (string, error) {
	if a, ok := netguard.ParseHost(host); ok {
		return a.String(), nil
	}
	if !isASCII(host) { // underscores and the like do exist in the DNS
		ascii, err := idna.Lookup.ToASCII(host)
		if err != nil {
			return "", err
		}
		if a, ok := netguard.ParseHost(ascii); ok { // of wide digits, for example
			return a.String(), nil
		}
		host = ascii
	}
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	if strings.ContainsAny(host, "%[]") || strings.Trim(host, ".") == "" {
		return "", &net.AddrError{Err: "not a host name", Addr: host}
	}
	return host, nil
}

func isASCII(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r > 0x7e || r <= ' ' }) < 0
}
