package incident

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"certdrift/internal/alertpath"
	"certdrift/internal/finding"
	"certdrift/internal/observation"
	"certdrift/internal/topology"
)

// Depth is how far the probes of an endpoint came: the least of all its addresses.
type Depth int

// The depths. What lies deeper than a probe came is neither broken nor sound: it was not seen.
const (
	Unseen     Depth = iota
	Asked            // it was probed; the name has no address, or an address could not be dialed
	Connected        // every address took the connection; the handshake failed
	Handshaken       // every address showed its certificates
	Whole            // every probe went through to its end, redirects included
)

// Coverage is what a round really checked. Nothing recovers without it.
type Coverage struct {
	// Configured are the endpoints (ENVIRONMENT/NAME) of the whole configuration, those left out for a fault included;
	// nil where a mistake in the configuration may hide some. What is not among them is gone.
	Configured map[string]bool
	// Endpoints is how far each endpoint was judged; absent is Unseen.
	Endpoints map[string]Depth
	// Unvouched are, by endpoint, the certificates ("certificate:" and their SHA-256) whose revocation was checked
	// without a conclusive answer.
	Unvouched map[string]map[string]bool
	// Listeners are those read completely; see ListenerKey.
	Listeners map[string]bool
	// Certificates is, by ARN, what could be read of each certificate; Attached which ARNs each listener (ListenerKey)
	// has; Declared which one each endpoint (ENVIRONMENT/NAME) declares by ARN.
	Certificates map[string]CertificateParts
	Attached     map[string][]string
	Declared     map[string]string
	// ListenersWhole: all load balancers were walked without errors, so that a listener not among Listeners is gone.
	ListenersWhole bool
	// Full: the round asked everything that the configuration asks for, whether it got an answer or not; an event
	// narrowed it to nothing.
	Full bool
	// Placed is, by endpoint, whether it is known which listener it is behind.
	Placed map[string]bool
	// PolicyUnread are the listeners (ListenerKey) of whose security policy it is not known what it allows.
	PolicyUnread map[string]bool
	// Subscriptions: who gets alerts was read without errors. Taken are the topics, by the cause of what is wrong with them
	// (alertpath.Cause), that accepted the last message sent to them.
	Subscriptions bool
	Taken         map[string]bool
	// Stack: the rules and alarms of certdrift's own stack were read without errors.
	Stack bool
	// triedTopics and triedStack: the round tried to read who gets alerts, and the stack.
	triedTopics, triedStack bool

	// clockInDoubt: most servers' clocks contradict this machine's.
	clockInDoubt bool
	// some are the endpoints of which only some addresses are known, or were dialed; addresses are, by endpoint, those that were
	// dialed, and how far their probes came.
	some      map[string]bool
	addresses map[string]map[string]Depth
	// keyTypes are, by endpoint and address, the types of key of which it is known what certificate such clients get, if any, and whether the
	// server has its private key (see finding.OtherObject).
	keyTypes map[string]map[string]map[string]bool
	// errors are what could not be observed; faulty the files with mistakes that may hide what else is in them, sources those
	// that manifests were read from.
	errors  []observation.ObserveError
	faulty  []string
	sources map[string]bool
	// objects are the manifests' objects, as facts, and whether it is known what they attach; passedOver the files with objects that
	// were not understood.
	objects    map[finding.Fact]bool
	passedOver map[string]bool
}

// ListenerKey names a listener across regions and accounts. listener is NAME:PORT.
func ListenerKey(account, region, listener string) string {
	return account + "/" + region + "/" + listener
}

// Cover returns what a round checked. configured are the keys of all endpoints of the configuration, narrowed is whether
// an event or a flag restricted the round, and listeners whether the configuration has load balancers to read at all.
func Cover(round observation.Round, configured []string, narrowed, listeners bool) Coverage {
	n := len(round.Endpoints)
	c := Coverage{
		Configured: make(map[string]bool, max(n, len(configured))), Endpoints: make(map[string]Depth, n), Listeners: map[string]bool{},
		Unvouched: make(map[string]map[string]bool, n), Placed: make(map[string]bool, n), PolicyUnread: map[string]bool{},
		errors: round.ObserveErrors, sources: map[string]bool{}, objects: map[finding.Fact]bool{}, passedOver: map[string]bool{},
		some: make(map[string]bool, n), addresses: make(map[string]map[string]Depth, n), keyTypes: make(map[string]map[string]map[string]bool, n),
		Full: !narrowed && (round.ListenersRead || !listeners),
	}
	for _, key := range configured {
		c.Configured[key] = true
	}
	t := topology.Build(round, round.Started)
	for _, e := range t.Endpoints {
		key := e.Target.Key()
		c.Configured[key] = true
		c.Endpoints[key] = depth(e.Endpoint)
		c.Unvouched[key] = unvouched(e.Endpoint)
		c.Placed[key] = e.Settled()
		c.some[key] = e.DNS.Partial != nil || e.DNS.Failure != nil || e.DNS.Omitted > 0
		depths := make(map[string]Depth, len(e.Addresses))
		for _, a := range e.Addresses {
			depths[a.Address] = addressDepth(a)
		}
		c.addresses[key], c.keyTypes[key] = depths, keyTypes(e)
	}
	c.clockInDoubt = t.Clock().InDoubt()
	c.coverCertificates(t)
	c.coverSources(t)
	c.faults(round.Diagnostics)
	c.ListenersWhole = round.ListenersRead && !narrowed
	for _, t := range round.ObserveErrors {
		if t.Endpoint == "" && !readsPath(t.Operation) {
			c.ListenersWhole = false
		}
	}
	c.coverPath(round)
	for _, lb := range round.LoadBalancers {
		if lb.Partial {
			c.ListenersWhole = false
			continue
		}
		for _, l := range lb.Listeners {
			key := ListenerKey(lb.Account, lb.Region, lb.Name+":"+strconv.Itoa(l.Port))
			c.Listeners[key], c.PolicyUnread[key] = true, l.PolicyUnread
			for _, a := range l.Certificates {
				c.Attached[key] = append(c.Attached[key], a.ARN)
			}
		}
	}
	return c
}

// keyTypes are, by address, the types of key of which it is known what certificate such clients get, and whether the server has its private
// key: that of the first handshake, and the other one where the server answered that question. What it sends for any name that it has no
// certificate for is no answer that a finding could be about.
func keyTypes(e *topology.Endpoint) map[string]map[string]bool {
	known := map[string]map[string]bool{}
	for _, l := range e.Leaves {
		known[l.Address] = map[string]bool{string(l.KeyType()): true}
	}
	for _, a := range e.Addresses {
		of := known[a.Address]
		if of == nil {
			continue
		}
		if addressDepth(a) >= Handshaken {
			for keyType := range maps.Clone(of) {
				of[finding.OtherObject(finding.TLSHandshake, keyType)] = true
			}
		}
		if o := a.Other; o != nil {
			of[string(o.KeyType)] = o.Absent || o.TLS != nil
			of[finding.OtherObject(finding.TLSHandshake, string(o.KeyType))] = o.Absent || o.KeyProven || o.Failure.ForeignKey()
		}
	}
	return known
}

// faults takes account of what the configuration's mistakes hide: an endpoint that is left out for one is still there, and
// a mistake outside of all endpoints may hide any number of them. Where nothing at all could be read, nothing was asked.
func (c *Coverage) faults(faults []observation.Diagnostic) {
	read := len(c.Configured) > 0
	for _, f := range faults {
		if f.Endpoint == "" {
			c.Configured, c.Full = nil, c.Full && read
			return
		}
		c.Configured[f.Environment+"/"+f.Endpoint] = true
	}
}

// coverSources records which files declare something, of which objects it is known what, and which files may hide what they declare.
func (c *Coverage) coverSources(t *topology.Topology) {
	for _, d := range t.Round.Manifests {
		c.sources[d.Source.File] = true
	}
	for _, d := range t.Declarations {
		object := finding.Fact{Kind: finding.FactManifest, Resource: finding.Clean(d.Source.File, finding.QuoteLimit), Object: finding.Clean(d.Object, finding.QuoteLimit)}
		decided, seen := c.objects[object]
		c.objects[object] = d.UndecidedBecause == "" && (decided || !seen)
	}
	for _, o := range t.Round.PassedOver {
		c.passedOver[finding.Clean(o.File, finding.QuoteLimit)] = true
	}
	for _, f := range t.Round.Diagnostics {
		if f.Endpoint == "" {
			c.faulty = append(c.faulty, f.File)
		}
	}
}

// coverPath records what the round knows of the alert path.
func (c *Coverage) coverPath(round observation.Round) {
	if round.AlertPath == nil {
		return
	}
	failed := func(operations ...string) bool {
		return slices.ContainsFunc(round.ObserveErrors, func(t observation.ObserveError) bool {
			return slices.ContainsFunc(operations, func(operation string) bool { return strings.HasPrefix(t.Operation, operation) })
		})
	}
	topics := round.AlertPath.Topics
	c.Taken = map[string]bool{}
	for _, t := range topics {
		c.Taken[alertpath.Cause(t.ARN)] = t.Taken
	}
	c.triedTopics = slices.ContainsFunc(topics, func(t observation.Topic) bool { return t.Read || t.Missing })
	c.triedStack = round.AlertPath.Stack != nil
	c.Subscriptions = len(topics) > 0 && all(topics, func(t observation.Topic) bool { return t.Read || t.Missing }) && !failed("sns:Get")
	c.Stack = c.triedStack && !failed(stackOperations...)
}

// stackOperations are the calls that read certdrift's own stack. Without credentials none of them was made.
var stackOperations = []string{"events:DescribeRule", "events:ListTargetsByRule", "cloudwatch:DescribeAlarms", observation.Credentials}

// readsPath reports whether a call reads the alert path: whether it fails says nothing about load balancers.
func readsPath(operation string) bool {
	return strings.HasPrefix(operation, "sns:") || operation != observation.Credentials && slices.Contains(stackOperations, operation)
}

// depth is the least that the probes of an endpoint reached.
func depth(e observation.Endpoint) Depth {
	if !e.Probed {
		return Unseen
	}
	if e.DNS.Failure != nil || len(e.Addresses) == 0 {
		return Asked
	}
	least := Whole
	for _, a := range e.Addresses {
		least = min(least, addressDepth(a))
	}
	return least
}

// addressDepth is how far the probe of one address came.
func addressDepth(a observation.Address) Depth {
	least := reached(a.Failure)
	if a.Withheld != "" {
		least = min(least, Handshaken) // nobody asked: an answer that was bad before may be so still
	}
	if a.HTTP == nil {
		return least
	}
	for _, h := range a.HTTP.Hops {
		if h.Blocked != "" || h.DNS.Failure != nil {
			least = min(least, Handshaken)
		}
		for _, ha := range h.Addresses {
			if ha.Failure != nil || ha.Withheld != "" {
				least = min(least, Handshaken)
			}
		}
	}
	return least
}

// reached is how far a probe came before it failed.
func reached(f *observation.Failure) Depth {
	if f == nil {
		return Whole
	}
	switch f.Phase {
	case observation.PhaseDNS, observation.PhaseConnect:
		return Asked
	case observation.PhaseStartTLS, observation.PhaseTLS:
		return Connected
	}
	return Handshaken
}

// wholly reports whether every endpoint of the configuration was probed to a depth.
func (c Coverage) wholly(depth Depth) bool {
	for endpoint := range c.Configured {
		if c.Endpoints[endpoint] < depth {
			return false
		}
	}
	return c.Configured != nil
}

// evidence is what a round says of a part that it has no finding for.
type evidence int

const (
	unknown evidence = iota // it was not checked
	clean                   // it was checked and is not there
	gone                    // its subject is no longer in the configuration or the account
)

// of says what the round knows of a part of an incident in an environment.
func (c Coverage) of(environment string, p Part) evidence {
	if p.Endpoint != "" && c.Configured != nil && !c.Configured[environment+"/"+p.Endpoint] {
		return gone
	}
	needsListener, needs := required(p)
	result := clean
	if needsListener {
		result = c.ofListener(p)
	}
	if result == clean && p.Endpoint != "" && c.Endpoints[environment+"/"+p.Endpoint] < needs {
		result = unknown
	}
	if p.Endpoint == "" && !needsListener && !c.Full {
		result = unknown
	}
	if result == clean && !c.observed(environment, p) {
		result = unknown
	}
	return result
}

// ofListener matches by name and port, and by region and account where the part knows them.
func (c Coverage) ofListener(p Part) evidence {
	if p.Listener == "" {
		if c.ListenersWhole {
			return clean
		}
		return unknown
	}
	if c.Listeners[ListenerKey(p.Account, p.Region, p.Listener)] {
		return clean
	}
	for key := range c.Listeners {
		if p.atListener(key) {
			return clean
		}
	}
	if c.ListenersWhole {
		return gone
	}
	return unknown
}

// atListener reports whether a part is about the listener with a key, as far as the part knows region and account.
func (p Part) atListener(key string) bool {
	account, rest, _ := strings.Cut(key, "/")
	region, listener, _ := strings.Cut(rest, "/")
	return listener == p.Listener && (p.Region == "" || p.Region == region) && (p.Account == "" || p.Account == account)
}

// required returns what must have been checked before the absence of a part's finding means anything: its listener, and
// its endpoint to a depth.
func required(p Part) (listener bool, endpoint Depth) {
	switch group(p.Code) {
	case groupReach:
		endpoint = reachEvidence(p.Code)
	case groupTLS, groupCertificate:
		if listener = p.Listener != ""; !listener { // only reading the listener disproves what ACM reported about an attached certificate
			endpoint = Handshaken
		}
	case groupHTTP:
		endpoint = Whole
	case groupListener:
		listener = true
	case groupSelf:
		endpoint = Asked
	case groupDrift:
		listener, endpoint = driftEvidence(p)
	}
	if p.Code == finding.TLSClientCertificateRequired || p.Hop {
		endpoint = Whole
	}
	return listener, endpoint
}

// reachEvidence: that a name has addresses shows as soon as it was asked for; that one can connect, or shake hands, only
// by doing so.
func reachEvidence(code finding.Code) Depth {
	switch code {
	case finding.DNSFailure:
		return Asked
	case finding.TLSHandshake, finding.TLSTimeout, finding.TLSPlaintext:
		return Handshaken
	}
	return Connected
}

func driftEvidence(p Part) (listener bool, endpoint Depth) {
	switch p.Code {
	case finding.DriftServed:
		return true, Handshaken
	case finding.DriftDeclared:
		return false, Handshaken
	}
	return true, Unseen
}
