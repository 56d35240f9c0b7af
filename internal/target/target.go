// Package target defines what certdrift checks: endpoints, what is declared about them, and the load balancers to read. Its
// types are plain values without logic of their own; config and manifest create them, and round passes them to the observers.
package target

import "time"

// Endpoint is one thing to probe. It is saved with its observation, so that a verdict can be replayed; its
// secrets never leave the process (see Secret).
type Endpoint struct {
	Environment string `json:"environment"`
	Name        string `json:"name"`
	// URL is as configured, without credentials and the values of the query (see Request.Query).
	URL  string `json:"url"`
	Kind Kind   `json:"kind"`
	// Host is what SNI carries and the certificate must cover: lower-case ASCII (A-labels), no trailing dot; an IP
	// address without brackets.
	Host string `json:"host"`
	Port int    `json:"port"`
	// ConnectTo, each HOST:PORT, replaces DNS, like curl's --connect-to, for this URL's own scheme, host and port only.
	ConnectTo []string `json:"connect_to,omitempty"`
	// EHLOName is the client's name in SMTP; by default the client's address, or else its host name.
	EHLOName string `json:"ehlo_name,omitempty"`
	// Networks are the private networks, in CIDR notation, that redirects and the URLs in certificates may lead into.
	Networks []string `json:"networks,omitempty"`
	// Timeout bounds each phase (DNS, connect, TLS, first byte, body), not their sum.
	Timeout time.Duration `json:"timeout_ns"`
	Trust   Trust         `json:"trust"`
	Request Request       `json:"request"`
	Expect  Expect        `json:"expect"`
	// Declared is the certificate the endpoint is meant to serve; nil if none is declared.
	Declared     *Declared        `json:"declared,omitempty"`
	LoadBalancer *LoadBalancerRef `json:"load_balancer,omitempty"`
	// Service is the Kubernetes Service, Ingress or Gateway in front, NAMESPACE/NAME; empty if unknown.
	Service string `json:"service,omitempty"`
	// PerEndpointMetrics asks for CloudWatch series of the endpoint's own.
	PerEndpointMetrics bool     `json:"per_endpoint_metrics,omitempty"`
	Source             Position `json:"source"`
	// OtherEvery is for how long it is enough to know that the server has no second certificate, for clients of the other type of key;
	// 0 for asking at once.
	OtherEvery time.Duration `json:"other_every_ns,omitempty"`
}

// Key names the endpoint uniquely within a configuration: ENVIRONMENT/NAME.
func (e Endpoint) Key() string { return e.Environment + "/" + e.Name }

// Roots names a trust store.
type Roots string

// The trust stores: Mozilla's, embedded in the binary, and this machine's own.
const (
	Mozilla Roots = "mozilla"
	System  Roots = "system"
)

// Trust is what a chain is verified against.
type Trust struct {
	Roots Roots `json:"roots"`
	// CAs are additional trust anchors, DER.
	CAs [][]byte `json:"cas,omitempty"`
}

// Request is what is sent to an http or https endpoint, and the client certificate for any TLS kind.
type Request struct {
	Method string `json:"method,omitempty"` // GET by default
	// Headers are sent as they are. Values are secret: they may hold tokens.
	Headers []Header `json:"headers,omitempty"`
	// Username and Password come from the URL; they go to the URL's own origin only.
	Username Secret `json:"-"`
	Password Secret `json:"-"`
	// Query is the URL's query with its values; empty if the URL has all of it.
	Query Secret `json:"-"`
	// ClientCertificate is sent to a server that requests one; nil for none.
	ClientCertificate *ClientCertificate `json:"client_certificate,omitempty"`
}

// Header is one request header.
type Header struct {
	Name  string `json:"name"`
	Value Secret `json:"-"`
}

// ClientCertificate is a certificate chain (PEM) and its key.
type ClientCertificate struct {
	CertificatePEM []byte `json:"certificate_pem,omitempty"`
	KeyPEM         Secret `json:"-"`
}

// Expect is the response that an http or https endpoint must send. The zero value accepts any status from 200 to 299.
type Expect struct {
	Status       []int         `json:"status,omitempty"`
	BodyContains string        `json:"body_contains,omitempty"`
	BodyMatches  string        `json:"body_matches,omitempty"` // RE2
	BodyJSON     []JSONValue   `json:"body_json,omitempty"`
	Headers      []HeaderValue `json:"headers,omitempty"`
	// MaxLatency bounds the time to the first byte; 0 for no limit.
	MaxLatency time.Duration `json:"max_latency_ns,omitempty"`
	// MaxSize bounds the decoded body in bytes; 0 for the probe's own limit.
	MaxSize int64 `json:"max_size,omitempty"`
	// MaxRedirects is how many redirects in a row are followed, MaxRedirects of the package at most; nil for that many.
	MaxRedirects *int `json:"max_redirects,omitempty"`
}

// MaxRedirects bounds a chain of redirects.
const MaxRedirects = 10

// JSONValue requires that the JSON body have Equals at Path ("$.status", "$.items[0].id"), or any value if Equals is nil.
type JSONValue struct {
	Path   string  `json:"path"`
	Equals *string `json:"equals,omitempty"`
}

// HeaderValue requires that a response header contain a text.
type HeaderValue struct {
	Name     string `json:"name"`
	Contains string `json:"contains"`
}

// Declared is the certificate declared for an endpoint: by ARN, by fingerprint or by issuer. If more than one is set, each
// must match.
type Declared struct {
	// ARN is an ACM certificate's or an IAM server certificate's.
	ARN string `json:"arn,omitempty"`
	// FingerprintSHA256 is the leaf's, 64 lower-case hexadecimal digits without colons.
	FingerprintSHA256 string `json:"fingerprint_sha256,omitempty"`
	// Issuer is the leaf's issuer: its common name or its whole distinguished name (RFC 4514).
	Issuer string   `json:"issuer,omitempty"`
	Source Position `json:"source"`
}

// LoadBalancerRef names the listener in front of an endpoint.
type LoadBalancerRef struct {
	Name   string `json:"name"`
	Port   int    `json:"port"`
	Region string `json:"region,omitempty"` // needed if the name is not unique
}

// Role is a role to assume in another account.
type Role struct {
	ARN        string `json:"arn"`
	ExternalID Secret `json:"external_id,omitempty"`
}

// Scope is what inspect reads beyond the load balancers that endpoints name.
type Scope struct {
	// Enabled reports whether the configuration involves load balancers at all.
	Enabled bool `json:"enabled"`
	// Walk reports whether all load balancers of the regions are read, since any of them may belong to an endpoint or a
	// manifest. Otherwise only those that endpoints name are read.
	Walk bool `json:"walk"`
	// Listed reports whether the configuration's load_balancers include all, so that undeclared listeners are reported too.
	Listed  bool              `json:"listed"`
	Regions []string          `json:"regions,omitempty"`
	Tags    map[string]string `json:"tags,omitempty"`
	// Roles are for other accounts, in addition to certdrift's own.
	Roles []Role `json:"roles,omitempty"`
}

// CertificateFile is the certificate of an ARN, for use without AWS.
type CertificateFile struct {
	ARN string `json:"arn"`
	// Chain is leaf first, DER.
	Chain [][]byte `json:"chain"`
}

// Position is a position in a file that a person wrote. Line and Column count from 1; 0 if unknown.
type Position struct {
	File   string `json:"file,omitempty"`
	Line   int    `json:"line,omitempty"`
	Column int    `json:"column,omitempty"`
}

// Wanted is what a round reads from AWS.
type Wanted struct {
	Scope Scope
	// LoadBalancers are those that endpoints name, beyond the scope's.
	LoadBalancers []LoadBalancerRef
	// Certificates are the ARNs that endpoints or manifests declare: they are read even if no listener has them.
	Certificates []string
	// Only, if not empty, limits the round to these load balancers (names or ARNs), which an event reported.
	Only []string
}
