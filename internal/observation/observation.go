// Package observation holds what a round saw: endpoints probed and listeners read. Its types are plain values, JSON in
// and JSON out, so that any verdict can be replayed from a saved file. A broken endpoint is data here, never a Go
// error.
package observation

import (
	"cmp"
	"slices"
	"time"

	"certdrift/internal/target"
)

// Schema names the form of a saved round.
const Schema = "certdrift.observations/1"

// Round is everything one round saw.
type Round struct {
	Schema   string    `json:"schema"`
	Started  time.Time `json:"started"`
	Finished time.Time `json:"finished"`
	// Endpoints were asked for, in the configuration's order, whether the round got to them or not.
	Endpoints []Endpoint `json:"endpoints"`
	// EndpointsOnly: the round was not meant to ask AWS, since another one does. What is declared goes uncompared then,
	// and the round is complete all the same.
	EndpointsOnly bool `json:"endpoints_only,omitempty"`
	// ListenersRead reports whether AWS was asked about load balancers at all in this round.
	ListenersRead bool `json:"listeners_read"`
	// Unlisted: the configuration does not ask for load balancers beyond those of its endpoints and manifests. Others may
	// have been read on the way to them, and are nobody's business here.
	Unlisted      bool           `json:"unlisted,omitempty"`
	LoadBalancers []LoadBalancer `json:"load_balancers,omitempty"`
	Certificates  []Certificate  `json:"certificates,omitempty"`
	// CertificateFiles are what the configuration's own files say that ARNs hold; AWS's word goes before them.
	CertificateFiles []Certificate `json:"certificate_files,omitempty"`
	// Only, where not empty, tells that just these load balancers (names or ARNs) were read: the absence of others
	// proves nothing.
	Only []string `json:"only,omitempty"`
	// Planned reports whether Manifests are about to be applied: a difference from what is attached is then what the deploy
	// is for, and no fault unless it breaks something.
	Planned bool `json:"planned,omitempty"`
	// Manifests are the certificates that Kubernetes manifests and Terraform files declare.
	Manifests []Declaration `json:"manifests,omitempty"`
	// Changes are what CloudTrail told of, newest last.
	Changes []Change `json:"changes,omitempty"`
	// HistoryUnread is why CloudTrail could not be asked, or not for all, who made the changes that led to drift; empty
	// where it could, or where there was nothing to ask.
	HistoryUnread string `json:"history_unread,omitempty"`
	// Diagnostics are what is wrong with the configuration and the manifests.
	Diagnostics []Diagnostic `json:"faults,omitempty"`
	// ObserveErrors are what kept the round from seeing all it should.
	ObserveErrors []ObserveError `json:"troubles,omitempty"`
	// AlertPath is whom alerts reach; nil where the round did not look.
	AlertPath *AlertPath `json:"alert_path,omitempty"`
}

// Diagnostic is a mistake in the configuration or a manifest, at its place.
type Diagnostic struct {
	target.Position
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
	// Environment and Endpoint name the endpoint that is left out because of it; empty where the fault is not one
	// endpoint's.
	Environment string `json:"environment,omitempty"`
	Endpoint    string `json:"endpoint,omitempty"`
}

// SortDiagnostics puts faults into the order of the files, as people mend them and as every output tells them.
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

// Credentials is the Operation of an ObserveError that stands for there being none: every call fails alike.
const Credentials = "credentials"

// The kinds of trouble, each with its finding code: observe-denied, observe-throttled, observe-incomplete.
const (
	Denied     ObserveErrorKind = "denied"
	Throttled  ObserveErrorKind = "throttled"
	Incomplete ObserveErrorKind = "incomplete"
)

// ObserveError is one thing that certdrift could not see or do.
type ObserveError struct {
	Kind ObserveErrorKind `json:"kind"`
	// Operation is what was tried, as IAM names it ("elasticloadbalancing:DescribeLoadBalancers"), or a stage of
	// certdrift's own ("round", "judge").
	Operation string `json:"operation"`
	Region    string `json:"region,omitempty"`
	Account   string `json:"account,omitempty"`
	// Resource is the ARN or name concerned; empty where the whole region is.
	Resource string `json:"resource,omitempty"`
	// Environment and Endpoint are set where one endpoint's round is what is missing.
	Environment string `json:"environment,omitempty"`
	Endpoint    string `json:"endpoint,omitempty"`
	Detail      string `json:"detail"`
}
