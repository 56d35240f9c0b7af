package servers

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/chromedp/cdproto/cdp"
	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// browsing bounds the loading of a page, as the other clients bound what they do.
const browsing = patience / 2

// chromium is one browser process for all cases. It takes roots from the user's NSS database, which it reads anew for every chain that it has
// not seen before; that database is in a home directory of its own.
type chromium struct {
	gateway *gateway
	tab     context.Context //nolint:containedctx // chromedp keeps the browser in it
	roots   string          // the NSS database

	mu sync.Mutex // one page at a time
}

// newChromium starts the browser, which ends with the context.
func newChromium(ctx context.Context, binary, dir string, g *gateway) (*chromium, error) {
	c := &chromium{gateway: g, roots: "sql:" + filepath.Join(dir, ".local/share/pki/nssdb")}
	if err := os.MkdirAll(strings.TrimPrefix(c.roots, "sql:"), 0o700); err != nil {
		return nil, fmt.Errorf("making Chromium's home: %w", err)
	}
	if err := c.certutil(ctx, nil, "-N", "--empty-password"); err != nil {
		return nil, err
	}
	options := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]), chromedp.ExecPath(binary), chromedp.UserDataDir(filepath.Join(dir, "profile")),
		chromedp.Env("HOME="+dir), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun, chromedp.ProxyServer(g.address),
		chromedp.Flag("proxy-bypass-list", "<-loopback>"), chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true))
	allocator, _ := chromedp.NewExecAllocator(ctx, options...) // ends with ctx
	c.tab, _ = chromedp.NewContext(allocator)
	if err := chromedp.Do(c.tab); err != nil {
		return nil, fmt.Errorf("starting Chromium: %w", err)
	}
	_, err := chromedp.Call(c.tab, cdppage.Enable, cdppage.EnableParams{})
	return c, err
}

func (c *chromium) certutil(ctx context.Context, input []byte, args ...string) error {
	cmd := exec.CommandContext(ctx, "certutil", append(args, "-d", c.roots)...) // arguments are this package's own
	cmd.Stdin = bytes.NewReader(input)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("running certutil %q: %w: %s", args, err, out)
	}
	return nil
}

// visit opens a page and returns why the browser does not show it; empty if it does.
func (c *chromium) visit(ctx context.Context, host, port, name, roots string) (refused string, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	trusted, err := rootsIn(roots)
	if err != nil {
		return "", err
	}
	for i, root := range trusted {
		name := fmt.Sprintf("root %d", i)
		if err := c.certutil(ctx, root, "-A", "-n", name, "-t", "C,,"); err != nil {
			return "", err
		}
		defer func() { err = errors.Join(err, c.certutil(ctx, nil, "-D", "-n", name)) }()
	}
	authority := net.JoinHostPort(name, port)
	address := net.JoinHostPort(host, port)
	c.gateway.route(authority, address)
	limited, cancel := context.WithTimeout(c.tab, browsing)
	defer cancel()
	shown, err := chromedp.Call(limited, cdppage.Navigate, cdppage.NavigateParams{URL: "https://" + authority + "/"})
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		if _, err := chromedp.Call(c.tab, cdppage.StopLoading, cdp.Empty{}); err != nil || c.gateway.accepted(address) {
			return "", err
		}
		return "no answer in time", nil
	case err != nil:
		return "", fmt.Errorf("opening a page: %w", err)
	case c.gateway.accepted(address) && !strings.HasPrefix(shown.ErrorText, "net::ERR_CERT_") && !strings.HasPrefix(shown.ErrorText, "net::ERR_SSL_"):
		return "", nil // a page that is none, or a redirect that leads nowhere
	}
	return shown.ErrorText, nil
}
