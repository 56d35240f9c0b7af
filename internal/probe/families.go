package probe

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"time"

	"certdrift/internal/observation"
)

// reply is a resolver's answer to one question.
type reply struct {
	addrs []netip.Addr
	err   error
}

func (r *reply) found() bool { return r != nil && len(r.addrs) > 0 }

// unknown returns why a family's addresses are not known; nil if the answer is that there are none.
func (r *reply) unknown() *observation.Failure {
	if r == nil {
		return fail(observation.PhaseDNS, errPhase)
	}
	if notThere, ok := errors.AsType[*net.DNSError](r.err); r.err == nil || ok && notThere.IsNotFound {
		return nil
	}
	var without *net.AddrError // the resolver found addresses, none of them of this family
	if errors.As(r.err, &without) {
		return nil
	}
	return fail(observation.PhaseDNS, r.err)
}

// ask asks a question in the background: "ip" for both families, "ip4", "ip6".
func (p *Prober) ask(ctx context.Context, network, host string) <-chan *reply {
	answer := make(chan *reply, 1)
	go func() {
		addrs, err := p.resolver.LookupNetIP(ctx, network, host)
		answer <- &reply{addrs, err}
	}()
	return answer
}

// lookUp returns the addresses of a name, and why those of one family are not known where those of the other are. One question for both
// families is asked first, since a resolver's search list means one name for both. It gets no answer while one family has none,
// which broken name servers and firewalls cause for AAAA: then each family is asked for by itself, and what came is used.
func (p *Prober) lookUp(ctx context.Context, host string) (addrs []netip.Addr, partial *observation.Failure, err error) {
	both := p.ask(ctx, "ip", host)
	apart := time.NewTimer(familiesApart)
	defer apart.Stop()
	select {
	case r := <-both:
		return p.wholeAnswer(ctx, host, r)
	case <-ctx.Done():
		return nil, nil, ctx.Err()
	case <-apart.C:
	}
	var seen, four, six *reply
	ask4, ask6 := p.ask(ctx, "ip4", host), p.ask(ctx, "ip6", host)
	var grace <-chan time.Time
	for over := false; !over; {
		select {
		case seen = <-both:
			if seen.found() {
				return p.wholeAnswer(ctx, host, seen)
			}
		case four = <-ask4:
		case six = <-ask6:
		case <-grace:
			over = true
		case <-ctx.Done():
			over = true
		}
		if grace == nil && (four.found() || six.found()) {
			grace = time.After(familyGrace)
		}
		over = over || four != nil && six != nil && (four.found() || six.found() || seen != nil)
	}
	switch {
	case four.found() && six.found():
		return slices.Concat(four.addrs, six.addrs), nil, nil
	case four.found():
		return four.addrs, six.unknown(), nil
	case six.found():
		return six.addrs, four.unknown(), nil
	case seen != nil:
		return p.wholeAnswer(ctx, host, seen)
	}
	return nil, nil, ctx.Err()
}

// wholeAnswer reads an answer for both families. A resolver returns what it has of two answers, and keeps to itself that one failed: if
// all addresses are of one family, the other is asked for by itself.
func (p *Prober) wholeAnswer(ctx context.Context, host string, r *reply) ([]netip.Addr, *observation.Failure, error) {
	if r.err == nil && len(r.addrs) == 0 {
		r.err = &net.DNSError{Err: "no addresses", Name: host, IsNotFound: true}
	}
	if r.err != nil {
		return nil, nil, r.err
	}
	is4 := func(a netip.Addr) bool { return a.Unmap().Is4() }
	network := "ip6"
	switch {
	case !slices.ContainsFunc(r.addrs, is4):
		network = "ip4"
	case slices.ContainsFunc(r.addrs, func(a netip.Addr) bool { return !is4(a) }):
		return r.addrs, nil, nil
	}
	var other *reply
	grace := time.NewTimer(familyGrace)
	defer grace.Stop()
	select {
	case other = <-p.ask(ctx, network, host):
	case <-grace.C:
	case <-ctx.Done():
	}
	return r.addrs, other.unknown(), nil
}
