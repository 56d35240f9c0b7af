package browser

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	cdpruntime "github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"certdrift/e2e/debian"
	"certdrift/internal/report"
	"certdrift/internal/report/html"
)

// patience bounds one page.
const patience = time.Minute

// browser is the path of one that is installed; empty for none.
func browser() string {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path := debian.Program(name); path != "" {
			return path
		}
	}
	return ""
}

// chromium starts a browser that talks to nobody, with an empty profile.
func chromium(t *testing.T) context.Context {
	t.Helper()
	if os.Getenv("CERTDRIFT_E2E") == "" {
		t.Skip("runs by `make e2e` only, which needs a browser")
	}
	binary := browser()
	if binary == "" {
		debian.Install(t, map[string]string{"chromium": "chromium"})
		binary = browser()
	}
	if binary == "" {
		t.Skip("no Chromium here (on Debian: apt-get install chromium), so the HTML report was not opened in a browser")
	}
	options := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]), chromedp.ExecPath(binary), chromedp.UserDataDir(t.TempDir()),
		chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun, chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true), chromedp.Flag("disable-quic", true),
		chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND"))
	ctx, cancel := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	check(t, chromedp.Do(ctx)) // starts the browser, which lives as long as this context
	ctx, cancel = context.WithTimeout(ctx, patience)
	t.Cleanup(cancel)
	return ctx
}

// written writes a report to a file and returns its URL.
func written(t *testing.T, r report.Report) string {
	t.Helper()
	var b bytes.Buffer
	check(t, html.Write(&b, r))
	path := filepath.Join(t.TempDir(), "report.html")
	check(t, os.WriteFile(path, b.Bytes(), 0o600))
	return "file://" + path
}

// witness records what the browser reports about a page.
type witness struct {
	mu  sync.Mutex
	all []string
}

func (w *witness) add(what string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.all = append(w.all, what)
}

// said are the complaints so far.
func (w *witness) said() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.all)
}

// listen records errors, console messages, and requests for anything but the page itself.
func listen(ctx context.Context, t *testing.T, address string) *witness {
	t.Helper()
	w := &witness{}
	_, err := chromedp.Call(ctx, network.Enable, network.EnableParams{})
	check(t, err)
	_, err = chromedp.Call(ctx, cdplog.Enable, cdp.Empty{})
	check(t, err)
	check(t, chromedp.Listen(ctx, func(event any) {
		switch e := event.(type) {
		case *cdpruntime.EventExceptionThrown:
			w.add("exception: " + e.ExceptionDetails.Text)
		case *cdpruntime.EventConsoleAPICalled:
			w.add(fmt.Sprintf("console: %s", e.Type))
		case *cdplog.EventEntryAdded:
			w.add("log: " + e.Entry.Text)
		case *network.EventRequestWillBeSent:
			if e.Request.URL != address && !strings.HasPrefix(e.Request.URL, "data:") {
				w.add("request: " + e.Request.URL)
			}
		}
	}))
	return w
}

// open loads a page in a window of a width, light or dark.
func open(ctx context.Context, t *testing.T, address, scheme string, width int64) {
	t.Helper()
	_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
	})
	check(t, err)
	check(t, chromedp.Do(ctx, chromedp.EmulateViewport(width, 900), chromedp.Navigate(address), chromedp.WaitReady("footer")))
}

// ask evaluates JavaScript in the page.
func ask[T any](ctx context.Context, t *testing.T, expression string) T {
	t.Helper()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression))
	check(t, err)
	return v
}

// TestPage opens the report in light and dark mode and on a phone: the browser must report nothing, request nothing from the network,
// and nothing may overflow. CERTDRIFT_SCREENSHOTS names a directory to keep pictures in.
func TestPage(t *testing.T) {
	ctx := chromium(t)
	address := written(t, incidentReport(t))
	heard := listen(ctx, t, address)
	for _, look := range []struct {
		name, scheme string
		width        int64
		background   string
	}{{"light", "light", 1280, "rgb(246, 247, 249)"}, {"dark", "dark", 1280, "rgb(18, 22, 28)"}, {"telephone", "dark", 390, "rgb(18, 22, 28)"}} {
		open(ctx, t, address, look.scheme, look.width)
		if background := ask[string](ctx, t, `getComputedStyle(document.body).backgroundColor`); background != look.background {
			t.Errorf("%s: the page is %s, want %s", look.name, background, look.background)
		}
		if overflow := ask[int](ctx, t, `document.documentElement.scrollWidth - innerWidth`); overflow > 0 {
			t.Errorf("%s: the page is %d pixels wider than the window", look.name, overflow)
		}
		if faint := ask[[]string](ctx, t, contrast); len(faint) > 0 {
			t.Errorf("%s: hardly to be read: %v", look.name, faint)
		}
		if squeezed := ask[[]string](ctx, t, `[...document.querySelectorAll('.bar .label, .cert, td[data-label]')].filter(e => e.checkVisibility() && e.textContent.trim().length > 12 && e.getBoundingClientRect().width < 96).map(e => e.textContent)`); len(squeezed) > 0 {
			t.Errorf("%s: squeezed into a few letters a line: %q", look.name, squeezed)
		}
		picture(ctx, t, look.name)
	}
	for _, complaint := range heard.said() {
		t.Error(complaint)
	}
	printed(ctx, t)
}

// TestPicture takes the README's picture: the top of the report. CERTDRIFT_SCREENSHOTS names the directory to write report.png to.
func TestPicture(t *testing.T) {
	ctx := chromium(t)
	open(ctx, t, written(t, incidentReport(t)), "light", 1240)
	check(t, chromedp.Do(ctx, chromedp.EmulateViewport(1240, 800)))
	png, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	check(t, err)
	if len(png) > 200_000 {
		t.Errorf("the picture has %d bytes", len(png))
	}
	if dir := os.Getenv("CERTDRIFT_SCREENSHOTS"); dir != "" {
		check(t, os.WriteFile(filepath.Join(dir, "report.png"), png, 0o600))
	}
}

// TestPlanPage opens the report of a plan.
func TestPlanPage(t *testing.T) {
	ctx := chromium(t)
	address := written(t, planReport(t))
	heard := listen(ctx, t, address)
	for name, width := range map[string]int64{"plan-light": 1280, "plan-dark": 1280, "plan-telephone-dark": 390} {
		open(ctx, t, address, name[strings.LastIndexByte(name, '-')+1:], width)
		if overflow := ask[int](ctx, t, `document.documentElement.scrollWidth - innerWidth`); overflow > 0 {
			t.Errorf("%s: the page is %d pixels wider than the window", name, overflow)
		}
		if faint := ask[[]string](ctx, t, contrast); len(faint) > 0 {
			t.Errorf("%s: hardly to be read: %v", name, faint)
		}
		picture(ctx, t, name)
	}
	for _, complaint := range heard.said() {
		t.Error(complaint)
	}
}

func picture(ctx context.Context, t *testing.T, name string) {
	t.Helper()
	dir := os.Getenv("CERTDRIFT_SCREENSHOTS")
	if dir == "" {
		return
	}
	png, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
	check(t, err)
	check(t, os.WriteFile(filepath.Join(dir, name+".png"), png, 0o600))
}

// printed checks that the page prints on several sheets, including what is collapsed on the screen.
func printed(ctx context.Context, t *testing.T) {
	t.Helper()
	pdf, err := chromedp.Run(ctx, chromedp.PrintToPDF(chromedp.PDFPrintBackground()))
	check(t, err)
	if sheets := bytes.Count(pdf, []byte("/Type /Page\n")); sheets < 2 {
		t.Errorf("the report prints on %d sheets", sheets)
	}
	if dir := os.Getenv("CERTDRIFT_SCREENSHOTS"); dir != "" {
		check(t, os.WriteFile(filepath.Join(dir, "print.pdf"), pdf, 0o600))
	}
}

// TestAccessible checks the accessibility tree: landmarks, one first-level heading with the verdict, a name on everything that needs
// one, headers in every table.
func TestAccessible(t *testing.T) {
	ctx := chromium(t)
	open(ctx, t, written(t, incidentReport(t)), "light", 1280)
	tree, err := chromedp.Call(ctx, accessibility.GetFullAXTree, accessibility.GetFullAXTreeParams{})
	check(t, err)
	seen := map[string]int{}
	for _, n := range tree.Nodes {
		if n.Ignored || n.Role == nil {
			continue
		}
		role, name := text(n.Role), text(n.Name)
		seen[role]++
		if name == "" && slices.Contains([]string{"image", "link", "table", "region", "navigation", "heading", "article"}, role) && !(role == "article" && seen["article"] > 0) {
			t.Errorf("a %s has no name", role)
		}
		if role == "heading" && name == "Fail" {
			seen["verdict"]++
		}
	}
	for role, least := range map[string]int{
		"main": 1, "navigation": 1, "banner": 1, "contentinfo": 1, "verdict": 1, "heading": 8, "table": 2, "columnheader": 14, "rowheader": 6, "image": 10, "article": 5,
	} {
		if seen[role] < least {
			t.Errorf("%d of role %s, want %d or more", seen[role], role, least)
		}
	}
	dangling := ask[[]string](ctx, t,
		`[...document.querySelectorAll('a[href^="#"]')].map(a => a.getAttribute('href')).filter(h => !document.getElementById(h.slice(1)))`)
	if len(dangling) > 0 {
		t.Errorf("links lead nowhere: %v", dangling)
	}
}

func text(v *accessibility.Value) string {
	if v == nil {
		return ""
	}
	return strings.Trim(string(v.Value), `"`)
}

// TestManyEndpoints checks that a report of 500 endpoints is small and opens quickly.
func TestManyEndpoints(t *testing.T) {
	ctx := chromium(t)
	address := written(t, large(t, 500))
	info, err := os.Stat(strings.TrimPrefix(address, "file://"))
	check(t, err)
	if info.Size() > 3<<20 {
		t.Errorf("the page of 500 endpoints has %d bytes", info.Size())
	}
	start := time.Now()
	open(ctx, t, address, "light", 1280)
	rows := ask[int](ctx, t, `document.querySelectorAll('section[aria-labelledby=comparison] tbody tr').length`)
	ready := ask[float64](ctx, t, `performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd`)
	t.Logf("%d bytes, read after %.0f ms, shown after %s", info.Size(), ready, time.Since(start).Round(time.Millisecond))
	if rows != 500 {
		t.Errorf("%d of 500 endpoints stand in the page", rows)
	}
	if ready > 5000 { // allows for a slow, shared machine
		t.Errorf("the page took %.0f ms to be read", ready)
	}
	picture(ctx, t, "many")
}
