package widget

import (
	"cmp"
	"fmt"
	"math"
	"net/url"
	"slices"
	"strings"

	"certdrift/internal/arn"
	"certdrift/internal/finding"
	"certdrift/internal/prose"
	"certdrift/internal/report"
	"certdrift/internal/report/comparison"
	"certdrift/internal/topology"
)

// style follows the dashboard's theme, which the dashboard passes; a media query can't know it.
func (d *drawing) style() {
	critical, warning, ok, faint, soft, line := "#b3141c", "#8a5200", "#17713a", "#5b6675", "#fdecec", "#d9dee5"
	if d.Dark {
		critical, warning, ok, faint, soft, line = "#ff8a8a", "#f2b95c", "#6fd193", "#a2adbb", "#3d1d21", "#333d4a"
	}
	fmt.Fprintf(d, `<style>.cd table{border-collapse:collapse;width:100%%;table-layout:fixed}.cd th,.cd td{text-align:left;vertical-align:top;padding:5px 6px;overflow-wrap:anywhere;border-top:1px solid %s}`+
		`.cd caption{text-align:left;padding:5px 8px}.cd .e{width:18%%}.cd .s{width:19%%}.cd .d{width:11%%}.cd ul{list-style:none;padding:0;margin:5px 8px}.cd ul li{padding:2px 0;overflow-wrap:anywhere}`+
		`.cd .critical{color:%s;font-weight:600}.cd .warning{color:%s;font-weight:600}.cd .ok{color:%s}.cd .unknown,.cd .note,.cd small{color:%s}`+
		`.cd .differs{background:%s}.cd small{display:block}.cd .again{cursor:pointer;text-decoration:underline}</style><div class="cd">`, line, critical, warning, ok, faint, soft)
}

// head writes the choice of environments and the table's head.
func (d *drawing) head(environments []string, shown int) {
	if len(environments) > 1 {
		d.WriteString(`<p>`)
		d.again("all", d.Query.Environment == "", Query{Sort: d.Query.Sort})
		for _, e := range environments {
			d.WriteString(" · ")
			d.again(e, d.Query.Environment == e, Query{Sort: d.Query.Sort, Environment: e})
		}
		d.WriteString(`</p>`)
	}
	d.write(`<table><caption>`, text(prose.Count(shown, "endpoint")), `</caption><thead><tr>`)
	for _, column := range []struct {
		class safe // of its width
		parts []heading
	}{
		{"e", []heading{{"Environment", ByEnvironment}, {"Endpoint", ByEndpoint}}}, {"s", []heading{{"State", ByState}}},
		{"", []heading{{"Declared", ""}}}, {"", []heading{{"Attached", ""}}}, {"", []heading{{"Served", ""}}}, {"d", []heading{{"Days left", ByDays}}},
	} {
		d.write(`<th scope="col" class="`, column.class, `">`)
		for i, part := range column.parts {
			if i > 0 {
				d.WriteString(", ")
			}
			if part.sort == "" {
				d.write(text(part.label))
			} else {
				d.again(part.label, cmp.Or(d.Query.Sort, ByState) == part.sort, Query{Sort: part.sort, Environment: d.Query.Environment})
			}
		}
		d.WriteString(`</th>`)
	}
	d.WriteString(`</tr></thead><tbody>`)
}

// heading is a word in the table's head, which sorts by something unless that is empty.
type heading struct{ label, sort string }

// row is one endpoint.
func (d *drawing) row(r comparison.Row) string {
	w := drawing{Input: d.Input, open: d.open}
	e := r.Endpoint
	w.WriteString(`<tr><th scope="row">`)
	if e.Environment != "" {
		w.write(`<small>`, text(e.Environment), `</small>`)
	}
	w.write(anchor(pageOf(e.URL), e.Name), `</th><td>`)
	w.state(e)
	w.incidents(e)
	w.WriteString(`</td><td>`)
	w.values(r.Declared, nil)
	w.WriteString(`</td><td>`)
	w.values(r.Attached, r.Listener)
	w.write(`</td><td>`)
	w.values(slices.Concat(r.Served, r.Others), nil)
	w.WriteString(`</td><td>`)
	w.days(r)
	w.WriteString(`</td></tr>`)
	return w.String()
}

// incidents writes since when the endpoint's incidents are open, and who has acknowledged them.
func (d *drawing) incidents(e report.Endpoint) {
	for _, i := range d.open[e.Environment+"/"+e.Name] {
		d.write(`<small>`, text("incident since "+i.First.UTC().Format("2006-01-02 15:04")+": "+string(i.Code)))
		if a := i.Acknowledged; a != nil {
			d.write(text(", acknowledged by " + a.By))
		}
		if i.Silenced != nil {
			d.write(text(", silenced"))
		}
		d.WriteString(`</small>`)
	}
}

// state writes the state of the endpoint as a word, and why.
func (d *drawing) state(e report.Endpoint) {
	word := string(e.State)
	if e.State == report.Unknown {
		word = "not checked"
	}
	d.write(`<span class="`, text(string(e.State)), `">`, text(word), `</span>`)
	for _, f := range e.Findings() {
		if f.Severity > finding.Info {
			d.write(`<small title="`, text(f.Summary), `">`, text(string(f.Code)), `</small>`)
		}
	}
}

// values are a column's certificates, with links to the console.
func (d *drawing) values(all []comparison.Value, l *report.Listener) {
	for _, v := range all {
		class := safe("")
		if v.Differs {
			class = ` class="differs"`
		}
		d.write(`<div`, class, `>`)
		if v.Differs {
			d.write(`<b>≠ </b>`)
		}
		main := v.Main
		if v.ARN != "" {
			main = topology.ShortARN(v.ARN)
		}
		d.write(anchor(certificatePage(v.ARN), prose.ShortenIDs(main)), `<small title="`, text(strings.Join(append([]string{v.Main}, v.Details...), "; ")), `">`, breakable(strings.Join(v.Notes, "; ")), `</small>`)
		if l != nil {
			d.write(`<small>`, anchor(balancerPage(*l), "load balancer"), `</small>`)
		}
		d.write(`</div>`)
	}
}

// days counts whole days.
func (d *drawing) days(r comparison.Row) {
	if r.End.IsZero() {
		d.write(`–`)
		return
	}
	days := r.End.Sub(d.Report.At).Hours() / 24
	class := safe("ok")
	for _, f := range r.Endpoint.Findings() {
		if f.Code == finding.CertExpired || f.Code == finding.CertExpiring {
			class = text(f.Severity.String())
			break
		}
	}
	word, note := fmt.Sprintf("%.0f", math.Floor(days)), prose.Day(r.End)
	if days < 0 {
		class, word, note = "critical", "expired", report.AgoText(d.Report.At.Sub(r.End))+", "+note
	}
	d.write(`<span class="`, class, `">`, text(word), `</span><small>`, text(note), `</small>`)
}

// anchor is a link in a window of its own; the text alone where there is no address.
func anchor(address, label string) safe {
	if address == "" {
		return breakable(label)
	}
	return `<a target="_blank" rel="noopener noreferrer" href="` + text(address) + `">` + breakable(label) + `</a>`
}

// pageOf is an endpoint's own page: only what a browser opens is a link.
func pageOf(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
		return ""
	}
	u.RawQuery = "" // its values are not known here
	return u.String()
}

// certificatePage is the console's page of an ACM certificate; IAM's have none.
func certificatePage(text string) string {
	a, ok := arn.Split(text)
	if !ok || a.Partition != "aws" || a.Service != "acm" {
		return ""
	}
	return console(a.Region, "/acm/home?region="+url.QueryEscape(a.Region)+"#/certificates/"+url.PathEscape(strings.TrimPrefix(a.Resource, "certificate/")))
}

// balancerPage is the console's list of load balancers, searched for this one.
func balancerPage(l report.Listener) string {
	name, _, _ := strings.Cut(l.Listener, ":")
	return arn.ListenerPage(l.Region, "", name)
}

// console is a page of the AWS console of a region; empty where the region is none.
func console(region, page string) string {
	if !arn.Region(region) {
		return ""
	}
	return "https://" + arn.Console(region) + page
}
