package probe

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"certdrift/internal/target"
)

const (
	// flying is how many checks TestMemory has in flight at once.
	flying = 64
	// overBare bounds what each may hold beyond a bare client of net/http that reads the same: tens of KiB. About
	// 15 KiB is usual, 40 with the race detector.
	overBare = 64 << 10
	// serveEnv makes the test binary the server of TestMemory: its memory must not count as the prober's.
	serveEnv = "CERTDRIFT_TEST_SERVE_WITHOUT_END"
)

// TestMemory: many checks in flight use little more memory than TLS and HTTP/2 themselves, whatever their servers send.
func TestMemory(t *testing.T) {
	if os.Getenv(serveEnv) != "" {
		serveWithoutEnd(t)
		return
	}
	if testing.Short() {
		t.Skip("measures memory")
	}
	var bare, probing int64
	for range 3 { // how much of a response is on its way when everything is measured differs
		bare = inFlight(t, func(ctx context.Context, address string) {
			var all sync.WaitGroup
			for range flying {
				all.Go(func() { fetchBare(ctx, address) })
			}
			all.Wait()
		})
		probing = inFlight(t, func(ctx context.Context, address string) {
			var endpoints []target.Endpoint
			for range flying {
				endpoints = append(endpoints, at(t, target.HTTPS, address, timeout(10*time.Minute)))
			}
			New(Options{Now: time.Now, Concurrency: flying}).Probe(ctx, endpoints)
		})
		t.Logf("each check in flight holds %d KiB; a bare client of net/http %d KiB", probing>>10, bare>>10)
		if probing <= bare+overBare {
			break
		}
	}
	if probing > bare+overBare {
		t.Errorf("each check in flight holds %d KiB more than a bare client", (probing-bare)>>10)
	}
	if min(probing, bare) < 16<<10 { // a TLS record is 16 KiB
		t.Error("nothing was in flight: the test measures nothing")
	}
}

// inFlight returns the bytes of memory that each request sent by ask uses while the server keeps them all waiting.
func inFlight(t *testing.T, ask func(ctx context.Context, address string)) int64 {
	t.Helper()
	server := otherProcess(t)
	before := held()
	done := make(chan struct{})
	go func() {
		defer close(done)
		ask(t.Context(), server.address)
	}()
	server.awaitAll(t)
	each := (held() - before) / flying
	server.release(t)
	<-done
	return each
}

// fetchBare makes a request over HTTP/2 and discards the response, like any program.
func fetchBare(ctx context.Context, address string) {
	transport := &http.Transport{
		ForceAttemptHTTP2: true, DisableKeepAlives: true,
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, // a measure
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://"+address+"/", http.NoBody)
	if err != nil {
		return
	}
	response, err := transport.RoundTrip(r)
	if err != nil {
		return
	}
	_, _ = io.Copy(io.Discard, response.Body)
	_ = response.Body.Close()
}

// held returns the size of heap and stacks after garbage collection. Stacks shrink in a collection, so it takes two.
func held() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc + m.StackInuse)
}

// endless is the server of TestMemory in a process of its own.
type endless struct {
	address string
	says    *bufio.Reader
	stdin   io.Closer
}

func otherProcess(t *testing.T) *endless {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestMemory$", "-test.timeout=15m")
	cmd.Env = append(os.Environ(), serveEnv+"=1")
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = stdin.Close(), cmd.Wait() })
	s := &endless{says: bufio.NewReader(stdout), stdin: stdin}
	s.address = s.line(t)
	return s
}

func (s *endless) line(t *testing.T) string {
	t.Helper()
	line, err := s.says.ReadString('\n')
	if err != nil {
		t.Fatalf("the server's process said no more: %v", err)
	}
	return strings.TrimSpace(line)
}

// awaitAll returns once every check has its first MiB under way.
func (s *endless) awaitAll(t *testing.T) {
	t.Helper()
	if got := s.line(t); got != "all" {
		t.Fatalf("the server's process said %q", got)
	}
}

func (s *endless) release(t *testing.T) {
	t.Helper()
	if err := s.stdin.Close(); err != nil {
		t.Error(err)
	}
}

// serveWithoutEnd prints its address, reports when all requests have arrived, and ends with its standard input.
func serveWithoutEnd(t *testing.T) {
	var served atomic.Int32
	release := make(chan struct{})
	address := web(t, serving(t), func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write(make([]byte, 1<<20))
		w.(http.Flusher).Flush() //nolint:forcetypeassert // net/http's is one
		if served.Add(1) == flying {
			fmt.Println("all")
		}
		<-release
	})
	fmt.Println(address)
	_, _ = io.Copy(io.Discard, os.Stdin)
	close(release)
}
