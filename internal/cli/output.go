package cli

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"certdrift/internal/catalogue"
	"certdrift/internal/finding"
	"certdrift/internal/report"
	"certdrift/internal/report/html"
	"certdrift/internal/report/text"
)

// format is one way to write a report.
type format struct {
	name  string
	about string // shown by the shell's completion
	write func(io.Writer, report.Report, text.Options) error
}

// formats are all ways to write a report, text first.
func formats() []format {
	plain := func(write func(io.Writer, report.Report) error) func(io.Writer, report.Report, text.Options) error {
		return func(w io.Writer, r report.Report, _ text.Options) error { return write(w, r) }
	}
	return []format{
		{"text", "for people", text.Write},
		{"json", "the whole report, one document", plain(report.WriteJSON)},
		{"junit", "JUnit XML, a case per endpoint", plain(report.WriteJUnit)},
		{"html", "one self-contained page for a browser", plain(html.Write)},
		{"github", "GitHub Actions annotations and step summary", plain(report.WriteGitHub)},
		{"sarif", "SARIF 2.1.0, for code scanning", func(w io.Writer, r report.Report, _ text.Options) error {
			return report.WriteSARIF(w, r, catalogue.Entries())
		}},
		{"markdown", "for a pull request comment or a step summary", plain(report.WriteMarkdown)},
		{"prometheus", "for the node_exporter textfile collector", plain(report.WritePrometheus)},
	}
}

func formatNames() []string {
	var names []string
	for _, f := range formats() {
		names = append(names, f.name)
	}
	return names
}

// output is how and where a command writes its report, and what it fails on.
type output struct {
	formatName, failOnName, file string

	verbose bool

	format format
	failOn finding.Severity
}

func (o *output) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&o.formatName, "format", "text", "report format: "+strings.Join(formatNames(), ", "))
	cmd.Flags().StringVarP(&o.file, "output", "o", "", "write the report to `FILE` (atomically) instead of standard output")
	cmd.Flags().StringVar(&o.failOnName, "fail-on", "critical", "lowest severity that fails (exit status 1, verdict fail): critical, warning or never")
	cmd.Flags().BoolVar(&o.verbose, "verbose", false, "text: include the evidence of every finding, and list what is only counted otherwise")
	var described []string
	for _, f := range formats() {
		described = append(described, f.name+"\t"+f.about)
	}
	complete(cmd, "format", described...)
	complete(cmd, "fail-on", failOns()...)
}

func failOns() []string { return []string{"critical", "warning", "never"} }

// complete offers words for a flag's value in the shell.
func complete(cmd *cobra.Command, flag string, words ...string) {
	_ = cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp)) // fails only for an unknown flag
}

// check parses the flags; it is called before anything else.
func (o *output) check() error {
	i := slices.IndexFunc(formats(), func(f format) bool { return f.name == o.formatName })
	if i < 0 {
		return usage(oneOf(o.formatName, formatNames()), "unknown format %q", o.formatName)
	}
	o.format = formats()[i]
	var ok bool
	if o.failOn, ok = report.ParseFailOn(o.failOnName); !ok {
		return usage(oneOf(o.failOnName, failOns()), "unknown --fail-on %q", o.failOnName)
	}
	if o.file == "-" { // as everywhere
		o.file = ""
	}
	return writable("output", o.file)
}

// writable checks before a round, not after it, that a file can be written.
func writable(flag, path string) error {
	if path == "" {
		return nil
	}
	if info, err := os.Stat(filepath.Dir(path)); err != nil || !info.IsDir() {
		return usage("create it first, or name another file", "--%s: no directory %q", flag, filepath.Dir(path))
	}
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return usage("name a file in it", "--%s: %q is a directory", flag, path)
	}
	return nil
}

// write writes the report where it is wanted. With a file, its counting line goes to standard error.
func (o *output) write(a *App, cmd *cobra.Command, r report.Report) error {
	if o.format.name == "github" {
		a.stepSummary(r)
	}
	if o.file == "" {
		if err := o.format.write(a.Stdout, r, text.Options{Style: a.style(cmd), Width: a.columns(), Verbose: o.verbose}); err != nil {
			return fmt.Errorf("writing the report: %w", err)
		}
		return nil
	}
	err := replaceFile(o.file, func(w io.Writer) error { return o.format.write(w, r, text.Options{Verbose: o.verbose}) })
	if err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	fmt.Fprintln(a.Stderr, report.CountingLine(r))
	return nil
}

// stepSummary adds the report to the summary of a GitHub Actions step: annotations show ten of a kind, it shows more.
// https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands#adding-a-job-summary
func (a *App) stepSummary(r report.Report) {
	path := a.Getenv("GITHUB_STEP_SUMMARY")
	if path == "" {
		return
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err == nil {
		err = errors.Join(report.WriteMarkdown(f, r), f.Close())
	}
	if err != nil { // the annotations say what matters
		fmt.Fprintf(a.Stderr, "certdrift: writing the step summary: %s\n", cleanLines(err.Error()))
	}
}

// replaceFile writes a file beside its place and then moves it there, so that nobody reads half of it (node_exporter
// reads its directory whenever it likes). A link stays one: the file it leads to is replaced. What is no regular file
// (/dev/stdout, a pipe) is written to directly.
func replaceFile(path string, write func(io.Writer) error) (err error) {
	if file, linkErr := filepath.EvalSymlinks(path); linkErr == nil {
		path = file
	}
	if info, statErr := os.Stat(path); statErr == nil && !info.Mode().IsRegular() {
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		defer func() { _ = f.Close() }()
		return write(f)
	}
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		var of *fs.PathError // it names a file that nobody asked for
		if errors.As(err, &of) {
			return &fs.PathError{Op: "create", Path: path, Err: of.Err}
		}
		return err
	}
	defer func() {
		if err != nil {
			_ = f.Close()
			_ = os.Remove(f.Name())
		}
	}()
	if err := write(f); err != nil {
		return err
	}
	if err := f.Chmod(0o644); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
