package judge

import (
	"bytes"
	"crypto/x509"
	"fmt"
	"slices"

	"certdrift/internal/chain"
	"certdrift/internal/clients"
	"certdrift/internal/finding"
)

// refused adds to a finding what clients make of its problem.
func refused(p clients.Problem, f finding.Finding) finding.Finding {
	f.Clients = clients.Of(p)
	return f
}

// sayClients adds to each summary which clients refuse the server.
func sayClients(fs []finding.Finding) {
	for i, f := range fs {
		say := clients.Text
		if f.Subject.KeyType != "" {
			say = clients.TextIfServed
		}
		if text := say(f.Clients); text != "" {
			fs[i].Summary += ". " + text
		}
	}
}

// partlyTrusted is the warning for a chain to a public root that the stores of some clients lack.
func (c *connection) partlyTrusted() []finding.Finding {
	if c.verdict() != chain.Trusted || len(c.built.Valid) == 0 || !c.built.Public() {
		return nil
	}
	by := c.storesThatAccept()
	if len(by.RefusedBy) == 0 || len(by.AcceptedBy) == 0 { // a root that no store has is none of those that are known
		return nil
	}
	root := c.built.Path.Anchor.Certificate
	f := c.aboutCert(finding.CertUntrusted, finding.Warning, root,
		fmt.Sprintf("the root %s is not in the trust stores of some clients", certName(root)), c.pathEvidence(c.certEvidence(root)),
		c.chainRemedy("If these clients matter, ask the CA for a chain with a cross-sign to an older root and send that, or have the certificate issued under a root that they trust."))
	f.Clients = by
	return []finding.Finding{f}
}

// untrustedBy returns who refuses a chain that leads to no root of the trust store: some clients may have the root.
func (c *connection) untrustedBy() finding.Clients {
	if by := c.storesThatAccept(); c.built.Lookalike == nil && len(by.AcceptedBy)+len(by.NotKnown) > 0 {
		return by
	}
	return clients.Of(clients.Untrusted)
}

// storesThatAccept returns the stores that the chain leads to, and those that it doesn't. Each is dated: what its vendor changed since is
// not known.
func (c *connection) storesThatAccept() finding.Clients {
	if c.judgment.clientStores == nil {
		c.judgment.clientStores = clients.Stores()
	}
	var by finding.Clients
	for _, s := range c.judgment.clientStores {
		switch c.membership(s) {
		case clients.Held:
			by.AcceptedBy = append(by.AcceptedBy, s.String())
		case clients.InDoubt:
			by.NotKnown = append(by.NotKnown, s.String())
		default:
			by.RefusedBy = append(by.RefusedBy, s.String())
		}
	}
	return by
}

// membership returns whether a store holds a root that the chain leads to. Whether the chain leads to a root that the store has and
// nobody sent is in doubt: the name fits, and there is no key to check the signature with.
func (c *connection) membership(s clients.Store) clients.Membership {
	paths := c.built.Valid
	if len(paths) == 0 {
		paths = []chain.Path{c.built.Path}
	}
	best := clients.NotHeld
	var on []*x509.Certificate
	for _, p := range paths {
		on = append(on, p.Certificates...)
		for _, cert := range p.Certificates[1:] {
			best = max(best, s.Holds(cert))
		}
		if p.Anchor == nil && s.Names(p.Tip().RawIssuer) {
			best = max(best, clients.InDoubt)
		}
	}
	for _, cross := range c.certs {
		equivalent := func(cert *x509.Certificate) bool {
			return bytes.Equal(cert.RawSubject, cross.RawSubject) && bytes.Equal(cert.RawSubjectPublicKeyInfo, cross.RawSubjectPublicKeyInfo)
		}
		if !slices.ContainsFunc(on, cross.Equal) && slices.ContainsFunc(on, equivalent) && s.Names(cross.RawIssuer) {
			best = max(best, clients.InDoubt)
		}
	}
	return best
}
