package observation

import (
	"time"

	"certdrift/internal/target"
)

// Endpoint is what probing one endpoint saw.
type Endpoint struct {
	Target target.Endpoint `json:"target"`
	// Probed is false where the round ended before the endpoint was done with; an ObserveError says so.
	Probed bool `json:"probed"`
	DNS    DNS  `json:"dns"`
	// Addresses are all that were dialled, in the order of their text.
	Addresses []Address `json:"addresses"`
}

// DNS is what a name resolved to. With connect_to it holds the given addresses and Skipped.
type DNS struct {
	// CanonicalName is the end of the CNAME chain, lower case, without the trailing dot; empty where not known.
	CanonicalName string   `json:"canonical_name,omitempty"`
	Addresses     []string `json:"addresses,omitempty"` // IP addresses, sorted
	Skipped       bool     `json:"skipped,omitempty"`   // connect_to or an IP address: nothing was asked
	// Omitted is how many addresses beyond the probe's bound were not dialled.
	Omitted int           `json:"omitted,omitempty"`
	Took    time.Duration `json:"took_ns,omitempty"`
	Failure *Failure      `json:"failure,omitempty"`
}

// Address is one probe: one address, one fresh connection.
type Address struct {
	Address string    `json:"address"` // IP:PORT
	Started time.Time `json:"started"`
	Phases  Phases    `json:"phases"`
	// Failure is where and why the probe stopped early; nil where it went through. What was seen before it stays.
	Failure *Failure `json:"failure,omitempty"`
	TLS     *TLS     `json:"tls,omitempty"`
	HTTP    *HTTP    `json:"http,omitempty"`
	// Withheld says why an http or https endpoint was sent no request although the connection stood: nothing is known of
	// HTTP then. Empty where one was sent.
	Withheld string `json:"withheld,omitempty"`
}

// Phases are how long each phase took; 0 where it was not reached.
type Phases struct {
	DNS       time.Duration `json:"dns_ns,omitempty"`
	Connect   time.Duration `json:"connect_ns,omitempty"`
	StartTLS  time.Duration `json:"starttls_ns,omitempty"` // the plain-text preamble
	TLS       time.Duration `json:"tls_ns,omitempty"`
	FirstByte time.Duration `json:"first_byte_ns,omitempty"` // request written to first byte of the answer
	Total     time.Duration `json:"total_ns,omitempty"`
}

// Phase is a step of a probe.
type Phase string

// The phases in their order.
const (
	PhaseDNS      Phase = "dns"
	PhaseConnect  Phase = "connect"
	PhaseStartTLS Phase = "starttls"
	PhaseTLS      Phase = "tls"
	PhaseHeaders  Phase = "headers" // request written, waiting for the status and headers
	PhaseBody     Phase = "body"
)

// FailureKind is a closed set of reasons.
type FailureKind string

// The reasons.
const (
	NotFound         FailureKind = "not-found"        // DNS: the name does not exist, or has no address
	ResolverFailed   FailureKind = "resolver-failed"  // DNS: SERVFAIL, refused, unreachable
	TimedOut         FailureKind = "timed-out"        // any phase
	Refused          FailureKind = "refused"          // connect
	Reset            FailureKind = "reset"            // any phase after DNS: RST
	Closed           FailureKind = "closed"           // the peer ended the connection where more was due
	Unreachable      FailureKind = "unreachable"      // connect: no route to host or network
	Blocked          FailureKind = "blocked"          // the address guard refused to dial
	Alert            FailureKind = "alert"            // TLS: the peer sent an alert (see Failure.Alert)
	Plaintext        FailureKind = "plaintext"        // TLS: the peer answered in plain HTTP
	NotTLS           FailureKind = "not-tls"          // TLS: the peer answered with something that is neither TLS nor HTTP
	VersionOld       FailureKind = "version-old"      // TLS: nothing above TLS 1.1, or below what can be spoken
	ChainOversized   FailureKind = "chain-oversized"  // TLS: the certificate message is larger than a client takes
	ChainMalformed   FailureKind = "chain-malformed"  // TLS: a certificate cannot be parsed
	KeyUnusable      FailureKind = "key-unusable"     // TLS: the certificate's key is too weak for a handshake
	NoCertificate    FailureKind = "no-certificate"   // TLS: the peer sent no certificate
	HandshakeFailed  FailureKind = "handshake-failed" // TLS: any other fault of the handshake
	ClientCertNeeded FailureKind = "client-cert"      // TLS or headers: the peer insists on a client certificate
	StartTLSRefused  FailureKind = "starttls-refused" // STARTTLS: not offered, or refused
	Invalid          FailureKind = "invalid"          // HTTP: not a valid response; body that cannot be decoded
	SpeaksTLS        FailureKind = "speaks-tls"       // HTTP: the peer speaks TLS where plain HTTP is due
	TooLarge         FailureKind = "too-large"        // HTTP: header or body past the bound
	Other            FailureKind = "other"            // anything else; Detail says what
)

// Failure is where and why a probe stopped.
type Failure struct {
	Phase Phase       `json:"phase"`
	Kind  FailureKind `json:"kind"`
	// Alert is the name of the TLS alert received ("handshake_failure", RFC 8446 §6).
	Alert string `json:"alert,omitempty"`
	// Detail is the system's or library's own word for it, cleaned and cut.
	Detail string `json:"detail,omitempty"`
	// Local: this machine could not send (no IPv6 route, a local firewall), which says nothing of the endpoint.
	Local bool `json:"local,omitempty"`
	// Hurried: the phase was cut short since the time for all redirects was over.
	Hurried bool `json:"hurried,omitempty"`
}

// TLS is what the handshake showed. It is gathered without trusting anything: the judge verifies.
type TLS struct {
	ServerName string `json:"server_name,omitempty"` // as sent in SNI; empty for an IP address
	Version    string `json:"version"`               // "TLS 1.3"
	Cipher     string `json:"cipher"`
	ALPN       string `json:"alpn,omitempty"`
	// Chain is what the server sent, leaf first as sent, DER.
	Chain [][]byte `json:"chain"`
	// ClientCertificateRequested: the server asked for one. ClientCertificateSent: one was configured and shown.
	ClientCertificateRequested bool `json:"client_certificate_requested,omitempty"`
	ClientCertificateSent      bool `json:"client_certificate_sent,omitempty"`
	// Issuers were fetched from AIA caIssuers URLs because the chain as sent does not lead to a root; DER, nearest
	// first.
	Issuers []FetchedIssuer `json:"issuers,omitempty"`
	// Revocation holds what is known about each certificate of the chain but the root.
	Revocation []Revocation `json:"revocation,omitempty"`
}

// FetchedIssuer is a certificate that AIA pointed at.
type FetchedIssuer struct {
	URL string `json:"url"`
	DER []byte `json:"der,omitempty"`
	// Form is how it stands there; empty for a certificate in DER, as it should be.
	Form IssuerForm `json:"form,omitempty"`
	// Failure says why it could not be had; DER is empty then.
	Failure string `json:"failure,omitempty"`
	// Blocked: the address guard refused to dial there.
	Blocked bool `json:"blocked,omitempty"`
}

// IssuerForm is a way to serve an issuer's certificate beside RFC 5280's own.
type IssuerForm string

// The forms. PKCS #7 in DER is RFC 5280's other one, of which several certificates may come.
const (
	IssuerPEM      IssuerForm = "pem"
	IssuerPKCS7    IssuerForm = "pkcs7"
	IssuerPKCS7PEM IssuerForm = "pkcs7-pem"
)

// RevocationSource is where an answer came from.
type RevocationSource string

// The sources.
const (
	Staple RevocationSource = "staple"
	OCSP   RevocationSource = "ocsp"
	CRL    RevocationSource = "crl"
)

// RevocationStatus is what a source said.
type RevocationStatus string

// The answers. NoAnswer: it could not be had, could not be parsed, or is not signed by whom it should be; it proves
// nothing.
const (
	Good     RevocationStatus = "good"
	Revoked  RevocationStatus = "revoked"
	Unknown  RevocationStatus = "unknown"
	NoAnswer RevocationStatus = "no-answer"
)

// Revocation is one source's answer about one certificate. Whether it is stale is for the judge, who knows the time.
type Revocation struct {
	// Index is the certificate's place in the chain as sent.
	Index  int              `json:"index"`
	Source RevocationSource `json:"source"`
	URL    string           `json:"url,omitempty"`
	Status RevocationStatus `json:"status"`
	// Signed: the answer carries a valid signature of the issuer or its delegate.
	Signed     bool      `json:"signed"`
	ThisUpdate time.Time `json:"this_update,omitzero"`
	NextUpdate time.Time `json:"next_update,omitzero"`
	RevokedAt  time.Time `json:"revoked_at,omitzero"`
	Reason     string    `json:"reason,omitempty"` // RFC 5280 §5.3.1: "keyCompromise"
	Detail     string    `json:"detail,omitempty"` // why there is no answer, or why it ends early
	// Blocked: the address guard refused to dial there.
	Blocked bool `json:"blocked,omitempty"`
}

// HTTP is what the request showed.
type HTTP struct {
	Proto  string `json:"proto"` // "HTTP/1.1", "HTTP/2.0"
	Status int    `json:"status"`
	// Headers are the few that findings show (Content-Type, Location, Server), cleaned and cut.
	Headers map[string]string `json:"headers,omitempty"`
	// Excerpt is the start of the decoded body, cleaned and cut.
	Excerpt string `json:"excerpt,omitempty"`
	Size    int64  `json:"size"` // of the decoded body, in bytes, as far as it was read
	// Unmet are the expectations of body and headers that do not hold.
	Unmet []Unmet `json:"unmet,omitempty"`
	// Location is where a redirect that was not followed points; cleaned.
	Location string `json:"location,omitempty"`
	// Hops are the redirects followed, in order. The last hop's answer is the one that is judged.
	Hops []Hop `json:"hops,omitempty"`
	// Loop: the redirects came back to a URL already seen, or passed the bound.
	Loop bool `json:"loop,omitempty"`
	// LoopInsecure: the redirect that made it a loop leads from https to http; those before are marked by their hops.
	LoopInsecure bool `json:"loop_insecure,omitempty"`
}

// Unmet is an expectation that does not hold.
type Unmet struct {
	Expectation string `json:"expectation"` // "body_contains", "body_matches", "body_json", "header"
	Want        string `json:"want"`
	Got         string `json:"got,omitempty"`
}

// Hop is one redirect followed, or refused.
type Hop struct {
	URL  string      `json:"url"` // cleaned, without credentials
	Kind target.Kind `json:"kind"`
	Host string      `json:"host"`
	Port int         `json:"port"`
	// Insecure: the redirect led from https to http.
	Insecure bool `json:"insecure,omitempty"`
	// Blocked says why the hop was not dialled; empty where it was.
	Blocked string `json:"blocked,omitempty"`
	DNS     DNS    `json:"dns"`
	// Addresses are the hop's probes. Their HTTP carries no hops of its own.
	Addresses []Address `json:"addresses,omitempty"`
}
