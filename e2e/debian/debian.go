// Package debian installs the programs that the end-to-end tests need (servers, a browser), if the machine runs Debian or a derivative
// and the user has the permission. Tests whose program cannot be installed are skipped by name.
package debian

import (
	"context"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// patience bounds one installation.
const patience = 5 * time.Minute

// Program returns the path of a program, also from directories for servers that are not in a user's PATH; empty if it is missing.
func Program(name string) string {
	for _, candidate := range []string{name, "/usr/sbin/" + name} {
		if path, err := exec.LookPath(candidate); err == nil {
			return path
		}
	}
	return ""
}

// Install installs what is missing; packages maps each program to its packages, separated by spaces.
func Install(t testing.TB, packages map[string]string) {
	t.Helper()
	var missing []string
	for _, program := range slices.Sorted(maps.Keys(packages)) {
		if Program(program) == "" {
			missing = append(missing, strings.Fields(packages[program])...)
		}
	}
	if len(missing) == 0 {
		return
	}
	if os.Getuid() != 0 || Program("apt-get") == "" {
		t.Logf("not on this machine, and not to be installed by this user: %s", strings.Join(missing, ", "))
		return
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for _, args := range [][]string{{"update"}, append([]string{"install", "-y", "--no-install-recommends"}, missing...)} {
		// Tests of several packages run at once, and apt-get does not wait for another one.
		cmd := exec.CommandContext(ctx, "flock", append([]string{filepath.Join(os.TempDir(), "certdrift-apt.lock"), "apt-get"}, args...)...)
		cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive", "RUNLEVEL=1") // installed, not started
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Logf("installing %s: %v\n%s", strings.Join(missing, ", "), err, out[max(0, len(out)-500):])
		}
	}
}
