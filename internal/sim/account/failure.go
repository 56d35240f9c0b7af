package account

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// Failure is something that goes wrong. The first that fits a call counts.
type Failure struct {
	// Operation is SERVICE:OPERATION, the service one of elb, elbv2, acm, iam, sns, cloudwatch, cloudtrail, sts; "*" and
	// "elb:*" fit many.
	Operation string
	// Resource, where set, must occur in the call's input (a name, an ARN).
	Resource string
	// After calls that fit go through before the failure begins; Times is how many then meet it, 0 for all.
	After, Times int
	// Error is answered instead; nil lets the call go on.
	Error error
	// Delay comes first, and ends with the context.
	Delay time.Duration
	// Do runs first: something else happens at that very moment.
	Do func()
	// RepeatToken makes every page claim that there is one more, by the same token.
	RepeatToken bool
}

// Inject adds a failure.
func (w *world) Inject(f Failure) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.failures = append(w.failures, &f)
}

// Throttle refuses an operation for its rate, so many times; 0 means always.
func (w *world) Throttle(operation string, times int) {
	w.Inject(Failure{Operation: operation, Times: times, Error: apiError(http.StatusBadRequest, "Throttling", "Rate exceeded")})
}

// Deny refuses an operation as IAM does.
func (w *world) Deny(operation string) {
	service, name, _ := strings.Cut(operation, ":")
	if service == "elb" || service == "elbv2" {
		service = "elasticloadbalancing" // as IAM calls both
	}
	w.Inject(Failure{Operation: operation, Error: apiError(http.StatusForbidden, "AccessDenied",
		"User: arn:aws:sts::"+w.options.ID+":assumed-role/certdrift/certdrift is not authorized to perform: "+service+":"+name)})
}

// Down makes every call fail as an unreachable region does.
func (w *world) Down() {
	w.Inject(Failure{Operation: "*", Error: fmt.Errorf("dial tcp: connection refused by the region %q", w.options.Region)})
}

// Heal takes all failures away.
func (w *world) Heal() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.failures = nil
}

// Calls are how often each operation was called, those that failed included.
func (w *world) Calls() map[string]int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return maps.Clone(w.calls)
}

// Repeated are the calls that were made more than once with the same input, sorted.
func (w *world) Repeated() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []string
	for call, times := range w.asked {
		if times > 1 {
			out = append(out, fmt.Sprintf("%d × %s", times, call))
		}
	}
	slices.Sort(out)
	return out
}

// enter counts a call and lets the failures have their way with it.
func (w *world) enter(ctx context.Context, operation string, input any) error {
	w.mu.Lock()
	w.calls[operation]++
	said, _ := json.Marshal(input) // inputs are the SDK's plain structs
	w.asked[operation+" "+string(said)]++
	failure := w.meet(operation, string(said))
	w.mu.Unlock()
	if failure != nil {
		if err := wait(ctx, failure.Delay); err != nil {
			return err
		}
		if failure.Do != nil {
			failure.Do()
		}
		if failure.Error != nil {
			return failure.Error
		}
	}
	return ctx.Err()
}

// meet is the first failure that fits; nil for none. The lock is held.
func (w *world) meet(operation, input string) *Failure {
	service, _, _ := strings.Cut(operation, ":")
	for _, f := range w.failures {
		if f.Operation != "*" && f.Operation != service+":*" && f.Operation != operation || !strings.Contains(input, f.Resource) {
			continue
		}
		if f.After > 0 {
			f.After--
			continue
		}
		if f.Times < 0 {
			continue
		}
		if f.Times > 0 {
			if f.Times--; f.Times == 0 {
				f.Times = -1
			}
		}
		return f
	}
	return nil
}

func wait(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// apiError is an error as the SDK gives it: the service's code and message within the HTTP response's status.
func apiError(status int, code, message string) error {
	return &awshttp.ResponseError{
		RequestID: "00000000-0000-4000-8000-000000000000",
		ResponseError: &smithyhttp.ResponseError{
			Response: &smithyhttp.Response{Response: &http.Response{StatusCode: status}},
			Err:      &smithy.GenericAPIError{Code: code, Message: message, Fault: smithy.FaultClient},
		},
	}
}

// page cuts one page of at most limit items out of all, beginning where the token says.
func page[T any](w *world, operation string, all []T, token *string, asked *int32, limit int) ([]T, *string, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	size := limit
	if w.options.PageSize > 0 {
		size = min(size, w.options.PageSize)
	}
	if asked != nil {
		if *asked < 1 || int(*asked) > limit {
			return nil, nil, apiError(http.StatusBadRequest, "ValidationError", fmt.Sprintf("PageSize must be between 1 and %d", limit))
		}
		size = min(size, int(*asked))
	}
	from := 0
	if token != nil {
		if _, err := fmt.Sscanf(*token, "page-%d", &from); err != nil || from < 0 || from > len(all) {
			return nil, nil, apiError(http.StatusBadRequest, "ValidationError", "The specified marker is not valid")
		}
	}
	to := min(from+size, len(all))
	var next *string
	if to < len(all) {
		next = new(fmt.Sprintf("page-%d", to))
	}
	for _, f := range w.failures {
		if f.RepeatToken && f.Operation == operation {
			next = new("page-0")
		}
	}
	return all[from:to], next, nil
}

// Refusal is an answer of SNS that refuses a message for a reason of its own (a disabled key, a topic's policy).
func (w *world) Refusal(code string) error {
	return apiError(http.StatusBadRequest, code, "it is refused")
}
