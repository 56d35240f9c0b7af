package judge

import (
	"certdrift/internal/chain"
	"certdrift/internal/target"
)

// build walks the connection's chain towards the endpoint's trust store.
func (w *world) build(in Input, trust target.Trust, c *connection) *chain.Result {
	store, ok := w.stores[trust.Roots]
	if !ok {
		store = in.Roots(trust.Roots)
		w.stores[trust.Roots] = store
	}
	return chain.Build(store, c.certs, w.now)
}
