package servers

import (
	"fmt"
	"io"
	"log"
	"slices"
	"strings"
	"time"

	"certdrift/e2e/debian"
	"certdrift/internal/finding"
)

// Case is one server, good or bad.
type Case struct {
	// Name describes the problem.
	Name string
	// Want are the codes of all findings but those of severity info, each once, in the order of their text; none for a
	// healthy server.
	Want []finding.Code
	// Needs is the program that the case requires; empty for none.
	Needs string
	// Waits reports whether a verdict other than a timeout takes the whole timeout of a phase.
	Waits bool
	// serve starts it.
	serve func(*Lab) Target
}

// Target is what certdrift is configured to check for a case.
type Target struct {
	// URL, and the addresses that replace DNS.
	URL string
	To  []string
	// CAs are files with roots to trust; the lab's own root if empty.
	CAs []string
	// Endpoint and Policy are additional lines of the configuration, without their indentation.
	Endpoint, Policy string
	// Client is the client certificate to send; nil for none.
	Client *Client
	// Timeout of each phase; Start sets it.
	Timeout string
}

// Client is a client certificate and its key, as files.
type Client struct{ Cert, Key string }

// The timeouts of a phase: short if the verdict waits for it, otherwise long enough that a machine that stalls for seconds does
// not look like a slow server.
const limit, patient = 3 * time.Second, 30 * time.Second

func isTimeout(c finding.Code) bool {
	return c == finding.ConnectTimeout || c == finding.TLSTimeout || c == finding.HTTPTimeout
}

func waits(c Case) Case {
	c.Waits = true
	return c
}

// Missing reports whether the program a case needs is not on this machine.
func (c Case) Missing() bool {
	if c.Needs == "" {
		return false
	}
	return debian.Program(c.Needs) == ""
}

// Start starts the case's servers in a lab.
func (c Case) Start(l *Lab) (t Target, err error) {
	defer func() {
		switch p := recover().(type) {
		case nil:
		case labError:
			err = fmt.Errorf("starting %q: %w", c.Name, p.err)
		default:
			panic(p)
		}
	}()
	t = c.serve(l)
	if len(t.CAs) == 0 {
		t.CAs = []string{l.write("root.pem", certPEM(l.Root.Certificate.Raw))}
	}
	t.Timeout = patient.String()
	if c.Waits || slices.ContainsFunc(c.Want, isTimeout) {
		t.Timeout = limit.String()
	}
	return t, nil
}

// Configuration returns the certdrift.yaml for a target.
func (t Target) Configuration() string { return Configuration(t.Policy, t.Lines("it")) }

// Configuration returns a certdrift.yaml for endpoints, each the Lines of a target.
func Configuration(policy string, endpoints ...string) string {
	var b strings.Builder
	b.WriteString("version: 1\n")
	if policy != "" {
		b.WriteString("policy:\n" + indent(policy, "  "))
	}
	b.WriteString("environments:\n  lab:\n    endpoints:\n" + strings.Join(endpoints, ""))
	return b.String()
}

// Lines returns the target's part of a configuration.
func (t Target) Lines(name string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "      - name: %s\n        url: %q\n        timeout: %s\n", name, t.URL, t.Timeout)
	fmt.Fprintf(&b, "        ca_files: [%s]\n", strings.Join(t.CAs, ", "))
	if len(t.To) > 0 {
		fmt.Fprintf(&b, "        connect_to: [%s]\n", quoteAll(t.To))
	}
	if t.Client != nil {
		fmt.Fprintf(&b, "        client_certificate: {cert_file: %s, key_file: %s}\n", t.Client.Cert, t.Client.Key)
	}
	b.WriteString(indent(t.Endpoint, "        "))
	return b.String()
}

func quoteAll(all []string) string {
	quoted := make([]string, len(all))
	for i, s := range all {
		quoted[i] = fmt.Sprintf("%q", s)
	}
	return strings.Join(quoted, ", ")
}

func indent(lines, by string) string {
	if lines == "" {
		return ""
	}
	return by + strings.ReplaceAll(strings.TrimRight(lines, "\n"), "\n", "\n"+by) + "\n"
}

// Group is a part of the catalogue.
type Group struct {
	Title string
	Cases []Case
}

// Groups returns the catalogue.
func Groups() []Group {
	return []Group{
		{"Healthy servers of many kinds", healthy()},
		{"Dates", dates()},
		{"Names", names()},
		{"Chains", chains()},
		{"Chains that some clients alone refuse", disputed()},
		{"Keys and signatures", crypto()},
		{"Revocation", revocation()},
		{"Reach and handshake", handshakes()},
		{"STARTTLS", startTLS()},
		{"STARTTLS in other protocols", moreStartTLS()},
		{"Real servers with STARTTLS", realServers()},
		{"Greetings of SMTP", greetingsOfSMTP()},
		{"A protocol on the wrong scheme", onWrongScheme()},
		{"HTTP", answers()},
		{"Redirects", redirects()},
		{"HTTP at its edges", oddHTTP()},
		{"Hostile texts", hostile()},
		{"Several addresses", addresses()},
		{"Several faults at once, and what hides behind others", combined()},
		{"openssl s_server", openssl()},
		{"nginx and haproxy", daemons()},
		{"What some clients refuse", disagreeing()},
		{"Against RFC 5280 and the Baseline Requirements", breaches()},
		{"An ECDSA and an RSA certificate for one name", pairs()},
	}
}

// All returns the cases of every group.
func All() []Case {
	var all []Case
	for _, g := range Groups() {
		all = append(all, g.Cases...)
	}
	return all
}

func silent() *log.Logger { return log.New(io.Discard, "", 0) }
