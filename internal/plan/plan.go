// Package plan is what applying manifests would do to listeners, a row each: the certificate declared, the one
// attached, and the one that would be. It reads the topology and the policy; judge turns its findings into drift-manifest
// and report writes its rows. It is pure.
package plan

import (
	"time"

	"certdrift/internal/observation"
	"certdrift/internal/target"
)

// Action is what applying would do to a listener.
type Action string

// The actions. Discover: the certificate is known after the apply only: the controller picks it from ACM, or Terraform
// makes it. Remove: the listener goes. Unknown: what is attached is not known here.
const (
	Keep     Action = "keep"
	Change   Action = "change"
	Create   Action = "create"
	Discover Action = "discover"
	Remove   Action = "remove"
	Unknown  Action = "unknown"
)

// Verdict is whether that may be done.
type Verdict string

// The verdicts. Undecided: it depends on something that certdrift could not know.
const (
	Pass      Verdict = "pass"
	Warn      Verdict = "warn"
	Refuse    Verdict = "refuse"
	Undecided Verdict = "undecided"
)

// Row is what applying the manifests would do to one listener and the endpoints behind it, or an object that was not understood.
// All formats show rows, and count them with CountRows.
type Row struct {
	// State is the verdict and the action in a word.
	State State `json:"state"`
	// NotRead: the object was not understood, so that nobody knows of which listener the row is.
	NotRead bool `json:"not_read,omitempty"`
	// Object and Source are what declares, and where: of several, the one that the verdict is about. Objects are all of them.
	Object  string          `json:"object"`
	Source  target.Position `json:"source"`
	Objects []Object        `json:"objects"`
	// Generated: a tool wrote the source, as Terraform its plan; nobody edits it.
	Generated bool `json:"generated,omitempty"`
	// Listener is LOAD-BALANCER-NAME:PORT; empty where it is not known, or does not exist yet.
	Listener string                       `json:"listener"`
	Port     int                          `json:"port"`
	Kind     observation.LoadBalancerKind `json:"kind,omitempty"`
	Region   string                       `json:"region,omitempty"`
	Account  string                       `json:"account,omitempty"`
	// Endpoints are those behind the listener, ENVIRONMENT/NAME.
	Endpoints []string `json:"endpoints"`
	// Unaffected: there are endpoints behind the listener, and none gets another certificate or one that is added.
	Unaffected bool `json:"-"`
	// Declared is what the configuration declares for them, each once.
	Declared []Certificate `json:"declared"`
	// Attached is what is on the listener now, the default first; nothing is said by its being empty unless
	// AttachedKnown. AttachedUnknown says why it is not known.
	Attached        []Certificate `json:"attached"`
	AttachedKnown   bool          `json:"attached_known"`
	AttachedUnknown UnknownReason `json:"attached_unknown,omitempty"`
	// Would is what applying attaches, the default first. WouldKnown reports whether that is all, with ARNs and all.
	Would      []Certificate `json:"would"`
	WouldKnown bool          `json:"would_known"`
	// Names are those that clients ask for, each with the certificate that they would get.
	Names   []Name  `json:"names"`
	Action  Action  `json:"action"`
	Verdict Verdict `json:"verdict"`
	// Reasons say why the verdict is what it is; NotKnown what could not be checked.
	Reasons  []string `json:"reasons"`
	NotKnown []string `json:"not_known"`
	// Remedy says what to change and where, or which command to run; empty where there is nothing to do.
	Remedy string `json:"remedy"`
}

// Object is one object that declares certificates for a listener.
type Object struct {
	Object    string          `json:"object"`
	Source    target.Position `json:"source"`
	Generated bool            `json:"generated,omitempty"`
}

// UnknownReason is why it is not known what a listener holds now.
type UnknownReason string

// The reasons. NotLookedUp: AWS was not queried. Unreadable: it was, and did not say all. NotCreated: there is no such listener yet.
const (
	NotLookedUp UnknownReason = "not-looked-up"
	Unreadable  UnknownReason = "unreadable"
	NotCreated  UnknownReason = "not-created"
)

// Certificate is one certificate, as far as it is known.
type Certificate struct {
	ARN               string `json:"arn,omitempty"`
	FingerprintSHA256 string `json:"fingerprint_sha256,omitempty"`
	Issuer            string `json:"issuer,omitempty"`
	// Names are the first names that it covers; NameCount is how many there are where Names does not hold all, else 0.
	Names     []string   `json:"names,omitempty"`
	NameCount int        `json:"name_count,omitempty"`
	NotAfter  *time.Time `json:"not_after,omitempty"`
	Missing   bool       `json:"missing,omitempty"`
	// Default and Listed: it is the listener's default certificate, and in its SNI list. Neither is said of what is declared.
	Default bool `json:"default,omitempty"`
	Listed  bool `json:"listed,omitempty"`
}

// Name is a name that clients ask for.
type Name struct {
	Name string `json:"name"`
	// Covered is null where it is not known what the certificate is for.
	Covered *bool `json:"covered"`
	// ARN is the certificate that a client would get; empty for none, and where it is one of Candidates or not known at all.
	ARN        string   `json:"arn"`
	Candidates []string `json:"candidates,omitempty"`
	// Now is the certificate that a client gets today; empty for none, and where it is not known.
	Now string `json:"now,omitempty"`
	// Problem is why clients would reject the certificate, or how it differs from the declared one.
	Problem string `json:"problem,omitempty"`
}
