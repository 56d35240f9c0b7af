package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"
)

// results are everything that a run measured.
type results struct {
	settings
	worlds []worldResult
	starts map[string]time.Duration // processor time of a cold start, by function
	hangs  []hangResult
	// Bytes per check that waits for a handshake.
	waiting, waitingFloor int64
}

// worldResult is the processor time of each lap of each contender.
type worldResult struct {
	name  string
	order []string
	laps  map[string][]time.Duration
}

// hangResult is how long rounds take in which a tenth of the endpoints hang: by the command, which does not know which ones will, and by the
// function, which has seen them hang in its round before.
type hangResult struct {
	endpoints   int
	once, later time.Duration
}

func (s settings) measure(ctx context.Context) (results, error) {
	r := results{settings: s, starts: map[string]time.Duration{}}
	worlds, err := startWorlds(ctx, s.work, max(s.endpoints, s.most()))
	if err != nil {
		return r, err
	}
	for _, w := range worlds {
		w.Hosts = w.Hosts[:s.endpoints]
		measured, err := s.race(ctx, w)
		if err != nil {
			return r, fmt.Errorf("in the world %q: %w", w.Name, err)
		}
		r.worlds = append(r.worlds, measured)
	}
	if err := s.coldStarts(ctx, worlds[0], &r); err != nil {
		return r, err
	}
	if !s.hanging {
		return r, nil
	}
	return r, errors.Join(s.hangs(ctx, worlds[0], &r), s.waits(ctx, worlds[0], &r))
}

// race gives every contender its turn in each lap, so that whatever else this machine does affects all of them.
func (s settings) race(ctx context.Context, w world) (worldResult, error) {
	r := worldResult{name: w.Name, laps: map[string][]time.Duration{}}
	all, err := s.contenders(ctx, w)
	defer func() {
		for _, c := range all {
			c.stop()
		}
	}()
	if err != nil {
		return r, err
	}
	for range s.laps {
		for _, c := range all {
			took, err := c.round()
			if err != nil {
				return r, fmt.Errorf("%s: %w", c.name, err)
			}
			r.laps[c.name] = append(r.laps[c.name], took)
		}
		fmt.Fprint(os.Stderr, ".")
	}
	for _, c := range all {
		r.order = append(r.order, c.name)
	}
	return r, nil
}

// coldStarts compares the start of the probe function with that of a function that does nothing.
func (s settings) coldStarts(ctx context.Context, w world, r *results) error {
	dir, err := s.folder(w, s.endpoints, 0)
	if err != nil {
		return err
	}
	laps := map[string][]time.Duration{}
	for range 2*s.laps + 1 {
		for _, name := range []string{"hello", "bootstrap"} {
			took, err := startsIn(ctx, filepath.Join(s.work, name), dir)
			if err != nil {
				return err
			}
			laps[name] = append(laps[name], took)
		}
	}
	for name, all := range laps {
		r.starts[name] = median(all)
	}
	return nil
}

// sizes are how many endpoints rounds have in which a tenth hang.
var sizes = []int{1000, 3000, 10_000}

// most is the most endpoints that a world needs.
func (s settings) most() int {
	if !s.hanging {
		return 0
	}
	return slices.Max(sizes)
}

// hangs measures rounds in which a tenth of the endpoints hang.
func (s settings) hangs(ctx context.Context, w world, r *results) error {
	for _, n := range sizes {
		dir, err := s.folder(w, n, n/10)
		if err != nil {
			return err
		}
		took, _, err := once(s.checkCommand(ctx, dir))
		if err := foundSomething(err); err != nil {
			return err
		}
		later, err := s.laterRound(ctx, dir, n)
		if err != nil {
			return err
		}
		r.hangs = append(r.hangs, hangResult{n, took, later})
	}
	return nil
}

// laterRound measures the second round of a function.
func (s settings) laterRound(ctx context.Context, dir string, endpoints int) (took time.Duration, err error) {
	f, err := startFunction(ctx, filepath.Join(s.work, "bootstrap"), dir)
	if err != nil {
		return 0, err
	}
	defer f.stop()
	for range 2 {
		begin := time.Now()
		if err := f.invoke(endpoints, "fail"); err != nil {
			return 0, err
		}
		took = time.Since(begin)
	}
	return took, nil
}

// waiters is how many checks wait at the same time when their memory is measured.
const waiters = 900

// waits measures the memory of a check that waits.
func (s settings) waits(ctx context.Context, w world, r *results) error {
	w.Hosts = w.Hosts[:waiters]
	dir, err := s.folder(w, waiters, waiters)
	if err != nil {
		return err
	}
	_, idle, err := once(pinned(ctx, clientCPU, filepath.Join(s.work, "certdrift"), "validate", "-c", filepath.Join(dir, "certdrift.yaml")))
	if err != nil {
		return fmt.Errorf("validating the configuration: %w", err)
	}
	most, err := s.whileAllWait(ctx, dir)
	if err != nil {
		return err
	}
	r.waiting = (most - idle) / waiters
	s.workers = waiters
	p, err := s.startFloor(ctx, w)
	if err != nil {
		return err
	}
	defer p.stop()
	if err := p.ask("silent"); err != nil {
		return err
	}
	all, err := resident(p.cmd.Process.Pid)
	if err != nil {
		return err
	}
	r.waitingFloor = (all - bare) / waiters
	return nil
}

// whileAllWait is the most memory that a check holds until its first wait is over: what comes after it is a report about hundreds of servers.
func (s settings) whileAllWait(ctx context.Context, dir string) (most int64, err error) {
	cmd := s.checkCommand(ctx, dir)
	if err := cmd.Start(); err != nil {
		return 0, fmt.Errorf("starting a check: %w", err)
	}
	for end := time.Now().Add(hangTimeout); time.Now().Before(end) && err == nil; time.Sleep(100 * time.Millisecond) {
		most, err = resident(cmd.Process.Pid)
	}
	return most, errors.Join(err, foundSomething(cmd.Wait()))
}

// bare is about what a Go program holds that has done nothing yet.
const bare = 8 << 20

// checkCommand is `certdrift check` of the configuration in a folder.
func (s settings) checkCommand(ctx context.Context, dir string) *exec.Cmd {
	return pinned(ctx, clientCPU, filepath.Join(s.work, "certdrift"), "check", "-c", filepath.Join(dir, "certdrift.yaml"), "--format", "json", "-o", os.DevNull)
}

// foundSomething takes the exit status of a check with findings for success.
func foundSomething(err error) error {
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == 1 {
		return nil
	}
	return err
}

func median[T ~int64 | ~float64](all []T) T {
	sorted := slices.Sorted(slices.Values(all))
	if len(sorted) == 0 {
		return 0
	}
	return sorted[len(sorted)/2]
}
