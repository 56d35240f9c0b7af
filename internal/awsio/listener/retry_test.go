package listener_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancing"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"

	"certdrift/internal/awsio/listener"
	"certdrift/internal/observation"
	"certdrift/internal/target"
)

// throttling answers as ELB does when it is asked too often, so many times, and then with an empty list.
type throttling struct {
	mu    sync.Mutex
	times int
}

func (h *throttling) Do(req *http.Request) (*http.Response, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := req.Context().Err(); err != nil {
		return nil, err
	}
	status, body := 400, `<ErrorResponse><Error><Code>Throttling</Code><Message>Rate exceeded</Message></Error></ErrorResponse>`
	if h.times--; h.times < 0 {
		status = 200
		body = `<DescribeLoadBalancersResponse><DescribeLoadBalancersResult></DescribeLoadBalancersResult></DescribeLoadBalancersResponse>`
	}
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), Request: req}, nil
}

// real is an Inspector over the SDK's own clients and retryer, on a made-up wire.
func real(h *throttling) *listener.Inspector {
	config := aws.Config{
		Region: "us-west-2", HTTPClient: h, Retryer: listener.Retryer,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "AKIAIOSFODNN7EXAMPLE", SecretAccessKey: "x"}, nil
		}),
	}
	return listener.New(listener.Options{
		Home:    "us-west-2",
		Account: func(context.Context, target.Role) (string, error) { return "111122223333", nil },
		Clients: func(string, target.Role) listener.Clients {
			return listener.Clients{Classic: elb.NewFromConfig(config), Modern: elbv2.NewFromConfig(config)}
		},
	})
}

// These two run in real time: the SDK's token bucket waits for fractions of a nanosecond, which a clock that stands
// still never lets pass.

func TestThrottlingIsSatOut(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if got := real(&throttling{times: 2}).Inspect(ctx, everything()); len(got.ObserveErrors) > 0 {
		t.Errorf("errors: %v", got.ObserveErrors)
	}
}

func TestThrottlingIsSatOutWithinTheRoundOnly(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	got := real(&throttling{times: 1 << 30}).Inspect(ctx, everything())
	if len(got.ObserveErrors) == 0 {
		t.Fatal("nobody says that something is missing")
	}
	for _, one := range got.ObserveErrors {
		// The time may also run out between two attempts, where the SDK does not say why it waited.
		if one.Kind == observation.Denied || !strings.Contains(one.Detail, "the round ran out of time") {
			t.Errorf("%+v", one)
		}
	}
}
