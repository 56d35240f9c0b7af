package incident

import (
	"maps"
	"slices"
	"strings"

	"certdrift/internal/observation"
)

// preventsCall reports whether an error says, or may be the reason, that a call (ACCOUNT/REGION/OPERATION) was not answered:
// AWS is walked from accounts to load balancers, their listeners and the certificates on them, and where one step fails, the
// next ones are not tried.
func preventsCall(e observation.ObserveError, call string) bool {
	account, rest, _ := strings.Cut(call, "/")
	region, operation, _ := strings.Cut(rest, "/")
	switch {
	case e.Endpoint != "":
		return false
	case e.Operation == observation.Credentials:
		return true
	case e.Region != "" && region != "" && e.Region != region, e.Account != "" && account != "" && e.Account != account:
		return false
	case e.Operation == operation:
		return true
	}
	before, of := step(e.Operation), step(operation)
	if before == 0 || of == 0 { // not a step of the walk
		service, _, _ := strings.Cut(e.Operation, ":")
		return strings.HasPrefix(operation, service+":")
	}
	return before < of
}

// step is how far down in the walk a call is; 0 for one that is not part of it.
func step(operation string) int {
	service, name, _ := strings.Cut(operation, ":")
	switch service {
	case "sts":
		return 1
	case "elasticloadbalancing":
		switch name {
		case "DescribeLoadBalancers":
			return 2
		case "DescribeTags":
			return 3
		case "DescribeListeners":
			return 4
		}
		return 5
	case "acm", "iam":
		return 6
	}
	return 0
}

// tried reports whether the round made a call (ACCOUNT/REGION/OPERATION), as far as not every round does: who gets alerts and
// certdrift's own stack are not read by every function, nor in rounds that follow an event, and only some rounds send anything.
func (c Coverage) tried(call string) bool {
	operation := call[strings.LastIndex(call, "/")+1:]
	switch {
	case operation == "sns:Publish":
		return slices.Contains(slices.Collect(maps.Values(c.Taken)), true)
	case !readsPath(operation):
		return true
	case slices.Contains(stackOperations, operation):
		return c.triedStack
	}
	return c.triedTopics
}
