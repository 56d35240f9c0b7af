package servers

import (
	"bytes"
	"context"
	_ "embed" // for the clients' sources
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"certdrift/e2e/debian"
	"certdrift/internal/finding"
)

var (
	//go:embed testdata/clients/client.py
	pythonClient []byte
	//go:embed testdata/clients/client.mjs
	nodeClient []byte
	//go:embed testdata/clients/Client.java
	javaClient []byte
)

// Program is a client program as packages serve it: what it does is set beside what certdrift says of its family.
type Program struct {
	// Family is its family's name in findings, Version what the program says of itself.
	Family, Version string
	command         func(ctx context.Context, host, port, name, roots string) *exec.Cmd
}

// Programs prepares the client programs that this machine has. dir is where they may be built; it must outlive them.
func Programs(ctx context.Context, dir string) ([]Program, error) {
	goClient := filepath.Join(dir, "tlsclient")
	if said, err := exec.CommandContext(ctx, "go", "build", "-o", goClient, "certdrift/e2e/tlsclient").CombinedOutput(); err != nil { // our own command
		return nil, fmt.Errorf("building the Go client: %w\n%s", err, said)
	}
	for name, source := range map[string][]byte{"client.py": pythonClient, "client.mjs": nodeClient, "Client.java": javaClient} {
		if err := os.WriteFile(filepath.Join(dir, name), source, 0o600); err != nil {
			return nil, fmt.Errorf("writing a client: %w", err)
		}
	}
	all := []Program{
		{"OpenSSL", version(ctx, "openssl", "version"), opensslClient},
		{"curl", version(ctx, "curl", "--version"), curlClient},
		{"Go", version(ctx, "go", "version"), script(goClient)},
		{"Python", "", nil},
		{"Node", version(ctx, "node", "--version"), script("node", filepath.Join(dir, "client.mjs"))},
		{"Java", "", nil},
		{"GnuTLS", version(ctx, "gnutls-cli", "--version"), gnutlsClient},
	}
	for i := range all {
		switch all[i].Family {
		case "Python": // the newest one: its defaults are the strictest
			for _, python := range []string{"python3.14", "python3.13", "python3"} {
				if all[i].Version = version(ctx, python, "--version"); all[i].Version != "" {
					all[i].command = script(python, filepath.Join(dir, "client.py"))
					break
				}
			}
		case "Java":
			if exec.CommandContext(ctx, "javac", "-d", dir, filepath.Join(dir, "Client.java")).Run() == nil { // our own source
				all[i].Version, all[i].command = version(ctx, "java", "-version"), script("java", "-XX:TieredStopAtLevel=1", "-cp", dir, "Client")
			}
		}
	}
	return slices.DeleteFunc(all, func(p Program) bool { return p.Version == "" }), nil
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

func script(program string, args ...string) func(context.Context, string, string, string, string) *exec.Cmd {
	return func(ctx context.Context, host, port, name, roots string) *exec.Cmd {
		return exec.CommandContext(ctx, program, append(slices.Clone(args), host, port, name, roots)...) // arguments are this package's own
	}
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

// Comparable reports whether clients can be asked about a case: TLS from the first byte, no client certificate, and nothing wrong
// beyond TLS, which they do not look at.
func (c Case) Comparable() bool {
	return !slices.ContainsFunc(c.Want, func(code finding.Code) bool {
		return code.Class() != finding.ClassTLS && code.Class() != finding.ClassCertificate
	})
}

// Outcome is what the clients did with a server, and what certdrift said of them.
type Outcome struct {
	// Asked is false if the clients can't be asked: another protocol, several addresses, a client certificate.
	Asked bool
	// Refused is what each program did, Said what it printed.
	Refused []bool
	Said    []string
	// Findings is certdrift's word.
	Findings []Finding
}

// Finding is a finding as far as it is about clients.
type Finding struct {
	Code                            finding.Code
	Severity                        string
	RefusedBy, AcceptedBy, NotKnown []string
}

// Ask starts a case and has certdrift and every program connect to it.
func Ask(ctx context.Context, c Case, certdrift string, programs []Program) (Outcome, error) {
	lab, err := NewLab()
	if err != nil {
		return Outcome{}, err
	}
	defer lab.Close()
	started, err := c.Start(lab)
	if err != nil {
		return Outcome{}, err
	}
	u, err := url.Parse(started.URL)
	if err != nil {
		return Outcome{}, fmt.Errorf("reading the case's URL: %w", err)
	}
	if (u.Scheme != "https" && u.Scheme != "tls") || len(started.To) > 1 || started.Client != nil {
		return Outcome{}, nil
	}
	address := u.Host
	if len(started.To) == 1 {
		address = started.To[0]
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return Outcome{}, nil // a name to be resolved, which clients are not asked for
	}
	out := Outcome{Asked: true}
	if out.Findings, err = said(ctx, asking{c, started, lab, certdrift}); err != nil {
		return Outcome{}, err
	}
	for _, p := range programs {
		refused, text, err := try(ctx, p, host, port, plainName(u), started.CAs[0])
		if err != nil {
			return Outcome{}, fmt.Errorf("asking %s about %q: %w", p.Family, c.Name, err)
		}
		out.Refused, out.Said = append(out.Refused, refused), append(out.Said, text)
	}
	return out, nil
}

func try(ctx context.Context, p Program, host, port, name, roots string) (refused bool, text string, err error) {
	ctx, cancel := context.WithTimeout(ctx, 2*patience)
	defer cancel()
	out, err := p.command(ctx, host, port, name, roots).CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) && ctx.Err() == nil {
		return false, "", fmt.Errorf("running it: %w", err)
	}
	return err != nil, string(withoutPEM(out)), nil
}

// said runs certdrift on a started case.
func said(ctx context.Context, a asking) ([]Finding, error) {
	file := a.lab.write("certdrift.yaml", []byte(a.Configuration()))
	out, err := exec.CommandContext(ctx, a.certdrift, "check", "-c", file, "--format", "json").Output() // the caller's own binary
	var exit *exec.ExitError
	if err != nil && !(errors.As(err, &exit) && exit.ExitCode() == 1) {
		return nil, fmt.Errorf("running certdrift: %w", err)
	}
	var report struct {
		Findings []struct {
			Code     finding.Code
			Severity string
			Evidence struct {
				RefusedBy  []string `json:"refused_by"`
				AcceptedBy []string `json:"accepted_by"`
				NotKnown   []string `json:"clients_not_known"`
			}
		}
	}
	if err := json.Unmarshal(bytes.TrimSpace(out), &report); err != nil {
		return nil, fmt.Errorf("reading certdrift's report: %w", err)
	}
	var all []Finding
	for _, f := range report.Findings {
		all = append(all, Finding{f.Code, f.Severity, f.Evidence.RefusedBy, f.Evidence.AcceptedBy, f.Evidence.NotKnown})
	}
	return all, nil
}
