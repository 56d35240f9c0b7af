package judge

import (
	"cmp"
	"slices"

	"certdrift/internal/finding"
)

// restsOn returns the observations that a finding was concluded from, sorted: what its code implies, and what its rule has
// added. A certificate is among them only where its record was read: what was compared by ARN alone does not rest on it.
func (j *judgment) restsOn(f finding.Finding) []finding.Fact {
	facts := slices.Clone(f.RestsOn)
	if timed(f.Code) {
		facts = append(facts, finding.Fact{Kind: finding.FactClock})
	}
	switch f.Code.Class() {
	case finding.ClassListener:
		facts = append(facts, j.listenerFacts(f)...)
		facts = append(facts, placementFacts(f)...)
	case finding.ClassDrift:
		facts = append(facts, j.driftFacts(f)...)
	case finding.ClassSelf:
		facts = append(facts, selfFacts(f)...)
	case finding.ClassCertificate:
		if f.Listener != "" { // ACM's record of an attached certificate
			facts = append(append(facts, listenerFact(f)), placementFacts(f)...)
			break
		}
		facts = append(facts, probeFacts(f, probePhase(f))...)
	case finding.ClassAddresses: // what is different shows only where all are seen
		facts = append(facts, probeFacts(f, handshake(f))...)
		for _, key := range endpointKeys(f) {
			facts = append(facts, finding.Fact{Kind: finding.FactAddresses, Endpoint: key})
		}
	default:
		facts = append(facts, probeFacts(f, probePhase(f))...)
	}
	slices.SortFunc(facts, func(a, b finding.Fact) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Endpoint, b.Endpoint), cmp.Compare(a.Resource, b.Resource))
	})
	return slices.Compact(facts)
}

// probePhase is the phase of a probe that has to be reached for the problem to show.
func probePhase(f finding.Finding) finding.FactKind {
	if f.Subject.Hop != "" { // only an answer leads to a hop
		return finding.FactResponse
	}
	switch f.Code.Class() {
	case finding.ClassReach:
		if f.Code == finding.DNSFailure {
			return finding.FactDNS
		}
		return finding.FactConnection
	case finding.ClassHTTP:
		return finding.FactResponse
	}
	if f.Code == finding.TLSClientCertificateRequired { // in TLS 1.3 it shows after the handshake
		return finding.FactResponse
	}
	return handshake(f)
}

// handshake is the fact of the handshake that showed a finding's certificate: the first one, or that for the other certificate of a pair.
func handshake(f finding.Finding) finding.FactKind {
	if f.Subject.Other {
		return finding.FactOther
	}
	return finding.FactHandshake
}

// probeFacts are a phase of the probes of each endpoint that the finding is about; of one address where the finding is about
// that alone.
func probeFacts(f finding.Finding, phase finding.FactKind) []finding.Fact {
	address := f.Address
	if f.Subject.Hop != "" || phase == finding.FactPlacement || phase == finding.FactDNS { // the address is the hop's, or of no matter
		address = ""
	}
	object := ""
	if phase == finding.FactOther {
		object = finding.OtherObject(f.Code, f.Subject.KeyType)
	}
	var out []finding.Fact
	for _, key := range endpointKeys(f) {
		out = append(out, finding.Fact{Kind: phase, Endpoint: key, Resource: address, Object: object})
	}
	return out
}

func endpointKeys(f finding.Finding) []string {
	if f.Endpoint != "" {
		return []string{f.Environment + "/" + f.Endpoint}
	}
	return f.Affects
}

func (j *judgment) listenerFacts(f finding.Finding) []finding.Fact {
	switch {
	case f.Code == finding.ListenerMissing, f.Code == finding.ListenerUnmanaged:
		return []finding.Fact{{Kind: finding.FactListeners}}
	case f.Listener == "": // the rule has added the listeners that share the certificate
		return nil
	case f.Code == finding.ListenerPolicyOld:
		return []finding.Fact{listenerFact(f), {Kind: finding.FactPolicy, Resource: listenerFact(f).Resource}}
	}
	return append(j.certificateFacts(finding.FactCertificate, f.Certificates.Attached), listenerFact(f))
}

// driftFacts: an ARN is compared by itself; a fingerprint, an issuer and what is served only with a certificate's body.
func (j *judgment) driftFacts(f finding.Finding) []finding.Fact {
	declared, attached := f.Certificates.Declared, f.Certificates.Attached
	switch f.Code {
	case finding.DriftServed:
		return slices.Concat(j.certificateFacts(finding.FactCertificateBody, attached), j.certificateFacts(finding.FactCertificate, declared),
			probeFacts(f, handshake(f)), placementFacts(f), []finding.Fact{listenerFact(f)})
	case finding.DriftDeclared:
		return append(j.certificateFacts(finding.FactCertificateBody, declared), probeFacts(f, handshake(f))...)
	case finding.DriftManifest:
		facts := j.certificateFacts(finding.FactCertificate, slices.Concat(declared, f.Certificates.Manifest, attached))
		facts = append(facts, manifestFact(f))
		if f.Subject.Listener == (finding.Listener{}) {
			return append(facts, finding.Fact{Kind: finding.FactListeners})
		}
		return append(append(facts, placementFacts(f)...), listenerFact(f))
	}
	kind := finding.FactCertificate
	if slices.ContainsFunc(declared, func(c finding.Certificate) bool { return c.ARN == "" || c.Issuer != "" }) || j.declaresBody(f) {
		kind = finding.FactCertificateBody
	}
	return slices.Concat(j.certificateFacts(finding.FactCertificate, declared), j.certificateFacts(kind, attached), placementFacts(f), []finding.Fact{listenerFact(f)})
}

// declaresBody reports whether an endpoint of a finding declares its certificate by more than its ARN.
func (j *judgment) declaresBody(f finding.Finding) bool {
	return slices.ContainsFunc(endpointKeys(f), func(key string) bool {
		e := j.Endpoint(key)
		return e != nil && e.Target.Declared != nil && e.Target.Declared.FingerprintSHA256+e.Target.Declared.Issuer != ""
	})
}

func manifestFact(f finding.Finding) finding.Fact {
	return finding.Fact{Kind: finding.FactManifest, Resource: f.Subject.Source.File, Object: f.Subject.Source.Object}
}

// namedPlacements is of how many endpoints the placement is a fact of its own; where there are more, it is that of the
// environment's endpoints.
const namedPlacements = 4

// namedProbes is the same for probes that are missing: a record has no room for more facts, and what stands for all of them there would
// wait until nothing else is wrong.
const namedProbes = 12

// placementFacts are where the endpoints are that a finding about their listener is of: where that is not known, the finding
// is not theirs.
func placementFacts(f finding.Finding) []finding.Fact {
	keys := endpointKeys(f)
	if len(keys) > namedPlacements {
		return []finding.Fact{{Kind: finding.FactPlacement, Resource: f.Environment}}
	}
	return probeFacts(f, finding.FactPlacement)
}

// selfFacts: what kept certdrift from seeing something is over when the round sees it, which for an endpoint is a probe.
func selfFacts(f finding.Finding) []finding.Fact {
	switch {
	case f.Code == finding.AlertPathBroken && len(f.RestsOn) > 0: // the rule has named it
		return nil
	case f.Code == finding.AlertPathBroken && f.Subject.Refused:
		return []finding.Fact{{Kind: finding.FactDelivery}}
	case f.Code == finding.AlertPathBroken:
		return []finding.Fact{{Kind: finding.FactSubscriptions}}
	case f.Code == finding.ConfigInvalid && f.Subject.Source.File == "" && f.Endpoint != "": // several load balancers fit
		return []finding.Fact{{Kind: finding.FactListeners}}
	case f.Code == finding.ConfigInvalid && f.Subject.Source.File != "":
		return []finding.Fact{manifestFact(f), {Kind: finding.FactRound}}
	case f.Code != finding.ConfigInvalid && len(endpointKeys(f)) > namedProbes: // a worker's shard, say
		return []finding.Fact{{Kind: finding.FactProbed, Resource: f.Environment}}
	case f.Code != finding.ConfigInvalid && len(endpointKeys(f)) > 0:
		return probeFacts(f, finding.FactDNS)
	}
	return []finding.Fact{{Kind: finding.FactRound}}
}

func listenerFact(f finding.Finding) finding.Fact {
	return listenerNamed(f.Subject.Listener, f.Listener)
}

func listenerNamed(l finding.Listener, label string) finding.Fact {
	return finding.Fact{Kind: finding.FactListener, Resource: l.Account + "/" + l.Region + "/" + label}
}

// certificateFacts are what ACM or IAM returned for certificates of a comparison.
func (j *judgment) certificateFacts(kind finding.FactKind, all []finding.Certificate) []finding.Fact {
	var out []finding.Fact
	for _, c := range all {
		if j.recorded(c.ARN) {
			out = append(out, certificateFact(kind, c.ARN))
		}
	}
	return out
}

func (j *judgment) recorded(arn string) bool {
	c := j.Record(arn)
	return c != nil && !c.Record.Unreadable
}

func certificateFact(kind finding.FactKind, arn string) finding.Fact {
	return finding.Fact{Kind: kind, Resource: finding.Clean(arn, finding.QuoteLimit)}
}

// facts are ACM's record of a certificate, its end, and the listeners that have it attached.
func (u use) facts() []finding.Fact {
	arn := u.certificate.Record.ARN
	facts := []finding.Fact{certificateFact(finding.FactCertificate, arn), certificateFact(finding.FactCertificateRecord, arn)}
	for _, l := range u.listeners {
		facts = append(facts, listenerNamed(l.Subject(), l.Label()))
	}
	return facts
}
