package topology

import (
	"crypto/x509"
	"slices"

	"certdrift/internal/observation"
	"certdrift/internal/target"
)

// Drift is an endpoint whose listener serves it another certificate than the one that the configuration declares.
type Drift struct {
	Declared target.Declared
	Attached *Attachment // nil where nothing is attached at all
	Relation Relation    // Equivalent or Different
}

// Drift compares declared and attached for an endpoint; nil where they agree or can't be compared.
func (e *Endpoint) Drift() *Drift {
	if !e.compared {
		e.drift, e.compared = e.findDrift(), true
	}
	return e.drift
}

func (e *Endpoint) findDrift() *Drift {
	d := e.Target.Declared
	if d == nil || e.Listener == nil || !e.Target.Kind.Secured() {
		return nil
	}
	got, known := e.Listener.Select(e.Target.Host)
	if got == nil {
		// A listener that passes TLS through carries none; only an ARN is ever attached.
		if known && d.ARN != "" {
			return &Drift{Declared: *d, Relation: Different}
		}
		return nil
	}
	r := e.topology.CompareDeclared(*d, got.ARN, got.Body())
	if r < Equivalent || !known && !e.Serves(got.Certificate) || e.servesDeclared(got) {
		return nil
	}
	return &Drift{Declared: *d, Attached: got, Relation: r}
}

// servesDeclared reports whether the load balancer does serve the declared certificate although another one is attached
// that it could have selected: several fit the name.
func (e *Endpoint) servesDeclared(got *Attachment) bool {
	d := e.Target.Declared
	return d != nil && d.ARN != "" && e.topology.CompareDeclared(*d, got.ARN, got.Body()) == Different &&
		e.Listener.Has(d.ARN) && e.ServesSome(e.topology.Certificate(d.ARN))
}

// ServesSome reports whether every address of the endpoint serves the certificate, be it as one of two, to clients of its type of key
// alone; false where none was seen.
func (e *Endpoint) ServesSome(c *Certificate) bool {
	if !e.Probed || len(e.Addresses) == 0 {
		return false
	}
	serving := map[string]bool{}
	for _, l := range slices.Concat(e.Leaves, e.Others) {
		serving[l.Address] = serving[l.Address] || c.Is(l.Certificate)
	}
	return !slices.ContainsFunc(e.Addresses, func(a observation.Address) bool { return !serving[a.Address] })
}

// Serves reports whether every address of the endpoint serves the certificate; false where none was seen.
func (e *Endpoint) Serves(c *Certificate) bool {
	probed := 0
	if e.Probed {
		probed = len(e.Addresses)
	}
	return probed > 0 && len(e.Leaves) == probed && !slices.ContainsFunc(e.Leaves, func(l Leaf) bool { return !c.Is(l.Certificate) })
}

// ServesAttached reports whether what the endpoint serves, at one address or (empty) at all of them, is the certificate
// that its listener selects for it.
func (e *Endpoint) ServesAttached(address string) bool {
	if e.Listener == nil {
		return false
	}
	got, _ := e.Listener.Select(e.Target.Host)
	if got == nil {
		return false
	}
	if address == "" {
		return e.Serves(got.Certificate)
	}
	i := slices.IndexFunc(e.Leaves, func(l Leaf) bool { return l.Address == address })
	return i >= 0 && got.Is(e.Leaves[i].Certificate)
}

// Breaks reports whether the drift is why clients reject the endpoint's certificate by name, which they would not with the
// declared one.
func (d *Drift) Breaks(e *Endpoint) bool {
	if d == nil || d.Relation != Different || d.Attached == nil || !d.Attached.Named() || d.Attached.Covers(e.Target.Host) {
		return false
	}
	_, declared := e.topology.DeclaredCertificate(d.Declared)
	return !declared.Named() || declared.Covers(e.Target.Host)
}

// AttachedComparable reports whether the listener's own record can be compared with what is declared and what is served.
func (e *Endpoint) AttachedComparable() bool {
	if e.Listener == nil {
		return false
	}
	if e.Drift() != nil {
		return true
	}
	got, known := e.Listener.Select(e.Target.Host)
	return known && got.Body() != nil
}

// Uncompared are the probed endpoints whose declared ARN can't be compared with anything: no listener of theirs was
// readable, and what the ARN holds is not known.
func (t *Topology) Uncompared() []*Endpoint {
	if t.Round.EndpointsOnly {
		return nil
	}
	var out []*Endpoint
	for _, e := range t.Endpoints {
		d := e.Target.Declared
		if d == nil || d.ARN == "" || len(e.Leaves) == 0 || t.Certificate(d.ARN).Body() != nil {
			continue
		}
		if e.Listener != nil {
			if got, known := e.Listener.Select(e.Target.Host); known || got != nil && got.ARN == d.ARN {
				continue
			}
		}
		out = append(out, e)
	}
	return out
}

// Comparison is the three truths of an endpoint side by side, as every output shows them.
type Comparison struct {
	Endpoint *Endpoint
	// Listener is the one the endpoint is behind, or why none is known.
	Listener Fact[*Listener]
	// Declared is what the configuration and the manifests declare for the endpoint, the configuration first.
	Declared []DeclaredSide
	// Attached is the certificate that the listener serves to the endpoint's clients.
	Attached Fact[*Attachment]
	// Served are the distinct certificates that the endpoint's addresses serve, in the order of the addresses. Empty
	// with ServedUnknown: no handshake completed.
	Served        []ServedSide
	ServedUnknown Reason
	// DeclaredAttached and AttachedServed are the worst relations of their sides; DeclaredServed takes their place
	// where the attached certificate is not known.
	DeclaredAttached, AttachedServed, DeclaredServed Relation
}

// DeclaredSide is one certificate that is declared.
type DeclaredSide struct {
	target.Declared
	// By is the manifest's object; empty for the configuration.
	By string
	// Certificate is what the declaration stands for; nil where not known.
	Certificate *Certificate
	// Attached and Served are how the attached certificate, and the worst of those served, compare with it.
	Attached, Served Relation

	// open: another one may be selected for the host, which is not known.
	open bool
}

// ServedSide is one certificate that is served.
type ServedSide struct {
	Certificate *Certificate
	Addresses   []string
	// Attached and Declared are how it compares with the certificate attached, and with the first one declared.
	Attached, Declared Relation
}

// Compare returns the three truths of the endpoint. It agrees with the findings: DeclaredAttached is Different exactly
// where the endpoint has drift-attached as critical.
func (e *Endpoint) Compare() Comparison {
	c := Comparison{Endpoint: e, Listener: e.ListenerFact(), Attached: e.AttachedFact()}
	c.Served = e.served()
	if len(c.Served) == 0 {
		c.ServedUnknown = NotProbed
	}
	c.Declared = e.declaredSides()
	for i := range c.Declared {
		c.Declared[i].Attached = e.compareAttached(c.Declared[i], c.Attached)
		relations := make([]Relation, len(c.Served))
		for j := range c.Served {
			relations[j] = e.topology.CompareDeclared(c.Declared[i].Declared, "", c.Served[j].Certificate.Leaf)
			if i == 0 {
				c.Served[j].Declared = relations[j]
			}
		}
		c.Declared[i].Served = Worst(relations...)
	}
	if len(c.Declared) > 0 { // where the configuration declares one, the manifests' are drift-manifest's
		c.DeclaredAttached, c.DeclaredServed = c.Declared[0].Attached, c.Declared[0].Served
	}
	relations := make([]Relation, len(c.Served))
	for i := range c.Served {
		relations[i] = e.compareServed(c.Served[i].Certificate.Leaf, c.Attached)
		c.Served[i].Attached = relations[i]
	}
	c.AttachedServed = Worst(relations...)
	return c
}

// AttachedFact is the certificate that the listener serves to the endpoint's clients, or why it is not known. Where several
// match the name, the one that every address serves is the one selected.
func (e *Endpoint) AttachedFact() Fact[*Attachment] {
	placed := e.ListenerFact()
	if !placed.Known() {
		return Fact[*Attachment]{State: placed.State, Why: placed.Why}
	}
	l := placed.Value
	if d := e.Drift(); d != nil && d.Attached != nil {
		return known(d.Attached)
	}
	got, sure := l.Select(e.Target.Host)
	if len(e.Leaves) > 0 {
		if chosen := l.CouldServe(e.Target.Host, e.Leaves[0].Certificate); chosen != nil && e.Serves(chosen.Certificate) {
			return known(chosen)
		}
	}
	switch {
	case got == nil && sure:
		return absent[*Attachment]()
	case !sure && l.LoadBalancer.Partial:
		return unknown[*Attachment](Incomplete)
	case !sure:
		return unknown[*Attachment](Unreadable)
	}
	return known(got)
}

// declaredSides are what the configuration declares, then what the manifests do.
func (e *Endpoint) declaredSides() []DeclaredSide {
	var out []DeclaredSide
	if d := e.Target.Declared; d != nil {
		_, c := e.topology.DeclaredCertificate(*d)
		out = append(out, DeclaredSide{Declared: *d, Certificate: c})
	}
	for _, d := range e.Declarations {
		a, known := d.on(e.Listener).Select(e.Target.Host, e.topology.Now)
		if a == nil || a.ARN == "" {
			continue
		}
		out = append(out, DeclaredSide{
			Declared: target.Declared{ARN: a.ARN, Source: d.Source}, By: d.Object, Certificate: a.Certificate,
			open: !known || d.UndecidedBecause != "" || d.mayDiffer(e) || d.Open(a.Certificate, e.Target.Host),
		})
	}
	return out
}

func (e *Endpoint) compareAttached(d DeclaredSide, attached Fact[*Attachment]) Relation {
	r := NotCompared
	switch {
	case d.open:
	case attached.Known():
		r = e.topology.CompareDeclared(d.Declared, attached.Value.ARN, attached.Value.Body())
	case attached.State == Absent && d.ARN != "" && e.Listener != nil:
		r = Different
	}
	if d.By == "" && r >= Equivalent && e.Drift() == nil {
		return NotCompared // several certificates match the name: which one the load balancer takes is not certain
	}
	return r
}

func (e *Endpoint) compareServed(leaf *x509.Certificate, attached Fact[*Attachment]) Relation {
	switch {
	case !attached.Known():
		return NotCompared
	case e.Listener.CouldServe(e.Target.Host, leaf) != nil:
		return Same
	}
	return CompareBodies(attached.Value.Body(), leaf)
}

// served are the distinct certificates that the endpoint serves.
func (e *Endpoint) served() []ServedSide {
	var out []ServedSide
	for _, l := range e.Leaves {
		i := slices.IndexFunc(out, func(s ServedSide) bool { return s.Certificate.Is(l.Certificate) })
		if i < 0 {
			out = append(out, ServedSide{Certificate: &Certificate{Leaf: l.Certificate}})
			i = len(out) - 1
		}
		out[i].Addresses = append(out[i].Addresses, l.Address)
	}
	return out
}

// ByCertificate are the distinct certificates that the endpoint serves, the most common first, their addresses sorted.
func (e *Endpoint) ByCertificate() []ServedSide {
	out := e.served()
	for _, s := range out {
		slices.Sort(s.Addresses)
	}
	slices.SortStableFunc(out, func(a, b ServedSide) int { return len(b.Addresses) - len(a.Addresses) })
	return out
}
