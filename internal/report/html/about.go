package html

import (
	"slices"
	"strings"

	"certdrift/internal/prose"
	"certdrift/internal/report"
	"certdrift/internal/report/comparison"
)

// title is the page's title: in a list of tabs and files it says which report this is.
func title(r report.Report) string {
	parts := []string{"certdrift " + string(r.Verdict)}
	if files := configurations(r); len(files) > 0 {
		parts = append(parts, files[0])
	}
	if !r.Started.IsZero() {
		parts = append(parts, prose.Stamp(r.Started))
	}
	return strings.Join(parts, ", ")
}

// about says what the report is about: the configuration, its environments, the accounts and regions read.
func about(r report.Report) []fact {
	var environments, accounts, regions []string
	for _, e := range r.Endpoints {
		environments = append(environments, comparison.Clean(e.Environment))
	}
	for _, l := range r.Listeners {
		accounts, regions = append(accounts, comparison.Clean(l.Account)), append(regions, comparison.Clean(l.Region))
	}
	var out []fact
	for _, f := range []struct {
		name, plural string
		values       []string
	}{{"Configuration", "Configurations", configurations(r)}, {"Environment", "Environments", environments}, {"AWS account", "AWS accounts", accounts}, {"Region", "Regions", regions}} {
		values := distinct(f.values)
		if len(values) == 0 {
			continue
		}
		name := f.name
		if len(values) > 1 {
			name = f.plural
		}
		out = append(out, fact{name, users(values, shownAbout)})
	}
	return out
}

// shownAbout is how many values a line of the header lists.
const shownAbout = 6

func configurations(r report.Report) []string {
	var files []string
	for _, e := range r.Endpoints {
		files = append(files, comparison.Clean(e.Source.File))
	}
	return distinct(files)
}

// distinct are the values that are not empty, each once, in their order.
func distinct(values []string) []string {
	var out []string
	for _, v := range values {
		if v != "" && !slices.Contains(out, v) {
			out = append(out, v)
		}
	}
	return out
}
