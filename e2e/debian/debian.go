// Package debian installs what the end-to-end tests run beside certdrift (servers, a browser), where the machine is Debian's
// kind and the user may. What cannot be installed is skipped by name where it is missed.
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

// Program is the path of a program, found also where servers live and no user's PATH leads; empty where it is missing.
func Program(name string) string {
	for _, candidate := range []string{name, "/usr/sbin/" + name} {
		if path, err := exec.LookPath(candidate); err == nil {
			return path
		}
	}
	return ""
}

// Install fetches what is missing; packages are by the program that each brings.
func Install(t testing.TB, packages map[string]string) {
	t.Helper()
	var missing []string
	for _, program := range slices.Sorted(maps.Keys(packages)) {
		if Program(program) == "" {
			missing = append(missing, packages[program])
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
