// Command bench measures what a check costs: checks per second of the client's processor time, of certdrift's real binaries, of a bare
// loop over crypto/tls (the floor) and of another prober, all against the same servers on loopback, in turns within one run. Only ratios
// within a run mean anything; absolute figures are those of the machine. Linux only: processor time is read from /proc.
//
// `make bench` runs it and writes docs/performance.md. It runs itself for the parts that need a process of their own: `bench serve` for
// the servers, `bench floor` for the bare loop.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"time"
)

type settings struct {
	endpoints, laps, workers int
	peer, out, work          string
	hanging                  bool
	keep                     string
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	var err error
	switch {
	case len(os.Args) > 1 && os.Args[1] == "serve":
		err = serve(ctx, os.Args[2:], os.Stdout)
	case len(os.Args) > 1 && os.Args[1] == "floor":
		err = floorProcess(ctx, os.Args[2:], os.Stdin, os.Stdout)
	default:
		err = bench(ctx, os.Args[1:], os.Stdout)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func bench(ctx context.Context, args []string, w io.Writer) error {
	var s settings
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.IntVar(&s.endpoints, "endpoints", 1000, "endpoints per world")
	flags.IntVar(&s.laps, "laps", 11, "how often each contender has its turn")
	flags.IntVar(&s.workers, "workers", 64, "concurrent checks of the floor and requests to the peer")
	flags.StringVar(&s.peer, "peer", "", "the binary of a blackbox_exporter to compare with")
	flags.StringVar(&s.out, "o", "", "write the results to this Markdown file")
	flags.BoolVar(&s.hanging, "hanging", true, "also measure rounds in which a tenth of the endpoints hang, and the memory of a check that waits")
	flags.StringVar(&s.keep, "profile", "", "keep everything that was built in this directory")
	if err := flags.Parse(args); err != nil {
		return fmt.Errorf("reading the flags: %w", err)
	}
	s.work = s.keep
	if s.work == "" {
		dir, err := os.MkdirTemp("", "certdrift-bench-")
		if err != nil {
			return fmt.Errorf("making a directory to work in: %w", err)
		}
		defer os.RemoveAll(dir) //nolint:errcheck // it is the system's to clean then
		s.work = dir
	}
	if err := build(ctx, s.work); err != nil {
		return err
	}
	r, err := s.measure(ctx)
	if err != nil {
		return err
	}
	text := r.markdown()
	if _, err := io.WriteString(w, text); err != nil {
		return fmt.Errorf("printing the results: %w", err)
	}
	if s.out == "" {
		return nil
	}
	if err := os.WriteFile(s.out, []byte(text), 0o600); err != nil {
		return fmt.Errorf("writing the results: %w", err)
	}
	return nil
}

// build builds the binaries as they are deployed, for this machine.
func build(ctx context.Context, dir string) error {
	for name, args := range map[string][]string{
		"certdrift": {"./cmd/certdrift"},
		"bootstrap": {"-tags", "lambda,lambda.norpc", "-gcflags=github.com/aws/...=-l", "./functions/probe"},
		"hello":     {"-tags", "lambda.norpc", "./bench/hello"},
	} {
		cmd := exec.CommandContext(ctx, "go", append([]string{"build", "-trimpath", "-buildvcs=false", "-o", filepath.Join(dir, name)}, args...)...) //nolint:gosec // the arguments are the ones above
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		cmd.Stderr = os.Stderr
		if err := cmd.Run(); err != nil {
			return fmt.Errorf("building %s: %w", name, err)
		}
	}
	return nil
}

// patience bounds what no part of a run may exceed.
const patience = 10 * time.Minute
