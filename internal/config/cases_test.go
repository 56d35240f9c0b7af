package config

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"flag"
	"fmt"
	"io/fs"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"certdrift/internal/observation"
)

var update = flag.Bool("update", false, "write the golden files anew")

// beside is what lies beside the test configurations: a CA, a client certificate with its key, and files that are none
// of these.
func beside(t testing.TB) func(name string) ([]byte, error) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Test CA"},
		NotBefore: time.Unix(0, 0), NotAfter: time.Unix(1<<32, 0), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	files := map[string][]byte{
		"ca.pem": bytes.Join([][]byte{[]byte("subject=Test CA\n"), certificate}, nil), "ca.der": der,
		"client.pem": certificate, "client-key.pem": pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}),
		"empty.pem": {}, "notes.txt": []byte("nothing of the kind\n"), "huge.pem": make([]byte, maxFile+1),
	}
	return func(name string) ([]byte, error) {
		if data, ok := files[name]; ok {
			return data, nil
		}
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
}

func list(diagnostics []observation.Diagnostic) string {
	var b strings.Builder
	for _, f := range diagnostics {
		fmt.Fprintf(&b, "%d:%d", f.Line, f.Column)
		if f.Endpoint != "" {
			fmt.Fprintf(&b, " [%s/%s]", f.Environment, f.Endpoint)
		}
		fmt.Fprintf(&b, " %s\n\t%s\n", f.Message, f.Hint)
	}
	return b.String()
}

func cases(t testing.TB, pattern string) []string {
	t.Helper()
	names, err := filepath.Glob(pattern)
	if err != nil || len(names) == 0 {
		t.Fatalf("no %s: %v", pattern, err)
	}
	return names
}

func read(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestGoodFilesHaveNoFaults(t *testing.T) {
	for _, name := range append(cases(t, "testdata/*.ok.yaml"), "../../certdrift.example.yaml") {
		t.Run(filepath.Base(name), func(t *testing.T) {
			cfg, diagnostics := Load(read(t, name), Options{File: name, ReadFile: beside(t)})
			if len(diagnostics) > 0 {
				t.Fatalf("diagnostics:\n%s", list(diagnostics))
			}
			if len(cfg.Endpoints) == 0 && !cfg.Scope.Enabled && len(cfg.Manifests) == 0 {
				t.Error("nothing was read")
			}
		})
	}
}

// TestBadFiles compares the faults of each bad file, and the endpoints that are left, with the golden file beside it.
func TestBadFiles(t *testing.T) {
	for _, name := range cases(t, "testdata/*.bad.yaml") {
		t.Run(filepath.Base(name), func(t *testing.T) {
			cfg, diagnostics := Load(read(t, name), Options{File: name, ReadFile: beside(t)})
			if len(diagnostics) == 0 {
				t.Fatal("no diagnostics")
			}
			var b strings.Builder
			b.WriteString(list(diagnostics))
			for _, e := range cfg.Endpoints {
				fmt.Fprintf(&b, "good: %s\n", e.Key())
			}
			checkDiagnostics(t, diagnostics)
			golden := strings.TrimSuffix(name, ".yaml") + ".golden"
			if *update {
				if err := os.WriteFile(golden, []byte(b.String()), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(string(read(t, golden)), b.String()); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// checkDiagnostics holds for the faults of any file.
func checkDiagnostics(t *testing.T, diagnostics []observation.Diagnostic) {
	t.Helper()
	for _, f := range diagnostics {
		if f.File == "" || f.Line < 1 || f.Column < 1 || f.Message == "" || f.Hint == "" {
			t.Errorf("a diagnostic without position, message or hint: %+v", f)
		}
		if f.Endpoint != "" && f.Environment == "" && !strings.Contains(f.Message, "name") {
			t.Errorf("a fault with an endpoint and no environment: %+v", f)
		}
		for _, r := range f.Message + f.Hint {
			if r < ' ' {
				t.Errorf("a fault with a control character: %+q", f.Message)
			}
		}
		for _, secret := range []string{"hunter2", "s3cr3t"} {
			if strings.Contains(fmt.Sprint(f), secret) {
				t.Errorf("a fault shows a secret: %+v", f)
			}
		}
	}
}
