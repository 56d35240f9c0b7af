// Package invoke invokes a Lambda function and waits for its response.
//
// It makes the one request that it needs of the SDK's own parts: signer, retries, errors and HTTP client are those of every other
// client. The SDK's client of Lambda does the same, and adds 170 kB to the zip of the probe function, which has a limit.
package invoke

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"certdrift/internal/awsio/awserr"
	"certdrift/internal/finding"
)

const (
	// attempts and longestWait bound the SDK's retries: a function that stays throttled is reported in this round and asked again in the next.
	attempts    = 5
	longestWait = 3 * time.Second
	// maxResponse is a little more than the 6 MB that Lambda lets a synchronous response have, maxSaid how much an error quotes of
	// what a failed function said.
	maxResponse = 7 << 20
	maxSaid     = 200
)

// Function is one function that can be invoked.
type Function struct {
	settings aws.Config
	name     string
	url      string
	client   smithyhttp.ClientHandler
	retryer  aws.Retryer
}

// New returns the function with an ARN.
func New(ctx context.Context, settings aws.Config, arn string) (*Function, error) {
	parts := strings.Split(arn, ":") // arn:PARTITION:lambda:REGION:ACCOUNT:function:NAME
	if len(parts) != 7 || parts[2] != "lambda" || parts[5] != "function" || parts[6] == "" {
		return nil, fmt.Errorf("%q is not the ARN of a Lambda function", arn)
	}
	base, err := endpoint(ctx, settings, parts[1], parts[3])
	if err != nil {
		return nil, err
	}
	client := settings.HTTPClient
	if client == nil {
		client = awshttp.NewBuildableClient()
	}
	settings.Region = parts[3]
	return &Function{
		settings: settings, name: parts[6], url: base + "/2015-03-31/functions/" + parts[6] + "/invocations",
		client: smithyhttp.NewClientHandlerWithOptions(client),
		retryer: retry.NewStandard(func(o *retry.StandardOptions) {
			o.MaxAttempts, o.MaxBackoff, o.RateLimiter = attempts, longestWait, ratelimit.None
		}),
	}, nil
}

// endpoint returns where Lambda is: an emulator's, if the environment names one.
func endpoint(ctx context.Context, settings aws.Config, partition, region string) (string, error) {
	for _, source := range settings.ConfigSources {
		if s, ok := source.(interface {
			GetServiceBaseEndpoint(ctx context.Context, service string) (string, bool, error)
		}); ok {
			if url, found, err := s.GetServiceBaseEndpoint(ctx, "Lambda"); err == nil && found {
				return strings.TrimSuffix(url, "/"), nil
			}
		}
	}
	if settings.BaseEndpoint != nil {
		return strings.TrimSuffix(*settings.BaseEndpoint, "/"), nil
	}
	suffix, ok := map[string]string{"aws": "amazonaws.com", "aws-us-gov": "amazonaws.com", "aws-cn": "amazonaws.com.cn"}[partition]
	if !ok {
		return "", fmt.Errorf("no endpoint of Lambda is known in the partition %q: set AWS_ENDPOINT_URL_LAMBDA", partition)
	}
	return "https://lambda." + region + "." + suffix, nil
}

// Invoke sends a payload and returns the response. What is throttled, and what fails before the function has it, is tried again. A
// function that fails, is killed or runs out of time is an error at once.
func (f *Function) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	stack := middleware.NewStack("Invoke", smithyhttp.NewStackRequest)
	err := errors.Join(
		stack.Serialize.Add(middleware.SerializeMiddlewareFunc("Request", f.request), middleware.After),
		stack.Finalize.Add(retry.NewAttemptMiddleware(f.retryer, smithyhttp.RequestCloner), middleware.After),
		stack.Finalize.Add(middleware.FinalizeMiddlewareFunc("Sign", f.sign(digest(payload))), middleware.After),
		stack.Deserialize.Add(middleware.DeserializeMiddlewareFunc("Response", response), middleware.After),
	)
	if err != nil {
		return nil, fmt.Errorf("making the request: %w", err)
	}
	out, _, err := middleware.DecorateHandler(f.client, stack).Handle(ctx, payload)
	if err != nil {
		return nil, &awserr.Error{Doing: "invoking " + f.name, Err: err}
	}
	return out.([]byte), nil
}

func digest(payload []byte) string {
	sum := sha256.Sum256(payload)
	return hex.EncodeToString(sum[:])
}

// request makes the request, which the attempts share.
func (f *Function) request(ctx context.Context, in middleware.SerializeInput, next middleware.SerializeHandler) (middleware.SerializeOutput, middleware.Metadata, error) {
	made, ok := in.Request.(*smithyhttp.Request)
	payload, isBytes := in.Parameters.([]byte)
	if !ok || !isBytes {
		return middleware.SerializeOutput{}, middleware.Metadata{}, errors.New("not an HTTP request with bytes")
	}
	url, err := made.URL.Parse(f.url)
	if err != nil {
		return middleware.SerializeOutput{}, middleware.Metadata{}, fmt.Errorf("reading Lambda's endpoint: %w", err)
	}
	made.Method, made.URL, made.Host = http.MethodPost, url, url.Host
	made.Header.Set("Content-Type", "application/json")
	made.Header.Set("X-Amz-Invocation-Type", "RequestResponse")
	in.Request, err = made.SetStream(bytes.NewReader(payload))
	if err != nil {
		return middleware.SerializeOutput{}, middleware.Metadata{}, fmt.Errorf("making the request's body: %w", err)
	}
	return next.HandleSerialize(ctx, in)
}

// sign signs each attempt, with the credentials and the time of its own.
func (f *Function) sign(digest string) func(context.Context, middleware.FinalizeInput, middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error) {
	return func(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error) {
		made, ok := in.Request.(*smithyhttp.Request)
		if !ok {
			return middleware.FinalizeOutput{}, middleware.Metadata{}, errors.New("not an HTTP request")
		}
		credentials, err := f.settings.Credentials.Retrieve(ctx)
		if err != nil {
			return middleware.FinalizeOutput{}, middleware.Metadata{}, fmt.Errorf("get credentials: %w", err)
		}
		if err := v4.NewSigner().SignHTTP(ctx, credentials, made.Request, digest, "lambda", f.settings.Region, time.Now()); err != nil {
			return middleware.FinalizeOutput{}, middleware.Metadata{}, fmt.Errorf("signing: %w", err)
		}
		return next.HandleFinalize(ctx, in)
	}
}

// response reads a response, or makes the error of it that the SDK's retries and package awserr classify.
func response(ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler) (middleware.DeserializeOutput, middleware.Metadata, error) {
	out, metadata, err := next.HandleDeserialize(ctx, in)
	if err != nil {
		return out, metadata, err
	}
	raw, ok := out.RawResponse.(*smithyhttp.Response)
	if !ok {
		return out, metadata, errors.New("not an HTTP response")
	}
	defer raw.Body.Close() //nolint:errcheck // it has been read
	body, err := io.ReadAll(io.LimitReader(raw.Body, maxResponse))
	switch {
	case err != nil:
		return out, metadata, fmt.Errorf("reading the response: %w", err)
	case raw.StatusCode >= 300:
		return out, metadata, &awshttp.ResponseError{ResponseError: &smithyhttp.ResponseError{Response: raw, Err: apiError(raw, body)}}
	case raw.Header.Get("X-Amz-Function-Error") != "":
		return out, metadata, failed(body)
	case len(body) == 0:
		return out, metadata, errors.New("the response is empty")
	}
	out.Result = body
	return out, metadata, nil
}

// apiError is Lambda's own error: the name in a header, the message under one of two keys, and for what is throttled the limit that was
// met: the account's, or the function's own reserved concurrency.
func apiError(raw *smithyhttp.Response, body []byte) error {
	code, _, _ := strings.Cut(raw.Header.Get("X-Amzn-Errortype"), ":")
	var said struct{ Message, Reason string } // also "message"
	_ = json.Unmarshal(body, &said)           // without a message, the name is enough
	if said.Reason != "" {
		said.Message += " (" + said.Reason + ")"
	}
	if code == "" {
		code = fmt.Sprintf("status %d", raw.StatusCode)
	}
	return &smithy.GenericAPIError{Code: code, Message: finding.Clean(said.Message, maxSaid)}
}

// failed is the error of a function that failed, in its own words or in Lambda's. Lambda begins with the invocation's ID, by which one
// problem would look like many.
func failed(body []byte) error {
	var said struct{ ErrorMessage string }
	if json.Unmarshal(body, &said) != nil || said.ErrorMessage == "" {
		said.ErrorMessage = "it gave no reason"
	}
	text := said.ErrorMessage
	if strings.HasPrefix(text, "RequestId: ") {
		if _, after, ok := strings.Cut(text, " Error: "); ok {
			text = after
		}
	}
	return errors.New("the function failed: " + finding.Clean(text, maxSaid))
}
