package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"certdrift/internal/catalogue"
	"certdrift/internal/finding"
	"certdrift/internal/prose"
	"certdrift/internal/report"
)

func (a *App) explain() *cobra.Command {
	var formatName string
	cmd := &cobra.Command{
		Use:   "explain [CODE]",
		Short: "Explain a finding, how to verify it independently, and how to fix it",
		Example: `  certdrift explain
  certdrift explain cert-chain-incomplete
  certdrift explain drift-attached --format json`,
		Long: "Without a code, lists all codes.",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usage("run it once for each", "explain takes one code, but got %d", len(args))
			}
			return nil
		},
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			var words []string
			for _, e := range catalogue.Entries() {
				if len(args) == 0 {
					words = append(words, string(e.Code)+"\t"+e.Title)
				}
			}
			return words, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if formatName != "text" && formatName != "json" {
				return usage(oneOf(formatName, []string{"text", "json"}), "unknown format %q", formatName)
			}
			entries, err := chosen(args)
			if err != nil {
				return err
			}
			style := a.style(cmd)
			switch {
			case formatName == "json":
				return explainJSON(a.Stdout, entries)
			case len(args) == 0:
				listCatalogue(a.Stdout, entries, style)
			default:
				explainEntry(a.Stdout, entries[0], style)
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&formatName, "format", "text", "text or json")
	complete(cmd, "format", "text", "json")
	return cmd
}

// chosen is the entry of the code asked for, or the whole catalogue.
func chosen(args []string) ([]catalogue.Entry, error) {
	all := catalogue.Entries()
	if len(args) == 0 {
		return all, nil
	}
	var codes []string
	for _, e := range all {
		if string(e.Code) == strings.ToLower(args[0]) {
			return []catalogue.Entry{e}, nil
		}
		codes = append(codes, string(e.Code))
	}
	hint := "`certdrift explain` lists all codes"
	if near := nearest(args[0], codes); near != "" {
		hint = fmt.Sprintf("did you mean %q? (%s)", near, hint)
	}
	return nil, usage(hint, "unknown code %q", args[0])
}

func explainJSON(w io.Writer, entries []catalogue.Entry) error {
	type entry struct {
		Code     string `json:"code"`
		Group    string `json:"group"`
		Severity string `json:"severity"`
		Title    string `json:"title"`
		Meaning  string `json:"meaning"`
		Check    string `json:"check"`
		Remedy   string `json:"remedy"`
		Source   string `json:"source"`
	}
	out := []entry{}
	for _, e := range entries {
		out = append(out, entry{string(e.Code), string(e.Code.Class()), e.Severity, e.Title, e.Meaning, e.Check, e.Remedy, e.Source})
	}
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	if len(out) == 1 {
		return enc.Encode(out[0])
	}
	return enc.Encode(out)
}

// listCatalogue lists the codes by group, in the catalogue's order.
func listCatalogue(w io.Writer, entries []catalogue.Entry, style report.Style) {
	width := 0
	var groups []finding.Class
	for _, e := range entries {
		width = max(width, len(e.Code))
		if !slices.Contains(groups, e.Code.Class()) {
			groups = append(groups, e.Code.Class())
		}
	}
	for _, group := range groups {
		fmt.Fprintln(w, style(report.RoleHeading, string(group)))
		for _, e := range entries {
			if e.Code.Class() == group {
				fmt.Fprintf(w, "  %-*s  %s\n", width, e.Code, e.Title)
			}
		}
		fmt.Fprintln(w)
	}
	fmt.Fprintln(w, "Run \"certdrift explain CODE\" for details.")
}

func explainEntry(w io.Writer, e catalogue.Entry, style report.Style) {
	fmt.Fprintf(w, "%s: %s\n", style(report.RoleHeading, string(e.Code)), e.Title)
	for _, part := range []struct{ heading, text string }{
		{"Severity", e.Severity}, {"Meaning", e.Meaning}, {"Check it yourself", e.Check}, {"What to do", e.Remedy}, {"Source", e.Source},
	} {
		if part.text == "" {
			continue
		}
		fmt.Fprintf(w, "\n%s\n", style(report.RoleHeading, part.heading))
		for line := range strings.Lines(strings.TrimSpace(part.text)) {
			for _, folded := range fold(strings.TrimRight(line, "\n"), 100) {
				fmt.Fprintf(w, "  %s\n", folded)
			}
		}
	}
}

// fold breaks prose at spaces. An indented line is a command and stays whole.
func fold(line string, width int) []string {
	if strings.HasPrefix(line, " ") || strings.HasPrefix(line, "\t") || line == "" {
		return []string{line}
	}
	return prose.Wrap(line, width)
}
