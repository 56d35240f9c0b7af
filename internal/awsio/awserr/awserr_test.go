package awserr_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/acm"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancing"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/smithy-go"

	"certdrift/internal/awsio/awserr"
	"certdrift/internal/observation"
)

// sdk is a configuration of the real SDK that leads to a server on loopback.
func sdk(url string) aws.Config {
	return aws.Config{
		Region: "us-west-2", BaseEndpoint: aws.String(url), Retryer: func() aws.Retryer { return aws.NopRetryer{} },
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "AKIAIOSFODNN7EXAMPLE", SecretAccessKey: "x"}, nil
		}),
	}
}

const queryError = `<ErrorResponse><Error><Type>Sender</Type><Code>%s</Code><Message>%s</Message></Error><RequestId>b7c3e9a1-0000</RequestId></ErrorResponse>`

// What the real SDK makes of real answers, the emulators' odd ones included.
func TestAnswersAsTheSDKGivesThem(t *testing.T) {
	tests := []struct {
		name    string
		status  int
		body    string
		kind    observation.ObserveErrorKind
		missing bool
		text    string
	}{
		{"refused", 403, fmt.Sprintf(queryError, "AccessDenied", "User: x is not authorized to perform: y"), observation.Denied, false, "AccessDenied: User: x is not authorized to perform: y"},
		{"refused without a code", 403, "<html>no</html>", observation.Denied, false, ""},
		{"refused without a body", 403, "", observation.Denied, false, ""},
		{"an expired token", 403, fmt.Sprintf(queryError, "ExpiredToken", "The security token included in the request is expired"), observation.Denied, false, "ExpiredToken: "},
		{"a region that is not enabled", 403, fmt.Sprintf(queryError, "InvalidClientTokenId", "The security token is invalid"), observation.Denied, false, "InvalidClientTokenId: "},
		{"throttled", 400, fmt.Sprintf(queryError, "Throttling", "Rate exceeded"), observation.Throttled, false, "Throttling: Rate exceeded"},
		{"throttled by status", 429, "", observation.Throttled, false, ""},
		{"gone", 400, fmt.Sprintf(queryError, "LoadBalancerNotFound", "There is no ACTIVE Load Balancer named 'x'"), observation.Incomplete, true, "LoadBalancerNotFound: "},
		{"down", 503, "", observation.Incomplete, false, ""},
		{"a message that is up to something", 400, fmt.Sprintf(queryError, "Odd", "a&#x9;b\u202e::error::c"), observation.Incomplete, false, `a\x09b\u{202e}::error::c`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "text/xml")
				w.WriteHeader(test.status)
				fmt.Fprint(w, test.body)
			}))
			defer server.Close()
			ctx := t.Context()
			_, classic := elb.NewFromConfig(sdk(server.URL)).DescribeLoadBalancers(ctx, &elb.DescribeLoadBalancersInput{})
			_, modern := elbv2.NewFromConfig(sdk(server.URL)).DescribeLoadBalancers(ctx, &elbv2.DescribeLoadBalancersInput{})
			for api, err := range map[string]error{"classic": classic, "v2": modern} {
				if err == nil {
					t.Fatalf("%s: no error", api)
				}
				if got := awserr.Kind(err); got != test.kind {
					t.Errorf("%s: %s, not %s: %v", api, got, test.kind, err)
				}
				if got := awserr.Missing(err); got != test.missing {
					t.Errorf("%s: missing %v: %v", api, got, err)
				}
				text := awserr.Text(err)
				if !strings.Contains(text, test.text) || text == "" || strings.Contains(text, "b7c3e9a1") {
					t.Errorf("%s: text %q", api, text)
				}
			}
		})
	}
}

func TestMissingCertificatesAsTheSDKGivesThem(t *testing.T) {
	json := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		w.Header().Set("X-Amzn-ErrorType", "ResourceNotFoundException")
		w.WriteHeader(400)
		fmt.Fprint(w, `{"__type":"ResourceNotFoundException","message":"Could not find certificate"}`)
	}))
	defer json.Close()
	xml := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(404)
		fmt.Fprintf(w, queryError, "NoSuchEntity", "The Server Certificate with name x cannot be found.")
	}))
	defer xml.Close()
	_, managed := acm.NewFromConfig(sdk(json.URL)).GetCertificate(t.Context(), &acm.GetCertificateInput{CertificateArn: aws.String("arn:aws:acm:us-west-2:111122223333:certificate/x")})
	_, server := iam.NewFromConfig(sdk(xml.URL)).GetServerCertificate(t.Context(), &iam.GetServerCertificateInput{ServerCertificateName: aws.String("x")})
	if !awserr.Missing(managed) || !awserr.Missing(server) {
		t.Errorf("ACM %v, IAM %v", managed, server)
	}
}

func TestWithoutAnAnswer(t *testing.T) {
	t.Run("no credentials", func(t *testing.T) {
		config := sdk("http://127.0.0.1:1")
		config.Credentials = aws.NewCredentialsCache(aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{}, errors.New("no EC2 IMDS role found")
		}))
		_, err := elb.NewFromConfig(config).DescribeLoadBalancers(t.Context(), &elb.DescribeLoadBalancersInput{})
		if awserr.Kind(err) != observation.Denied || !strings.Contains(awserr.Text(err), "no working AWS credentials") {
			t.Errorf("%s: %s", awserr.Kind(err), awserr.Text(err))
		}
	})
	t.Run("no metadata service", func(t *testing.T) {
		config := sdk("http://127.0.0.1:1")
		config.Credentials = aws.NewCredentialsCache(aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{}, fmt.Errorf("no EC2 IMDS role found, operation error ec2imds: %w", context.DeadlineExceeded)
		}))
		_, err := elb.NewFromConfig(config).DescribeLoadBalancers(t.Context(), &elb.DescribeLoadBalancersInput{})
		if awserr.Kind(err) != observation.Denied || !strings.Contains(awserr.Text(err), "no working AWS credentials") {
			t.Errorf("%s: %s", awserr.Kind(err), awserr.Text(err))
		}
	})
	t.Run("what gives out credentials", func(t *testing.T) {
		rejected := &smithy.GenericAPIError{Code: "UnauthorizedException", Message: "Session token not found or invalid"}
		for reason, want := range map[error]string{
			errors.New("failed to read cached SSO token file, open x: no such file or directory"):        "single sign-on session has expired",
			&smithy.OperationError{ServiceID: "SSO", OperationName: "GetRoleCredentials", Err: rejected}: "single sign-on session has expired",
			&smithy.OperationError{ServiceID: "SSO OIDC", OperationName: "CreateToken", Err: rejected}:   "single sign-on session has expired",
			fmt.Errorf("process provider error: %w", errors.New("exit status 7")):                        "credential_process failed: exit status 7",
			fmt.Errorf("no EC2 IMDS role found: %w", context.DeadlineExceeded):                           "none in the environment or in a profile",
			errors.New("something else"): "something else",
		} {
			config := sdk("http://127.0.0.1:1")
			config.Credentials = aws.NewCredentialsCache(aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return aws.Credentials{}, reason }))
			_, err := elb.NewFromConfig(config).DescribeLoadBalancers(t.Context(), &elb.DescribeLoadBalancersInput{})
			of := awserr.Of(err, "elasticloadbalancing:DescribeLoadBalancers", "us-west-2", "111122223333", "")
			if of.Kind != observation.Denied || of.Operation != observation.Credentials || !strings.Contains(of.Detail, want) {
				t.Errorf("%v: %+v", reason, of)
			}
			if e := (&awserr.Error{Err: err}); !e.WithoutCredentials() || !of.WithoutCredentials() {
				t.Errorf("%v is not known as one without credentials", reason)
			}
		}
	})
	t.Run("a role that may not be assumed", func(t *testing.T) { // this is of its role, not of all credentials
		config := sdk("http://127.0.0.1:1")
		config.Credentials = aws.NewCredentialsCache(aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{}, &smithy.OperationError{ServiceID: "STS", OperationName: "AssumeRole", Err: &smithy.GenericAPIError{Code: "AccessDenied"}}
		}))
		_, err := elb.NewFromConfig(config).DescribeLoadBalancers(t.Context(), &elb.DescribeLoadBalancersInput{})
		if of := awserr.Of(err, "sts:AssumeRole", "", "", "role"); of.Operation != "sts:AssumeRole" || of.WithoutCredentials() {
			t.Errorf("%+v", of)
		}
	})
	t.Run("credentials that AWS rejects", func(t *testing.T) {
		for code, rejected := range map[string]bool{"ExpiredToken": true, "ExpiredTokenException": true, "InvalidClientTokenId": true, "AccessDenied": false, "ExpiredTokenish": false} {
			e := &awserr.Error{Err: &smithy.GenericAPIError{Code: code, Message: "ExpiredToken: no"}}
			if e.WithoutCredentials() != rejected || rejected && e.ObserveErrorKind() != observation.Denied {
				t.Errorf("%s: %t, %s", code, e.WithoutCredentials(), e.ObserveErrorKind())
			}
		}
	})
	t.Run("nobody there", func(t *testing.T) {
		_, err := elb.NewFromConfig(sdk("http://127.0.0.1:1")).DescribeLoadBalancers(t.Context(), &elb.DescribeLoadBalancersInput{})
		if awserr.Kind(err) != observation.Incomplete || !strings.Contains(awserr.Text(err), "refused") {
			t.Errorf("%s: %s", awserr.Kind(err), awserr.Text(err))
		}
	})
	t.Run("no time left", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Nanosecond)
		defer cancel()
		_, err := elb.NewFromConfig(sdk("http://127.0.0.1:1")).DescribeLoadBalancers(ctx, &elb.DescribeLoadBalancersInput{})
		if awserr.Kind(err) != observation.Incomplete || awserr.Text(err) != "the round ran out of time" {
			t.Errorf("%s: %s", awserr.Kind(err), awserr.Text(err))
		}
	})
}

func TestErrorTellsItsKind(t *testing.T) {
	err := error(&awserr.Error{Doing: `reading "x"`, Err: &smithy.GenericAPIError{Code: "ThrottlingException", Message: "slow down"}})
	if err.Error() != `reading "x": ThrottlingException: slow down` {
		t.Error(err)
	}
	if kind := err.(interface {
		ObserveErrorKind() observation.ObserveErrorKind
	}).ObserveErrorKind(); kind != observation.Throttled {
		t.Error(kind)
	}
}
