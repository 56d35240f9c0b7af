package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

// contender makes rounds over a world's endpoints.
type contender struct {
	name string
	// round checks every endpoint once and returns the processor time that it took.
	round func() (time.Duration, error)
	stop  func()
}

// The contenders by name, as the tables have them.
const (
	floorPlain  = "floor, no cache"
	floorCached = "floor, verified chains cached"
	floorLean   = "floor, cached, X25519, certificates kept"
	probeWarm   = "certdrift's probe function, warm"
	checkOnce   = "`certdrift check`, one shot"
	peerWarm    = "blackbox_exporter, warm"
)

// contenders starts those of a world, each after a round that does not count.
func (s settings) contenders(ctx context.Context, w world) ([]contender, error) {
	var all []contender
	for _, start := range []func(context.Context, world) (contender, error){
		s.floor(floorPlain), s.floor(floorCached, "-cached"), s.floor(floorLean, "-cached", "-lean"), s.function, s.check, s.blackbox,
	} {
		c, err := start(ctx, w)
		if err != nil {
			return all, err
		}
		if c.name == "" {
			continue
		}
		all = append(all, c)
		if _, err := c.round(); err != nil {
			return all, fmt.Errorf("%s: %w", c.name, err)
		}
	}
	return all, nil
}

// timed measures the processor time of a process while it does something.
func timed(pid int, do func() error) (time.Duration, error) {
	before, err := spent(pid)
	if err != nil {
		return 0, err
	}
	if err := do(); err != nil {
		return 0, err
	}
	after, err := spent(pid)
	return after - before, err
}

func (s settings) floor(name string, args ...string) func(context.Context, world) (contender, error) {
	return func(ctx context.Context, w world) (contender, error) {
		p, err := s.startFloor(ctx, w, args...)
		if err != nil {
			return contender{}, err
		}
		return contender{name, func() (time.Duration, error) {
			return timed(p.cmd.Process.Pid, func() error { return p.ask("round") })
		}, p.stop}, nil
	}
}

func (s settings) startFloor(ctx context.Context, w world, args ...string) (*process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("finding this program: %w", err)
	}
	described, err := json.Marshal(w)
	if err != nil {
		return nil, fmt.Errorf("describing a world: %w", err)
	}
	return startProcess(ctx, self, append([]string{"floor", "-workers", fmt.Sprint(s.workers), "-world", string(described)}, args...)...)
}

// folder writes a configuration of a world into a folder of its own.
func (s settings) folder(w world, endpoints, hanging int) (string, error) {
	dir, err := os.MkdirTemp(s.work, "configuration-")
	if err != nil {
		return "", fmt.Errorf("making a folder: %w", err)
	}
	root, err := os.ReadFile(w.Root)
	if err != nil {
		return "", fmt.Errorf("reading the root: %w", err)
	}
	return dir, errors.Join(
		os.WriteFile(filepath.Join(dir, "certdrift.yaml"), []byte(w.configuration(endpoints, hanging)), 0o600),
		os.WriteFile(filepath.Join(dir, filepath.Base(w.Root)), root, 0o600), //nolint:gosec // a directory of this program
	)
}

func (s settings) function(ctx context.Context, w world) (contender, error) {
	dir, err := s.folder(w, s.endpoints, 0)
	if err != nil {
		return contender{}, err
	}
	f, err := startFunction(ctx, filepath.Join(s.work, "bootstrap"), dir)
	if err != nil {
		return contender{}, err
	}
	return contender{probeWarm, func() (time.Duration, error) {
		return timed(f.cmd.Process.Pid, func() error { return f.invoke(s.endpoints, "pass") })
	}, f.stop}, nil
}

func (s settings) check(ctx context.Context, w world) (contender, error) {
	dir, err := s.folder(w, s.endpoints, 0)
	if err != nil {
		return contender{}, err
	}
	return contender{checkOnce, func() (time.Duration, error) {
		cmd := pinned(ctx, clientCPU, filepath.Join(s.work, "certdrift"), "check", "-c", filepath.Join(dir, "certdrift.yaml"), "--format", "json", "-o", os.DevNull)
		if text, err := cmd.CombinedOutput(); err != nil {
			return 0, fmt.Errorf("certdrift check: %w: %s", err, text)
		}
		return cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), nil
	}, func() {}}, nil
}

// blackbox starts a blackbox_exporter, if there is one, and asks it for each endpoint, as Prometheus would.
func (s settings) blackbox(ctx context.Context, w world) (contender, error) {
	if s.peer == "" {
		return contender{}, nil
	}
	file := filepath.Join(s.work, "blackbox.yml")
	text := fmt.Sprintf("modules:\n  bench:\n    prober: http\n    timeout: 5s\n    http:\n      preferred_ip_protocol: ip4\n      tls_config: {ca_file: %q}\n", w.Root)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		return contender{}, fmt.Errorf("configuring the peer: %w", err)
	}
	address, err := free(ctx)
	if err != nil {
		return contender{}, err
	}
	cmd := pinned(ctx, clientCPU, s.peer, "--config.file", file, "--web.listen-address", address, "--log.level", "error")
	if err := cmd.Start(); err != nil {
		return contender{}, fmt.Errorf("starting the peer: %w", err)
	}
	if err := listens(ctx, address); err != nil {
		return contender{}, fmt.Errorf("waiting for the peer: %w", err)
	}
	return contender{peerWarm, func() (time.Duration, error) {
		return timed(cmd.Process.Pid, func() error { return s.scrape(ctx, address, w) })
	}, func() { _, _ = cmd.Process.Kill(), cmd.Wait() }}, nil
}

// listens waits until a program that was just started listens at an address.
func listens(ctx context.Context, address string) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
		if err == nil {
			return conn.Close() //nolint:wrapcheck // nothing to add
		}
		select {
		case <-ctx.Done():
			return err //nolint:wrapcheck // the caller says what for
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// scrape asks the exporter for every endpoint.
func (s settings) scrape(ctx context.Context, address string, w world) error {
	_, port, err := net.SplitHostPort(w.Address)
	if err != nil {
		return fmt.Errorf("reading an address: %w", err)
	}
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: s.workers}, Timeout: time.Minute}
	var group sync.WaitGroup
	failed := make(chan error, len(w.Hosts))
	work := make(chan string)
	for range s.workers {
		group.Go(func() {
			for host := range work {
				// hostname: what SNI and the Host header carry, while the target says where to connect.
				q := url.Values{"target": {"https://127.0.0.1:" + port + "/"}, "hostname": {host}, "module": {"bench"}}
				if err := scrapeOne(ctx, client, "http://"+address+"/probe?"+q.Encode()); err != nil {
					failed <- err
				}
			}
		})
	}
	for _, host := range w.Hosts[:s.endpoints] {
		work <- host
	}
	close(work)
	group.Wait()
	close(failed)
	return <-failed
}

func scrapeOne(ctx context.Context, client *http.Client, from string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, from, nil)
	if err != nil {
		return fmt.Errorf("asking the peer: %w", err)
	}
	response, err := client.Do(request)
	if err != nil {
		return fmt.Errorf("asking the peer: %w", err)
	}
	defer response.Body.Close() //nolint:errcheck // it was read
	text, err := io.ReadAll(response.Body)
	if err != nil || !strings.Contains(string(text), "probe_success 1") {
		return fmt.Errorf("the peer answered %q: %w", text, err)
	}
	return nil
}

// free returns an address on loopback that nobody listens at.
func free(ctx context.Context) (string, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("looking for a free port: %w", err)
	}
	return listener.Addr().String(), listener.Close() //nolint:wrapcheck // nothing to add
}

// once runs a command and returns the time it took and the most memory it held.
func once(cmd *exec.Cmd) (took time.Duration, memory int64, err error) {
	begin := time.Now()
	if err := cmd.Start(); err != nil {
		return 0, 0, fmt.Errorf("starting %s: %w", cmd.Path, err)
	}
	err = cmd.Wait()
	usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0, 0, errors.New("no resource usage on this system")
	}
	return time.Since(begin), usage.Maxrss << 10, err //nolint:wrapcheck // the caller knows which statuses are right
}
