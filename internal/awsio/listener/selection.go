package listener

import (
	"slices"
	"strings"

	"certdrift/internal/arn"
	"certdrift/internal/target"
)

// askedByName is how many load balancers are asked for one by one. AWS refuses a list of names as a whole when one of
// them is missing, so that a name takes a call of its own; where there are more, one listing of all is cheaper.
const askedByName = 3

// selection is which load balancers of a region are wanted.
type selection struct {
	// all: the configuration walks the region; tags are what it asks of a load balancer there.
	all  bool
	tags map[string]string
	// named are those that endpoints name: they are wanted whatever their tags.
	named map[string]bool
	// only narrows to these names, where narrowed.
	only     map[string]bool
	narrowed bool
}

// newSelection is what is wanted of one region of one account. What an event names counts there only where its ARN
// says that very region and account: an event is a hint and leads nowhere that the configuration does not.
func newSelection(wanted target.Wanted, scopeRegions []string, region, account string) selection {
	s := selection{
		all: wanted.Scope.Walk && slices.Contains(scopeRegions, region), tags: wanted.Scope.Tags,
		named: map[string]bool{}, only: map[string]bool{}, narrowed: len(wanted.Only) > 0,
	}
	for _, ref := range wanted.LoadBalancers {
		if ref.Region == region || ref.Region == "" && slices.Contains(scopeRegions, region) {
			s.named[ref.Name] = true
		}
	}
	for _, one := range wanted.Only {
		name := one
		if strings.HasPrefix(one, "arn:") {
			p, ok := arn.Split(one)
			if name = p.LoadBalancer(); !ok || p.Region != region || p.Account != account {
				continue
			}
		}
		if name != "" && (s.all || s.named[name]) {
			s.only[name] = true
		}
	}
	return s
}

// names returns the load balancers to read; all reports that every one may be wanted.
func (s selection) names() (names []string, all bool) {
	switch {
	case s.narrowed:
		names = sorted(s.only)
	case s.all:
		return nil, true
	default:
		names = sorted(s.named)
	}
	return names, false
}

// any reports whether anything is wanted at all.
func (s selection) any() bool {
	names, all := s.names()
	return all || len(names) > 0
}

// byName goes before tags are known.
func (s selection) byName(name string) bool {
	if s.narrowed {
		return s.only[name]
	}
	return s.all || s.named[name]
}

// byTags goes once they are.
func (s selection) byTags(name string, tags map[string]string) bool {
	if s.named[name] {
		return true
	}
	for key, value := range s.tags {
		if have, ok := tags[key]; !ok || have != value {
			return false
		}
	}
	return true
}

func sorted(set map[string]bool) []string {
	var out []string
	for name := range set {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}
