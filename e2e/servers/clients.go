package servers

import (
	"bytes"
	"context"
	_ "embed" // for the clients' sources
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/chromedp/chromedp"

	"certdrift/e2e/debian"
)

var (
	//go:embed testdata/clients/client.py
	pythonClient []byte
	//go:embed testdata/clients/client.mjs
	nodeClient []byte
	//go:embed testdata/clients/Client.java
	javaClient []byte
	//go:embed testdata/clients/rustls/Cargo.toml
	rustManifest []byte
	//go:embed testdata/clients/rustls/src/main.rs
	rustClient []byte
)

// rustBuilt is where the Rust client is built, below the module's directory. It is kept, because the first build takes minutes.
const rustBuilt = ".cache/rustls"

// Program is a client program as packages serve it: what it does is set beside what certdrift says of its family.
type Program struct {
	// Family is its family's name in findings, Version what the program says of itself.
	Family, Version string
	// web is set if it speaks HTTP only.
	web bool
	// connect connects to a server and returns why the program refuses it; empty if it does not.
	connect connecting
	// ended waits until its process has ended, once its context has; nil if none runs on.
	ended func()
}

// Ended waits until nothing of the program runs any more. A browser ends after its context.
func (p Program) Ended() {
	if p.ended != nil {
		p.ended()
	}
}

// connecting connects to host and port, for a name, with the roots of a file.
type connecting func(ctx context.Context, host, port, name, roots string) (refused string, err error)

// preparing prepares a program in a directory; one that is not on this machine has no version.
type preparing func(ctx context.Context, dir string) (Program, error)

// ClientPrograms prepares the client programs that this machine has, in the directory of the module. dir is where they may be built; it must
// outlive them. Browsers run until the context ends.
func ClientPrograms(ctx context.Context, dir string) ([]Program, error) {
	for name, source := range map[string][]byte{"client.py": pythonClient, "client.mjs": nodeClient, "Client.java": javaClient} {
		if err := os.WriteFile(filepath.Join(dir, name), source, 0o600); err != nil {
			return nil, fmt.Errorf("writing a client: %w", err)
		}
	}
	var all []Program
	for _, prepare := range []preparing{
		preparedOpenSSL, preparedCurl, preparedGo, preparedPython, preparedNode, preparedJava, preparedGnuTLS, preparedRustls, preparedChromium, preparedFirefox,
	} {
		p, err := prepare(ctx, dir)
		if err != nil {
			return nil, fmt.Errorf("preparing %s: %w", p.Family, err)
		}
		if p.Version != "" {
			all = append(all, p)
		}
	}
	return all, nil
}

func preparedOpenSSL(ctx context.Context, _ string) (Program, error) {
	return Program{Family: "OpenSSL", Version: version(ctx, "openssl", "version"), connect: running(opensslClient)}, nil
}

func preparedCurl(ctx context.Context, _ string) (Program, error) {
	return Program{Family: "curl", Version: version(ctx, "curl", "--version"), web: true, connect: running(curlClient)}, nil
}

func preparedGo(ctx context.Context, dir string) (Program, error) {
	p := Program{Family: "Go", Version: version(ctx, "go", "version")}
	client := filepath.Join(dir, "tlsclient")
	if said, err := exec.CommandContext(ctx, "go", "build", "-o", client, "certdrift/e2e/tlsclient").CombinedOutput(); err != nil { // our own command
		return p, fmt.Errorf("building it: %w\n%s", err, said)
	}
	p.connect = script(client)
	return p, nil
}

func preparedPython(ctx context.Context, dir string) (Program, error) {
	for _, python := range []string{"python3.14", "python3.13", "python3"} { // the newest one: its defaults are the strictest
		if v := version(ctx, python, "--version"); v != "" {
			return Program{Family: "Python", Version: v, connect: script(python, filepath.Join(dir, "client.py"))}, nil
		}
	}
	return Program{Family: "Python"}, nil
}

func preparedNode(ctx context.Context, dir string) (Program, error) {
	return Program{Family: "Node", Version: version(ctx, "node", "--version"), connect: script("node", filepath.Join(dir, "client.mjs"))}, nil
}

func preparedJava(ctx context.Context, dir string) (Program, error) {
	p := Program{Family: "Java", connect: script("java", "-XX:TieredStopAtLevel=1", "-cp", dir, "Client")}
	if exec.CommandContext(ctx, "javac", "-d", dir, filepath.Join(dir, "Client.java")).Run() == nil { // our own source
		p.Version = version(ctx, "java", "-version")
	}
	return p, nil
}

func preparedGnuTLS(ctx context.Context, _ string) (Program, error) {
	return Program{Family: "GnuTLS", Version: version(ctx, "gnutls-cli", "--version"), connect: running(gnutlsClient)}, nil
}

// preparedRustls builds the Rust client where cargo is installed. Its version is the library's.
func preparedRustls(ctx context.Context, _ string) (Program, error) {
	p := Program{Family: "rustls", connect: script(rustBuilt + "/target/debug/rustls-client")}
	if debian.Program("cargo") == "" {
		return p, nil
	}
	if err := os.MkdirAll(rustBuilt+"/src", 0o750); err != nil {
		return p, fmt.Errorf("making its directory: %w", err)
	}
	for name, source := range map[string][]byte{"Cargo.toml": rustManifest, "src/main.rs": rustClient} {
		if err := os.WriteFile(filepath.Join(rustBuilt, name), source, 0o600); err != nil {
			return p, fmt.Errorf("writing its source: %w", err)
		}
	}
	build := exec.CommandContext(ctx, "cargo", "build", "--quiet")
	build.Dir = rustBuilt
	if said, err := build.CombinedOutput(); err != nil {
		return p, fmt.Errorf("building it: %w\n%s", err, said)
	}
	if found := regexp.MustCompile(`(?m)^rustls = "=(.*)"$`).FindSubmatch(rustManifest); found != nil {
		p.Version = string(found[1])
	}
	return p, nil
}

func preparedChromium(ctx context.Context, dir string) (Program, error) {
	p := Program{Family: "Chromium", web: true}
	if debian.Program("certutil") == "" { // which gives it its roots
		return p, nil
	}
	g, err := newGateway(ctx)
	if err != nil {
		return p, err
	}
	if p.Version = version(ctx, "chromium", "--version"); p.Version == "" {
		return p, nil
	}
	c, err := newChromium(ctx, debian.Program("chromium"), filepath.Join(dir, "chromium"), g)
	if err != nil {
		return p, err
	}
	p.connect, p.ended = c.visit, chromedp.FromContext(c.tab).Allocator.Wait
	return p, nil
}

func preparedFirefox(ctx context.Context, dir string) (Program, error) {
	p := Program{Family: "Firefox (NSS)", web: true}
	g, err := newGateway(ctx)
	if err != nil {
		return p, err
	}
	for _, program := range []string{"firefox-esr", "firefox"} {
		if p.Version = version(ctx, program, "--version"); p.Version != "" {
			f, err := newFirefox(ctx, debian.Program(program), filepath.Join(dir, "firefox"), g)
			if err != nil {
				return p, err
			}
			p.connect, p.ended = f.visit, func() { <-f.ended }
			break
		}
	}
	return p, nil
}

// running connects by a command, whose exit status says whether it refuses.
func running(command func(ctx context.Context, host, port, name, roots string) *exec.Cmd) connecting {
	return func(ctx context.Context, host, port, name, roots string) (string, error) {
		ctx, cancel := context.WithTimeout(ctx, 3*patience)
		defer cancel()
		cmd := command(ctx, host, port, name, roots)
		var said bytes.Buffer
		cmd.Stdout, cmd.Stderr = &said, &said
		err := cmd.Run()
		var exit *exec.ExitError
		switch {
		case err == nil:
			return "", nil
		case errors.As(err, &exit), ctx.Err() != nil:
			return fmt.Sprintf("%v: %s", err, said.Bytes()), nil
		}
		return "", fmt.Errorf("running it: %w", err)
	}
}

func script(program string, args ...string) connecting {
	return running(func(ctx context.Context, host, port, name, roots string) *exec.Cmd {
		return exec.CommandContext(ctx, program, append(slices.Clone(args), host, port, name, roots)...) // arguments are this package's own
	})
}

// rootsIn returns the certificates in a file, in DER.
func rootsIn(file string) ([][]byte, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("reading the roots: %w", err)
	}
	var all [][]byte
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		all = append(all, block.Bytes)
	}
	return all, nil
}

// version returns the first version number that a program prints; empty if it does not run.
func version(ctx context.Context, program string, args ...string) string {
	if debian.Program(program) == "" {
		return ""
	}
	out, err := exec.CommandContext(ctx, program, args...).CombinedOutput() // fixed
	if err != nil {
		return ""
	}
	return regexp.MustCompile(`[0-9]+(\.[0-9]+)+`).FindString(string(out))
}

func opensslClient(ctx context.Context, host, port, name, roots string) *exec.Cmd {
	args := []string{"s_client", "-connect", net.JoinHostPort(host, port), "-verify_return_error", "-partial_chain", "-CAfile", roots, "-no-CApath", "-no-CAstore"}
	if net.ParseIP(name) != nil {
		args = append(args, "-noservername", "-verify_ip", name)
	} else {
		args = append(args, "-servername", name, "-verify_hostname", name)
	}
	cmd := exec.CommandContext(ctx, "openssl", args...)
	cmd.Stdin = listening{}
	return cmd
}

func curlClient(ctx context.Context, host, port, name, roots string) *exec.Cmd {
	if strings.Contains(name, ":") {
		name = "[" + name + "]"
	}
	return exec.CommandContext(ctx, "curl", "-q", "-sS", "-o", "/dev/null", "--interface", "lo", "--max-time", "5", "--capath", "/dev/null", "--cacert", roots,
		"--connect-to", fmt.Sprintf("%s:%s:%s", name, port, net.JoinHostPort(host, port)), "https://"+net.JoinHostPort(strings.Trim(name, "[]"), port)+"/")
}

func gnutlsClient(ctx context.Context, host, port, name, roots string) *exec.Cmd {
	args := []string{"--x509cafile", roots, "--port", port, "--verify-hostname", name}
	if net.ParseIP(name) != nil {
		args = append(args, "--disable-sni")
	} else {
		args = append(args, "--sni-hostname", name)
	}
	cmd := exec.CommandContext(ctx, "gnutls-cli", append(args, host)...)
	cmd.Stdin = listening{}
	return cmd
}
