package invoke_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"certdrift/internal/awsio/awserr"
	"certdrift/internal/awsio/invoke"
	"certdrift/internal/observation"
)

const arn = "arn:aws:lambda:us-west-2:111122223333:function:certdrift-worker"

// lambda is a server that answers as Lambda does, with one response after the other; the last one for good.
type lambda struct {
	mu        sync.Mutex
	responses []response
	asked     []*http.Request
	payloads  []string
}

type response struct {
	status int
	header [2]string
	body   string
}

func (l *lambda) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	body, _ := io.ReadAll(r.Body)
	l.asked, l.payloads = append(l.asked, r), append(l.payloads, string(body))
	next := l.responses[min(len(l.asked), len(l.responses))-1]
	if next.status == 0 {
		panic(http.ErrAbortHandler)
	}
	if next.header[0] != "" {
		w.Header().Set(next.header[0], next.header[1])
	}
	w.WriteHeader(next.status)
	_, _ = io.WriteString(w, next.body)
}

func function(t *testing.T, l http.Handler) *invoke.Function {
	t.Helper()
	server := httptest.NewServer(l)
	t.Cleanup(server.Close)
	f, err := invoke.New(t.Context(), settings(server.URL), arn)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func settings(url string) aws.Config {
	return aws.Config{
		Region: "eu-west-1", BaseEndpoint: aws.String(url), // the function's own region counts
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "AKIAIOSFODNN7EXAMPLE", SecretAccessKey: "x", SessionToken: "y"}, nil
		}),
	}
}

func TestInvoke(t *testing.T) {
	l := &lambda{responses: []response{{status: 200, body: `{"a":1}`}}}
	got, err := function(t, l).Invoke(t.Context(), []byte(`{"q":1}`))
	if err != nil || string(got) != `{"a":1}` || l.payloads[0] != `{"q":1}` {
		t.Fatalf("%q, %v; sent %q", got, err, l.payloads)
	}
	r := l.asked[0]
	if r.Method != "POST" || r.URL.Path != "/2015-03-31/functions/certdrift-worker/invocations" || r.Header.Get("X-Amz-Invocation-Type") != "RequestResponse" {
		t.Errorf("asked %s %s %v", r.Method, r.URL, r.Header)
	}
	if auth := r.Header.Get("Authorization"); !strings.Contains(auth, "/us-west-2/lambda/aws4_request") || r.Header.Get("X-Amz-Security-Token") != "y" {
		t.Errorf("authorization %q", auth)
	}
}

// TestInvokeRetries: what may pass is tried again, with the whole payload and a signature of its own; what the function itself did is not.
func TestInvokeRetries(t *testing.T) {
	t.Parallel()
	throttled := response{429, [2]string{"X-Amzn-Errortype", "TooManyRequestsException:http://x/"}, `{"Reason":"ConcurrentInvocationLimitExceeded","message":"Rate Exceeded."}`}
	good := response{status: 200, body: `{}`}
	for name, tt := range map[string]struct {
		responses []response
		asked     int
		kind      observation.ObserveErrorKind
		text      string
	}{
		"throttled at first":      {[]response{throttled, throttled, good}, 3, "", ""},
		"hung up on at first":     {[]response{{}, good}, 2, "", ""},
		"Lambda down at first":    {[]response{{status: 503}, good}, 2, "", ""},
		"throttled for good":      {[]response{throttled}, 5, observation.Throttled, "TooManyRequestsException: Rate Exceeded."},
		"denied":                  {[]response{{403, [2]string{"X-Amzn-Errortype", "AccessDeniedException"}, `{"Message":"not authorized to perform: lambda:InvokeFunction"}`}}, 1, observation.Denied, "not authorized to perform: lambda:InvokeFunction"},
		"not there":               {[]response{{404, [2]string{"X-Amzn-Errortype", "ResourceNotFoundException"}, `{"Message":"Function not found"}`}}, 1, observation.Incomplete, "ResourceNotFoundException: Function not found"},
		"the function was killed": {[]response{{200, [2]string{"X-Amz-Function-Error", "Unhandled"}, `{"errorType":"Runtime.ExitError","errorMessage":"RequestId: 8f0ab1d2-0000 Error: Runtime exited with error: signal: killed"}`}}, 1, observation.Incomplete, "the function failed: Runtime exited with error: signal: killed"},
		"nothing":                 {[]response{{status: 200}}, 1, observation.Incomplete, "the response is empty"},
		"no JSON":                 {[]response{{500, [2]string{}, "<html>"}, good}, 2, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := &lambda{responses: tt.responses}
			_, err := function(t, l).Invoke(t.Context(), []byte("payload"))
			if len(l.asked) != tt.asked {
				t.Errorf("asked %d times, want %d", len(l.asked), tt.asked)
			}
			for _, sent := range l.payloads {
				if sent != "payload" {
					t.Errorf("sent %q", sent)
				}
			}
			switch {
			case tt.text == "" && err != nil:
				t.Error(err)
			case tt.text != "" && (err == nil || !strings.Contains(err.Error(), tt.text)):
				t.Errorf("%v, want %q", err, tt.text)
			case tt.text != "" && (kind(err) != tt.kind || strings.Contains(err.Error(), "8f0ab1d2")):
				t.Errorf("kind %q, want %q: %v", kind(err), tt.kind, err)
			}
		})
	}
}

// kind is under which an error is reported.
func kind(err error) observation.ObserveErrorKind {
	if known, ok := errors.AsType[*awserr.Error](err); ok {
		return known.ObserveErrorKind()
	}
	return ""
}

func TestInvokeEndsWithTheRound(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	silent := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.ReadAll(r.Body)
		cancel()
		<-r.Context().Done()
	})
	if _, err := function(t, silent).Invoke(ctx, []byte("{}")); !errors.Is(err, context.Canceled) && !strings.Contains(err.Error(), "stopped") {
		t.Error(err)
	}
}

func TestWithoutCredentials(t *testing.T) {
	l := &lambda{responses: []response{{status: 200, body: "{}"}}}
	server := httptest.NewServer(l)
	defer server.Close()
	s := settings(server.URL)
	s.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return aws.Credentials{}, errors.New("expired") })
	f, err := invoke.New(t.Context(), s, arn)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Invoke(t.Context(), []byte("{}")); kind(err) != observation.Denied || len(l.asked) > 0 {
		t.Errorf("%v, asked %d times", err, len(l.asked))
	}
}

// sources is an environment that names an emulator of Lambda alone.
type sources struct{ url string }

func (s sources) GetServiceBaseEndpoint(_ context.Context, service string) (string, bool, error) {
	return s.url, service == "Lambda" && s.url != "", nil
}

// wire is an HTTP client that keeps where requests go.
type wire struct{ hosts []string }

func (w *wire) Do(r *http.Request) (*http.Response, error) {
	w.hosts = append(w.hosts, r.URL.Scheme+"://"+r.URL.Host)
	return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(strings.NewReader("{}")), Request: r}, nil
}

func TestWhereLambdaIs(t *testing.T) {
	for name, tt := range map[string]struct{ arn, env, base, want string }{
		"AWS":             {arn, "", "", "https://lambda.us-west-2.amazonaws.com"},
		"China":           {"arn:aws-cn:lambda:cn-north-1:111122223333:function:w", "", "", "https://lambda.cn-north-1.amazonaws.com.cn"},
		"GovCloud":        {"arn:aws-us-gov:lambda:us-gov-west-1:111122223333:function:w", "", "", "https://lambda.us-gov-west-1.amazonaws.com"},
		"an emulator":     {arn, "", "http://127.0.0.1:1/", "http://127.0.0.1:1"},
		"one for Lambda":  {arn, "http://127.0.0.1:2", "http://127.0.0.1:1", "http://127.0.0.1:2"},
		"unknown":         {"arn:aws-iso:lambda:us-iso-east-1:111122223333:function:w", "", "", ""},
		"no function":     {"arn:aws:sns:us-west-2:111122223333:topic", "", "", ""},
		"a version of it": {arn + ":7", "", "", ""},
		"nothing":         {"", "", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			w, s := &wire{}, settings(tt.base)
			s.HTTPClient, s.ConfigSources = w, []any{sources{tt.env}}
			if tt.base == "" {
				s.BaseEndpoint = nil
			}
			f, err := invoke.New(t.Context(), s, tt.arn)
			if (err != nil) != (tt.want == "") {
				t.Fatal(err)
			}
			if err != nil {
				return
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			if _, err := f.Invoke(ctx, []byte("{}")); err != nil || len(w.hosts) != 1 || w.hosts[0] != tt.want {
				t.Errorf("%v, went to %v", err, w.hosts)
			}
		})
	}
}
