package servers

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"
)

// firefox is one browser process for all cases, driven by Marionette, its own remote protocol: JSON with its length in front. Roots are put
// into its store and taken out again while it runs.
type firefox struct {
	gateway *gateway
	conn    net.Conn
	replies *bufio.Reader
	asked   int
	ended   chan struct{} // closed when its process has ended

	mu sync.Mutex // one page at a time
}

// newFirefox starts the browser, which ends with the context.
func newFirefox(ctx context.Context, binary, dir string, g *gateway) (*firefox, error) {
	host, port, err := net.SplitHostPort(g.address)
	if err != nil {
		return nil, err
	}
	var settings strings.Builder
	for name, value := range map[string]string{
		"marionette.port": "0", "network.proxy.type": "1", "network.proxy.no_proxies_on": `""`, "network.proxy.allow_hijacking_localhost": "true",
		"network.proxy.http": strconv.Quote(host), "network.proxy.http_port": port, "network.proxy.ssl": strconv.Quote(host), "network.proxy.ssl_port": port,
		// Otherwise a name that the gateway does not know is looked up.
		"network.proxy.failover_direct": "false", "network.trr.mode": "5",
		"app.update.enabled": "false", "browser.safebrowsing.malware.enabled": "false", "browser.safebrowsing.phishing.enabled": "false",
		"datareporting.policy.dataSubmissionEnabled": "false", "toolkit.telemetry.reportingpolicy.firstRun": "false",
	} {
		fmt.Fprintf(&settings, "user_pref(%q, %s);\n", name, value)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("making Firefox's profile: %w", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "user.js"), []byte(settings.String()), 0o600); err != nil {
		return nil, fmt.Errorf("writing Firefox's settings: %w", err)
	}
	cmd := exec.CommandContext(ctx, binary, "--headless", "--no-remote", "--marionette", "--remote-allow-system-access", "--profile", dir) // our own profile
	cmd.Env = append(os.Environ(), "HOME="+dir, "MOZ_CRASHREPORTER_DISABLE=1")
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting Firefox: %w", err)
	}
	f := &firefox{gateway: g, ended: make(chan struct{})}
	go func() {
		defer close(f.ended)
		_ = cmd.Wait()
	}()
	if f.conn, err = dialMarionette(ctx, filepath.Join(dir, "MarionetteActivePort")); err != nil {
		return nil, err
	}
	context.AfterFunc(ctx, func() { _ = f.conn.Close() })
	f.replies = bufio.NewReader(f.conn)
	if _, err := f.message(); err != nil { // its greeting
		return nil, err
	}
	if _, err := f.call("WebDriver:NewSession", map[string]any{}); err != nil {
		return nil, err
	}
	_, err = f.call("WebDriver:SetTimeouts", map[string]any{"pageLoad": browsing.Milliseconds()})
	return f, err
}

// dialMarionette connects as soon as the browser has written down its port.
func dialMarionette(ctx context.Context, file string) (net.Conn, error) {
	for range 600 {
		if port, err := os.ReadFile(file); err == nil && len(port) > 0 {
			return (&net.Dialer{}).DialContext(ctx, "tcp", net.JoinHostPort("127.0.0.1", strings.TrimSpace(string(port))))
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
	return nil, errors.New("starting Firefox: it does not listen")
}

// marionetteError is an error that the browser reports.
type marionetteError struct {
	Name    string `json:"error"`
	Message string `json:"message"`
}

func (e *marionetteError) Error() string { return e.Name + ": " + e.Message }

// ofTLS reports whether the browser shows a page about TLS or a certificate; after anything else, it may still show the page before.
func (e *marionetteError) ofTLS() bool {
	return e.Name == "insecure certificate" || strings.Contains(e.Message, "about:neterror?e=nssFailure")
}

// message reads one message.
func (f *firefox) message() ([]byte, error) {
	length, err := f.replies.ReadString(':')
	if err != nil {
		return nil, fmt.Errorf("reading Firefox's reply: %w", err)
	}
	n, err := strconv.Atoi(strings.TrimSuffix(length, ":"))
	if err != nil || n < 0 || n > 1<<20 {
		return nil, fmt.Errorf("reading Firefox's reply: length %q", length)
	}
	text := make([]byte, n)
	_, err = io.ReadFull(f.replies, text)
	return text, err
}

// call has the browser carry out a command.
func (f *firefox) call(command string, parameters map[string]any) (json.RawMessage, error) {
	f.asked++
	text, err := json.Marshal([]any{0, f.asked, command, parameters})
	if err != nil {
		return nil, err
	}
	if _, err := fmt.Fprintf(f.conn, "%d:%s", len(text), text); err != nil {
		return nil, fmt.Errorf("asking Firefox: %w", err)
	}
	if text, err = f.message(); err != nil {
		return nil, err
	}
	var failure *marionetteError
	var result json.RawMessage
	if err := json.Unmarshal(text, &[]any{new(int), new(int), &failure, &result}); err != nil {
		return nil, fmt.Errorf("reading Firefox's reply %q: %w", text, err)
	}
	if failure != nil {
		return nil, failure
	}
	return result, nil
}

// privileged runs a script with the browser's own permissions.
func (f *firefox) privileged(script string, args ...any) error {
	if _, err := f.call("Marionette:SetContext", map[string]any{"value": "chrome"}); err != nil {
		return err
	}
	_, err := f.call("WebDriver:ExecuteScript", map[string]any{"script": script, "args": args})
	_, again := f.call("Marionette:SetContext", map[string]any{"value": "content"})
	return errors.Join(err, again)
}

const (
	trustRoot  = `Cc["@mozilla.org/security/x509certdb;1"].getService(Ci.nsIX509CertDB).addCertFromBase64(arguments[0], "C,,")`
	forgetRoot = `let db = Cc["@mozilla.org/security/x509certdb;1"].getService(Ci.nsIX509CertDB); db.deleteCertificate(db.constructX509FromBase64(arguments[0]))`
)

// visit opens a page and returns why the browser does not show it; empty if it does.
func (f *firefox) visit(_ context.Context, host, port, name, roots string) (refused string, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	trusted, err := rootsIn(roots)
	if err != nil {
		return "", err
	}
	for _, der := range trusted {
		root := base64.StdEncoding.EncodeToString(der)
		if err := f.privileged(trustRoot, root); err != nil {
			return "", fmt.Errorf("adding a root to Firefox's store: %w", err)
		}
		defer func() { err = errors.Join(err, f.privileged(forgetRoot, root)) }()
	}
	authority := net.JoinHostPort(name, port)
	address := net.JoinHostPort(host, port)
	f.gateway.route(authority, address)
	_, err = f.call("WebDriver:Navigate", map[string]any{"url": "https://" + authority + "/"})
	var failure *marionetteError
	switch {
	case !errors.As(err, &failure):
		return "", err
	case failure.ofTLS():
		return failure.Error() + " " + f.errorCode(), nil
	case f.gateway.accepted(address): // a page that is none, or a redirect that leads nowhere
		return "", nil
	}
	return failure.Error(), nil
}

// errorCode returns what the page about an error says of it, which Marionette's error does not.
func (f *firefox) errorCode() string {
	const script = `for (let info of ["getFailedCertSecurityInfo", "getNetErrorInfo"]) { try { return document[info]().errorCodeString } catch (e) {} } return ""`
	result, err := f.call("WebDriver:ExecuteScript", map[string]any{"script": script, "sandbox": "system"})
	var said struct{ Value string }
	if err != nil || json.Unmarshal(result, &said) != nil {
		return ""
	}
	return said.Value
}
