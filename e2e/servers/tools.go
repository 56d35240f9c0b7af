package servers

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/idna"

	"certdrift/internal/finding"
	"certdrift/internal/target"
)

// Tools are the tools that are compared.
func Tools() []Tool {
	return []Tool{{"certdrift", askCertdrift}, {"curl", askCurl}, {"openssl s_client", askOpenSSL}}
}

// Tool is one of them.
type Tool struct {
	Name string
	ask  func(context.Context, asking) (Answer, error)
}

// Answer is a tool's result for a server.
type Answer struct {
	// Asked is false if the tool does not support the protocol.
	Asked bool
	// Detected reports whether it ended differently than for a healthy server.
	Detected bool
	// Named reports whether its output names the cause, and each of them if there are several.
	Named bool
}

// asking is a running case, and how to check it.
type asking struct {
	Case
	Target
	lab       *Lab
	certdrift string
}

// patience bounds a tool's run; certdrift has its own timeouts.
const patience = 10 * time.Second

// Compare starts a case and runs every tool on it, in the order of Tools. certdrift is the path of the binary.
func Compare(ctx context.Context, c Case, certdrift string) ([]Answer, error) {
	var answers []Answer
	for _, tool := range Tools() {
		// A new server for each tool, so that none is affected by another.
		answer, err := compare(ctx, c, tool, certdrift)
		if err != nil {
			return nil, fmt.Errorf("running %s on %q: %w", tool.Name, c.Name, err)
		}
		answers = append(answers, answer)
	}
	return answers, nil
}

func compare(ctx context.Context, c Case, tool Tool, certdrift string) (Answer, error) {
	lab, err := NewLab()
	if err != nil {
		return Answer{}, err
	}
	defer lab.Close()
	started, err := c.Start(lab)
	if err != nil {
		return Answer{}, err
	}
	return tool.ask(ctx, asking{c, started, lab, certdrift})
}

func askCertdrift(ctx context.Context, a asking) (Answer, error) {
	file := a.lab.write("certdrift.yaml", []byte(a.Configuration()))
	out, err := exec.CommandContext(ctx, a.certdrift, "check", "-c", file, "--format", "json").Output() // the caller's own binary
	var exit *exec.ExitError
	if err != nil && !(errors.As(err, &exit) && exit.ExitCode() == 1) {
		return Answer{}, fmt.Errorf("running certdrift: %w", err)
	}
	var report struct {
		Findings []struct {
			Code     finding.Code
			Severity string
		}
	}
	if err := json.Unmarshal(out, &report); err != nil {
		return Answer{}, fmt.Errorf("reading certdrift's report: %w", err)
	}
	var got []finding.Code
	for _, f := range report.Findings {
		if f.Severity != "info" && !slices.Contains(got, f.Code) {
			got = append(got, f.Code)
		}
	}
	slices.Sort(got)
	return Answer{Asked: true, Detected: len(got) > 0, Named: slices.Equal(got, a.Want)}, nil
}

// askCurl runs curl as a careful script would: it verifies certificates, follows redirects and fails on error statuses. It
// cannot check other expectations. It is bound to the loopback device, so that no redirect leads out.
func askCurl(ctx context.Context, a asking) (Answer, error) {
	u, err := url.Parse(a.URL)
	if err != nil {
		return Answer{}, fmt.Errorf("reading the case's URL: %w", err)
	}
	email := slices.Contains([]string{"smtp", "imap", "pop3"}, u.Scheme)
	switch {
	case email && len(a.Want) == 0, // these servers send nothing after the handshake
		strings.Contains(a.Endpoint, "status:") && len(a.Want) == 0, // a script that expects 404 would not use --fail
		slices.Contains(a.Want, finding.DNSFailure):
		return Answer{}, nil
	}
	supported := slices.Contains([]string{"https", "http", "smtp", "imap", "pop3"}, u.Scheme)
	// curl follows redirects into private networks: that is not tested.
	if !supported || strings.HasSuffix(u.Hostname(), ".onion") || slices.Contains(a.Want, finding.HTTPRedirectBlocked) {
		return Answer{}, nil
	}
	args := []string{"-q", "-sS", "-L", "--max-redirs", "10", "--fail", "-o", "/dev/null", "--interface", "lo", "--ssl-reqd", "--max-time", fmt.Sprint(patience.Seconds() / 2),
		"--capath", "/dev/null", "--cacert", a.CAs[0], "--resolve", "*:443:127.0.0.1", "--resolve", "*:80:127.0.0.1"} // no name is looked up
	if len(a.To) > 0 { // curl connects to one address
		for _, host := range []string{u.Hostname(), plainName(u), plainName(u) + "."} {
			args = append(args, "--connect-to", fmt.Sprintf("%s:%s:%s", host, port(u), a.To[0]))
		}
	}
	if a.Client != nil {
		args = append(args, "--cert", a.Client.Cert, "--key", a.Client.Key)
	}
	return run(ctx, a, exec.CommandContext(ctx, "curl", append(args, a.URL)...), curlNames()) // arguments are this package's own
}

// plainName returns a URL's host in A-labels, without a trailing dot.
func plainName(u *url.URL) string {
	host := strings.TrimSuffix(u.Hostname(), ".")
	if ascii, err := idna.Lookup.ToASCII(host); err == nil {
		return ascii
	}
	return strings.ToLower(host)
}

func port(u *url.URL) string {
	if p := u.Port(); p != "" {
		return p
	}
	return strconv.Itoa(target.Kind(u.Scheme).DefaultPort())
}

// askOpenSSL makes a handshake with all checks that s_client supports. It checks one address, and no HTTP.
func askOpenSSL(ctx context.Context, a asking) (Answer, error) {
	u, err := url.Parse(a.URL)
	if err != nil {
		return Answer{}, fmt.Errorf("reading the case's URL: %w", err)
	}
	if u.Scheme == "http" || strings.HasSuffix(u.Hostname(), ".onion") {
		return Answer{}, nil
	}
	address, host := u.Host, plainName(u)
	if len(a.To) > 0 {
		address = a.To[0]
	}
	args := []string{"s_client", "-connect", address, "-verify_return_error", "-partial_chain", "-CAfile", a.CAs[0], "-no-CApath", "-no-CAstore"}
	if a.Client != nil {
		args = append(args, "-cert", a.Client.Cert, "-cert_chain", a.Client.Cert, "-key", a.Client.Key)
	}
	if net.ParseIP(host) != nil {
		args = append(args, "-noservername", "-verify_ip", host)
	} else {
		args = append(args, "-servername", host, "-verify_hostname", host)
	}
	if !slices.Contains([]string{"https", "tls"}, u.Scheme) {
		args = append(args, "-starttls", u.Scheme, "-name", host)
	}
	cmd := exec.CommandContext(ctx, "openssl", args...) // arguments are this package's own
	cmd.Stdin = listening{}
	return run(ctx, a, cmd, opensslNames())
}

// listening is a standard input that ends after a moment. In TLS 1.3 a server rejects a client after the client has completed
// the handshake; without input, s_client may have exited by then.
type listening struct{}

func (listening) Read([]byte) (int, error) {
	time.Sleep(300 * time.Millisecond)
	return 0, io.EOF
}

// run runs a tool, at most for patience, and reads its output.
func run(ctx context.Context, a asking, cmd *exec.Cmd, says map[finding.Code]*regexp.Regexp) (Answer, error) {
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	cmd.WaitDelay = time.Second
	if err := cmd.Start(); err != nil {
		return Answer{}, fmt.Errorf("starting %s: %w", cmd.Path, err)
	}
	late := time.AfterFunc(patience, func() { _ = cmd.Process.Kill() })
	err := cmd.Wait()
	if ctx.Err() != nil {
		return Answer{}, ctx.Err()
	}
	if !late.Stop() {
		said.WriteString("\nkilled after the timeout\n")
	}
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return Answer{}, fmt.Errorf("running %s: %w", cmd.Path, err)
	}
	answer := Answer{Asked: true, Detected: err != nil}
	answer.Named = answer.Detected && len(a.Want) > 0
	for _, code := range a.Want {
		answer.Named = answer.Named && says[code] != nil && says[code].Match(withoutPEM(said.Bytes()))
	}
	return answer, nil
}

// withoutPEM removes certificates, which could contain any word by chance.
func withoutPEM(text []byte) []byte {
	return regexp.MustCompile(`(?s)-----BEGIN.*?-----END[^\n]*`).ReplaceAll(text, nil)
}

// opensslNames returns the messages that name the cause to a user who knows the tool. Codes without one have an error that other
// problems cause too ("unable to get local issuer certificate").
func opensslNames() map[finding.Code]*regexp.Regexp {
	return patterns(map[finding.Code]string{
		finding.CertExpired:                  `depth=0.*\n.*certificate has expired`,
		finding.CertChainExpired:             `depth=[1-9].*\n.*certificate has expired`,
		finding.CertNotYetValid:              `not yet valid`,
		finding.CertNameMismatch:             `hostname mismatch|IP address mismatch`,
		finding.CertSelfSigned:               `self-signed certificate\n`,
		finding.CertUntrusted:                `self-signed certificate in certificate chain|unable to get issuer certificate`,
		finding.CertChainIncomplete:          `unable to verify the first certificate`,
		finding.CertKeyWeak:                  `key too weak|key too small`,
		finding.CertSignatureWeak:            `md too weak|digest algorithm too weak`,
		finding.CertUsage:                    `purpose`,
		finding.CertConstraint:               `invalid CA|path length|permitted subtree|excluded subtree|critical extension|certificate signing`,
		finding.CertRevoked:                  `revoked`,
		finding.CertStapleBad:                `OCSP`,
		finding.CertChainOversized:           `excessive message size`,
		finding.CertMalformed:                `asn1`,
		finding.TLSHandshake:                 `alert|no peer certificate|[Ss][Tt][Aa][Rr][Tt][Tt][Ll][Ss]|STLS`,
		finding.TLSPlaintext:                 `http request`,
		finding.TLSTimeout:                   `timed? ?out`,
		finding.TLSVersionOld:                `unsupported protocol|protocol version|no protocols`,
		finding.TLSClientCertificateRequired: `certificate required`,
		finding.ConnectRefused:               `refused`,
		finding.ConnectReset:                 `reset|errno=104`,
		finding.ConnectTimeout:               `timed? ?out`,
	})
}

// curlNames returns curl's messages, some of which are OpenSSL's.
func curlNames() map[finding.Code]*regexp.Regexp {
	names := opensslNames()
	delete(names, finding.CertChainExpired) // curl does not say which certificate
	for code, pattern := range patterns(map[finding.Code]string{
		finding.CertExpired:         `certificate has expired`,
		finding.CertNameMismatch:    `subject name matches|does not match|mismatch`,
		finding.CertSelfSigned:      `self-signed certificate($|[^ ]| *$|\n)`,
		finding.TLSTimeout:          `SSL connection timeout|timed out`,
		finding.ConnectTimeout:      `timed out|[Tt]imeout`,
		finding.ConnectRefused:      `refused|[Cc]ouldn't connect|Failed to connect`,
		finding.HTTPTimeout:         `timed out`,
		finding.HTTPInvalid:         `HTTP/0\.9|[Ee]mpty reply|transfer closed|outstanding|[Ii]nvalid|[Mm]alformed|[Cc]hunk|HTTP/2 stream|HTTP2|[Cc]ontent.[Ll]ength|[Ee]ncoding`,
		finding.HTTPStatus:          `returned error: [0-9]+`,
		finding.HTTPTooLarge:        `[Tt]oo (large|many|long)|exceeded`,
		finding.HTTPRedirectLoop:    `Maximum .*redirects`,
		finding.HTTPRedirectBlocked: `not supported or disabled`,
	}) {
		names[code] = pattern
	}
	return names
}

func patterns(texts map[finding.Code]string) map[finding.Code]*regexp.Regexp {
	out := map[finding.Code]*regexp.Regexp{}
	for code, text := range texts {
		out[code] = regexp.MustCompile(text)
	}
	return out
}
