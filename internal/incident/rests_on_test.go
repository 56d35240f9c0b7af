package incident

import (
	"slices"
	"testing"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
	"certdrift/internal/sim/pki"
	"certdrift/internal/target"
)

// An incident does not recover because a permission was taken away: a finding that is absent only because a certificate or
// a listener could not be read is unknown, and the incident stays open.
func TestNothingRecoversWhatCouldNotBeRead(t *testing.T) {
	const arn, other = "arn:aws:acm:us-west-2:111122223333:certificate/a", "arn:aws:acm:us-west-2:111122223333:certificate/b"
	root, err := pki.Root("root", start)
	if err != nil {
		t.Fatal(err)
	}
	read := func(arn string) observation.Certificate {
		return observation.Certificate{ARN: arn, Status: "ISSUED", Chain: [][]byte{root.Certificate.Raw}}
	}
	garbled := observation.Certificate{ARN: arn, Status: "ISSUED", Chain: [][]byte{{1}}}
	bodyDenied := observation.Certificate{ARN: arn, Status: "ISSUED"}
	denied := observation.Certificate{ARN: arn, Unreadable: true}
	round := func(attached string, certificates ...observation.Certificate) observation.Round {
		e := endpoint("api", nil)
		e.Target.Declared = &target.Declared{ARN: arn}
		return observation.Round{
			Endpoints: []observation.Endpoint{e}, ListenersRead: true, Certificates: certificates,
			LoadBalancers: []observation.LoadBalancer{{Name: "lb", Region: "us-west-2", Account: "111122223333", Listeners: []observation.Listener{
				{Port: 443, Certificates: []observation.Attachment{{ARN: attached}}},
			}}},
		}
	}
	partial := round(arn, read(arn))
	partial.LoadBalancers[0].Partial = true
	unread := round(arn)
	unread.ListenersRead, unread.LoadBalancers = false, nil
	at := func(code finding.Code, name string) finding.Finding {
		f := found(code, finding.Critical, name, "listener:arn:443")
		f.Listener, f.Subject.Listener = "lb:443", finding.Listener{Region: "us-west-2", Account: "111122223333"}
		return f
	}
	resting := func(f finding.Finding, kind finding.FactKind) finding.Finding {
		f.RestsOn = []finding.Fact{{Kind: kind, Resource: arn}}
		return f
	}
	served := resting(at(finding.DriftServed, "api"), finding.FactCertificateBody)
	declared := resting(found(finding.DriftDeclared, finding.Critical, "api", "certificate:aa"), finding.FactCertificateBody)
	for name, c := range map[string]struct {
		finding finding.Finding
		hidden  observation.Round
	}{
		"drift-served, acm:GetCertificate denied":          {served, round(arn, bodyDenied)},
		"drift-served, what ACM returns is no certificate": {served, round(arn, garbled)},
		"drift-served, the certificate was not asked":      {served, round(arn)},
		"drift-served, what took its place is unread":      {served, round(other, read(arn))},
		"drift-served, listener read in part":              {served, partial},
		"drift-declared, listeners unread":                 {declared, unread},
		"drift-declared, acm:GetCertificate denied":        {declared, round(arn, bodyDenied)},
		"listener-cert-expired, ACM denied":                {resting(at(finding.ListenerCertExpired, ""), finding.FactCertificate), round(arn, denied)},
		"acm-renewal-failing, DescribeCertificate denied":  {resting(at(finding.ACMRenewalFailing, ""), finding.FactCertificateRecord), round(arn, observation.Certificate{ARN: arn, Chain: [][]byte{{1}}})},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScript(t)
			cover := func(r observation.Round) Coverage { return Cover(r, []string{"production/api"}, false, true) }
			s.round(cover(round(arn, read(arn))), []finding.Finding{c.finding}, Opened)
			for range 4 {
				s.round(cover(c.hidden), nil)
			}
			s.round(cover(round(other, read(arn), read(other))), nil)
			s.round(cover(round(other, read(arn), read(other))), nil, Recovered)
		})
	}
}

// A part that an older version stored names no facts. It ends by the rule for its code, and only if nothing was left unobserved.
func TestPartsWithoutFacts(t *testing.T) {
	p := Part{Code: finding.DriftServed, Endpoint: "api", Listener: "lb:443"}
	for operation, want := range map[string]evidence{"": clean, "sns:GetTopicAttributes": clean, "acm:GetCertificate": unknown} {
		c := full([]string{"api"}, "lb:443")
		if operation != "" {
			c.errors = []observation.ObserveError{{Kind: observation.Denied, Operation: operation}}
		}
		if got := c.of("production", p); got != want {
			t.Errorf("without %q: %v, want %v", operation, got, want)
		}
	}
}

// Where a record has no room for another address's facts, the part does not end on the first address's.
func TestFactsWithoutRoomAreEverything(t *testing.T) {
	fact := func(address string) finding.Fact {
		return finding.Fact{Kind: finding.FactHandshake, Endpoint: "production/api", Resource: address}
	}
	p := Part{Code: finding.CertExpired, Endpoint: "api", RestsOn: []finding.Fact{fact("192.0.2.1")}}
	size := maxPartBytes
	rest(&p, []finding.Fact{fact("192.0.2.1"), fact("192.0.2.2")}, &size)
	if want := []finding.Fact{{Kind: finding.FactEverything}}; !slices.Equal(p.RestsOn, want) || size > maxPartBytes {
		t.Errorf("rests on %v, %d bytes; want %v", p.RestsOn, size, want)
	}
}

// IAM renews nothing and reports no status: a listener whose failing ACM certificate was replaced by one of IAM's recovers.
func TestACertificateOfIAMHasNoRenewalStatus(t *testing.T) {
	const failing, iam = "arn:aws:acm:us-west-2:111122223333:certificate/a", "arn:aws:iam::111122223333:server-certificate/site"
	p := Part{Code: finding.ACMRenewalFailing, Listener: "lb:443", Region: "us-west-2", Account: "111122223333",
		RestsOn: []finding.Fact{{Kind: finding.FactCertificateRecord, Resource: failing}}}
	round := observation.Round{ListenersRead: true, LoadBalancers: []observation.LoadBalancer{
		{Name: "lb", Region: "us-west-2", Account: "111122223333", Listeners: []observation.Listener{
			{Port: 443, Certificates: []observation.Attachment{{ARN: iam}}},
		}},
	}, Certificates: []observation.Certificate{{ARN: iam, Chain: [][]byte{{1}}}}}
	if got := Cover(round, nil, false, true).of("production", p); got != clean {
		t.Errorf("%v, want clean", got)
	}
}

// A manifest that was out of date is right again once it is read and understood again: not while something in it is undecided, nor
// where its file holds only what was passed over.
func TestAManifestRecoversOnEvidence(t *testing.T) {
	const file, shop = "k8s/shop.yaml", "Service store/shop"
	declaring := func(object, undecided string) observation.Round {
		return observation.Round{ListenersRead: true, Manifests: []observation.Declaration{
			{Object: object, Port: 443, ARNs: []string{"arn:aws:acm:us-west-2:111122223333:certificate/a"}, UndecidedBecause: undecided, Source: target.Position{File: file, Line: 1}},
		}}
	}
	passing := func(r observation.Round, file string) observation.Round {
		r.PassedOver = []observation.PassedOver{{Position: target.Position{File: file, Line: 9}, Object: "Kustomization a"}}
		return r
	}
	twice := declaring(shop, "")
	twice.Manifests = append(twice.Manifests, declaring(shop, "which ports it has").Manifests...)
	for name, c := range map[string]struct {
		round observation.Round
		want  evidence
	}{
		"declared":                                 {declaring(shop, ""), clean},
		"declared, and another is passed over":     {passing(declaring(shop, ""), file), clean},
		"undecided":                                {declaring(shop, "which class it has"), unknown},
		"one of its ports undecided":               {twice, unknown},
		"gone from its file":                       {declaring("Service store/other", ""), clean},
		"gone, and something else is passed over":  {passing(declaring("Service store/other", ""), file), unknown},
		"gone, and another file has such a thing":  {passing(declaring("Service store/other", ""), "k8s/other.yaml"), clean},
		"its file declares nothing, and has a net": {passing(observation.Round{ListenersRead: true}, file), unknown},
	} {
		p := Part{Code: finding.DriftManifest, RestsOn: []finding.Fact{{Kind: finding.FactManifest, Resource: file, Object: shop}}}
		if got := Cover(c.round, nil, false, true).of("production", p); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

// Each of these facts is not observed for another reason than that its endpoint or listener was not reached.
func TestFactsThatArePartlyKnown(t *testing.T) {
	for name, c := range map[string]struct {
		fact finding.Fact
		hide func(*Coverage)
	}{
		"some addresses": {
			finding.Fact{Kind: finding.FactAddresses, Endpoint: "production/api"},
			func(c *Coverage) { c.some = map[string]bool{"production/api": true} },
		},
		"a manifest, in a narrowed round": {
			finding.Fact{Kind: finding.FactManifest, Resource: "k8s/api.yaml"},
			func(c *Coverage) { c.Full = false },
		},
		"a manifest with an error": {
			finding.Fact{Kind: finding.FactManifest, Resource: "k8s/api.yaml"},
			func(c *Coverage) { c.faulty = []string{"k8s/api.yaml"} },
		},
		"a call, in a narrowed round": {
			finding.Fact{Kind: finding.FactCall, Resource: "//acm:GetCertificate"},
			func(c *Coverage) { c.Full = false },
		},
		"a message, where none was sent": {
			finding.Fact{Kind: finding.FactCall, Resource: "//sns:Publish"},
			func(c *Coverage) { c.Taken = map[string]bool{"alerts:a": false} },
		},
	} {
		p := Part{Code: finding.ObserveIncomplete, RestsOn: []finding.Fact{c.fact}}
		known := full([]string{"api"})
		known.Taken = map[string]bool{"alerts:a": true}
		hidden := full([]string{"api"})
		if c.hide(&hidden); !known.observed("production", p) || hidden.observed("production", p) {
			t.Errorf("%s: observed %v, hidden %v", name, known.observed("production", p), hidden.observed("production", p))
		}
	}
}
