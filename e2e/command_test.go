package e2e

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// terminal is an operator's terminal: certdrift and the AWS CLI in the path, the account behind the front, and nothing else from
// this machine.
type terminal struct {
	bin, dir string
	env      []string
}

func openTerminal(t *testing.T, w *world, endpoint string) *terminal {
	t.Helper()
	dir, home := w.write(t), t.TempDir()
	bin := filepath.Join(home, "certdrift")
	_, err := run(t.Context(), nil, "go", "build", "-o", bin, "./cmd/certdrift")
	check(t, err)
	return &terminal{bin: bin, dir: dir, env: []string{
		"HOME=" + home, "PATH=" + home + ":" + filepath.Dir(python(t)) + ":" + os.Getenv("PATH"), "NO_COLOR=1",
		"AWS_ENDPOINT_URL=" + endpoint, "AWS_REGION=" + region, "AWS_DEFAULT_REGION=" + region,
		"AWS_ACCESS_KEY_ID=tester", "AWS_SECRET_ACCESS_KEY=tester", "AWS_EC2_METADATA_DISABLED=true",
	}}
}

// certdrift runs the command line and returns what it wrote to standard output and its exit status.
func (c *terminal) certdrift(t *testing.T, args ...string) (stdout string, status int) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), c.bin, args...)
	return c.run(t, cmd)
}

// shell runs a command line as if an operator pasted it.
func (c *terminal) shell(t *testing.T, line string) (stdout string, status int) {
	t.Helper()
	return c.run(t, exec.CommandContext(t.Context(), "sh", "-c", line))
}

func (c *terminal) run(t *testing.T, cmd *exec.Cmd) (string, int) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = c.dir, c.env, &stdout, &stderr
	err := cmd.Run()
	if exit, failed := errors.AsType[*exec.ExitError](err); err != nil && !failed {
		t.Fatal(err)
	} else if failed {
		t.Logf("%q ends with %d: %s", cmd.Args, exit.ExitCode(), tail(stderr.Bytes(), 2000))
	}
	return stdout.String(), cmd.ProcessState.ExitCode()
}
