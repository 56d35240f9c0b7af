//go:build linux

package e2e

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"certdrift/e2e/debian"
	"certdrift/internal/sim/pki"
)

// image is what deploy/Dockerfile describes, as a directory.
type image struct{ dir, user, work, entry string }

// buildImage makes the image from a release's archive, as a container engine would.
func buildImage(t *testing.T) *image {
	t.Helper()
	dist, archive := t.TempDir(), t.TempDir()
	_, err := run(t.Context(), nil, "make", "release", "DIST="+dist, "VERSION=v0.1.0", "PLATFORMS=linux/"+runtime.GOARCH, "ARCHITECTURES=")
	check(t, err)
	_, err = run(t.Context(), nil, "unzip", "-q", filepath.Join(dist, "certdrift_v0.1.0_linux_"+runtime.GOARCH+".zip"), "-d", archive)
	check(t, err)
	recipe, err := os.ReadFile(filepath.Join(archive, "Dockerfile"))
	check(t, err)
	m := &image{dir: t.TempDir()}
	check(t, os.Chmod(m.dir, 0o755))
	for line := range strings.Lines(string(recipe)) {
		words := strings.Fields(line)
		if len(words) == 0 || words[0] == "#" {
			continue
		}
		switch words[0] {
		case "FROM":
			if words[1] != "scratch" {
				t.Errorf("the image is made from %s: pin it by its digest, and teach this test", words[1])
			}
		case "COPY":
			m.copy(t, filepath.Join(archive, words[1]), words[2])
		case "USER":
			m.user = words[1]
		case "WORKDIR":
			m.work = words[1]
			check(t, os.MkdirAll(filepath.Join(m.dir, m.work), 0o755))
		case "ENTRYPOINT":
			m.entry = strings.Trim(words[1], `[]"`)
		case "LABEL":
		default:
			t.Errorf("the test does not know %s", line)
		}
	}
	return m
}

func (m *image) copy(t *testing.T, from, to string) {
	t.Helper()
	content, err := os.ReadFile(from)
	check(t, err)
	info, err := os.Stat(from)
	check(t, err)
	to = filepath.Join(m.dir, to)
	check(t, os.MkdirAll(filepath.Dir(to), 0o755))
	check(t, os.WriteFile(to, content, info.Mode().Perm()))
}

// run runs the entry point in the image, as its user and without an environment.
func (m *image) run(t *testing.T, args ...string) (string, int) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), m.entry, args...)
	cmd.Dir, cmd.Env = m.work, []string{}
	cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: m.dir, Credential: &syscall.Credential{Uid: 65532, Gid: 65532}}
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

// TestTheImage tries the image that deploy/Dockerfile describes, without a container engine: the command runs with the image's files alone, and
// the roots in it are there for calls to AWS.
func TestTheImage(t *testing.T) {
	enabled(t)
	t.Parallel()
	debian.Install(t, map[string]string{"unzip": "unzip"})
	if os.Getuid() != 0 || debian.Program("unzip") == "" {
		t.Skip("this needs root (chroot) and unzip: the image of deploy/Dockerfile was not tried")
	}
	m := buildImage(t)
	if m.user != "65532:65532" {
		t.Errorf("the user is %q, not the one that the test runs it as", m.user)
	}
	ca, err := pki.Root("certdrift image root", time.Now())
	check(t, err)
	pair, err := ca.Leaf(time.Now(), []string{"image.example.org"})
	check(t, err)
	certificate := pair.TLS()
	server := serve(t, func(string) (*tls.Certificate, error) { return &certificate, nil })
	file := filepath.Join(t.TempDir(), "ca.pem")
	check(t, os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: ca.Certificate.Raw}), 0o644))
	m.copy(t, file, filepath.Join(m.work, "ca.pem"))

	if said, status := m.run(t, "version"); status != 0 || !strings.Contains(said, "certdrift") {
		t.Errorf("version ends with %d: %s", status, said)
	}
	endpoint := []string{"check", "--connect-to", server.Address, "https://image.example.org"}
	if said, status := m.run(t, append(endpoint, "--ca-file", "ca.pem")...); status != 0 {
		t.Errorf("check ends with %d: %s", status, said)
	}
	if said, status := m.run(t, endpoint...); status != 1 || !strings.Contains(said, "cert-chain-incomplete") {
		t.Errorf("with a CA that nobody trusts, check ends with %d: %s", status, said)
	}

	text, err := os.ReadFile(filepath.Join(m.dir, "etc/ssl/certs/ca-certificates.crt"))
	check(t, err)
	names := map[string]bool{}
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		root, err := x509.ParseCertificate(block.Bytes)
		check(t, err)
		names[root.Subject.CommonName] = true
	}
	if len(names) < 80 || !names["Amazon Root CA 1"] {
		t.Errorf("%d roots, Amazon's among them: %t", len(names), names["Amazon Root CA 1"])
	}
}
