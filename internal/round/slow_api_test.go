package round_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
	"certdrift/internal/round"
	"certdrift/internal/sim/account"
)

var kinds = []observation.LoadBalancerKind{observation.Classic, observation.Application, observation.Network}

// behind reports whether a scenario's load balancer is asked for by one of the two APIs.
func behind(api string) func(scenario) bool {
	modern := map[string]bool{
		"listener-missing": true, "listener-cert-expired_alb": true, "listener-cert-expiring": true, "listener-name-uncovered": true,
		"listener-policy-old_alb": true, "listener-plaintext": true, "acm-renewal-failing": true, "acm-renewal-ineligible": true, "cert-revoked_acm": true,
		"drift-attached_alb": true, "drift-attached_nlb": true, "drift-attached_issuer": true, "drift-attached_cname": true, "drift-served_sni": true,
	}
	return func(s scenario) bool {
		switch {
		case s.code == finding.DriftDeclared: // it names no load balancer
			return false
		case s.code == finding.ListenerMissing: // either could have it
			return true
		}
		return modern[s.environment()] == (api == "modern")
	}
}

// TestASlowAPIHidesNothingElse: from the first round on one API of AWS does not answer. Whatever does not rest on it is found all
// the same: each has its own share of the round's time, and slots of its own.
func TestASlowAPIHidesNothingElse(t *testing.T) {
	operations := map[string]func(s scenario) bool{
		"elb:*":   behind("classic"),
		"elbv2:*": behind("modern"),
		// What is attached is compared by its ARN; what is declared by a fingerprint is not, nor what is served.
		"acm:*": func(s scenario) bool {
			return s.name != "iam" && (strings.HasPrefix(string(s.code), "listener-cert") || strings.HasPrefix(string(s.code), "acm-") ||
				s.code == finding.CertRevoked || s.code == finding.ListenerNameUncovered || s.code == finding.DriftServed || s.code == finding.DriftDeclared ||
				s.name == "fingerprint" || s.name == "issuer" || s.name == "cname" || s.code == finding.DriftManifest)
		},
		"acm:DescribeCertificate": func(s scenario) bool {
			return strings.HasPrefix(string(s.code), "acm-") || s.code == finding.CertRevoked
		},
		"iam:*": func(s scenario) bool { return s.name == "iam" },
		"sns:*": func(scenario) bool { return false },
	}
	for i, operation := range slices.Sorted(maps.Keys(operations)) {
		if i%round.Raced > 0 {
			continue
		}
		hides := operations[operation]
		t.Run(operation, func(t *testing.T) {
			scenarios := slices.DeleteFunc(slices.Concat(attached(), drifting()), func(s scenario) bool { return hides(s) })
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				for _, s := range scenarios {
					s.build(w, s.environment())
				}
				// Enough load balancers of each kind to take every slot there is.
				for i := range 40 {
					s := w.site("crowd", strings.Repeat("x", i+1))
					s.balancer(kinds[i%len(kinds)], w.acm(s.good))
				}
				w.account.Inject(account.Failure{Operation: operation, Delay: time.Hour})
				w.round()
				for _, s := range scenarios {
					if !w.shows(s.environment(), s.code) {
						t.Errorf("%s is hidden; found %v", s.environment(), w.foundIn(s.environment()))
					}
				}
				if w.last.Conclusion.Complete && !strings.HasPrefix(operation, "sns") && !strings.HasPrefix(operation, "iam") { // nothing asks IAM here
					t.Error("the round says nothing of what it could not see")
				}
			})
		})
	}
}
