package incident

import (
	"cmp"
	"maps"
	"reflect"
	"slices"
	"strings"

	"certdrift/internal/arn"
	"certdrift/internal/finding"
	"certdrift/internal/observation"
	"certdrift/internal/topology"
)

// CertificateParts is how much of a certificate ACM, IAM or a file disclosed.
type CertificateParts struct {
	Body   bool // the certificate itself
	Dates  bool // its validity and names, from the body or from ACM's record
	Status bool // ACM's renewal status
}

// maxFacts limits the facts of a part, so that a record fits an item.
const maxFacts = 16

// normalize sorts facts, removes duplicates and limits how many there are: more stand for everything.
func normalize(facts []finding.Fact) []finding.Fact {
	facts = slices.Clone(facts)
	slices.SortFunc(facts, func(a, b finding.Fact) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Endpoint, b.Endpoint), cmp.Compare(a.Resource, b.Resource), cmp.Compare(a.Object, b.Object))
	})
	if facts = slices.Compact(facts); len(facts) > maxFacts {
		facts = append(facts[:maxFacts-1], finding.Fact{Kind: finding.FactEverything})
	}
	return slices.Clip(facts)
}

// samePart reports whether two parts are equal.
func samePart(a, b Part) bool { return reflect.DeepEqual(a, b) }

// coverCertificates records which certificates the round could read, and where they are attached or declared. A body that
// cannot be parsed can be compared with nothing.
func (c *Coverage) coverCertificates(t *topology.Topology) {
	c.Certificates = map[string]CertificateParts{}
	c.Attached, c.Declared = map[string][]string{}, map[string]string{}
	for _, list := range [][]observation.Certificate{t.Round.Certificates, t.Round.CertificateFiles} {
		for _, one := range list {
			known := c.Certificates[one.ARN]
			known.Body = known.Body || one.Missing || len(one.Chain) > 0 && t.Parse(one.Chain[0]) != nil
			known.Dates = known.Dates || known.Body || !one.Unreadable
			known.Status = known.Status || one.Missing || one.Status != ""
			c.Certificates[one.ARN] = known
		}
	}
	for _, e := range t.Endpoints {
		if e.Target.Declared != nil && e.Target.Declared.ARN != "" {
			c.Declared[e.Target.Key()] = e.Target.Declared.ARN
		}
	}
}

// observed reports whether the round observed again every fact that a part rests on. What a part rests on that an older version
// stored is not known: it takes a round that observed everything it tried to.
func (c Coverage) observed(environment string, p Part) bool {
	if len(p.RestsOn) == 0 {
		return all(c.errors, func(e observation.ObserveError) bool { return readsPath(e.Operation) })
	}
	return all(p.RestsOn, func(fact finding.Fact) bool {
		endpoint := cmp.Or(fact.Endpoint, environment+"/"+p.Endpoint)
		switch fact.Kind {
		case finding.FactDNS:
			return c.Endpoints[endpoint] >= Asked
		case finding.FactConnection:
			return c.Endpoints[endpoint] >= Connected && c.dialed(endpoint, fact.Resource)
		case finding.FactHandshake:
			return c.Endpoints[endpoint] >= Handshaken && c.dialed(endpoint, fact.Resource)
		case finding.FactOther:
			return c.Endpoints[endpoint] >= Handshaken && c.knowsOther(endpoint, fact)
		case finding.FactResponse:
			return c.Endpoints[endpoint] >= Whole && c.dialed(endpoint, fact.Resource)
		case finding.FactAddresses:
			return !c.some[endpoint]
		case finding.FactRevocation:
			return !c.Unvouched[endpoint]["certificate:"+fact.Resource]
		case finding.FactListener:
			return c.Listeners[fact.Resource] || c.ListenersWhole
		case finding.FactPolicy:
			return !c.PolicyUnread[fact.Resource]
		case finding.FactPlacement:
			return c.placed(fact)
		case finding.FactProbed:
			return c.probed(fact.Resource)
		case finding.FactListeners:
			return c.ListenersWhole
		case finding.FactCertificate, finding.FactCertificateBody, finding.FactCertificateRecord:
			return c.readCertificates(endpoint, p, fact)
		case finding.FactManifest:
			return c.Full && !c.unread(fact.Resource) && c.decided(fact)
		case finding.FactCall:
			return c.Full && c.tried(fact.Resource) && !slices.ContainsFunc(c.errors, func(e observation.ObserveError) bool { return preventsCall(e, fact.Resource) })
		case finding.FactSubscriptions:
			return c.Subscriptions
		case finding.FactDelivery:
			return len(c.Taken) > 0 && !slices.Contains(slices.Collect(maps.Values(c.Taken)), false)
		case finding.FactStack:
			return c.Stack
		case finding.FactClock:
			return !c.clockInDoubt
		case finding.FactEverything:
			return c.ListenersWhole && c.wholly(Handshaken) && (p.Other == "" || c.knowsOther(endpoint, finding.Fact{Object: finding.OtherObject(p.Code, p.Other)}))
		}
		return c.Full
	})
}

// OfOthers returns the endpoints (ENVIRONMENT/NAME) with a live incident that rests on their servers' other certificates.
func OfOthers(records []Record) map[string]bool {
	out := map[string]bool{}
	for _, r := range records {
		if !r.Closed.IsZero() {
			continue
		}
		for _, p := range r.Parts {
			if p.Other != "" {
				out[r.Environment+"/"+p.Endpoint] = true
			}
			for _, fact := range p.RestsOn {
				if fact.Kind == finding.FactOther {
					out[fact.Endpoint] = true
				}
			}
		}
	}
	return out
}

// knowsOther reports whether it is known which certificate an address, or every one, has for clients of a type of key.
func (c Coverage) knowsOther(endpoint string, fact finding.Fact) bool {
	if fact.Resource != "" {
		if _, dialed := c.addresses[endpoint][fact.Resource]; !dialed {
			return c.dialed(endpoint, fact.Resource)
		}
		return c.keyTypes[endpoint][fact.Resource][fact.Object]
	}
	for address := range c.addresses[endpoint] {
		if !c.keyTypes[endpoint][address][fact.Object] {
			return false
		}
	}
	return true
}

// dialed reports whether an address of an endpoint was dialed, or is known to be none of its now (see trace.go).
func (c Coverage) dialed(endpoint, address string) bool {
	return address == "" || !c.some[endpoint] || c.addresses[endpoint][address] > Unseen
}

// placed reports whether it is known where an endpoint is, or where all endpoints of an environment are.
func (c Coverage) placed(fact finding.Fact) bool {
	if fact.Endpoint != "" {
		settled, asked := c.Placed[fact.Endpoint]
		return settled || !asked && c.Configured != nil && !c.Configured[fact.Endpoint]
	}
	for key := range c.Configured {
		if environment, _ := splitKey(key); environment == fact.Resource && !c.Placed[key] {
			return false
		}
	}
	return c.Configured != nil
}

// probed reports whether all endpoints of an environment were probed.
func (c Coverage) probed(environment string) bool {
	for key := range c.Configured {
		if of, _ := splitKey(key); of == environment && c.Endpoints[key] < Asked {
			return false
		}
	}
	return c.Configured != nil
}

// decided reports whether it is known what a manifest's object attaches. One that is not in its file any more attaches nothing, unless the
// file has objects that were not understood.
func (c Coverage) decided(fact finding.Fact) bool {
	if decided, read := c.objects[fact]; read || fact.Object == "" {
		return decided || !read
	}
	return !c.passedOver[fact.Resource]
}

// unread reports whether something may have kept a file's content from the round: AWS, or a mistake in the file itself or in
// what names it.
func (c Coverage) unread(file string) bool {
	byError := slices.ContainsFunc(c.errors, func(e observation.ObserveError) bool {
		service, _, _ := strings.Cut(e.Operation, ":")
		ofSource := service == "s3" || service == "ssm"
		return e.Operation == configuration || e.Operation == observation.Credentials ||
			ofSource && (e.Resource == "" || e.Resource == file || strings.HasSuffix(e.Resource, "/") && strings.HasPrefix(file, e.Resource))
	})
	return byError || slices.ContainsFunc(c.faulty, func(f string) bool { return f == file || !c.sources[f] })
}

// configuration is the operation of the error that reports a configuration that could not be read again.
const configuration = "configuration"

// readCertificates reports whether the round read what a part's finding compares: the certificate it named, where the
// round still refers to it, and those that have taken its place at the listener or in the declaration.
func (c Coverage) readCertificates(endpoint string, p Part, fact finding.Fact) bool {
	var needed []string
	if _, asked := c.Certificates[fact.Resource]; asked {
		needed = append(needed, fact.Resource)
	}
	if p.Code == finding.DriftDeclared {
		if declared := c.Declared[endpoint]; declared != "" {
			needed = append(needed, declared)
		}
	} else {
		for key, attached := range c.Attached {
			if p.atListener(key) || slices.Contains(p.RestsOn, finding.Fact{Kind: finding.FactListener, Resource: key}) {
				needed = append(needed, attached...)
			}
		}
	}
	return all(needed, func(text string) bool {
		known := c.Certificates[text]
		switch fact.Kind {
		case finding.FactCertificateBody:
			return known.Body
		case finding.FactCertificateRecord:
			a, ok := arn.Split(text)
			return known.Status || ok && a.Service != "acm" // IAM renews nothing
		}
		return known.Dates
	})
}
