// Package html writes a report as one page that needs nothing else: no network, no script, no font. It opens from an email
// or from a pipeline's artifacts, in light and dark, and prints.
//
// The page is ordered by what a person needs first: the verdict, what is declared, attached and served for each endpoint side by
// side, then each finding with what to do about it, and below them the pictures. Severity is shown by a word and a sign,
// never by color alone.
//
// It stands apart from package report since it needs html/template, whose reflection would make every Lambda that links
// it half as large again (archtest holds that none does). The template escapes all text for its place; package report
// has escaped what is invisible before.
package html

import (
	"bufio"
	_ "embed" // for the two files below
	"fmt"
	"html/template"
	"io"

	"certdrift/internal/prose"
	"certdrift/internal/report"
)

//go:embed page.html
var pageText string

//go:embed page.css
var styleText string

// Write writes the page.
func Write(w io.Writer, r report.Report) error {
	page, err := template.New("page").Funcs(template.FuncMap{"breakable": breakable}).Parse(pageText)
	if err != nil {
		return fmt.Errorf("reading the page's template: %w", err)
	}
	buffered := bufio.NewWriter(w)
	if err := page.Execute(buffered, viewOf(r)); err != nil {
		return fmt.Errorf("writing the page: %w", err)
	}
	return buffered.Flush()
}

// breakable is a name or a URL that a narrow column breaks behind its punctuation, not in the middle of a word. Copying it gives the text itself.
func breakable(text string) template.HTML {
	return template.HTML(prose.Breakable(template.HTMLEscapeString(text))) //nolint:gosec // it is escaped, and <wbr> is all that is added
}
