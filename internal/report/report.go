// Package report turns a round and its conclusion into one document and writes it: as JSON (the contract that others
// script against), as text for people, and in the formats that pipelines, forges and Prometheus read. It is pure:
// every writer takes the document and an io.Writer.
//
// Whatever a server sent is escaped twice: finding.Clean when the document is built, so that no control character
// reaches any output, and by each writer for its own format.
package report

import (
	"time"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
	"certdrift/internal/plan"
	"certdrift/internal/target"
	"certdrift/internal/topology"
)

// Schema names the form of the JSON document.
const Schema = "certdrift.report/1"

// Verdict is what the report comes to.
type Verdict string

// The verdicts. Fail: findings at or above the severity asked for. Incomplete: none of these, but some checks could not be
// run. Pass: every check ran, and found nothing of that severity.
const (
	Pass       Verdict = "pass"
	Fail       Verdict = "fail"
	Incomplete Verdict = "incomplete"
)

// Report is one round, reported. Its JSON form is a contract; lists are never null.
type Report struct {
	Schema    string            `json:"schema"`
	Started   time.Time         `json:"started"`
	Finished  time.Time         `json:"finished"`
	Verdict   Verdict           `json:"verdict"`
	Endpoints []Endpoint        `json:"endpoints"`
	Listeners []Listener        `json:"listeners"`
	Findings  []finding.Finding `json:"findings"`
	// Plan is what applying manifests would do; left out unless asked for (certdrift plan).
	Plan []plan.Row `json:"plan,omitzero"`

	// At is the time the round was judged at; days left count from it.
	At time.Time `json:"-"`
	// FailOn is the severity from which findings fail the report; finding.None for never.
	FailOn finding.Severity `json:"-"`
	// Complete reports whether every check could be run.
	Complete bool `json:"-"`
}

// State is how an endpoint or listener is: its worst finding, or unknown where it was not checked.
type State string

// The states. A finding of severity info leaves a state ok. Unknown are also endpoints that the configuration gets wrong.
const (
	OK       State = "ok"
	Warning  State = "warning"
	Critical State = "critical"
	Unknown  State = "unknown"
)

// Endpoint is one endpoint with every address probed.
type Endpoint struct {
	Environment string `json:"environment"`
	Name        string `json:"name"`
	URL         string `json:"url"` // empty where the configuration gets the endpoint wrong
	State       State  `json:"state"`
	// Listener is LOAD-BALANCER-NAME:PORT of the listener behind; empty where none is known.
	Listener string           `json:"listener"`
	Declared *target.Declared `json:"declared"`
	// Comparison is left out where neither a declaration nor a listener is known.
	Comparison *Comparison       `json:"comparison,omitempty"`
	DNS        DNS               `json:"dns"`
	Addresses  []Address         `json:"addresses"`
	Source     target.Position   `json:"-"`
	Kind       target.Kind       `json:"-"`
	findings   []finding.Finding // worst first
	compared   topology.Comparison
}

// Comparison is how the endpoint's declared, attached and served certificates compare: same, equivalent, different or
// unknown.
type Comparison struct {
	// Attached is the ARN of the certificate that the listener selects for the endpoint; empty where there is none, or
	// Unknown says why it is not known.
	Attached         string `json:"attached"`
	Unknown          string `json:"unknown,omitempty"`
	DeclaredAttached string `json:"declared_attached"`
	AttachedServed   string `json:"attached_served"`
	DeclaredServed   string `json:"declared_served"`
}

// DNS is what the name resolved to.
type DNS struct {
	CanonicalName string   `json:"canonical_name"`
	Addresses     []string `json:"addresses"`
	Failure       *Failure `json:"failure"`
}

// Address is one probe of one address.
type Address struct {
	Address  string        `json:"address"`
	Started  time.Time     `json:"started"`
	Phases   Phases        `json:"phases"`
	Failure  *Failure      `json:"failure"`
	Protocol *Protocol     `json:"protocol"`
	HTTP     *HTTP         `json:"http"`
	Chain    []Certificate `json:"chain"`
	// ChainLength is how many certificates were sent; Chain lists no more than MaxChain of them.
	ChainLength int `json:"chain_length"`
	// Revocation is what was learned about revocation, and what could not be.
	Revocation []Revocation `json:"revocation"`
	// Other is what the address has for clients of the other type of key; absent where the round did not ask.
	Other *Other `json:"other_certificate,omitempty"`
	// Withheld is why no request was sent over a working connection: it would have carried credentials to a server whose
	// certificate does not verify.
	Withheld string `json:"withheld,omitempty"`
}

// Other is a server's certificate for clients that support only the type of key that its first certificate does not have. Without a chain and
// unless absent, it is not known, and failure says why. With a chain, failure says why it is not known that the server has its private key, or
// that it has another one.
type Other struct {
	KeyType     observation.KeyType `json:"key_type"`
	Absent      bool                `json:"absent,omitempty"`
	Fallback    bool                `json:"fallback,omitempty"`
	Failure     *Failure            `json:"failure,omitempty"`
	Protocol    *Protocol           `json:"protocol,omitempty"`
	Chain       []Certificate       `json:"chain,omitempty"`
	ChainLength int                 `json:"chain_length,omitempty"`
	Revocation  []Revocation        `json:"revocation,omitempty"`
	KeyProven   bool                `json:"key_proven,omitempty"`
}

// Phases are milliseconds; 0 where a phase was not reached.
type Phases struct {
	DNS       float64 `json:"dns"`
	Connect   float64 `json:"connect"`
	StartTLS  float64 `json:"starttls,omitempty"`
	TLS       float64 `json:"tls"`
	FirstByte float64 `json:"first_byte"`
	Total     float64 `json:"total"`
}

// Failure is where and why a probe stopped.
type Failure struct {
	Phase  observation.Phase       `json:"phase"`
	Kind   observation.FailureKind `json:"kind"`
	Alert  string                  `json:"alert,omitempty"`
	Detail string                  `json:"detail,omitempty"`
}

// Protocol is what the handshake agreed on.
type Protocol struct {
	Version string `json:"version"`
	Cipher  string `json:"cipher"`
	ALPN    string `json:"alpn"`
}

// HTTP is the answer to the request.
type HTTP struct {
	Proto    string `json:"proto"`
	Status   int    `json:"status"`
	Size     int64  `json:"size"`
	Location string `json:"location,omitempty"`
	Hops     []Hop  `json:"hops"`
}

// Hop is a redirect followed, or refused.
type Hop struct {
	URL       string    `json:"url"`
	Blocked   string    `json:"blocked,omitempty"`
	Addresses []Address `json:"addresses"`
}

// Certificate is one certificate of a chain as served.
type Certificate struct {
	Subject   string    `json:"subject"`
	Issuer    string    `json:"issuer"`
	Serial    string    `json:"serial"`
	NotBefore time.Time `json:"not_before"`
	NotAfter  time.Time `json:"not_after"`
	// Names are the subject alternative names, no more than MaxNames of them; NameCount is how many there are.
	Names             []string `json:"names"`
	NameCount         int      `json:"name_count"`
	Key               string   `json:"key"`
	Signature         string   `json:"signature"`
	FingerprintSHA256 string   `json:"fingerprint_sha256"`
	// Malformed says why the certificate could not be parsed; only the fingerprint is known then.
	Malformed string `json:"malformed,omitempty"`
}

// Listener is one port of a load balancer.
type Listener struct {
	Listener     string                       `json:"listener"` // LOAD-BALANCER-NAME:PORT
	State        State                        `json:"state"`
	Kind         observation.LoadBalancerKind `json:"kind"`
	Region       string                       `json:"region"`
	Account      string                       `json:"account"`
	ARN          string                       `json:"arn"` // the listener's; the load balancer's for a classic one
	DNSName      string                       `json:"dns_name"`
	Protocol     string                       `json:"protocol"`
	Certificates []Attached                   `json:"certificates"`
	Declared     []Declared                   `json:"declared"`
	Policy       string                       `json:"policy"`
	// MutualTLS is what the listener does about client certificates, in AWS's word: off, passthrough, verify; empty where
	// its kind has no such setting.
	MutualTLS string `json:"mutual_tls"`
	// Endpoints are those behind the listener, ENVIRONMENT/NAME.
	Endpoints []string          `json:"endpoints"`
	findings  []finding.Finding // worst first
}

// Attached is a certificate on a listener, with what ACM or IAM knows about it.
type Attached struct {
	ARN               string     `json:"arn"`
	Default           bool       `json:"default"`
	Names             []string   `json:"names"`
	NotAfter          *time.Time `json:"not_after"` // null where it could not be read
	FingerprintSHA256 string     `json:"fingerprint_sha256"`
	// Missing: ACM or IAM has no certificate under the ARN.
	Missing bool `json:"missing,omitempty"`
}

// Declared is a certificate declared for a listener, and where.
type Declared struct {
	// By is the endpoint (ENVIRONMENT/NAME) or the manifest's object that declares.
	By                string          `json:"by"`
	ARN               string          `json:"arn,omitempty"`
	FingerprintSHA256 string          `json:"fingerprint_sha256,omitempty"`
	Issuer            string          `json:"issuer,omitempty"`
	Source            target.Position `json:"source"`
}

// The bounds of what a document shows of one server's response.
const (
	MaxChain = 20
	MaxNames = 100
)
