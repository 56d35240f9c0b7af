package browser

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"certdrift/internal/finding"
	"certdrift/internal/incident"
	"certdrift/internal/report/widget"
)

// TestWidget opens the widget in a frame like the dashboard's: the browser must report nothing, and all text must be readable on the
// theme's background.
func TestWidget(t *testing.T) {
	ctx := chromium(t)
	in := widget.Input{
		Report: incidentReport(t), Function: "arn:aws:lambda:us-west-2:111122223333:function:certdrift-widget",
		Incidents: []incident.Record{{
			First: noon.Add(-2 * time.Hour), Opened: noon.Add(-2 * time.Hour), Code: finding.DriftAttached, Affects: []string{"production/api"},
			Acknowledged: &incident.Acknowledgement{By: "jane"},
		}},
	}
	for _, look := range []struct {
		name, ground, ink string
		dark              bool
	}{{"light", "#fff", "#16191f", false}, {"dark", "#1a2029", "#d5dbdb", true}} {
		in.Dark = look.dark
		// The dashboard removes the actions from the text and applies its own colors.
		page := `<!DOCTYPE html><html lang="en"><title>w</title><link rel="icon" href="data:,"><style>cwdb-action{display:none}a{color:inherit}body{font:14px sans-serif;background:` +
			look.ground + `;color:` + look.ink + `}</style>` + widget.HTML(in) + `<footer></footer></html>`
		path := filepath.Join(t.TempDir(), "widget.html")
		check(t, os.WriteFile(path, []byte(page), 0o600))
		heard := listen(ctx, t, "file://"+path)
		open(ctx, t, "file://"+path, look.name, 1280)
		for _, complaint := range heard.said() {
			t.Error(complaint)
		}
		if faint := ask[[]string](ctx, t, contrast); len(faint) > 0 {
			t.Errorf("%s: hardly to be read: %v", look.name, faint)
		}
		picture(ctx, t, "widget-"+look.name)
		open(ctx, t, "file://"+path, look.name, 600) // half of a dashboard
		if overflow := ask[int](ctx, t, `document.documentElement.scrollWidth - innerWidth`); overflow > 0 {
			t.Errorf("%s: the widget is %d pixels wider than 600", look.name, overflow)
		}
		picture(ctx, t, "widget-600-"+look.name)
	}
}

// contrast returns texts whose contrast with the background is below 4.5 to 1 (WCAG 2.2, 1.4.3).
const contrast = `(() => {
	const channels = c => (c.match(/[\d.]+/g) || []).map(Number)
	const light = c => { const [r, g, b] = channels(c).map(v => { v /= 255; return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4 }); return 0.2126*r + 0.7152*g + 0.0722*b }
	const ground = e => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor; const p = channels(c); if (p.length === 3 || p[3] > 0) return c } return 'rgb(255,255,255)' }
	const found = new Set()
	for (const e of document.body.querySelectorAll('*')) {
		if (![...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()) || !e.checkVisibility() || e.closest('svg, cwdb-action, .skip')) continue
		const a = light(getComputedStyle(e).color), b = light(ground(e))
		const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)
		if (ratio < 4.5) found.add(e.tagName + '.' + e.className + ' ' + ratio.toFixed(2) + ' ' + e.textContent.slice(0, 30))
	}
	return [...found].slice(0, 10)
})()`
