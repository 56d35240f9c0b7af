package e2e

import (
	"debug/elf"
	"os"
	"path/filepath"
	"testing"
)

// samCLI is the path of the SAM CLI; the test is skipped if pip could not install it.
func samCLI(t *testing.T) string {
	t.Helper()
	enabled(t)
	path, err := filepath.Abs(filepath.Join(root, ".cache", "venv-sam", "bin", "sam"))
	check(t, err)
	if _, err := os.Stat(path); err != nil {
		t.Skip("pip could not fetch the SAM CLI here, so `sam validate --lint` and `sam build` did not run")
	}
	return path
}

var samEnv = []string{"SAM_CLI_TELEMETRY=0", "AWS_DEFAULT_REGION=" + region, "AWS_ACCESS_KEY_ID=x", "AWS_SECRET_ACCESS_KEY=x"}

func TestSAMValidate(t *testing.T) {
	out, err := run(t.Context(), samEnv, samCLI(t), "validate", "--lint")
	check(t, err)
	t.Logf("%s", out)
}

// TestSAMBuild builds as a user does and checks the output: arm64 binaries and a configuration next to them.
func TestSAMBuild(t *testing.T) {
	sam, dir := samCLI(t), t.TempDir()
	_, err := run(t.Context(), samEnv, sam, "build", "--config-file", "samconfig.example.toml", "--build-dir", dir)
	check(t, err)
	for _, name := range []string{"ProbeFunction", "InspectFunction", "VerifyFunction", "WidgetFunction"} {
		bootstrap, err := elf.Open(filepath.Join(dir, name, "bootstrap"))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if bootstrap.Machine != elf.EM_AARCH64 {
			t.Errorf("%s is built for %v; the template says arm64", name, bootstrap.Machine)
		}
		bootstrap.Close()
		if _, err := os.Stat(filepath.Join(dir, name, "certdrift.yaml")); err != nil {
			t.Errorf("%s: no configuration in the package: %v", name, err)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "template.yaml")); err != nil {
		t.Error(err)
	}
}
