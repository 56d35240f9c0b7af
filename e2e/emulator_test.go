package e2e

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
)

const (
	account = "111122223333" // the account of events/
	region  = "us-west-2"
)

// root is the root of the repository.
var root = filepath.Join("..")

// python is the interpreter of the environment that make e2e sets up.
func python(t *testing.T) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join(root, ".cache", "venv", "bin", "python"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("%v: run the tests by `make e2e`", err)
	}
	return path
}

// enabled skips a test unless it is run by `make e2e`.
func enabled(t *testing.T) {
	t.Helper()
	if os.Getenv("CERTDRIFT_E2E") == "" {
		t.Skip("runs by `make e2e` only, which sets up the emulator it needs")
	}
}

// startMoto runs the emulator until the test ends and returns HOST:PORT. env is added to its environment.
func startMoto(t *testing.T, env ...string) string {
	t.Helper()
	address := freeAddress(t)
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	cmd := exec.Command(python(t), "emulator.py", port)
	cmd.Env = append(os.Environ(), "MOTO_ACCOUNT_ID="+account, "PYTHONWARNINGS=ignore")
	cmd.Env = append(cmd.Env, env...)
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it has nothing to save
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("emulator:\n%s", tail(log.Bytes(), 4000))
		}
	})
	ready(t, "http://"+address+"/moto-api/data.json")
	return address
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func ready(t *testing.T, url string) {
	t.Helper()
	for end := time.Now().Add(60 * time.Second); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		if answer, err := http.Get(url); err == nil {
			answer.Body.Close()
			return
		}
	}
	t.Fatalf("nothing answers at %s", url)
}

// asTester is the SDK configuration of the test itself, which has all permissions.
func asTester(endpoint string) aws.Config {
	return aws.Config{
		Region: region, BaseEndpoint: aws.String(endpoint),
		Credentials: credentials.NewStaticCredentialsProvider("tester", "tester", ""),
	}
}

// run runs a command in the repository and returns what it wrote to standard output.
func run(ctx context.Context, env []string, name string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), env...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return out, fmt.Errorf("running %q: %w\n%s%s", name, err, tail(out, 4000), tail(stderr.Bytes(), 4000))
	}
	return out, nil
}

func tail(b []byte, n int) []byte {
	if len(b) > n {
		b = b[len(b)-n:]
	}
	return b
}
