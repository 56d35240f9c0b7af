// Package awserr classifies what AWS answers instead of an answer: refused, throttled, not there, or none in time.
// Every adapter reports by it, so that the same failure has the same name whichever service it came from.
package awserr

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/smithy-go"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
)

// detailLimit is how many characters of an error's text an ObserveError keeps.
const detailLimit = 400

// statused is met by the SDK's response errors.
type statused interface{ HTTPStatusCode() int }

// Kind classifies an error. Denial is known by its code and, since some services and emulators send
// no code that the SDK knows, by the HTTP status too.
func Kind(err error) observation.ObserveErrorKind {
	code := Code(err)
	if _, ok := retry.DefaultThrottleErrorCodes[code]; ok {
		return observation.Throttled
	}
	switch code {
	case "DependencyThrottle", "TooManyRequests", "RequestThrottledException", "ThrottledClientException", "KMSThrottling", "KMSThrottlingException":
		return observation.Throttled
	case "AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "UnauthorizedException", "AuthorizationError",
		"NotAuthorized", "OptInRequired", "KMSAccessDenied", "KMSAccessDeniedException":
		return observation.Denied
	}
	if observation.CredentialsRejected(code) {
		return observation.Denied
	}
	switch status(err) {
	case http.StatusForbidden, http.StatusUnauthorized:
		return observation.Denied
	case http.StatusTooManyRequests:
		return observation.Throttled
	}
	switch {
	case noCredentials(err):
		return observation.Denied
	case heldBack(err):
		return observation.Throttled
	}
	return observation.Incomplete
}

// Missing reports whether AWS was asked and said that the thing does not exist. That is an answer, not a problem.
func Missing(err error) bool {
	switch Code(err) {
	case "LoadBalancerNotFound", "AccessPointNotFound", "ListenerNotFound", "RuleNotFound", "CertificateNotFound",
		"PolicyNotFound", "ResourceNotFoundException", "ResourceNotFound", "NoSuchEntity", "NoSuchEntityException",
		"ParameterNotFound", "NoSuchKey", "NotFound":
		return true
	}
	return false
}

// Code is the service's own error code; empty where the service never answered.
func Code(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return ""
}

// Text is what a person needs of an error: the code and message of the service, without request ids, which differ each
// time and would make one problem look like many.
func Text(err error) string {
	var api smithy.APIError
	switch {
	case errors.As(err, &api) && !noCredentials(err):
		text := api.ErrorCode()
		if message := api.ErrorMessage(); message != "" && message != text {
			text += ": " + message
		}
		return finding.Clean(text, detailLimit)
	case heldBack(err):
		return "throttled until the round ran out of time"
	case noCredentials(err):
		return "no working AWS credentials: " + withoutCredentials(err)
	case errors.Is(err, context.DeadlineExceeded):
		return "the round ran out of time"
	case errors.Is(err, context.Canceled):
		return "the round was stopped"
	}
	return finding.Clean(innermost(err).Error(), detailLimit)
}

// Of returns the ObserveError for an error at an operation, which is named as IAM names it.
// Without credentials every call fails alike, whichever it is, so the credentials are named instead.
func Of(err error, operation, region, account, resource string) observation.ObserveError {
	if noCredentials(err) {
		operation, region, account, resource = observation.Credentials, "", "", ""
	}
	return observation.ObserveError{
		Kind: Kind(err), Operation: operation, Region: region, Account: account, Resource: resource, Detail: Text(err),
	}
}

func status(err error) int {
	var s statused
	if errors.As(err, &s) {
		return s.HTTPStatusCode()
	}
	return 0
}

// noCredentials goes by text: the SDK wraps what its credential providers said in untyped errors. A service that answered is the one that
// was asked, or the one that a role is assumed with; single sign-on (SSO, SSO OIDC) gives out credentials alone.
func noCredentials(err error) bool {
	if err == nil {
		return false
	}
	text := err.Error()
	if Code(err) != "" && !strings.Contains(text, "operation error SSO") {
		return false
	}
	return strings.Contains(text, "get credentials") || strings.Contains(text, "retrieve credentials") ||
		strings.Contains(text, "refresh cached credentials")
}

// heldBack reports whether the time ran out while the SDK's adaptive mode waited with its next attempt, which it does after
// a throttled one only. It goes by text: the SDK wraps nothing but the context's end.
func heldBack(err error) bool {
	return err != nil && Code(err) == "" && strings.Contains(err.Error(), "wait for token to be available")
}

// withoutCredentials says what the SDK looked for in vain. It goes by text, as noCredentials does: the innermost error alone ("no such
// file or directory") says nothing to a person.
func withoutCredentials(err error) string {
	said := finding.Clean(innermost(err).Error(), detailLimit)
	for _, source := range []struct{ marks, meaning string }{
		{"SSO", "the single sign-on session has expired, or there is none"},
		{"process provider", "the profile's credential_process failed: " + said},
		{"IMDS", "none in the environment or in a profile, and this machine has no role that provides them"},
	} {
		if strings.Contains(err.Error(), source.marks) {
			return source.meaning
		}
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return "the credential provider did not respond in time"
	}
	return said
}

func innermost(err error) error {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err
		}
		err = inner
	}
}

// Error is a failure with the kind of ObserveError that it stands for, and a text of no more than a person needs.
type Error struct {
	// Doing is what failed, as a gerund with its subject: `reading the table "x"`.
	Doing string
	Err   error
}

// Error implements error.
func (e *Error) Error() string { return e.Doing + ": " + Text(e.Err) }

// Unwrap gives the SDK's own error.
func (e *Error) Unwrap() error { return e.Err }

// Reason is what AWS said, without what failed by it.
func (e *Error) Reason() string { return Text(e.Err) }

// WithoutCredentials reports whether the reason is that certdrift has no credentials that work.
func (e *Error) WithoutCredentials() bool {
	return noCredentials(e.Err) || observation.CredentialsRejected(Text(e.Err))
}

// ObserveErrorKind returns the kind under which the failure is reported.
func (e *Error) ObserveErrorKind() observation.ObserveErrorKind { return Kind(e.Err) }
