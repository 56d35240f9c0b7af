package judge

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/binary"
	"fmt"
	"slices"

	"certdrift/internal/chain"
	"certdrift/internal/target"
)

// built is a chain with what it leads to.
type built struct {
	certs  []*x509.Certificate
	result *chain.Result
}

// build walks the connection's chain towards the endpoint's trust store, once for each chain and store. It gives nil
// where there is no store to judge by: the leaf is judged all the same, and the conclusion is incomplete.
func (j *judgment) build(in Input, trust target.Trust, c *connection) *chain.Result {
	if !bytes.Equal(c.certs[0].Raw, c.TLS.Chain[0]) {
		c.certs = nil // the leaf itself cannot be parsed: what follows it says nothing about the server
		return nil
	}
	key := chainKey(trust, c)
	if known, ok := j.chains[key]; ok {
		c.certs = known.certs // faults are about these very certificates
		return known.result
	}
	q := chain.Query{Served: c.certs, At: j.Now}
	for _, issuer := range c.TLS.Issuers {
		if cert, err := x509.ParseCertificate(issuer.DER); err == nil {
			q.Fetched = append(q.Fetched, cert)
		}
	}
	roots := j.roots(in, trust.Roots)
	result := chain.Build(j.withCAs(roots, trust), q)
	if roots == nil && result.Verdict != chain.Trusted {
		result = nil
	}
	j.chains[key] = built{c.certs, result}
	return result
}

// chainKey tells chains apart by what building them depends on.
func chainKey(trust target.Trust, c *connection) [32]byte {
	sum := sha256.New()
	put := func(part []byte) {
		sum.Write(binary.BigEndian.AppendUint64(nil, uint64(len(part))))
		sum.Write(part)
	}
	put([]byte(trustKey(trust)))
	for _, cert := range c.certs {
		put(cert.Raw)
	}
	put([]byte("fetched"))
	for _, issuer := range c.TLS.Issuers {
		put(issuer.DER)
	}
	return [32]byte(sum.Sum(nil))
}

// trustKey tells trust stores apart, an endpoint's own CAs included.
func trustKey(trust target.Trust) target.Roots {
	if len(trust.CAs) == 0 {
		return trust.Roots
	}
	sum := sha256.New()
	for _, der := range trust.CAs {
		sum.Write(binary.BigEndian.AppendUint64(nil, uint64(len(der))))
		sum.Write(der)
	}
	return target.Roots(fmt.Sprintf("%s+%x", trust.Roots, sum.Sum(nil)))
}

// roots returns a trust store by name, loaded once; nil if it is not available.
func (j *judgment) roots(in Input, name target.Roots) *chain.Store {
	store, ok := j.stores[name]
	if !ok {
		if store = in.Roots(name); store == nil {
			j.failures = append(j.failures, fmt.Errorf("the trust store %q cannot be read", string(name)))
		}
		j.stores[name] = store
	}
	return store
}

// withCAs adds an endpoint's own anchors to a store. Endpoints that share their CA files share the store.
func (j *judgment) withCAs(roots *chain.Store, trust target.Trust) *chain.Store {
	if len(trust.CAs) == 0 {
		return roots
	}
	key := trustKey(trust)
	store, ok := j.stores[key]
	if !ok {
		var cas []*x509.Certificate
		for _, der := range trust.CAs {
			if ca, err := x509.ParseCertificate(der); err == nil {
				cas = append(cas, ca)
			}
		}
		store = roots.With(cas)
		j.stores[key] = store
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
