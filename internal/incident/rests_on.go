package incident

import (
	"cmp"
	"maps"
	"reflect"
	"slices"

	"certdrift/internal/arn"
	"certdrift/internal/finding"
	"certdrift/internal/observation"
)

// CertificateParts is how much of a certificate ACM, IAM or a file disclosed.
type CertificateParts struct {
	Body   bool // the certificate itself
	Dates  bool // its validity and names, from the body or from ACM's record
	Status bool // ACM's renewal status
}

// maxFacts limits the facts of a part, so that a record fits an item.
const maxFacts = 16

// restsOn returns the facts that a finding rests on beyond what its code implies (see required): those that the rule
// named, and the certificates that it compared.
func restsOn(f finding.Finding) []finding.Fact {
	facts := slices.Clone(f.RestsOn)
	add := func(certificates []finding.Certificate) {
		for _, c := range certificates {
			if c.ARN != "" {
				facts = append(facts, finding.Fact{Kind: finding.FactCertificate, Resource: c.ARN})
			}
		}
	}
	switch f.Code {
	case finding.DriftServed:
		add(f.Certificates.Attached)
	case finding.DriftDeclared:
		add(f.Certificates.Declared)
	case finding.ListenerCertExpired, finding.ListenerCertExpiring, finding.ListenerNameUncovered,
		finding.ACMRenewalFailing, finding.ACMRenewalIneligible:
		if add(f.Certificates.Attached); len(f.Certificates.Attached) == 0 {
			facts = append(facts, finding.Fact{Kind: finding.FactCertificate}) // whichever is attached
		}
	}
	return normalize(facts)
}

// normalize sorts facts, removes duplicates and limits how many there are.
func normalize(facts []finding.Fact) []finding.Fact {
	slices.SortFunc(facts, func(a, b finding.Fact) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Endpoint, b.Endpoint), cmp.Compare(a.Resource, b.Resource))
	})
	facts = slices.Compact(facts)
	return slices.Clip(facts[:min(len(facts), maxFacts)])
}

// samePart reports whether two parts are equal.
func samePart(a, b Part) bool { return reflect.DeepEqual(a, b) }

// coverCertificates records which certificates the round could read, and where they are attached or declared.
func (c *Coverage) coverCertificates(round observation.Round) {
	c.Certificates = map[string]CertificateParts{}
	c.Attached, c.Declared = map[string][]string{}, map[string]string{}
	for _, list := range [][]observation.Certificate{round.Certificates, round.CertificateFiles} {
		for _, one := range list {
			known := c.Certificates[one.ARN]
			known.Body = known.Body || one.Missing || len(one.Chain) > 0
			known.Dates = known.Dates || known.Body || !one.Unreadable
			known.Status = known.Status || one.Missing || one.Status != ""
			c.Certificates[one.ARN] = known
		}
	}
	for _, e := range round.Endpoints {
		if e.Target.Declared != nil && e.Target.Declared.ARN != "" {
			c.Declared[e.Target.Key()] = e.Target.Declared.ARN
		}
	}
}

// observed reports whether the round observed again every fact that a part rests on. A part that an older version
// stored has none and is left to the rule for its code.
func (c Coverage) observed(environment string, p Part) bool {
	return all(p.RestsOn, func(fact finding.Fact) bool {
		endpoint := cmp.Or(fact.Endpoint, environment+"/"+p.Endpoint)
		switch fact.Kind {
		case finding.FactDNS:
			return c.Endpoints[endpoint] >= Asked
		case finding.FactConnection:
			return c.Endpoints[endpoint] >= Connected
		case finding.FactHandshake:
			return c.Endpoints[endpoint] >= Handshaken
		case finding.FactResponse:
			return c.Endpoints[endpoint] >= Whole
		case finding.FactRevocation:
			return !c.Unvouched[endpoint]["certificate:"+fact.Resource]
		case finding.FactListener:
			return c.Listeners[fact.Resource] || c.ListenersWhole
		case finding.FactListeners:
			return c.ListenersWhole
		case finding.FactCertificate:
			return c.readCertificates(endpoint, p, fact.Resource)
		case finding.FactSubscriptions:
			return c.Subscriptions
		case finding.FactDelivery:
			return len(c.Taken) > 0 && !slices.Contains(slices.Collect(maps.Values(c.Taken)), false)
		case finding.FactStack:
			return c.Stack
		}
		return c.Full
	})
}

// readCertificates reports whether the round read what a part's finding compares: the certificate it named, where the
// round still refers to it, and those that have taken its place at the listener or in the declaration.
func (c Coverage) readCertificates(endpoint string, p Part, named string) bool {
	var needed []string
	if _, asked := c.Certificates[named]; asked {
		needed = append(needed, named)
	}
	if p.Code == finding.DriftDeclared {
		if declared := c.Declared[endpoint]; declared != "" {
			needed = append(needed, declared)
		}
	} else {
		for key, attached := range c.Attached {
			if p.atListener(key) {
				needed = append(needed, attached...)
			}
		}
	}
	return all(needed, func(text string) bool {
		known := c.Certificates[text]
		switch p.Code {
		case finding.DriftServed, finding.DriftDeclared:
			return known.Body
		case finding.ACMRenewalFailing, finding.ACMRenewalIneligible:
			a, ok := arn.Split(text)
			return known.Status || ok && a.Service != "acm" // IAM renews nothing
		}
		return known.Dates
	})
}
