package config

import (
	"fmt"
	"strings"
	"time"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
	"certdrift/internal/target"
)

// DefaultEnvironment is where URLs of the command line belong.
const DefaultEnvironment = "default"

// URLOptions are what the command line says about all of its URLs.
type URLOptions struct {
	ConnectTo []string
	CAFiles   []string
	// Roots is the trust store; Mozilla's by default.
	Roots target.Roots
	// Timeout bounds each phase; 10 s by default.
	Timeout time.Duration
	// ReadFile reads the CA files.
	ReadFile func(name string) ([]byte, error)
}

// FromURLs makes endpoints of the command line's URLs. A host alone counts as https. An endpoint's name is its URL as
// it is shown: without credentials. A URL that is there twice is probed once.
func FromURLs(urls []string, opts URLOptions) ([]target.Endpoint, []observation.Fault) {
	var faults []observation.Fault
	wrong := func(name, subject string, m *mistake) {
		environment := ""
		if name != "" {
			environment = DefaultEnvironment
		}
		faults = append(faults, observation.Fault{
			Message: subject + " " + m.message, Hint: m.hint, Environment: environment, Endpoint: name,
		})
	}
	common := shared(opts, func(subject string, m *mistake) { wrong("", subject, m) })
	var endpoints []target.Endpoint
	seen := map[string]bool{}
	for _, text := range urls {
		if !strings.Contains(text, "://") {
			text = "https://" + text
		}
		l, m := parseURL(text)
		if m != nil {
			name := withoutCredentials(text)
			wrong(name, "the URL "+finding.Quote(name), m)
			continue
		}
		if seen[l.shown] {
			continue
		}
		seen[l.shown] = true
		e := common
		e.Name, e.URL, e.Kind, e.Host, e.Port = l.shown, l.shown, l.kind, l.host, l.port
		e.Request.Username, e.Request.Password = l.user, l.password
		endpoints = append(endpoints, e)
	}
	return endpoints, faults
}

// shared makes what all the URLs have in common.
func shared(opts URLOptions, wrong func(subject string, m *mistake)) target.Endpoint {
	e := target.Endpoint{
		Environment: DefaultEnvironment, Timeout: opts.Timeout, Trust: target.Trust{Roots: opts.Roots},
	}
	if e.Trust.Roots == "" {
		e.Trust.Roots = target.Mozilla
	}
	switch {
	case opts.Timeout == 0:
		e.Timeout = defaultTimeout
	case opts.Timeout < 0 || opts.Timeout > maxTimeout:
		wrong("the timeout", &mistake{"is out of bounds", fmt.Sprintf("more than nothing, at most %s", maxTimeout)})
	}
	for _, text := range opts.ConnectTo {
		address, m := parseConnectTo(text)
		if m != nil {
			wrong("the address to connect to", m)
			continue
		}
		e.ConnectTo = append(e.ConnectTo, address)
	}
	files := files{read: opts.ReadFile}
	for _, name := range opts.CAFiles {
		ders, m := files.certificates(name)
		if m != nil {
			wrong("the CA file", m)
		}
		e.Trust.CAs = append(e.Trust.CAs, ders...)
	}
	return e
}

// withoutCredentials cuts all that could be credentials from a text that may be no URL at all.
func withoutCredentials(text string) string {
	scheme, rest, ok := strings.Cut(text, "://")
	if !ok {
		scheme, rest = "", text
	}
	rest = rest[strings.LastIndexByte(rest, '@')+1:]
	if scheme == "" {
		return finding.Clean(rest, finding.QuoteLimit)
	}
	return finding.Clean(scheme+"://"+rest, finding.QuoteLimit)
}
