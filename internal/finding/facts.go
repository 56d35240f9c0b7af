package finding

import (
	"time"
)

// Subject is what a finding is about, beyond its environment, endpoint, address and listener.
type Subject struct {
	// Listener identifies the listener among namesakes; the zero value where the finding is about none.
	Listener Listener
	// Behind is the listener, LOAD-BALANCER-NAME:PORT, behind which the endpoint of a certificate finding sits; empty where
	// it does not matter.
	Behind string
	// Certificate is the served certificate that the finding is about: its SHA-256 and its end; zero where none is. The
	// evidence has both among its other facts.
	Certificate         string
	CertificateNotAfter time.Time
	// Hop is the URL of the redirect's hop that the finding is about; empty for the endpoint itself.
	Hop string
	// KeyType is "ECDSA" or "RSA" where the server has two certificates for the name and the finding is about that one; Other reports
	// that only clients of that type of key alone were seen to get it.
	KeyType string
	Other   bool
	// Source is the place in a file that is wrong; the zero value where no file is.
	Source Source
	// Refused reports that a topic did not take a message, which only a message that it takes disproves.
	Refused bool
}

// Listener identifies a listener across regions and accounts. Its name and port are Finding.Listener.
type Listener struct {
	Region, Account string
	// ARN is the listener's; the load balancer's for a classic one.
	ARN             string
	LoadBalancerARN string
	Kind            string // classic, application or network
}

// Source is a place in a configuration file or a manifest. Line and Column count from 1; 0 where unknown.
type Source struct {
	File         string
	Line, Column int
	// Object is the declaring object in a manifest; empty for a configuration file.
	Object string
	// Generated reports whether a tool generated the file, as Terraform generates its plan: fix the code it comes from.
	Generated bool
}

// Certificates are the certificates that a finding compares, by source.
type Certificates struct {
	Declared, Manifest, Attached, Served []Certificate
}

// Empty reports whether the finding compares no certificates.
func (c Certificates) Empty() bool {
	return len(c.Declared)+len(c.Manifest)+len(c.Attached)+len(c.Served) == 0
}

// Certificate is one certificate of a comparison, with the fields that are known. Remote text in it is clean.
type Certificate struct {
	ARN               string
	FingerprintSHA256 string
	Issuer            string
	// Names are the first names it covers; NameCount is how many there are where Names does not hold all, else 0.
	Names     []string
	NameCount int
	NotAfter  time.Time
	// Missing: ACM or IAM has no certificate under the ARN.
	Missing bool
	// None: no certificate is attached at all; Protocol is what the listener speaks instead.
	None     bool
	Protocol string
	// At is where it is declared, FILE:LINE; empty where it is not declared in a file.
	At string
	// Addresses are those that serve it; empty for all of the endpoint's.
	Addresses []string
}

// Clients says which clients refuse what a finding is about, which accept it, and of which it is not known. Names are those of families,
// with a version or a date where these decide.
type Clients struct{ RefusedBy, AcceptedBy, NotKnown []string }

// Empty reports whether the finding says nothing of clients.
func (c Clients) Empty() bool { return len(c.RefusedBy)+len(c.AcceptedBy)+len(c.NotKnown) == 0 }

// Change is the change that caused a finding, and who made it.
type Change struct {
	At      time.Time
	Event   string // as CloudTrail or ACM names it
	EventID string
	// Confirmed reports whether CloudTrail or the state of the listener confirms the event. An event alone is a claim.
	Confirmed bool
	Principal string
	Name      string
	Session   string
	Tool      string
	UserAgent string
	SourceIP  string
	// Action is what was done to a certificate itself ("imported", "deleted", "renamed") and Certificate its ARN; both are
	// empty for a change of a listener.
	Action, Certificate string
}

// Attribution is what is known about who caused a finding.
type Attribution struct {
	// Change is nil where nobody is known.
	Change *Change
	// Unknown says why the author of a change is not known; empty where there was no change.
	Unknown string
	// Before and After are the certificates attached before and after the change; nil where not known.
	Before, After *Since
}

// Since is a certificate and the time when it was attached.
type Since struct {
	ARN   string
	Since time.Time
}

// FactKind is a kind of observation that a finding can rest on.
type FactKind string

// The kinds of facts. The first four are the phases of a probe, each of which implies those before it; of one address
// (IP:PORT) where Resource names it.
const (
	FactDNS           FactKind = "dns"               // the name was resolved
	FactConnection    FactKind = "connection"        // every address took the connection
	FactHandshake     FactKind = "handshake"         // every address completed its TLS handshake
	FactOther         FactKind = "other-certificate" // it is known which certificate, if any, every address has for clients of the key type Object (see OtherObject)
	FactResponse      FactKind = "response"          // every address answered the request, redirects included
	FactAddresses     FactKind = "addresses"         // all addresses of the name are known, and were probed
	FactRevocation    FactKind = "revocation"        // somebody vouched for the certificate Resource (its SHA-256)
	FactListener      FactKind = "listener"          // the listener Resource (ACCOUNT/REGION/NAME:PORT) was read completely
	FactPolicy        FactKind = "policy"            // what the security policy of the listener Resource allows was read
	FactPlacement     FactKind = "placement"         // the listener that Endpoint is behind was found; of all endpoints of the environment Resource
	FactProbed        FactKind = "probed"            // every endpoint of the environment Resource was probed
	FactListeners     FactKind = "listeners"         // every load balancer in scope was read
	FactManifest      FactKind = "manifest"          // the manifest or configuration Resource (FILE) was read
	FactSubscriptions FactKind = "subscriptions"     // SNS was asked who is subscribed, and answered
	FactDelivery      FactKind = "delivery"          // every topic took the last message
	FactStack         FactKind = "stack"             // the rules and alarms of certdrift's own stack were read
	FactRound         FactKind = "round"             // the round asked for everything that the configuration asks for
	FactClock         FactKind = "clock"             // most servers' clocks do not contradict this machine's
	FactCall          FactKind = "call"              // the AWS call Resource (ACCOUNT/REGION/OPERATION) was made and answered
	FactEverything    FactKind = "everything"        // the round saw everything that there is: in place of more facts than are listed
)

// What was read of the certificate Resource (an ARN) from ACM, IAM or a file.
const (
	FactCertificate       FactKind = "certificate"        // its validity and names
	FactCertificateBody   FactKind = "certificate-body"   // the certificate itself
	FactCertificateRecord FactKind = "certificate-record" // what ACM says of it: its status and renewal
)

// Fact is one observation that a finding rests on: the finding's absence means something only in a round that made it
// again.
type Fact struct {
	Kind FactKind `json:"kind"`
	// Endpoint is ENVIRONMENT/NAME for a fact that a probe established; empty for any other.
	Endpoint string `json:"endpoint,omitempty"`
	Resource string `json:"resource,omitempty"`
	// Object is the object of a manifest that Resource is, or the type of key of an other certificate (see OtherObject); empty for any other
	// fact, and for a file as a whole.
	Object string `json:"object,omitempty"`
}

// OtherObject returns the Object of the FactOther that a finding about the other certificate of a type of key rests on: the certificate, or
// for a failed handshake the proof of its private key.
func OtherObject(code Code, keyType string) string {
	if code == TLSHandshake {
		return keyType + " private key"
	}
	return keyType
}
