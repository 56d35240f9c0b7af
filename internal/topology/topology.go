// Package topology is the model of one round: the three truths about each endpoint (declared, attached, served) joined
// exactly once.
//
// [Build] makes it from the observations and the time alone; nothing in it depends on a policy, and nothing changes
// afterwards. It answers, for every consumer in the same way:
//
//   - which listener an endpoint is behind, or why that is not known ([Endpoint.Placement]),
//   - which certificate a listener serves to a client that asks for a name ([Listener.Select]),
//   - what the configuration and the manifests declare for an endpoint ([Endpoint.Declarations]),
//   - how two certificates compare ([Relation]), and how the three truths of an endpoint do ([Endpoint.Compare]),
//   - who changed a listener or a certificate ([Listener.Attribution], [Listener.CertificateAttribution]).
//
// What a round could not see is [Unknown], with the reason; it is never taken for [Absent].
package topology

import (
	"crypto/x509"
	"fmt"
	"time"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
	"certdrift/internal/target"
)

// Topology is the model of one round.
type Topology struct {
	Round observation.Round
	Now   time.Time
	// Endpoints and Listeners are in the round's order.
	Endpoints []*Endpoint
	Listeners []*Listener
	// Declarations are the manifests' certificates, those of a group of Ingresses pooled. Declarations that only close
	// listeners are not among them.
	Declarations []*Declaration

	// certificates are what ACM and IAM hold, files what the configuration says that ARNs hold; both by ARN.
	certificates  map[string]*Certificate
	files         map[string]*Certificate
	fingerprinted map[string]*Certificate
	owners        ownerIndex
	byKey         map[string]*Endpoint
	outOfScope    map[*observation.LoadBalancer]bool
	parsed        map[string]*x509.Certificate
}

// Endpoint is an endpoint with the listener it is behind and what is declared for it.
type Endpoint struct {
	observation.Endpoint
	// Listener is the one the endpoint is behind; nil where none is known. Placement says why.
	Listener *Listener
	// Declarations are the manifests' declarations for the endpoint.
	Declarations []*Declaration
	// Leaves are the certificates served by the endpoint's own addresses, in their order. An address without a
	// handshake, or whose certificate cannot be parsed, has none.
	Leaves []Leaf
	// Others are the other certificates of servers that have two, for clients of the other type of key, in the same way.
	Others []Leaf

	topology  *Topology
	placement Placement
	drift     *Drift
	compared  bool
}

// Leaf is the certificate that one address serves.
type Leaf struct {
	Address     string // IP:PORT
	Certificate *x509.Certificate
}

// KeyType returns the type of the certificate's key; empty for one that clients do not choose by.
func (l Leaf) KeyType() observation.KeyType {
	switch l.Certificate.PublicKeyAlgorithm {
	case x509.RSA:
		return observation.RSA
	case x509.ECDSA, x509.Ed25519:
		return observation.ECDSA
	}
	return ""
}

// Listener is a listener with its certificates, the endpoints behind it and what is declared for it.
type Listener struct {
	observation.Listener
	LoadBalancer *observation.LoadBalancer
	// Attached are the certificates, each once, the default first.
	Attached     []*Attachment
	Endpoints    []*Endpoint
	Declarations []*Declaration

	topology *Topology
	// selections and receivers cache what Select and Receivers return.
	selections map[string]selection
	receivers  map[string][]*Endpoint
}

// Build joins what a round saw.
func Build(round observation.Round, now time.Time) *Topology {
	t := &Topology{
		Round: round, Now: now,
		certificates: indexCertificates(round.Certificates), files: indexCertificates(round.CertificateFiles),
		byKey: map[string]*Endpoint{}, parsed: map[string]*x509.Certificate{},
	}
	t.fingerprinted = byFingerprint(t.files, t.certificates)
	t.addListeners()
	x := t.index()
	for i := range round.Endpoints {
		e := &Endpoint{Endpoint: round.Endpoints[i], topology: t}
		e.Leaves, e.Others = t.leaves(e)
		t.Endpoints = append(t.Endpoints, e)
		t.byKey[e.Target.Key()] = e
		e.placement = x.locate(e)
		if l := e.placement.Listener; l != nil {
			e.Listener = l
			l.Endpoints = append(l.Endpoints, e)
		}
	}
	t.addDeclarations()
	t.outOfScope = t.findOutOfScope()
	return t
}

func (t *Topology) addListeners() {
	for i := range t.Round.LoadBalancers {
		lb := &t.Round.LoadBalancers[i]
		for _, l := range lb.Listeners {
			t.Listeners = append(t.Listeners, &Listener{Listener: l, LoadBalancer: lb, Attached: t.attachments(l), topology: t})
		}
	}
}

// leaves parses the certificates of the endpoint's own addresses. What a round did not finish proves nothing.
func (t *Topology) leaves(e *Endpoint) (first, others []Leaf) {
	if !e.Probed {
		return nil, nil
	}
	add := func(to []Leaf, address string, seen *observation.TLS) []Leaf {
		if seen == nil || len(seen.Chain) == 0 {
			return to
		}
		if cert := t.Served(seen, 0); cert != nil {
			to = append(to, Leaf{address, cert})
		}
		return to
	}
	for _, a := range e.Addresses {
		first = add(first, a.Address, a.TLS)
		if a.Other != nil && !a.Other.Fallback {
			others = add(others, a.Address, a.Other.TLS)
		}
	}
	return first, others
}

// Served returns the i-th certificate of a chain; nil for what is not one.
func (t *Topology) Served(seen *observation.TLS, i int) *x509.Certificate {
	if len(seen.Parsed) > 0 {
		return seen.Certificate(i)
	}
	return t.Parse(seen.Chain[i])
}

// Parse parses a certificate, each only once: many addresses serve one chain. It returns nil for what is not one.
func (t *Topology) Parse(der []byte) *x509.Certificate {
	cert, known := t.parsed[string(der)]
	if !known {
		if parsed, err := x509.ParseCertificate(der); err == nil {
			cert = parsed
		}
		t.parsed[string(der)] = cert
	}
	return cert
}

// Endpoint returns the endpoint called ENVIRONMENT/NAME; nil where there is none.
func (t *Topology) Endpoint(key string) *Endpoint { return t.byKey[key] }

// OutOfScope reports whether a load balancer was only met on the way: the configuration asks for none beyond those of its
// endpoints and manifests, and this is none of theirs.
func (t *Topology) OutOfScope(lb *observation.LoadBalancer) bool { return t.outOfScope[lb] }

func (t *Topology) findOutOfScope() map[*observation.LoadBalancer]bool {
	if !t.Round.Unlisted {
		return nil
	}
	inScope, named := map[*observation.LoadBalancer]bool{}, map[string]bool{}
	for _, e := range t.Endpoints {
		if ref := e.Target.LoadBalancer; ref != nil {
			named[ref.Name] = true
		}
	}
	for _, l := range t.Listeners {
		if len(l.Endpoints) > 0 || len(l.Declarations) > 0 || named[l.LoadBalancer.Name] {
			inScope[l.LoadBalancer] = true
		}
	}
	out := map[*observation.LoadBalancer]bool{}
	for _, l := range t.Listeners {
		out[l.LoadBalancer] = !inScope[l.LoadBalancer]
	}
	return out
}

// Label is how findings name the listener: LOAD-BALANCER-NAME:PORT.
func (l *Listener) Label() string {
	return fmt.Sprintf("%s:%d", finding.Clean(l.LoadBalancer.Name, finding.QuoteLimit), l.Port)
}

// Cause identifies the listener across regions and accounts, as the cause of findings.
func (l *Listener) Cause() string {
	return fmt.Sprintf("listener:%s@%s/%s", l.Label(), l.LoadBalancer.Region, l.LoadBalancer.Account)
}

// Declared is what the configuration declares for the endpoint or, where it declares nothing, the one manifest that
// does; nil where nothing is declared.
func (e *Endpoint) Declared() *target.Declared {
	if e.Target.Declared != nil {
		return e.Target.Declared
	}
	if len(e.Declarations) == 1 && len(e.Declarations[0].ARNs) == 1 {
		d := e.Declarations[0]
		return &target.Declared{ARN: d.ARNs[0], Source: d.Source}
	}
	return nil
}

// HasDeclaration reports whether anything declares a certificate for the listener.
func (l *Listener) HasDeclaration() bool {
	if len(l.Declarations) > 0 {
		return true
	}
	for _, e := range l.Endpoints {
		if e.Declared() != nil {
			return true
		}
	}
	return false
}
