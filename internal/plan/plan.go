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

// Row is what applying one declaration would do to one listener and the endpoints of one environment behind it.
type Row struct {
	// Object and Source are what declares, and where.
	Object string          `json:"object"`
	Source target.Position `json:"source"`
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
	// Declared is what the configuration declares for them, each once.
	Declared []Certificate `json:"declared"`
	// Attached is what is on the listener now, the default first; nothing is said by its being empty unless
	// AttachedKnown.
	Attached      []Certificate `json:"attached"`
	AttachedKnown bool          `json:"attached_known"`
	// Would is what applying attaches, the default first.
	Would []Certificate `json:"would"`
	// Names are those that clients ask for, each with the certificate that they would get.
	Names   []Name  `json:"names"`
	Action  Action  `json:"action"`
	Verdict Verdict `json:"verdict"`
	// Reasons say why the verdict is what it is; NotKnown what could not be checked.
	Reasons  []string `json:"reasons"`
	NotKnown []string `json:"not_known"`
}

// Certificate is one certificate, as far as it is known.
type Certificate struct {
	ARN               string     `json:"arn,omitempty"`
	FingerprintSHA256 string     `json:"fingerprint_sha256,omitempty"`
	Issuer            string     `json:"issuer,omitempty"`
	Names             []string   `json:"names,omitempty"`
	NotAfter          *time.Time `json:"not_after,omitempty"`
	Missing           bool       `json:"missing,omitempty"`
}

// Name is a name that clients ask for.
type Name struct {
	Name string `json:"name"`
	// Covered is null where it is not known what the certificate is for.
	Covered *bool `json:"covered"`
	// ARN is the certificate that a client would get; empty for none.
	ARN string `json:"arn"`
}

// Count is how many rows there are by action, and how many must not be applied.
type Count struct{ Keep, Change, Create, Discover, Remove, Unknown, Refused, Undecided int }

// CountRows counts.
func CountRows(rows []Row) Count {
	var c Count
	for _, r := range rows {
		switch r.Action {
		case Keep:
			c.Keep++
		case Change:
			c.Change++
		case Create:
			c.Create++
		case Discover:
			c.Discover++
		case Remove:
			c.Remove++
		default:
			c.Unknown++
		}
		switch r.Verdict {
		case Refuse:
			c.Refused++
		case Undecided:
			c.Undecided++
		}
	}
	return c
}
