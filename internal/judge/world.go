package judge

import (
	"crypto/x509"
	"fmt"
	"time"

	"certdrift/internal/chain"
	"certdrift/internal/finding"
	"certdrift/internal/observation"
	"certdrift/internal/policy"
	"certdrift/internal/target"
)

// world is a round made ready for the rules: chains parsed and built once, the three truths of each endpoint joined.
type world struct {
	policy      policy.Thresholds
	now         time.Time
	round       observation.Round
	endpoints   []*endpoint
	connections []*connection
	listeners   []*listener
	stores      map[target.Roots]*chain.Store
	// chains are those built already: many addresses and endpoints serve one chain.
	chains map[[32]byte]built
	// certificates are what ACM and IAM hold, files what the configuration says of them; both by ARN.
	certificates  map[string]*held
	files         map[string]*held
	fingerprinted map[string]*held
	declarations  []*declaration
	// ambiguous are the endpoints whose load balancer cannot be told from others, missing those whose is not there.
	ambiguous []placement
	missing   []placement
	// strangers are load balancers that nobody asked about.
	strangers map[*observation.LoadBalancer]bool
	// failures are faults of certdrift's own, met before the rules began.
	failures []error
}

// endpoint is an endpoint with all its connections and, where known, the listener it sits behind.
type endpoint struct {
	world *world
	observation.Endpoint
	connections []*connection // to the endpoint's own addresses, hops not included
	// listener is the one it sits behind; nil where none is known.
	listener *listener
	// declarations are the manifests' words about it.
	declarations []*declaration
	// drift remembers what drifted found; compared tells that it looked.
	drift    *drift
	compared bool
}

// connection is one probe of one address, of the endpoint itself or of a redirect's hop.
type connection struct {
	world    *world
	endpoint *endpoint
	observation.Address
	// hop is the redirect that led here; nil for the endpoint's own addresses.
	hop *observation.Hop
	// parent is the endpoint's own connection whose answer led to the hop; nil for the endpoint's own addresses.
	parent *connection
	kind   target.Kind
	host   string // what the certificate must cover
	port   int
	// certs is the chain as sent, as far as it can be parsed; built is what it leads to. Both are nil without a
	// handshake.
	certs []*x509.Certificate
	// garbled: a certificate of the chain cannot be parsed. It may be the issuer that is missing.
	garbled bool
	built   *chain.Result
}

// listener is one listener with its certificates and the endpoints behind it.
type listener struct {
	world        *world
	loadBalancer *observation.LoadBalancer
	observation.Listener
	// attached are the certificates, each once, the default first.
	attached     []*attachment
	endpoints    []*endpoint
	declarations []*declaration
	// offers and takers remember what offer and wanted found.
	offers map[string]offered
	takers map[string][]*endpoint
}

func newWorld(in Input) *world {
	w := &world{policy: in.Policy, now: in.Now, round: in.Round, stores: map[target.Roots]*chain.Store{}, chains: map[[32]byte]built{}}
	w.certificates = hold(in.Round.Certificates)
	w.files = hold(in.Round.CertificateFiles)
	w.fingerprinted = byFingerprint(w.files, w.certificates)
	for i := range in.Round.Endpoints {
		e := &endpoint{world: w, Endpoint: in.Round.Endpoints[i]}
		w.endpoints = append(w.endpoints, e)
		if !e.Probed {
			continue // what a round did not finish proves nothing
		}
		for _, a := range e.Addresses {
			w.connectAll(in, e, a)
		}
	}
	w.join()
	w.strangers = w.findStrangers()
	return w
}

// connectAll adds the connection to an address of the endpoint's own, and those of the redirects behind it.
func (w *world) connectAll(in Input, e *endpoint, a observation.Address) {
	own := w.connect(in, e, nil, a)
	e.connections = append(e.connections, own)
	if a.HTTP == nil {
		return
	}
	for h := range a.HTTP.Hops {
		for _, ha := range a.HTTP.Hops[h].Addresses {
			w.connect(in, e, &a.HTTP.Hops[h], ha).parent = own
		}
	}
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
		} else {
			c.garbled = true
		}
	}
	if len(c.certs) > 0 {
		w.guard(func() { c.built = w.build(in, e.Target.Trust, c) })
	}
	return c
}

// guard keeps a fault of certdrift's own in one chain from ending the whole judgement.
func (w *world) guard(step func()) {
	defer func() {
		if p := recover(); p != nil {
			w.failures = append(w.failures, fmt.Errorf("building a chain panicked: %v", p))
		}
	}()
	step()
}

// findStrangers finds the load balancers that were only met on the way: the configuration asks for none beyond those of its endpoints
// and manifests, and these are none of theirs.
func (w *world) findStrangers() map[*observation.LoadBalancer]bool {
	if !w.round.Unlisted {
		return nil
	}
	own, named := map[*observation.LoadBalancer]bool{}, map[string]bool{}
	for _, e := range w.endpoints {
		if ref := e.Target.LoadBalancer; ref != nil {
			named[ref.Name] = true
		}
	}
	for _, l := range w.listeners {
		if len(l.endpoints) > 0 || len(l.declarations) > 0 || named[l.loadBalancer.Name] {
			own[l.loadBalancer] = true
		}
	}
	strangers := map[*observation.LoadBalancer]bool{}
	for _, l := range w.listeners {
		strangers[l.loadBalancer] = !own[l.loadBalancer]
	}
	return strangers
}

// finding fills in what every finding about a connection says.
func (c *connection) finding(code finding.Code, severity finding.Severity, summary string, evidence finding.Evidence, remedy string) finding.Finding {
	if evidence == nil {
		evidence = finding.Evidence{}
	}
	if c.hop != nil {
		evidence[hopKey] = c.hop.URL
	}
	return finding.Finding{
		Code: code, Severity: severity,
		Environment: c.endpoint.Target.Environment, Endpoint: c.endpoint.Target.Name, Address: c.Address.Address,
		Summary: summary, Evidence: evidence, Remedy: remedy,
	}
}

// hopKey is the evidence that tells a finding about a redirect's hop from one about the endpoint itself.
const hopKey = "redirected_to"

// finding fills in what every finding about an endpoint as a whole says.
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
