package judge

import (
	"crypto/x509"

	"certdrift/internal/finding"
	"certdrift/internal/target"
)

// drift is an endpoint whose listener would give it another certificate than the one declared.
type drift struct {
	declared target.Declared
	got      *attachment // nil where nothing is attached at all
	relation relation    // twin or distinct
}

// drifted compares declared and attached for an endpoint; nil where they agree or can't be compared.
func (e *endpoint) drifted() *drift {
	if !e.compared {
		e.drift, e.compared = e.compare(), true
	}
	return e.drift
}

func (e *endpoint) compare() *drift {
	d := e.Target.Declared
	if d == nil || e.listener == nil || !e.Target.Kind.Secured() {
		return nil
	}
	got, known := e.listener.offer(e.Target.Host)
	if got == nil {
		// A listener that passes TLS through carries none; only an ARN is ever attached.
		if known && d.ARN != "" {
			return &drift{declared: *d, relation: distinct}
		}
		return nil
	}
	r := e.world.meets(*d, got.ARN, got.leafOf())
	if r < twin || !known && !e.listener.settledBy(e, got) {
		return nil
	}
	if r == distinct && d.ARN != "" && e.listener.has(d.ARN) && e.served(e.world.body(d.ARN)) {
		return nil // several attached ones fit the name, and the load balancer does choose the declared one
	}
	return &drift{declared: *d, got: got, relation: r}
}

// settledBy reports whether what is served bears out which of several certificates the listener chooses.
func (l *listener) settledBy(e *endpoint, got *attachment) bool { return e.served(got.held) }

// leafOf is the attached certificate's body; nil where not known.
func (a *attachment) leafOf() *x509.Certificate {
	if a == nil {
		return nil
	}
	return leafOf(a.held)
}

func leafOf(h *held) *x509.Certificate {
	if h == nil {
		return nil
	}
	return h.leaf
}

// served reports whether every address of the endpoint serves the certificate; false where none was seen.
func (e *endpoint) served(h *held) bool {
	if len(e.connections) == 0 {
		return false
	}
	for _, c := range e.connections {
		if !c.serves(h) {
			return false
		}
	}
	return true
}

// serves reports whether the connection's leaf is the certificate.
func (c *connection) serves(h *held) bool {
	return len(c.certs) > 0 && h != nil && h.leaf != nil && c.certs[0].Equal(h.leaf)
}

// broken reports whether the wrong certificate is what refuses the endpoint's clients by name, where the declared one
// would not: then the mismatch is the drift's doing.
func (d *drift) broken(e *endpoint) bool {
	if d == nil || d.relation != distinct || d.got == nil || !d.got.named() || d.got.covers(e.Target.Host) {
		return false
	}
	_, declared := e.world.declaredBody(d.declared)
	return !declared.named() || declared.covers(e.Target.Host)
}

// hang gives one cause one finding: a name mismatch that a drift brought about hangs on the drift's finding, where
// what is served is what is attached. Whatever else that certificate is guilty of stays a finding of its own, of the
// same cause, since one repair ends both.
func hang(fs []finding.Finding, w *world) []finding.Finding {
	byKey := w.byKey()
	kept := fs[:0:0]
	var hung []finding.Finding
	for _, f := range fs {
		e := byKey[f.Environment+"/"+f.Endpoint]
		if e == nil || e.listener == nil || !ofServedCertificate(f) || !e.servesAttached(f.Address) {
			kept = append(kept, f)
			continue
		}
		d := e.drifted()
		switch {
		case f.Code == finding.CertNameMismatch && d.broken(e):
			hung = append(hung, f)
			continue
		case d != nil && d.relation == distinct, f.Code == finding.CertNameMismatch:
			f.Cause = e.listener.cause()
		}
		kept = append(kept, f)
	}
	return fasten(kept, hung)
}

// byKey are the endpoints by ENVIRONMENT/NAME.
func (w *world) byKey() map[string]*endpoint {
	byKey := map[string]*endpoint{}
	for _, e := range w.endpoints {
		byKey[e.Target.Key()] = e
	}
	return byKey
}

// fasten puts mismatches into the evidence of their drift findings; one without stays what it was.
func fasten(fs, mismatches []finding.Finding) []finding.Finding {
	drifts := map[string]finding.Evidence{}
	for _, f := range fs {
		if f.Code != finding.DriftAttached {
			continue
		}
		drifts[f.Environment+"/"+f.Endpoint] = f.Evidence
		for _, key := range f.Affects {
			drifts[key] = f.Evidence
		}
	}
	for _, m := range mismatches {
		key := m.Environment + "/" + m.Endpoint
		evidence := drifts[key]
		if evidence == nil {
			fs = append(fs, m)
			continue
		}
		if m.Address != "" {
			key += " at " + m.Address
		}
		lines, _ := evidence["name_mismatches"].([]string)
		evidence["name_mismatches"] = append(lines, key+": "+m.Summary)
	}
	return fs
}

// ofServedCertificate reports whether a finding is about the certificate that the endpoint itself serves.
func ofServedCertificate(f finding.Finding) bool {
	_, hop := f.Evidence[hopKey]
	return !hop && len(f.Code) > 5 && f.Code[:5] == "cert-"
}

// servesAttached reports whether what the endpoint serves, at one address or (empty) at all, is what its listener has
// attached for it.
func (e *endpoint) servesAttached(address string) bool {
	got, _ := e.listener.offer(e.Target.Host)
	if got == nil || got.held == nil {
		return false
	}
	if address == "" {
		return e.served(got.held)
	}
	for _, c := range e.connections {
		if c.Address.Address == address {
			return c.serves(got.held)
		}
	}
	return false
}

// uncompared are the probed endpoints whose declared ARN could be held against nothing: no listener of theirs was
// readable, and nobody says what the ARN holds.
func (w *world) uncompared() []*endpoint {
	if w.round.EndpointsOnly {
		return nil
	}
	var out []*endpoint
	for _, e := range w.endpoints {
		d := e.Target.Declared
		if d == nil || d.ARN == "" || !e.seen() {
			continue
		}
		if b := w.body(d.ARN); b != nil && b.leaf != nil {
			continue
		}
		if e.listener != nil {
			if got, known := e.listener.offer(e.Target.Host); known || got != nil && got.ARN == d.ARN {
				continue
			}
		}
		out = append(out, e)
	}
	return out
}

// seen reports whether any address of the endpoint showed a certificate.
func (e *endpoint) seen() bool {
	for _, c := range e.connections {
		if len(c.certs) > 0 {
			return true
		}
	}
	return false
}
