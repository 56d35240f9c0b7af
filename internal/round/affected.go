package round

import (
	"context"
	"slices"
	"strings"
	"time"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
)

// asking is how long ACM may take to say who uses a certificate; the rest of the time is the round's.
const asking = 20 * time.Second

// Concern finds the load balancers of changes that name only a certificate: it asks ACM which ones use it. It returns
// Request.Only, or the reason why there is nothing to check. Neither means a whole round: IAM does not report who uses a
// certificate, ACM does not know a deleted one, and if ACM denies the request, the round reports that.
func (r *Runner) Concern(ctx context.Context, q Request) (only []string, nothing string) {
	ctx, cancel := context.WithTimeout(ctx, asking)
	defer cancel()
	if r.Inspector == nil || len(q.Changes) == 0 || slices.ContainsFunc(q.Changes, otherwise) {
		return nil, ""
	}
	nothing = "no load balancer has the certificate attached, and nobody declares it"
	for _, c := range q.Changes {
		for _, arn := range c.Certificates {
			users, known, err := r.Inspector.Users(ctx, q.Config.Scope, arn)
			switch {
			case err != nil:
				r.warn(ctx, "asking who uses a certificate failed, so everything is checked", err)
				return nil, ""
			case !known && c.Author != nil:
				return nil, "" // somebody deleted it: whatever still refers to it must be found
			case !known:
				nothing = "ACM has no certificate " + finding.Quote(arn)
			}
			users = append(users, declaredBehind(q, arn)...)
			if len(users) == 0 && slices.Contains(wanted(q).Certificates, arn) {
				return nil, "" // somebody declares it, for a load balancer that is known by its tags or by DNS
			}
			only = append(only, users...)
		}
	}
	if len(only) == 0 {
		return nil, nothing
	}
	slices.Sort(only)
	return slices.Compact(only), ""
}

// otherwise reports whether a change is not known by ACM certificates alone.
func otherwise(c observation.Change) bool {
	return c.LoadBalancer != "" || len(c.Certificates) == 0 ||
		slices.ContainsFunc(c.Certificates, func(arn string) bool { return !strings.Contains(arn, ":acm:") })
}

// declaredBehind are the load balancers of the endpoints that declare a certificate: what ACM says of its users may lag.
func declaredBehind(q Request, arn string) []string {
	var names []string
	for _, e := range q.Config.Endpoints {
		if e.LoadBalancer != nil && e.Declared != nil && e.Declared.ARN == arn {
			names = append(names, e.LoadBalancer.Name)
		}
	}
	return names
}

func (r *Runner) warn(ctx context.Context, what string, err error) {
	if r.Log != nil {
		r.Log.WarnContext(ctx, what, "error", err)
	}
}
