package incident

import (
	"testing"

	"certdrift/internal/certtest"
	"certdrift/internal/finding"
	"certdrift/internal/observation"
	"certdrift/internal/sim/pki"
)

// TestOtherCertificates: what is wrong with a server's other certificate is over only where it is known again what clients of its type of
// key get, whichever handshake shows that.
func TestOtherCertificates(t *testing.T) {
	root := certtest.Must(t)(pki.Root("root", start))
	ec := certtest.Must(t)(root.Leaf(start, []string{"api.example.org"}))
	rsa := certtest.Must(t)(root.LeafWithKey(start, []string{"api.example.org"}, certtest.RSAKey(t, 2048)))
	served := func(address string, first *pki.Pair, other *observation.OtherCertificate) observation.Address {
		return observation.Address{Address: address, TLS: &observation.TLS{Chain: first.Served()}, Other: other}
	}
	cover := func(addresses ...observation.Address) Coverage {
		e := endpoint("api", nil)
		e.Addresses = addresses
		return Cover(observation.Round{Endpoints: []observation.Endpoint{e}}, []string{"production/api"}, false, false)
	}
	of := func(key observation.KeyType, p *pki.Pair) *observation.OtherCertificate {
		return &observation.OtherCertificate{KeyType: key, TLS: &observation.TLS{Chain: p.Served()}}
	}
	absent := &observation.OtherCertificate{KeyType: observation.ECDSA, Absent: true}
	unknown := &observation.OtherCertificate{KeyType: observation.ECDSA, Failure: failed(observation.PhaseTLS)}
	const a, b = "192.0.2.1:443", "192.0.2.2:443"
	bad := func(address string) finding.Finding {
		f := found(finding.CertExpired, finding.Critical, "api", "certificate:aa")
		f.Address, f.Subject.KeyType, f.Subject.Other = address, "ECDSA", true
		f.RestsOn = []finding.Fact{{Kind: finding.FactOther, Endpoint: "production/api", Resource: address, Object: "ECDSA"}}
		return f
	}
	proven := func(p *observation.OtherCertificate) *observation.OtherCertificate {
		p.KeyProven = true
		return p
	}
	unproven := func(p *observation.OtherCertificate) *observation.OtherCertificate {
		p.Failure = failed(observation.PhaseTLS)
		return p
	}
	badKey := func(address string) finding.Finding {
		f := found(finding.TLSHandshake, finding.Critical, "api", "endpoint")
		f.Address, f.Subject.KeyType, f.Subject.Other = address, "ECDSA", true
		f.RestsOn = []finding.Fact{{Kind: finding.FactOther, Endpoint: "production/api", Resource: address, Object: finding.OtherObject(finding.TLSHandshake, "ECDSA")}}
		return f
	}
	firstUnproven := func(address string) observation.Address {
		a := served(address, ec, nil)
		a.Failure = failed(observation.PhaseTLS)
		return a
	}
	crowdedKey := badKey("")
	for i := range maxFacts {
		crowdedKey.RestsOn = append(crowdedKey.RestsOn, finding.Fact{Kind: finding.FactOther, Endpoint: "production/api", Resource: string(rune('a' + i)), Object: "ECDSA"})
	}
	crowded := bad("")
	for i := range maxFacts {
		crowded.RestsOn = append(crowded.RestsOn, finding.Fact{Kind: finding.FactOther, Endpoint: "production/api", Resource: string(rune('a' + i)), Object: "ECDSA"})
	}
	both := []observation.Address{served(a, rsa, of("ECDSA", ec)), served(b, rsa, of("ECDSA", ec))}
	for name, c := range map[string]struct {
		finding finding.Finding
		then    []observation.Address
		over    bool
	}{
		"seen again":                                   {bad(""), both, true},
		"not asked":                                    {bad(""), []observation.Address{served(a, rsa, nil), served(b, rsa, nil)}, false},
		"not answered":                                 {bad(""), []observation.Address{served(a, rsa, unknown), served(b, rsa, unknown)}, false},
		"answered at one address":                      {bad(""), []observation.Address{served(a, rsa, of("ECDSA", ec)), served(b, rsa, unknown)}, false},
		"known to be gone":                             {bad(""), []observation.Address{served(a, rsa, absent), served(b, rsa, absent)}, true},
		"what the first handshake shows now":           {bad(""), []observation.Address{served(a, ec, nil), served(b, ec, nil)}, true},
		"the other one is RSA now, and unknown":        {bad(""), []observation.Address{served(a, ec, &observation.OtherCertificate{KeyType: observation.RSA}), served(b, ec, nil)}, true},
		"at one address, answered there":               {bad(a), []observation.Address{served(a, rsa, of("ECDSA", ec)), served(b, rsa, unknown)}, true},
		"at one address, answered elsewhere":           {bad(a), []observation.Address{served(a, rsa, unknown), served(b, rsa, of("ECDSA", ec))}, false},
		"more facts than are listed":                   {crowded, both, false}, // no listener was read
		"more facts than are listed, not asked":        {crowded, []observation.Address{served(a, rsa, nil), served(b, rsa, nil)}, false},
		"of one type first, of the other second":       {bad(""), []observation.Address{served(a, rsa, of("ECDSA", ec)), served(b, ec, of("RSA", rsa))}, true},
		"its key proven":                               {badKey(""), []observation.Address{served(a, rsa, proven(of("ECDSA", ec))), served(b, rsa, proven(of("ECDSA", ec)))}, true},
		"its key proven at one address":                {badKey(""), []observation.Address{served(a, rsa, proven(of("ECDSA", ec))), served(b, rsa, of("ECDSA", ec))}, false},
		"its key not checked":                          {badKey(""), both, false},
		"its key not shown":                            {badKey(""), []observation.Address{served(a, rsa, unproven(of("ECDSA", ec))), served(b, rsa, unproven(of("ECDSA", ec)))}, false},
		"its key not asked":                            {badKey(""), []observation.Address{served(a, rsa, nil), served(b, rsa, nil)}, false},
		"its key at one address, proven there":         {badKey(a), []observation.Address{served(a, rsa, proven(of("ECDSA", ec))), served(b, rsa, of("ECDSA", ec))}, true},
		"its key at one address, proven elsewhere":     {badKey(a), []observation.Address{served(a, rsa, of("ECDSA", ec)), served(b, rsa, proven(of("ECDSA", ec)))}, false},
		"its certificate gone":                         {badKey(""), []observation.Address{served(a, rsa, absent), served(b, rsa, absent)}, true},
		"its key proven by the first handshake":        {badKey(""), []observation.Address{served(a, ec, nil), served(b, ec, nil)}, true},
		"its key not proven by the first handshake":    {badKey(""), []observation.Address{firstUnproven(a), firstUnproven(b)}, false},
		"its key, more facts than are listed":          {crowdedKey, both, false},
		"its certificate sound, its key not checked":   {bad(""), both, true},
		"its certificate sound, its key another one's": {bad(""), []observation.Address{served(a, rsa, unproven(of("ECDSA", ec))), served(b, rsa, unproven(of("ECDSA", ec)))}, true},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScript(t)
			if c.finding.Code == finding.TLSHandshake {
				s.round(cover(both...), []finding.Finding{c.finding}) // to be confirmed
			}
			s.round(cover(both...), []finding.Finding{c.finding}, Opened)
			s.round(cover(c.then...), nil)
			if c.over {
				s.round(cover(c.then...), nil, Recovered)
				return
			}
			for range 4 {
				s.round(cover(c.then...), nil)
			}
		})
	}
}

// TestOtherCertificatesAreParts: a certificate that is bad like the first one of the pair is a part of its own, which is not over with the
// first one.
func TestOtherCertificatesAreParts(t *testing.T) {
	root := certtest.Must(t)(pki.Root("root", start))
	rsa := certtest.Must(t)(root.LeafWithKey(start, []string{"api.example.org"}, certtest.RSAKey(t, 2048)))
	e := endpoint("api", nil)
	e.Addresses = []observation.Address{{Address: "192.0.2.1:443", TLS: &observation.TLS{Chain: rsa.Served()}}}
	notAsked := Cover(observation.Round{Endpoints: []observation.Endpoint{e}}, []string{"production/api"}, false, false)
	first := found(finding.CertExpired, finding.Critical, "api", "certificate:aa")
	first.RestsOn = []finding.Fact{{Kind: finding.FactHandshake, Endpoint: "production/api"}}
	second := first
	second.Subject.KeyType, second.Subject.Other = "ECDSA", true
	second.RestsOn = []finding.Fact{{Kind: finding.FactOther, Endpoint: "production/api", Object: "ECDSA"}}
	s := newScript(t)
	s.round(notAsked, []finding.Finding{first, second}, Opened)
	for range 4 {
		s.round(notAsked, nil)
	}
}
