package judge

import (
	"bytes"
	"crypto/x509"
	"fmt"
	"slices"

	"certdrift/internal/chain"
	"certdrift/internal/target"
)

// build walks the connection's chain towards the endpoint's trust store. It gives nil
// where there is no store to judge by: the leaf is judged all the same, and the conclusion is incomplete.
func (j *judgment) build(in Input, trust target.Trust, c *connection) *chain.Result {
	if !bytes.Equal(c.certs[0].Raw, c.TLS.Chain[0]) {
		c.certs = nil // the leaf itself cannot be parsed: what follows it says nothing about the server
		return nil
	}
	q := chain.Query{Served: c.certs, At: j.Now}
	for _, issuer := range c.TLS.Issuers {
		if cert := j.Parse(issuer.DER); cert != nil {
			q.Fetched = append(q.Fetched, cert)
		}
	}
	roots := j.roots(in, trust.Roots)
	result := chain.Build(roots.With(trust.CAs), q)
	c.certs = result.Served // problems are about these very certificates
	if roots.missing && result.Verdict != chain.Trusted {
		return nil
	}
	return result
}

// roots is a trust store.
type roots struct {
	*chain.Store
	missing bool // it is not available, and empty in its place
}

// roots returns a trust store by name, loaded once.
func (j *judgment) roots(in Input, name target.Roots) roots {
	store, ok := j.stores[name]
	if !ok {
		store.Store = in.Roots(name)
		if store.missing = store.Store == nil; store.missing {
			j.failures = append(j.failures, fmt.Errorf("the trust store %q cannot be read", string(name)))
		}
		store.Store = store.Cached() // many addresses and endpoints serve one chain
		j.stores[name] = store
	}
	return store
}

// leaf is the server's own certificate; nil where none was seen.
func (c *connection) leaf() *x509.Certificate {
	if len(c.certs) == 0 {
		return nil
	}
	return c.certs[0]
}

// faults gives the faults of some kinds: the leaf's own, and those of its issuers where no valid path goes round them.
func (c *connection) faults(kinds ...chain.Kind) []chain.Problem {
	leaf := c.leaf()
	if leaf == nil {
		return nil
	}
	var all []chain.Problem
	if c.built == nil {
		all = chain.LeafFaults(leaf, c.judgment.Now)
	} else {
		all = slices.Clone(c.built.Leaf)
		if len(c.built.Valid) == 0 {
			all = append(all, c.built.Path.Problems...)
		}
	}
	return slices.DeleteFunc(all, func(f chain.Problem) bool { return !slices.Contains(kinds, f.Kind) })
}

// disputed are the issuers' faults of some kinds that some clients alone see, where no valid path goes round them.
func (c *connection) disputed(kinds ...chain.Kind) []chain.Problem {
	if c.built == nil {
		return nil
	}
	return c.built.Disputed(kinds...)
}

// verdict is where the chain leads; empty where there is none, or nothing to judge it by.
func (c *connection) verdict() chain.Verdict {
	switch {
	case c.built == nil,
		c.garbled && (c.built.Verdict == chain.Incomplete || c.built.Verdict == chain.Untrusted):
		return ""
	}
	return c.built.Verdict
}
