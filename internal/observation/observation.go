// Package observation defines what a round observed: the endpoints probed and the listeners read. Its types are plain values
// that round-trip through JSON, so that any verdict can be replayed from a saved file. A broken endpoint is data here, never
// a Go error.
package observation

import (
	"cmp"
	"slices"
	"time"

	"certdrift/internal/target"
)

// Schema identifies the format of a saved round.
const Schema = "certdrift.observations/1"

// Round is everything that one round observed.
type Round struct {
	Schema   string    `json:"schema"`
	Started  time.Time `json:"started"`
	Finished time.Time `json:"finished"`
	// Endpoints are the requested ones, in the configuration's order, whether the round reached them or not.
	Endpoints []Endpoint `json:"endpoints"`
	// EndpointsOnly reports whether the round was not meant to read AWS, because another round does. What is declared is then
	// not compared, and the round is complete nevertheless.
	EndpointsOnly bool `json:"endpoints_only,omitempty"`
	// ListenersRead reports whether this round read any load balancers from AWS.
	ListenersRead bool `json:"listeners_read"`
	// Unlisted reports whether the configuration requests only the load balancers of its endpoints and manifests. Others that
	// were read along with them are out of scope.
	Unlisted      bool           `json:"unlisted,omitempty"`
	LoadBalancers []LoadBalancer `json:"load_balancers,omitempty"`
	Certificates  []Certificate  `json:"certificates,omitempty"`
	// CertificateFiles are the certificates of ARNs according to the configuration's own files; what AWS reports takes precedence.
	CertificateFiles []Certificate `json:"certificate_files,omitempty"`
	// Only, if not empty, lists the only load balancers (names or ARNs) that were read: the absence of others proves
	// nothing.
	Only []string `json:"only,omitempty"`
	// Planned reports whether Manifests are about to be applied: a difference from what is attached is then the purpose of the
	// deploy, and not a problem unless it breaks something.
	Planned bool `json:"planned,omitempty"`
	// WholeGroups reports whether Manifests have all members of every Ingress group that they have one of. Manifests do not show
	// that: somebody has to say it.
	WholeGroups bool `json:"whole_groups,omitempty"`
	// Manifests are the certificates that Kubernetes manifests and Terraform files declare.
	Manifests []Declaration `json:"manifests,omitempty"`
	// PassedOver are the objects beside them that were not understood, and may declare certificates too.
	PassedOver []PassedOver `json:"passed_over,omitempty"`
	// Changes are the changes that CloudTrail reported, newest last.
	Changes []Change `json:"changes,omitempty"`
	// HistoryUnread says why CloudTrail could not be queried, at least for some, for who made the changes that led to drift;
	// empty where it could, or where there was nothing to query.
	HistoryUnread string `json:"history_unread,omitempty"`
	// Diagnostics are the errors in the configuration and the manifests.
	Diagnostics []Diagnostic `json:"faults,omitempty"`
	// ObserveErrors are what prevented some checks of the round.
	ObserveErrors []ObserveError `json:"troubles,omitempty"`
	// AlertPath is who receives alerts; nil where the round did not check.
	AlertPath *AlertPath `json:"alert_path,omitempty"`
}

// Diagnostic is an error in the configuration or a manifest, with its position.
type Diagnostic struct {
	target.Position
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
	// Environment and Endpoint name the endpoint that is skipped because of it; empty where the error does not concern one
	// endpoint.
	Environment string `json:"environment,omitempty"`
	Endpoint    string `json:"endpoint,omitempty"`
}

// SortDiagnostics sorts errors into the order of the files, as people fix them and as every output lists them.
func SortDiagnostics(faults []Diagnostic) {
	slices.SortStableFunc(faults, func(a, b Diagnostic) int {
		return cmp.Or(
			cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column),
			cmp.Compare(a.Message, b.Message), cmp.Compare(a.Environment, b.Environment),
		)
	})
}

// ObserveErrorKind is why something could not be observed.
type ObserveErrorKind string

// Credentials is the Operation of an ObserveError that reports missing credentials: every call fails for the same reason.
const Credentials = "credentials"

// The kinds of observe errors, each with its finding code: observe-denied, observe-throttled, observe-incomplete.
const (
	Denied     ObserveErrorKind = "denied"
	Throttled  ObserveErrorKind = "throttled"
	Incomplete ObserveErrorKind = "incomplete"
)

// ObserveError is one thing that certdrift could not observe or do.
type ObserveError struct {
	Kind ObserveErrorKind `json:"kind"`
	// Operation is what was attempted, as IAM names it ("elasticloadbalancing:DescribeLoadBalancers"), or a stage of
	// certdrift's own ("round", "judge").
	Operation string `json:"operation"`
	Region    string `json:"region,omitempty"`
	Account   string `json:"account,omitempty"`
	// Resource is the affected ARN or name; empty where the whole region is affected.
	Resource string `json:"resource,omitempty"`
	// Environment and Endpoint are set where the probe of one endpoint is missing.
	Environment string `json:"environment,omitempty"`
	Endpoint    string `json:"endpoint,omitempty"`
	Detail      string `json:"detail"`
}
