// Command accuracy writes docs/accuracy.md: it runs certdrift, curl and openssl s_client on this machine against every server of
// package servers, over loopback.
package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"

	"certdrift/e2e/servers"
)

func main() {
	out := flag.String("o", "docs/accuracy.md", "the `file` to write")
	parallel := flag.Int("parallel", 4, "how many servers are tried at a time")
	flag.Parse()
	if err := write(context.Background(), *out, *parallel); err != nil {
		fmt.Fprintln(os.Stderr, "accuracy:", err)
		os.Exit(1)
	}
}

func write(ctx context.Context, out string, parallel int) error {
	dir, err := os.MkdirTemp("", "accuracy")
	if err != nil {
		return fmt.Errorf("making a directory: %w", err)
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a temporary directory
	binary := filepath.Join(dir, "certdrift")
	if said, err := exec.CommandContext(ctx, "go", "build", "-o", binary, "./cmd/certdrift").CombinedOutput(); err != nil { // our own command
		return fmt.Errorf("building certdrift: %w\n%s", err, said)
	}
	groups := servers.Groups()
	rows, err := compareAll(ctx, groups, binary, parallel)
	if err != nil {
		return err
	}
	running, stop := context.WithCancel(ctx)
	defer stop()
	programs, err := servers.ClientPrograms(running, dir)
	if err != nil {
		return err
	}
	defer func() {
		stop()
		for _, p := range programs {
			p.Ended()
		}
	}()
	outcomes, err := askAll(ctx, groups, binary, programs, parallel)
	if err != nil {
		return err
	}
	var text bytes.Buffer
	document(&text, groups, rows, versions(ctx))
	breachTable(&text)
	clientTables(&text, groups, outcomes, programs)
	if err := os.WriteFile(out, text.Bytes(), 0o644); err != nil { // a document for everybody
		return fmt.Errorf("writing %q: %w", out, err)
	}
	return nil
}

// compareAll runs all tools against all cases.
func compareAll(ctx context.Context, groups []servers.Group, binary string, parallel int) (map[string][]servers.Answer, error) {
	return each(ctx, groups, parallel, func(ctx context.Context, c servers.Case) ([]servers.Answer, error) {
		return servers.Compare(ctx, c, binary)
	})
}

// askAll has the client programs connect to the servers of all cases that they can be asked about.
func askAll(ctx context.Context, groups []servers.Group, binary string, programs []servers.Program, parallel int) (map[string]servers.Outcome, error) {
	return each(ctx, groups, parallel, func(ctx context.Context, c servers.Case) (servers.Outcome, error) {
		if !c.Comparable() {
			return servers.Outcome{}, nil
		}
		return servers.Ask(ctx, c, binary, programs)
	})
}

// each runs a step for each case, some at a time, and returns the results by name. A case that needs a missing program has none.
func each[T any](ctx context.Context, groups []servers.Group, parallel int, step func(context.Context, servers.Case) (T, error)) (map[string]T, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	results := map[string]T{}
	var mu sync.Mutex
	var wg sync.WaitGroup
	slots := make(chan struct{}, parallel)
	for _, g := range groups {
		for _, c := range g.Cases {
			if c.Missing() {
				continue
			}
			slots <- struct{}{}
			wg.Go(func() {
				defer func() { <-slots }()
				result, err := step(ctx, c)
				if err != nil {
					cancel(err)
					return
				}
				mu.Lock()
				defer mu.Unlock()
				results[c.Name] = result
			})
		}
	}
	wg.Wait()
	return results, context.Cause(ctx)
}

// versions returns the tools' version strings.
func versions(ctx context.Context) []string {
	var all []string
	for _, args := range [][]string{{"curl", "--version"}, {"openssl", "version"}} {
		out, err := exec.CommandContext(ctx, args[0], args[1:]...).Output() // fixed
		if err != nil {
			all = append(all, args[0]+" (unknown)")
			continue
		}
		words := strings.Fields(string(out))
		all = append(all, strings.Join(words[:min(2, len(words))], " "))
	}
	return all
}
