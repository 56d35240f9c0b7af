package judge

// join brings the three truths together: which listener each endpoint sits behind, which certificates are attached to
// it, and what is declared for both.
func (w *world) join() {
	for i := range w.round.LoadBalancers {
		lb := &w.round.LoadBalancers[i]
		for _, l := range lb.Listeners {
			w.listeners = append(w.listeners, &listener{world: w, loadBalancer: lb, Listener: l})
		}
	}
}
