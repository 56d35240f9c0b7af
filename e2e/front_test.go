package e2e

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

// front is a proxy in front of the emulator that adds what it lacks; see the package documentation.
type front struct {
	url     string
	moto    *httputil.ReverseProxy
	motoURL string
	guard   *guard
	trail   *trail
	hooks   *hooks
	put     *busEntries
	faults  *faults
	workers *fleet
	figures *figures
	// invoked answers an invocation of a function by its name; nil where the tests invoke functions themselves.
	invoked func(name string, payload []byte) ([]byte, error)
}

func startFront(t *testing.T, moto string) *front {
	t.Helper()
	target := &url.URL{Scheme: "http", Host: moto}
	f := &front{moto: httputil.NewSingleHostReverseProxy(target), motoURL: target.String(), guard: &guard{}, trail: &trail{}, hooks: &hooks{}, put: &busEntries{}, faults: &faults{}, workers: &fleet{}, figures: &figures{}}
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	f.url = server.URL
	return f
}

// call is one API request, as parsed by the front.
type call struct {
	key     string // access key
	service string // as in the signature: monitoring, dynamodb, …
	action  string // PutMetricData; for S3 the method
	cbor    bool
	target  string // X-Amz-Target
	form    url.Values
	body    []byte // unzipped
	path    string
}

var credential = regexp.MustCompile(`Credential=([^/]+)/\d+/[^/]+/([^/]+)/aws4_request`)

func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c, err := read(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if reason := f.guard.denies(c); reason != "" {
		fail(w, c, http.StatusForbidden, "AccessDeniedException", reason)
		return
	}
	if f.faults.answer(w, r, c) {
		return
	}
	switch {
	case c.action == "InvokeFunction" && f.workers.start != nil:
		f.workers.answer(w, r, c)
	case c.service == "cloudtrail" && c.action == "LookupEvents":
		f.trail.answer(w, c.body)
	case c.service == "codedeploy" && c.action == "PutLifecycleEventHookExecutionStatus":
		f.hooks.answer(w, c.body)
	case c.service == "events" && c.action == "PutEvents":
		f.put.answer(w, c.body)
	case f.invoked != nil && c.service == "lambda" && strings.HasSuffix(c.path, "/invocations"):
		f.invoke(w, c)
	case c.cbor:
		f.figures.note(c)
		f.cloudwatch(w, r, c)
	default:
		f.moto.ServeHTTP(w, r)
	}
}

// invoke answers Lambda's Invoke. https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
func (f *front) invoke(w http.ResponseWriter, c call) {
	parts := strings.Split(c.path, "/")
	body, err := f.invoked(parts[len(parts)-2], c.body)
	if err != nil {
		w.Header().Set("X-Amz-Function-Error", "Unhandled")
		body = fmt.Appendf(nil, "%q", err)
	}
	_, _ = w.Write(body)
}

// read parses a request and leaves its body readable for the next handler.
func read(r *http.Request) (call, error) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 16<<20))
	if err != nil {
		return call{}, err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	if r.Header.Get("Content-Encoding") == "gzip" {
		unzip, err := gzip.NewReader(bytes.NewReader(body))
		if err != nil {
			return call{}, fmt.Errorf("unzipping a request: %w", err)
		}
		if body, err = io.ReadAll(unzip); err != nil {
			return call{}, fmt.Errorf("unzipping a request: %w", err)
		}
	}
	c := call{body: body, path: r.URL.Path, target: r.Header.Get("X-Amz-Target")}
	if m := credential.FindStringSubmatch(r.Header.Get("Authorization")); m != nil {
		c.key, c.service = m[1], m[2]
	}
	switch {
	case r.Header.Get("Smithy-Protocol") == "rpc-v2-cbor":
		c.cbor = true
		c.action = c.path[strings.LastIndex(c.path, "/")+1:]
	case c.target != "":
		c.action = c.target[strings.LastIndex(c.target, ".")+1:]
	case strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded"):
		if c.form, err = url.ParseQuery(string(body)); err != nil {
			return call{}, err
		}
		c.action = c.form.Get("Action")
	case c.service == "lambda" && strings.HasSuffix(c.path, "/invocations"):
		c.action = "InvokeFunction"
	default:
		c.action = r.Method
	}
	return c, nil
}
