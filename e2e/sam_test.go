package e2e

import (
	"debug/elf"
	"os"
	"path/filepath"
	"strings"
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
	_, err := run(t.Context(), append([]string{"CONFIG=certdrift.example.yaml"}, samEnv...), sam, "build", "--config-file", "samconfig.example.toml", "--build-dir", dir)
	check(t, err)
	for _, name := range []string{"ProbeFunction", "InspectFunction", "VerifyFunction", "WidgetFunction", "WorkerFunction"} {
		bootstrap, err := elf.Open(filepath.Join(dir, name, "bootstrap"))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if bootstrap.Machine != elf.EM_AARCH64 {
			t.Errorf("%s is built for %v; the template says arm64", name, bootstrap.Machine)
		}
		bootstrap.Close()
		if _, err := os.Stat(filepath.Join(dir, name, "certdrift.yaml")); (err == nil) != (name != "WorkerFunction") {
			t.Errorf("%s: the configuration belongs into the package of each function but the worker: %v", name, err)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "template.yaml")); err != nil {
		t.Error(err)
	}
}

// TestBuildWithoutConfiguration: a deployment that watches the hosts of the example would look like one that works.
func TestBuildWithoutConfiguration(t *testing.T) {
	enabled(t)
	dir, missing := t.TempDir(), filepath.Join(t.TempDir(), "certdrift.yaml")
	build := func(config string) error {
		_, err := run(t.Context(), nil, "make", "build-WidgetFunction", "ARTIFACTS_DIR="+dir, "CONFIG="+config)
		return err
	}
	err := build(missing)
	for _, want := range []string{missing + " not found", "certdrift init --from-aws -o " + missing, "CONFIG= sam build"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the build without a configuration says %v, want %q", err, want)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "bootstrap")); err == nil {
		t.Error("it built a package all the same")
	}
	check(t, build(""))
	if files, err := os.ReadDir(dir); err != nil || len(files) != 1 || files[0].Name() != "bootstrap" {
		t.Errorf("for a configuration elsewhere, the package holds %v (%v), want the program alone", files, err)
	}
}
