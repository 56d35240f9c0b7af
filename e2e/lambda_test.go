package e2e

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// function is one bootstrap binary, running as in Lambda: it polls a Runtime API for invocations, one at a time.
type function struct {
	name, arn string
	timeout   time.Duration
	next      chan invocation
	answers   chan answer
	log       *lockedBuffer
	exited    chan struct{}

	deployed deployed
	dir      string
	process  *os.Process
}

type invocation struct {
	id       string
	deadline time.Time
	payload  []byte
}

type answer struct {
	id   string
	body []byte
	err  error
}

// deployed is a function's settings in the stack.
type deployed struct {
	ARN         string            `json:"arn"`
	Role        string            `json:"role"`
	Environment map[string]string `json:"environment"`
	Timeout     int               `json:"timeout"` // seconds
	Memory      int               `json:"memory"`  // MB
	Handler     string            `json:"handler"`
	Runtime     string            `json:"runtime"`
}

// soakEpoch is when the faster clock of TestSoak starts, for functions that are started again too.
var soakEpoch = strconv.FormatInt(time.Now().Unix(), 10)

// startFunction runs the binary of a package in its folder until the test ends, with the environment from the stack and from Lambda
// and nothing from this machine. Its access key is its own name, so that the front recognizes it.
func startFunction(t *testing.T, name string, d deployed, dir, endpoint string) *function {
	t.Helper()
	f := &function{
		name: name, arn: d.ARN, timeout: time.Duration(d.Timeout) * time.Second,
		next: make(chan invocation), answers: make(chan answer), log: &lockedBuffer{}, exited: make(chan struct{}),
		deployed: d, dir: dir,
	}
	api := httptest.NewServer(f.runtimeAPI())
	t.Cleanup(api.Close)
	path, err := filepath.Abs(filepath.Join(dir, d.Handler))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path)
	cmd.Dir = dir
	cmd.Env = []string{
		"AWS_LAMBDA_RUNTIME_API=" + strings.TrimPrefix(api.URL, "http://"),
		"AWS_LAMBDA_FUNCTION_NAME=" + name, "AWS_LAMBDA_FUNCTION_VERSION=$LATEST",
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE=" + strconv.Itoa(d.Memory), "AWS_LAMBDA_LOG_FORMAT=JSON",
		"LAMBDA_TASK_ROOT=" + dir, "_HANDLER=" + d.Handler,
		"AWS_REGION=" + region, "AWS_DEFAULT_REGION=" + region,
		"AWS_ACCESS_KEY_ID=" + name, "AWS_SECRET_ACCESS_KEY=secret", "AWS_SESSION_TOKEN=token",
		"AWS_ENDPOINT_URL=" + endpoint,
	}
	cmd.Env = append(cmd.Env, "CERTDRIFT_SOAK_EPOCH="+soakEpoch) // read only where the tag soak is set
	for k, v := range d.Environment {
		cmd.Env = append(cmd.Env, k+"="+v)
	}
	cmd.Stdout, cmd.Stderr = f.log, f.log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	f.process = cmd.Process
	go func() {
		_ = cmd.Wait() // killed at the end; an earlier end shows in invoke
		close(f.exited)
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-f.exited
		if t.Failed() {
			t.Logf("%s wrote:\n%s", name, tail(f.log.bytes(), 8000))
		}
	})
	return f
}

// dead reports whether the process has ended.
func (f *function) dead() bool {
	select {
	case <-f.exited:
		return true
	case <-time.After(100 * time.Millisecond): // a signal takes a moment
		return false
	}
}

// runtimeAPI implements https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html.
func (f *function) runtimeAPI() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /2018-06-01/runtime/invocation/next", func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-r.Context().Done():
		case i := <-f.next:
			w.Header().Set("Lambda-Runtime-Aws-Request-Id", i.id)
			w.Header().Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(i.deadline.UnixMilli(), 10))
			w.Header().Set("Lambda-Runtime-Invoked-Function-Arn", f.arn)
			w.Header().Set("Lambda-Runtime-Trace-Id", "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=0")
			_, _ = w.Write(i.payload)
		}
	})
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/response", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		w.WriteHeader(http.StatusAccepted)
		f.answers <- answer{r.PathValue("id"), body, err}
	})
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/error", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		w.WriteHeader(http.StatusAccepted)
		f.answers <- answer{r.PathValue("id"), nil, errors.Join(fmt.Errorf("the function failed: %s", body), err)}
	})
	mux.HandleFunc("POST /2018-06-01/runtime/init/error", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		w.WriteHeader(http.StatusAccepted)
		f.answers <- answer{"", nil, errors.Join(fmt.Errorf("the function did not start: %s", body), err)}
	})
	return mux
}

// invoke sends the function one event and returns its response. The error is the function's own, or says that it exited or timed
// out.
func (f *function) invoke(payload []byte) ([]byte, error) {
	deadline := time.Now().Add(f.timeout)
	i := invocation{id: fmt.Sprintf("8476a536-e9f4-11e8-9739-%012d", time.Now().UnixNano()%1e12), deadline: deadline, payload: payload}
	timeout := time.NewTimer(f.timeout + 5*time.Second)
	defer timeout.Stop()
	next := f.next
	for {
		select {
		case next <- i:
			next = nil
		case a := <-f.answers:
			if a.id != "" && a.id != i.id {
				return nil, fmt.Errorf("%s answered %q, was asked %q", f.name, a.id, i.id)
			}
			return a.body, a.err
		case <-f.exited:
			return nil, fmt.Errorf("%s has ended: %s", f.name, tail(f.log.bytes(), 2000))
		case <-timeout.C:
			return nil, fmt.Errorf("%s did not answer in %v", f.name, f.timeout)
		}
	}
}

// summary is the response of certdrift's functions.
type summary struct {
	Verdict   string         `json:"verdict"`
	Reason    string         `json:"reason"`
	Endpoints int            `json:"endpoints"`
	Listeners int            `json:"listeners"`
	Findings  map[string]int `json:"findings"`
}

func (f *function) mustInvoke(t *testing.T, payload []byte) summary {
	t.Helper()
	body, err := f.invoke(payload)
	if err != nil {
		t.Fatal(err)
	}
	var s summary
	if err := json.Unmarshal(body, &s); err != nil {
		t.Fatalf("%s answered %q: %v", f.name, body, err)
	}
	return s
}

type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) bytes() []byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	return bytes.Clone(b.buf.Bytes())
}
