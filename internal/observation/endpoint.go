package observation

import (
	"bytes"
	"crypto/x509"
	"strings"
	"time"

	"certdrift/internal/target"
)

// Endpoint is the result of probing one endpoint.
type Endpoint struct {
	Target target.Endpoint `json:"target"`
	// Probed is false if this endpoint was not finished; an ObserveError says so. Unprobed is why, where it is not that the round ended.
	Probed   bool   `json:"probed"`
	Unprobed string `json:"unprobed,omitempty"`
	DNS      DNS    `json:"dns"`
	// Delay is how long the endpoint waited from the round's beginning for its turn: time of certdrift's own, in none of the phases.
	Delay time.Duration `json:"delay_ns,omitempty"`
	// Addresses are all addresses that were probed, sorted as text.
	Addresses []Address `json:"addresses"`
}

// DNS is the result of resolving a name. With connect_to, it holds the given addresses and Skipped.
type DNS struct {
	// CanonicalName is the end of the CNAME chain, lower case, without the trailing dot; empty where unknown.
	CanonicalName string   `json:"canonical_name,omitempty"`
	Addresses     []string `json:"addresses,omitempty"` // IP addresses, sorted
	Skipped       bool     `json:"skipped,omitempty"`   // connect_to or an IP address: nothing was resolved
	// Omitted is the number of addresses beyond the probe's limit, which were not probed.
	Omitted int `json:"omitted,omitempty"`
	// Partial is why the addresses of one family are not known although those of the other are; nil where all are.
	Partial *Failure      `json:"partial,omitempty"`
	Took    time.Duration `json:"took_ns,omitempty"`
	Failure *Failure      `json:"failure,omitempty"`
}

// Address is one probe: one address, one fresh connection.
type Address struct {
	Address string    `json:"address"` // IP:PORT
	Started time.Time `json:"started"`
	Phases  Phases    `json:"phases"`
	// Failure is where and why the probe stopped early; nil where it completed. What was observed before it is kept.
	Failure *Failure `json:"failure,omitempty"`
	TLS     *TLS     `json:"tls,omitempty"`
	HTTP    *HTTP    `json:"http,omitempty"`
	// Other is what the server has for clients of the other type of key; nil where the round did not ask.
	Other *OtherCertificate `json:"other_certificate,omitempty"`
	// Withheld says why no request was sent to an http or https endpoint although the connection was established, so that
	// nothing is known about HTTP. Empty where one was sent.
	Withheld string `json:"withheld,omitempty"`
}

// Phases are the durations of the phases; 0 where a phase was not reached.
type Phases struct {
	DNS       time.Duration `json:"dns_ns,omitempty"`
	Connect   time.Duration `json:"connect_ns,omitempty"`
	StartTLS  time.Duration `json:"starttls_ns,omitempty"` // the plain-text preamble
	TLS       time.Duration `json:"tls_ns,omitempty"`
	FirstByte time.Duration `json:"first_byte_ns,omitempty"` // request written to first byte of the response
	Total     time.Duration `json:"total_ns,omitempty"`
}

// Phase is a step of a probe.
type Phase string

// The phases, in order.
const (
	PhaseDNS      Phase = "dns"
	PhaseConnect  Phase = "connect"
	PhaseStartTLS Phase = "starttls"
	PhaseTLS      Phase = "tls"
	PhaseHeaders  Phase = "headers" // request written, waiting for the status and headers
	PhaseBody     Phase = "body"
)

// FailureKind is why a probe failed, one of a closed set.
type FailureKind string

// The reasons.
const (
	NotFound         FailureKind = "not-found"        // DNS: the name does not exist, or has no address
	ResolverFailed   FailureKind = "resolver-failed"  // DNS: SERVFAIL, refused, unreachable
	TimedOut         FailureKind = "timed-out"        // any phase
	Refused          FailureKind = "refused"          // connect
	Reset            FailureKind = "reset"            // any phase after DNS: RST
	Closed           FailureKind = "closed"           // the peer closed the connection before it was complete
	Unreachable      FailureKind = "unreachable"      // connect: no route to host or network
	Blocked          FailureKind = "blocked"          // the address guard refused to connect
	Alert            FailureKind = "alert"            // TLS: the peer sent an alert (see Failure.Alert)
	Plaintext        FailureKind = "plaintext"        // TLS: the peer answered in plain HTTP
	NotTLS           FailureKind = "not-tls"          // TLS: the peer answered with something that is neither TLS nor HTTP
	VersionOld       FailureKind = "version-old"      // TLS: nothing newer than TLS 1.1, or older than the probe supports
	ChainOversized   FailureKind = "chain-oversized"  // TLS: the certificate message is larger than clients accept
	ChainMalformed   FailureKind = "chain-malformed"  // TLS: a certificate cannot be parsed
	KeyUnusable      FailureKind = "key-unusable"     // TLS: the certificate's key is too weak for a handshake
	NoCertificate    FailureKind = "no-certificate"   // TLS: the peer sent no certificate
	HandshakeFailed  FailureKind = "handshake-failed" // TLS: any other failure of the handshake
	ClientCertNeeded FailureKind = "client-cert"      // TLS or headers: the peer requires a client certificate
	StartTLSRefused  FailureKind = "starttls-refused" // STARTTLS: not offered, or refused
	Injected         FailureKind = "injected"         // STARTTLS: plaintext followed the agreement, before the handshake (see Failure.Said)
	Invalid          FailureKind = "invalid"          // HTTP: not a valid response; body that cannot be decoded
	Unprocessed      FailureKind = "unprocessed"      // HTTP/2: the peer rejected the request unprocessed, on a second connection too
	SpeaksTLS        FailureKind = "speaks-tls"       // HTTP: the peer speaks TLS instead of plain HTTP
	TooLarge         FailureKind = "too-large"        // HTTP: headers or body exceed the limit
	Other            FailureKind = "other"            // anything else; see Detail
)

// Protocol is one that a server speaks: a kind of endpoint, or one of those below.
type Protocol string

// The protocols that are recognized but that no kind of endpoint has.
const (
	SSH       Protocol = "ssh"
	RDP       Protocol = "rdp"
	VNC       Protocol = "vnc"
	AMQP      Protocol = "amqp"
	Redis     Protocol = "redis"
	SMTPOrFTP Protocol = "smtp-or-ftp" // a greeting that both have
)

// Failure is where and why a probe stopped.
type Failure struct {
	Phase Phase       `json:"phase"`
	Kind  FailureKind `json:"kind"`
	// Alert is the name of the TLS alert received ("handshake_failure", RFC 8446 §6).
	Alert string `json:"alert,omitempty"`
	// Detail is the system's or library's own message, cleaned and truncated.
	Detail string `json:"detail,omitempty"`
	// Local reports whether this machine could not send (no IPv6 route, a local firewall), which says nothing about the
	// endpoint.
	Local bool `json:"local,omitempty"`
	// Hurried reports whether the phase was cut short because the time limit for all redirects expired.
	Hurried bool `json:"hurried,omitempty"`
	// Hello is set where only a smaller ClientHello, without post-quantum key exchange, is answered: see HelloSizes.
	Hello *HelloSizes `json:"client_hello,omitempty"`
	// ProxyHeader is set where the PROXY protocol at one side only explains the failure.
	ProxyHeader *ProxyHeader `json:"proxy_header,omitempty"`
	// Speaks is the protocol that the peer was recognized to speak instead of the expected one; empty if that is unknown.
	Speaks Protocol `json:"speaks,omitempty"`
	// Said is the first line that the peer sent in plaintext where TLS or nothing was expected, cleaned and truncated.
	Said string `json:"said,omitempty"`
}

// ProxyHeader is how a header of the PROXY protocol explains a failure. If it is missing, TLS is what a handshake behind one showed.
type ProxyHeader struct {
	// Missing is the version of the header that the server expects and gets from nobody; 0 if it expects none.
	Missing int `json:"missing_version,omitempty"`
	// Unexpected: a TLS server gets such a header, or something else, before the handshake, and takes that for plain HTTP.
	Unexpected bool `json:"unexpected,omitempty"`
	// Suspected: it answers everything with the same error, so Unexpected is possible.
	Suspected bool `json:"suspected,omitempty"`
}

// HelloSizes are the sizes of two ClientHellos, in bytes with the record's header: one that was lost, reset or rejected, twice, and a
// smaller one that was answered. TLS is then what the answer showed.
type HelloSizes struct {
	Lost     int `json:"lost_bytes"`
	Answered int `json:"answered_bytes"`
}

// TLS is what the handshake showed. The probe verifies nothing: package judge does.
type TLS struct {
	ServerName string `json:"server_name,omitempty"` // as sent in SNI; empty for an IP address
	Version    string `json:"version"`               // "TLS 1.3"
	Cipher     string `json:"cipher"`
	Group      string `json:"group,omitempty"` // of the key exchange: "X25519", "CurveP521"; empty without one
	ALPN       string `json:"alpn,omitempty"`
	// Chain is what the server sent, in the order sent (leaf first), DER.
	Chain [][]byte `json:"chain"`
	// Parsed is Chain as the handshake parsed it; empty in an observation that was read from a file. See Certificate.
	Parsed []*x509.Certificate `json:"-"`
	// ClientCertificateRequested reports whether the server requested one, ClientCertificateSent whether one was configured
	// and sent.
	ClientCertificateRequested bool `json:"client_certificate_requested,omitempty"`
	ClientCertificateSent      bool `json:"client_certificate_sent,omitempty"`
	// Issuers were fetched from AIA caIssuers URLs because the served chain does not lead to a root; DER, nearest
	// first.
	Issuers []FetchedIssuer `json:"issuers,omitempty"`
	// Revocation holds what is known about each certificate of the chain except the root.
	Revocation []Revocation `json:"revocation,omitempty"`
}

// Certificate returns the i-th certificate of the chain without parsing what the handshake has parsed; nil if it is none.
func (t *TLS) Certificate(i int) *x509.Certificate {
	if i < len(t.Parsed) && t.Parsed[i] != nil && bytes.Equal(t.Parsed[i].Raw, t.Chain[i]) {
		return t.Parsed[i]
	}
	cert, err := x509.ParseCertificate(t.Chain[i])
	if err != nil {
		return nil
	}
	return cert
}

// Leaf returns the server's own certificate; nil if none was seen, or it cannot be parsed. A nil TLS has none.
func (t *TLS) Leaf() *x509.Certificate {
	if t == nil || len(t.Chain) == 0 {
		return nil
	}
	return t.Certificate(0)
}

// KeyType is a type of key that clients choose a server's certificate by.
type KeyType string

// The types. Keys of Edwards curves count as ECDSA: clients that offer them prefer them to RSA, too.
const (
	RSA   KeyType = "RSA"
	ECDSA KeyType = "ECDSA"
)

// OtherCertificate is what a server has for clients that support only the type of key that the certificate in TLS does not have. A server
// may have two certificates for one name, and chooses by what the client offers. If neither Absent nor TLS is set, it is not known.
type OtherCertificate struct {
	KeyType KeyType `json:"key_type"` // what was offered alone
	// Absent reports that the server has none: it rejected such a client, or sent a certificate of another type all the same.
	Absent bool `json:"absent,omitempty"`
	// Fallback reports that the server sends this certificate, which does not cover the host, for any name that it has none for: it is
	// not a second certificate for this one.
	Fallback bool `json:"fallback,omitempty"`
	// Failure is why it is not known; beside TLS, why it is not known to have the certificate's private key, or how it is known to have another
	// one: the failure is then that of a handshake of crypto/tls, see ForeignKey.
	Failure *Failure `json:"failure,omitempty"`
	TLS     *TLS     `json:"tls,omitempty"`
	// KeyProven reports that the server proved by a signature that it has the private key of the certificate in TLS. Older recordings
	// have neither this nor Failure beside TLS.
	KeyProven bool `json:"key_proven,omitempty"`
}

// ForeignKey reports whether a handshake failed because the server's key is not that of its certificate (RFC 8446 §4.4.3).
func (f *Failure) ForeignKey() bool {
	return f != nil && f.Kind == HandshakeFailed && strings.Contains(f.Detail, "invalid signature by the server certificate")
}

// FetchedIssuer is a certificate that an AIA URL points to.
type FetchedIssuer struct {
	URL string `json:"url"`
	DER []byte `json:"der,omitempty"`
	// Form is the format it is served in; empty for DER, as it should be.
	Form IssuerForm `json:"form,omitempty"`
	// Failure says why it could not be downloaded; DER is then empty.
	Failure string `json:"failure,omitempty"`
	// Blocked reports whether the address guard refused to connect to the URL.
	Blocked bool `json:"blocked,omitempty"`
}

// IssuerForm is a format, other than RFC 5280's DER, in which an issuer's certificate is served.
type IssuerForm string

// The forms. RFC 5280 also allows PKCS #7 in DER, which may contain several certificates.
const (
	IssuerPEM      IssuerForm = "pem"
	IssuerPKCS7    IssuerForm = "pkcs7"
	IssuerPKCS7PEM IssuerForm = "pkcs7-pem"
)

// RevocationSource is where a revocation status came from.
type RevocationSource string

// The sources.
const (
	Staple RevocationSource = "staple"
	OCSP   RevocationSource = "ocsp"
	CRL    RevocationSource = "crl"
)

// RevocationStatus is what a source reported.
type RevocationStatus string

// The statuses. NoAnswer: the response could not be downloaded, could not be parsed, or is not signed by the right party; it
// proves nothing.
const (
	Good     RevocationStatus = "good"
	Revoked  RevocationStatus = "revoked"
	Unknown  RevocationStatus = "unknown"
	NoAnswer RevocationStatus = "no-answer"
)

// Revocation is one source's response about one certificate. Package judge decides whether it is out of date.
type Revocation struct {
	// Index is the certificate's index in the served chain.
	Index  int              `json:"index"`
	Source RevocationSource `json:"source"`
	URL    string           `json:"url,omitempty"`
	Status RevocationStatus `json:"status"`
	// Signed reports whether the response has a valid signature of the issuer or its delegate.
	Signed     bool      `json:"signed"`
	ThisUpdate time.Time `json:"this_update,omitzero"`
	NextUpdate time.Time `json:"next_update,omitzero"`
	RevokedAt  time.Time `json:"revoked_at,omitzero"`
	Reason     string    `json:"reason,omitempty"` // RFC 5280 §5.3.1: "keyCompromise"
	Detail     string    `json:"detail,omitempty"` // why there is no response, or why it is incomplete
	// Blocked reports whether the address guard refused to connect to the URL.
	Blocked bool `json:"blocked,omitempty"`
}

// HTTP is what the request showed.
type HTTP struct {
	Proto  string `json:"proto"` // "HTTP/1.1", "HTTP/2.0"
	Status int    `json:"status"`
	// Date is the server's own time when it responded: its Date header, plus its Age where a cache responded; zero where unknown.
	Date time.Time `json:"date,omitzero"`
	// Headers are the few that findings show (Content-Type, Location, Server), cleaned and truncated.
	Headers map[string]string `json:"headers,omitempty"`
	// Excerpt is the start of the decoded body, cleaned and truncated.
	Excerpt string `json:"excerpt,omitempty"`
	Size    int64  `json:"size"` // of the part of the decoded body that was read, in bytes
	// Unmet are the expectations of body and headers that failed.
	Unmet []Unmet `json:"unmet,omitempty"`
	// Location is where a redirect that was not followed points; cleaned.
	Location string `json:"location,omitempty"`
	// Hops are the redirects followed, in order. The last hop's response is the one that is judged.
	Hops []Hop `json:"hops,omitempty"`
	// Loop reports whether the redirects led back to a URL already visited, or exceeded the limit.
	Loop bool `json:"loop,omitempty"`
	// LoopInsecure reports whether the redirect that closes the loop leads from https to http; earlier ones are marked in
	// their hops.
	LoopInsecure bool `json:"loop_insecure,omitempty"`
	// Unfollowed reports whether the last redirect was one more than the endpoint expects.
	Unfollowed bool `json:"unfollowed,omitempty"`
	// Cookies are those that the redirects of a loop set, at most a few.
	Cookies []Cookie `json:"cookies,omitempty"`
}

// Cookie is a cookie that a server set along redirects that do not end. Its value is not kept.
type Cookie struct {
	Name string `json:"name"`
	// Unsent is why clients do not send it back; empty if it was sent back.
	Unsent CookieFault `json:"unsent,omitempty"`
}

// CookieFault is why clients do not send a cookie back, one of a closed set.
type CookieFault string

// The reasons: clients do not keep the cookie, or keep it and do not send it to where the redirects lead.
const (
	CookieInsecure   CookieFault = "insecure"      // Secure, and set over plain HTTP
	CookieDomain     CookieFault = "domain"        // its Domain is not the host or a parent of it
	CookieSuffix     CookieFault = "public-suffix" // its Domain is a public suffix
	CookiePrefix     CookieFault = "prefix"        // named __Host- or __Secure- without the attributes that go with it
	CookieExpired    CookieFault = "expired"       // expired when it was set
	CookieTooLarge   CookieFault = "too-large"     // larger than clients keep
	CookieSecureOnly CookieFault = "secure-only"   // Secure, and the redirect leads to plain HTTP
	CookieHost       CookieFault = "host"          // for another host
	CookiePath       CookieFault = "path"          // for another path
)

// Unmet is an expectation that failed.
type Unmet struct {
	Expectation string `json:"expectation"` // "body_contains", "body_matches", "body_json", "header"
	Want        string `json:"want"`
	Got         string `json:"got,omitempty"`
}

// Hop is one redirect, followed or blocked.
type Hop struct {
	URL  string      `json:"url"` // cleaned, without credentials
	Kind target.Kind `json:"kind"`
	Host string      `json:"host"`
	Port int         `json:"port"`
	// Insecure reports whether the redirect led from https to http.
	Insecure bool `json:"insecure,omitempty"`
	// Blocked says why certdrift did not connect to the hop; empty where it did.
	Blocked string `json:"blocked,omitempty"`
	DNS     DNS    `json:"dns"`
	// Addresses are the hop's probes. Their HTTP has no hops of its own.
	Addresses []Address `json:"addresses,omitempty"`
}
