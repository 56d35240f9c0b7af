package servers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os/exec"
	"slices"
	"strconv"
	"strings"

	"certdrift/internal/clients"
	"certdrift/internal/finding"
)

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
		if !p.web || u.Scheme == "https" {
			if did, err = try(ctx, p, host, port, plainName(u), started.CAs[0]); err != nil {
				return Outcome{}, fmt.Errorf("asking %s about %q: %w", p.Family, c.Name, err)
			}
		}
		out.Did, out.Said = append(out.Did, did), append(out.Said, predicted(found, p))
	}
	return out, nil
}

func try(ctx context.Context, p Program, host, port, name, roots string) (Answered, error) {
	refused, err := p.connect(ctx, host, port, name, roots)
	switch {
	case err != nil:
		return Unknown, err
	case refused != "":
		return Refuses, nil
	}
	return Accepts, nil
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
	{"the leaf itself is trusted", "rustls", "rustls trusts CAs only; the configuration trusts the leaf"},
	{"the leaf itself is trusted", "Chromium", "the roots are given to Chromium as CAs; the configuration trusts the leaf"},
	{"self-signed, and trusted by the configuration", "Chromium", "the roots are given to Chromium as CAs; the configuration trusts the leaf"},
	{"revoked by the staple, but nobody is to ask", "Chromium", "the configuration says `revocation: off`"},
	{"revoked by the staple, but nobody is to ask", "Firefox (NSS)", "the configuration says `revocation: off`"},
	{"version 2 with extensions", "Firefox (NSS)", "NSS reads the alternative names in a certificate of version 2"},
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
