package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// function is a function's binary under a Lambda Runtime API, with a CloudWatch that takes every metric.
type function struct {
	cmd     *exec.Cmd
	api     *httptest.Server
	next    chan string
	answers chan reply
	n       int
}

type reply struct {
	body   []byte
	failed bool
}

// startFunction starts a function in the folder of its package.
func startFunction(ctx context.Context, binary, dir string) (*function, error) {
	f := &function{next: make(chan string), answers: make(chan reply, 1)}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /2018-06-01/runtime/invocation/next", f.hand)
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/response", f.take(false))
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/error", f.take(true))
	mux.HandleFunc("POST /2018-06-01/runtime/init/error", f.take(true))
	mux.HandleFunc("POST /", acceptMetrics)
	f.api = httptest.NewServer(mux)
	f.cmd = pinned(ctx, clientCPU, binary)
	f.cmd.Dir = dir
	f.cmd.Env = []string{
		"GOMAXPROCS=1", "GODEBUG=" + os.Getenv("GODEBUG"), "GOGC=" + os.Getenv("GOGC"),
		"AWS_LAMBDA_RUNTIME_API=" + strings.TrimPrefix(f.api.URL, "http://"), "AWS_ENDPOINT_URL=" + f.api.URL,
		"AWS_LAMBDA_FUNCTION_NAME=bench", "AWS_LAMBDA_FUNCTION_VERSION=$LATEST", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE=512",
		"AWS_LAMBDA_LOG_FORMAT=JSON", "_HANDLER=bootstrap", "LAMBDA_TASK_ROOT=" + dir, "AWS_REGION=us-west-2",
		"AWS_ACCESS_KEY_ID=bench", "AWS_SECRET_ACCESS_KEY=bench", "AWS_SESSION_TOKEN=bench",
	}
	f.cmd.Stdout, f.cmd.Stderr = io.Discard, os.Stderr
	if path := os.Getenv("BENCH_LOG"); path != "" {
		if log, err := os.Create(path); err == nil { //nolint:gosec // the developer named it
			f.cmd.Stdout, f.cmd.Stderr = log, log
		}
	}
	if err := f.cmd.Start(); err != nil {
		f.api.Close()
		return nil, fmt.Errorf("starting the function: %w", err)
	}
	return f, nil
}

// hand gives the function its next invocation.
func (f *function) hand(w http.ResponseWriter, r *http.Request) {
	select {
	case <-r.Context().Done():
	case event := <-f.next:
		f.n++
		w.Header().Set("Lambda-Runtime-Aws-Request-Id", "bench-"+strconv.Itoa(f.n))
		w.Header().Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(time.Now().Add(patience).UnixMilli(), 10))
		w.Header().Set("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:us-west-2:111122223333:function:bench")
		_, _ = io.WriteString(w, event)
	}
}

func (f *function) take(failed bool) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.WriteHeader(http.StatusAccepted)
		f.answers <- reply{body, failed}
	}
}

// acceptMetrics answers what the SDK asks of CloudWatch, in either of its protocols.
func acceptMetrics(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	if protocol := r.Header.Get("Smithy-Protocol"); protocol != "" {
		w.Header().Set("Smithy-Protocol", protocol)
		w.Header().Set("Content-Type", "application/cbor")
		_, _ = w.Write([]byte{0xa0}) // an empty map
		return
	}
	w.Header().Set("Content-Type", "text/xml")
	_, _ = io.WriteString(w, "<PutMetricDataResponse/>")
}

// scheduled is the event of the schedule.
const scheduled = `{"version":"0","id":"53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa","detail-type":"Scheduled Event","source":"aws.events","account":"111122223333","time":"2026-11-30T08:00:00Z","region":"us-west-2","resources":["arn:aws:events:us-west-2:111122223333:rule/bench"],"detail":{}}`

// invoke runs one round, which must see all endpoints and come to a verdict.
func (f *function) invoke(endpoints int, verdict string) error {
	select {
	case f.next <- scheduled:
	case early := <-f.answers:
		return fmt.Errorf("the function did not start: %s", early.body)
	case <-time.After(patience):
		return fmt.Errorf("the function did not ask for an invocation")
	}
	got := <-f.answers
	var summary struct {
		Verdict   string `json:"verdict"`
		Endpoints int    `json:"endpoints"`
	}
	if err := json.Unmarshal(got.body, &summary); got.failed || err != nil || summary.Verdict != verdict || summary.Endpoints != endpoints {
		return fmt.Errorf("the function answered %s", got.body)
	}
	return nil
}

func (f *function) stop() {
	_ = f.cmd.Process.Kill()
	_ = f.cmd.Wait()
	f.api.Close()
}

// startsIn is the processor time from the start of a function until it asks for its first invocation.
func startsIn(ctx context.Context, binary, dir string) (time.Duration, error) {
	f, err := startFunction(ctx, binary, dir)
	if err != nil {
		return 0, err
	}
	defer f.stop()
	asked := make(chan struct{})
	f.api.Config.Handler = http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		close(asked)
		<-r.Context().Done()
	})
	select {
	case <-asked:
	case <-time.After(patience):
		return 0, fmt.Errorf("%s did not ask for an invocation", binary)
	}
	return spent(f.cmd.Process.Pid)
}
