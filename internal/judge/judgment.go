package judge

import (
	"crypto/x509"
	"fmt"

	"certdrift/internal/chain"
	"certdrift/internal/clients"
	"certdrift/internal/finding"
	"certdrift/internal/observation"
	"certdrift/internal/policy"
	"certdrift/internal/target"
	"certdrift/internal/topology"
)

// judgment is a round made ready for the rules: its topology, and every chain parsed and built once.
type judgment struct {
	*topology.Topology
	policy      policy.Thresholds
	onSchedule  bool
	endpoints   []*endpoint
	connections []*connection
	stores      map[target.Roots]roots
	// clientStores are those of families of clients; nil until a chain needs them.
	clientStores []clients.Store
	// failures are certdrift's own, met before the rules began.
	failures []error
}

// endpoint is an endpoint with the connections to its own addresses, redirects' hops not included.
type endpoint struct {
	*topology.Endpoint
	judgment    *judgment
	connections []*connection
}

// listener is a listener as rules see it.
type listener struct {
	*topology.Listener
	judgment *judgment
}

// connection is one probe of one address, of the endpoint itself or of a redirect's hop, or what the address has for clients of the other
// type of key.
type connection struct {
	judgment *judgment
	endpoint *endpoint
	observation.Address
	// hop is the redirect that led here; nil for the endpoint's own addresses.
	hop *observation.Hop
	// parent is the endpoint's own connection whose answer led to the hop; nil for the endpoint's own addresses.
	parent *connection
	// keyType is the type of the certificate's key where the server has two certificates; empty where it has one, or it is not known.
	// other reports that only clients of that type alone were seen to get it, pair is the connection that showed the other one.
	keyType observation.KeyType
	other   bool
	pair    *connection
	kind    target.Kind
	host    string // what the certificate must cover
	port    int
	// certs is the chain as sent, as far as it can be parsed; built is what it leads to. Both are nil without a
	// handshake.
	certs []*x509.Certificate
	// garbled: a certificate of the chain cannot be parsed. It may be the issuer that is missing.
	garbled bool
	built   *chain.Result
}

func newJudgment(in Input) *judgment {
	j := &judgment{
		Topology: topology.Build(in.Round, in.Now), policy: in.Policy, onSchedule: in.OnSchedule,
		stores: map[target.Roots]roots{}, clientStores: in.ClientStores,
	}
	for _, modeled := range j.Endpoints {
		e := &endpoint{Endpoint: modeled, judgment: j}
		j.endpoints = append(j.endpoints, e)
		if !e.Probed {
			continue // what a round did not finish proves nothing
		}
		for _, a := range e.Addresses {
			j.connectAll(in, e, a)
		}
	}
	return j
}

// connectAll adds the connection to an address of the endpoint's own, and those of the redirects behind it.
func (j *judgment) connectAll(in Input, e *endpoint, a observation.Address) {
	own := j.connect(in, e, nil, a)
	e.connections = append(e.connections, own)
	j.connectOther(in, e, own)
	if a.HTTP == nil {
		return
	}
	for h := range a.HTTP.Hops {
		for _, ha := range a.HTTP.Hops[h].Addresses {
			j.connect(in, e, &a.HTTP.Hops[h], ha).parent = own
		}
	}
}

// connect adds a connection, its chain parsed and built.
func (j *judgment) connect(in Input, e *endpoint, hop *observation.Hop, a observation.Address) *connection {
	c := &connection{judgment: j, endpoint: e, Address: a, hop: hop, kind: e.Target.Kind, host: e.Target.Host, port: e.Target.Port}
	if hop != nil {
		c.kind, c.host, c.port = hop.Kind, hop.Host, hop.Port
	}
	j.connections = append(j.connections, c)
	if a.TLS == nil {
		return c
	}
	for i := range a.TLS.Chain {
		if cert := j.Served(a.TLS, i); cert != nil {
			c.certs = append(c.certs, cert)
		} else {
			c.garbled = true
		}
	}
	if len(c.certs) > 0 {
		j.guard(func() { c.built = j.build(in, e.Target.Trust, c) })
	}
	return c
}

// guard keeps a failure of certdrift's own in one chain from ending the whole judgment.
func (j *judgment) guard(step func()) {
	defer func() {
		if p := recover(); p != nil {
			j.failures = append(j.failures, fmt.Errorf("building a chain panicked: %v", p))
		}
	}()
	step()
}

// listener is the endpoint's; nil where none is known.
func (e *endpoint) listener() *listener {
	if e.Listener == nil {
		return nil
	}
	return &listener{e.Listener, e.judgment}
}

// finding returns a finding about a connection.
func (c *connection) finding(code finding.Code, severity finding.Severity, summary string, evidence finding.Evidence, remedy string) finding.Finding {
	f := c.endpoint.finding(code, severity, summary, evidence, remedy)
	f.Address = c.Address.Address
	if c.hop != nil {
		f.Subject.Hop = c.hop.URL
	}
	c.addKeyType(&f)
	return f
}

// finding returns a finding about an endpoint as a whole.
func (e *endpoint) finding(code finding.Code, severity finding.Severity, summary string, evidence finding.Evidence, remedy string) finding.Finding {
	if evidence == nil {
		evidence = finding.Evidence{}
	}
	return finding.Finding{
		Code: code, Severity: severity,
		Environment: e.Target.Environment, Endpoint: e.Target.Name,
		Summary: summary, Evidence: evidence, Remedy: remedy,
	}
}
