package judge

import (
	"crypto/x509"
	"time"

	"certdrift/internal/chain"
	"certdrift/internal/finding"
	"certdrift/internal/observation"
	"certdrift/internal/target"
)

// world is a round made ready for the rules: chains parsed and built once, the three truths of each endpoint joined.
type world struct {
	policy      Policy
	now         time.Time
	round       observation.Round
	endpoints   []*endpoint
	connections []*connection
	listeners   []*listener
	stores      map[target.Roots]*chain.Store
}

// endpoint is an endpoint with all its connections and, where known, the listener it sits behind.
type endpoint struct {
	world *world
	observation.Endpoint
	connections []*connection // to the endpoint's own addresses, hops not included
	// listener is the one it sits behind; nil where none is known.
	listener *listener
}

// connection is one probe of one address, of the endpoint itself or of a redirect's hop.
type connection struct {
	world    *world
	endpoint *endpoint
	observation.Address
	// hop is the redirect that led here; nil for the endpoint's own addresses.
	hop  *observation.Hop
	kind target.Kind
	host string // what the certificate must cover
	port int
	// certs is the chain as sent, as far as it can be parsed; built is what it leads to. Both are nil without a
	// handshake.
	certs []*x509.Certificate
	built *chain.Result
}

// listener is one listener with its certificates and the endpoints behind it.
type listener struct {
	world        *world
	loadBalancer *observation.LoadBalancer
	observation.Listener
	endpoints []*endpoint
}

func newWorld(in Input) *world {
	w := &world{policy: in.Policy, now: in.Now, round: in.Round, stores: map[target.Roots]*chain.Store{}}
	for i := range in.Round.Endpoints {
		e := &endpoint{world: w, Endpoint: in.Round.Endpoints[i]}
		w.endpoints = append(w.endpoints, e)
		for _, a := range e.Addresses {
			c := w.connect(in, e, nil, a)
			e.connections = append(e.connections, c)
			if a.HTTP == nil {
				continue
			}
			for h := range a.HTTP.Hops {
				for _, ha := range a.HTTP.Hops[h].Addresses {
					w.connect(in, e, &a.HTTP.Hops[h], ha)
				}
			}
		}
	}
	w.join()
	return w
}

// connect adds a connection, its chain parsed and built.
func (w *world) connect(in Input, e *endpoint, hop *observation.Hop, a observation.Address) *connection {
	c := &connection{world: w, endpoint: e, Address: a, hop: hop, kind: e.Target.Kind, host: e.Target.Host, port: e.Target.Port}
	if hop != nil {
		c.kind, c.host, c.port = hop.Kind, hop.Host, hop.Port
	}
	w.connections = append(w.connections, c)
	if a.TLS == nil {
		return c
	}
	for _, der := range a.TLS.Chain {
		if cert, err := x509.ParseCertificate(der); err == nil {
			c.certs = append(c.certs, cert)
		}
	}
	if len(c.certs) > 0 {
		c.built = w.build(in, e.Target.Trust, c)
	}
	return c
}

// finding fills in what every finding about a connection says.
func (c *connection) finding(code finding.Code, severity finding.Severity, summary string, evidence finding.Evidence, remedy string) finding.Finding {
	if evidence == nil {
		evidence = finding.Evidence{}
	}
	if c.hop != nil {
		evidence["redirected_to"] = c.hop.URL
	}
	return finding.Finding{
		Code: code, Severity: severity,
		Environment: c.endpoint.Target.Environment, Endpoint: c.endpoint.Target.Name, Address: c.Address.Address,
		Summary: summary, Evidence: evidence, Remedy: remedy,
	}
}
