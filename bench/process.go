package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// hangTimeout is how long a check waits for a server that answers nothing, as in the configurations.
const hangTimeout = 5 * time.Second

// busyTimeout is how long it waits where no server hangs: this machine may be busy with other things.
const busyTimeout = time.Minute

// ticks is how often Linux counts processor time per second for /proc, on every architecture that Go supports.
const ticks = 100

// process is a contender that stays, so that its later rounds are warm.
type process struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

func startProcess(ctx context.Context, name string, args ...string) (*process, error) {
	cmd := pinned(ctx, clientCPU, name, args...)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("starting %s: %w", name, err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("starting %s: %w", name, err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting %s: %w", name, err)
	}
	return &process{cmd, in, bufio.NewReader(out)}, nil
}

// ask sends a line and waits for the answer.
func (p *process) ask(line string) error {
	if _, err := fmt.Fprintln(p.in, line); err != nil {
		return fmt.Errorf("asking for a round: %w", err)
	}
	if _, err := p.out.ReadString('\n'); err != nil {
		return fmt.Errorf("waiting for a round: %w", err)
	}
	return nil
}

func (p *process) stop() {
	_ = p.in.Close()
	_ = p.cmd.Wait()
}

// spent is the processor time of a process so far, in user and in system mode.
func spent(pid int) (time.Duration, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, fmt.Errorf("reading the processor time: %w", err)
	}
	_, rest, ok := bytes.Cut(text, []byte(") ")) // the name may hold anything
	fields := strings.Fields(string(rest))
	if !ok || len(fields) < 13 {
		return 0, fmt.Errorf("reading the processor time: %q", text)
	}
	var total time.Duration
	for _, field := range fields[11:13] {
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("reading the processor time: %w", err)
		}
		total += time.Duration(n) * time.Second / ticks
	}
	return total, nil
}

// resident is the most memory that a process has held so far, in bytes.
func resident(pid int) (int64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, fmt.Errorf("reading the memory: %w", err)
	}
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kib, err := strconv.ParseInt(strings.Fields(value)[0], 10, 64)
			return kib << 10, err //nolint:wrapcheck // the kernel writes numbers
		}
	}
	return 0, fmt.Errorf("reading the memory: no VmHWM in %q", text)
}
