package servers

import (
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
	"strconv"
	"strings"

	"certdrift/e2e/debian"
	"certdrift/internal/clients"
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

// ClientPrograms prepares the client programs that this machine has. dir is where they may be built; it must outlive them.
func ClientPrograms(ctx context.Context, dir string) ([]Program, error) {
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

// Comparable reports whether clients can be asked about a case: nothing is wrong beyond TLS and certificates, which is all they look at, and
// nothing depends on a client certificate, which they have none of.
func (c Case) Comparable() bool {
	return !slices.ContainsFunc(c.Want, func(code finding.Code) bool {
		return code.Class() != finding.ClassTLS && code.Class() != finding.ClassCertificate || code == finding.TLSClientCertificateRequired
	})
}

// Outcome is what the clients did with a server, and what certdrift said of them.
type Outcome struct {
	// Asked is false if the clients can't be asked: another protocol, several addresses, a client certificate.
	Asked bool
	// Did is what each program did, Said what certdrift says of it.
	Did, Said []Answered
}

// Answered is whether a client accepts a server.
type Answered int

// A client that was not asked, or of which certdrift does not know, is in neither camp.
const (
	Unknown Answered = iota
	Accepts
	Refuses
)

// judgment is a finding as far as it is about clients.
type judgment struct {
	code               finding.Code
	severity           string
	refused, uncertain []string
	some               bool // the server has two certificates, and it depends on the client which of them it gets
}

// predicted returns what findings say of a program.
func predicted(found []judgment, p Program) Answered {
	answer := Accepts
	for _, f := range found {
		class := f.code.Class()
		of := func(names []string) bool {
			return slices.ContainsFunc(names, func(name string) bool { return clients.Family(name) == p.Family && p.since(name) })
		}
		switch {
		case f.some && of(f.refused):
			answer = Unknown
		case of(f.refused), f.severity == "critical" && len(f.refused)+len(f.uncertain) == 0 && class != finding.ClassCertificate:
			return Refuses
		case of(f.uncertain):
			answer = Unknown
		}
	}
	return answer
}

// since reports whether the program is of a version that a name is about: "Python 3.13 and later".
func (p Program) since(name string) bool {
	from, about := strings.CutSuffix(strings.TrimPrefix(name, p.Family+" "), " and later")
	if !about {
		return true
	}
	return slices.Compare(numbers(p.Version), numbers(from)) >= 0
}

func numbers(version string) []int {
	var all []int
	for part := range strings.SplitSeq(version, ".") {
		n, _ := strconv.Atoi(part)
		all = append(all, n)
	}
	return all
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
	found, err := verdict(ctx, asking{c, started, lab, certdrift})
	if err != nil {
		return Outcome{}, err
	}
	for _, p := range programs {
		did := Unknown
		if p.Family != "curl" || u.Scheme == "https" {
			if did, err = try(ctx, p, host, port, plainName(u), started.CAs[0]); err != nil {
				return Outcome{}, fmt.Errorf("asking %s about %q: %w", p.Family, c.Name, err)
			}
		}
		out.Did, out.Said = append(out.Did, did), append(out.Said, predicted(found, p))
	}
	return out, nil
}

func try(ctx context.Context, p Program, host, port, name, roots string) (Answered, error) {
	ctx, cancel := context.WithTimeout(ctx, 3*patience)
	defer cancel()
	err := p.command(ctx, host, port, name, roots).Run()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return Accepts, nil
	case errors.As(err, &exit), ctx.Err() != nil:
		return Refuses, nil
	}
	return Unknown, fmt.Errorf("running it: %w", err)
}

// verdict runs certdrift on a started case.
func verdict(ctx context.Context, a asking) ([]judgment, error) {
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
				RefusedBy []string `json:"refused_by"`
				NotKnown  []string `json:"clients_not_known"`
				KeyType   string   `json:"key_type"`
			}
		}
	}
	if err := json.Unmarshal(out, &report); err != nil {
		return nil, fmt.Errorf("reading certdrift's report: %w", err)
	}
	var all []judgment
	for _, f := range report.Findings {
		all = append(all, judgment{f.Code, f.Severity, f.Evidence.RefusedBy, f.Evidence.NotKnown, f.Evidence.KeyType != ""})
	}
	return all, nil
}

// Difference returns why a program differs from what certdrift says; empty for no known reason.
func Difference(c Case, p Program) string {
	for _, d := range differences {
		if d.server == c.Name && (d.family == p.Family || d.family == "") {
			return d.why
		}
	}
	return ""
}

// differences are what certdrift leaves out by intention.
var differences = []struct{ server, family, why string }{
	{"an underscore", "Java", "Java takes no underscore in a host name, whatever the certificate; certdrift judges the server, not the name"},
	{"revoked by the staple, but nobody is to ask", "GnuTLS", "the configuration says `revocation: off`"},
	{"an intermediate is trusted, its root is not", "Node", "Node trusts roots only; the configuration trusts the intermediate"},
	{"the leaf itself is trusted", "Node", "Node trusts roots only; the configuration trusts the leaf"},
	{"an intermediate is trusted, its root is not", "Python", "before 3.13, Python trusts roots only; the configuration trusts the intermediate"},
	{"the leaf itself is trusted", "Python", "before 3.13, Python trusts roots only; the configuration trusts the leaf"},
	{"a staple about another certificate", "Java", "Java rejects a staple that it cannot parse, but asks whom one is about only where revocation is to be checked"},
	{"a staple about another CA's certificate of the same number", "Java", "Java rejects a staple that it cannot parse, but asks whom one is about only where revocation is to be checked"},
	{"version 2 with extensions", "", "this program reads neither alternative names nor a common name in a certificate of version 2"},
	{"redirects to an expired server", "", "this program does not follow redirects; the finding is about where the server redirects to"},
	{"no ALPN protocol in common", "", "this program offers no protocol by ALPN, as an HTTP client does"},
	{"a pair: ECDSA with another key", "", "this program gets the pair's other certificate, whose private key fits"},
	{"a pair: ECDSA with another key, TLS 1.2", "", "this program gets the pair's other certificate, whose private key fits"},
	{"a pair: RSA with another key", "", "this program gets the pair's other certificate, whose private key fits"},
	{"a pair: RSA with another key, the server prefers ECDSA", "", "this program gets the pair's other certificate, whose private key fits"},
	{"a pair: RSA with another key, the server prefers ECDSA, TLS 1.2", "", "this program gets the pair's other certificate, whose private key fits"},
	{"a pair: Ed25519 with another key", "", "this program gets the pair's other certificate, whose private key fits"},
}
