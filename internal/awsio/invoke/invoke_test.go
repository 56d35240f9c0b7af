package invoke_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
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

// pipes is a listener whose connections are pipes: in a bubble of synctest, whoever waits for them waits in its time.
type pipes struct{ made chan net.Conn }

func (p pipes) Accept() (net.Conn, error) {
	c, ok := <-p.made
	if !ok {
		return nil, net.ErrClosed
	}
	return c, nil
}

func (p pipes) Close() error   { close(p.made); return nil }
func (p pipes) Addr() net.Addr { return &net.UnixAddr{} }

func (p pipes) dial(context.Context, string, string) (net.Conn, error) {
	here, there := net.Pipe()
	p.made <- there
	return here, nil
}

// inFakeTime runs a test against a server, with nothing real but the time that processors take.
func inFakeTime(t *testing.T, l http.Handler, test func(t *testing.T, f *invoke.Function)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		listener := pipes{make(chan net.Conn)}
		server, transport := &http.Server{Handler: l, ReadHeaderTimeout: time.Hour}, &http.Transport{DialContext: listener.dial}
		go func() { _ = server.Serve(listener) }()
		defer server.Close()
		defer transport.CloseIdleConnections()
		s := settings("http://lambda.test")
		s.HTTPClient = &http.Client{Transport: transport}
		f, err := invoke.New(t.Context(), s, arn)
		if err != nil {
			t.Fatal(err)
		}
		test(t, f)
	})
}

// lambdaError is an error of Lambda itself. https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html#API_Invoke_Errors
func lambdaError(status int, name, body string) response {
	return response{status, [2]string{"X-Amzn-Errortype", name}, body}
}

// TestInvokeRetries: what may pass is tried again, with the whole payload and a signature of its own; what the function itself did is not.
func TestInvokeRetries(t *testing.T) {
	throttled := lambdaError(429, "TooManyRequestsException:http://x/", `{"Reason":"ConcurrentInvocationLimitExceeded","message":"Rate Exceeded."}`)
	reserved := lambdaError(429, "TooManyRequestsException", `{"Reason":"ReservedFunctionConcurrentInvocationLimitExceeded","message":"Rate Exceeded."}`)
	unhandled := [2]string{"X-Amz-Function-Error", "Unhandled"}
	good := response{status: 200, body: `{}`}
	for name, tt := range map[string]struct {
		responses []response
		asked     int
		kind      observation.ObserveErrorKind
		text      string
	}{
		"throttled at first":          {[]response{throttled, throttled, good}, 3, "", ""},
		"hung up on at first":         {[]response{{}, good}, 2, "", ""},
		"Lambda down at first":        {[]response{{status: 503}, good}, 2, "", ""},
		"no JSON":                     {[]response{{500, [2]string{}, "<html>"}, good}, 2, "", ""},
		"throttled for good":          {[]response{throttled}, 5, observation.Throttled, "TooManyRequestsException: Rate Exceeded."},
		"hung up on for good":         {[]response{{}}, 5, observation.Incomplete, "EOF"},
		"reserved concurrency of 0":   {[]response{reserved}, 5, observation.Throttled, "TooManyRequestsException: Rate Exceeded. (ReservedFunctionConcurrentInvocationLimitExceeded)"},
		"denied":                      {[]response{lambdaError(403, "AccessDeniedException", `{"Message":"not authorized to perform: lambda:InvokeFunction"}`)}, 1, observation.Denied, "not authorized to perform: lambda:InvokeFunction"},
		"not there":                   {[]response{lambdaError(404, "ResourceNotFoundException", `{"Message":"Function not found"}`)}, 1, observation.Incomplete, "ResourceNotFoundException: Function not found"},
		"about to be updated":         {[]response{lambdaError(409, "ResourceConflictException", `{"message":"The function is currently in the following state: Pending"}`)}, 1, observation.Incomplete, "ResourceConflictException: The function is currently"},
		"taken for a loop":            {[]response{lambdaError(400, "RecursiveInvocationException", `{"Message":"Lambda has detected that the function is in a loop"}`)}, 1, observation.Incomplete, "RecursiveInvocationException: Lambda has detected"},
		"a payload that is too large": {[]response{lambdaError(413, "RequestEntityTooLargeException", `{"message":"6300000 byte payload is too large for the RequestResponse invocation type"}`)}, 1, observation.Incomplete, "RequestEntityTooLargeException"},
		"the function was killed":     {[]response{{200, unhandled, `{"errorType":"Runtime.ExitError","errorMessage":"RequestId: 8f0ab1d2-0000 Error: Runtime exited with error: signal: killed"}`}}, 1, observation.Incomplete, "the function failed: Runtime exited with error: signal: killed"},
		"it ran out of time":          {[]response{{200, unhandled, `{"errorType":"Sandbox.Timedout","errorMessage":"RequestId: 8f0ab1d2-0000 Error: Task timed out after 60.00 seconds"}`}}, 1, observation.Incomplete, "the function failed: Task timed out after 60.00 seconds"},
		"its response is too large":   {[]response{{200, unhandled, `{"errorType":"Function.ResponseSizeTooLarge","errorMessage":"Response payload size exceeded maximum allowed payload size (6291556 bytes)."}`}}, 1, observation.Incomplete, "the function failed: Response payload size exceeded"},
		"it gives no reason":          {[]response{{200, unhandled, `null`}}, 1, observation.Incomplete, "the function failed: it gave no reason"},
		"nothing":                     {[]response{{status: 200}}, 1, observation.Incomplete, "the response is empty"},
	} {
		t.Run(name, func(t *testing.T) {
			l := &lambda{responses: tt.responses}
			inFakeTime(t, l, func(t *testing.T, f *invoke.Function) {
				_, err := f.Invoke(t.Context(), []byte("payload"))
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
		})
	}
}

// TestALateResponseIsNobodys: a response that comes after the round gave up is not taken for the next one's.
func TestALateResponseIsNobodys(t *testing.T) {
	var asked atomic.Int32
	late := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.ReadAll(r.Body)
		n := asked.Add(1)
		if n == 1 {
			time.Sleep(time.Minute)
		}
		_, _ = fmt.Fprint(w, n)
	})
	inFakeTime(t, late, func(t *testing.T, f *invoke.Function) {
		ctx, cancel := context.WithTimeout(t.Context(), 40*time.Second)
		defer cancel()
		if _, err := f.Invoke(ctx, []byte("{}")); err == nil {
			t.Error("there is a response")
		}
		if got, err := f.Invoke(t.Context(), []byte("{}")); err != nil || string(got) != "2" {
			t.Errorf("%q, %v", got, err)
		}
		time.Sleep(time.Hour)
		if got, err := f.Invoke(t.Context(), []byte("{}")); err != nil || string(got) != "3" || asked.Load() != 3 {
			t.Errorf("%q, %v, asked %d times", got, err, asked.Load())
		}
	})
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
