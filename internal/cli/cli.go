// Package cli is the command line: it reads flags, runs the product's own rounds, and writes their reports. Data goes to
// standard output, progress and errors to standard error. What it touches of the machine (streams, environment, clock)
// and of the product (configuration, rounds) is in App, so that tests run it as it is.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"certdrift/internal/finding"
	"certdrift/internal/probe/redact"
	"certdrift/internal/report"
)

// App is the command line.
type App struct {
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	// StdoutTerminal and StderrTerminal report whether the streams are terminals.
	StdoutTerminal, StderrTerminal bool
	// Columns is how wide standard output is; 0 where it is no terminal.
	Columns int
	Getenv  func(string) string
	Now     func() time.Time
	Parts   Parts

	// typed hides what is secret in the command's arguments.
	typed redact.Redactor
}

// Run runs one command and returns its exit status: 0 clean, 1 findings, 2 usage or configuration error, 3 certdrift could
// not finish.
func (a *App) Run(ctx context.Context, args []string) int {
	written := &watched{Writer: a.Stdout}
	with := *a
	with.Stdout, with.typed = written, redact.Typed(args)
	a = &with
	root := a.Root()
	root.SetArgs(args)
	root.SetIn(a.Stdin)
	root.SetOut(a.Stdout)
	root.SetErr(a.Stderr)
	err := root.ExecuteContext(ctx)
	if err == nil {
		err = written.err
	}
	var done statusError
	switch {
	case err == nil:
		return report.StatusClean
	case errors.As(err, &done):
		return int(done)
	}
	fmt.Fprintf(a.Stderr, "certdrift: %s\n", cleanLines(a.typed.Message(err.Error())))
	a.hint(hintOf(err))
	var wrong *usageError
	if !errors.As(err, &wrong) {
		return report.StatusIncomplete
	}
	return report.StatusUsage
}

func (a *App) hint(text string) {
	if text != "" {
		fmt.Fprintf(a.Stderr, "hint: %s\n", cleanLines(a.typed.Message(text)))
	}
}

// clean makes a text from elsewhere (a table, AWS, a file's name) safe to print: see finding.Clean. A build server would execute
// "::error::" at the start of a line, too.
func clean(text string) string {
	text = finding.Clean(text, 1000)
	if rest, found := strings.CutPrefix(strings.TrimLeft(text, " "), "::"); found {
		return `\x3a:` + rest
	}
	return text
}

// maxErrorLines bounds an error: one of each of thousands of endpoints helps nobody.
const maxErrorLines = 50

// cleanLines is clean for each line of an error that joins several.
func cleanLines(text string) string {
	lines := strings.Split(text, "\n")
	if more := len(lines) - maxErrorLines; more > 0 {
		lines = append(lines[:maxErrorLines], fmt.Sprintf("and %d more", more))
	}
	for i, line := range lines {
		lines[i] = clean(line)
	}
	return strings.Join(lines, "\n")
}

// watched remembers that something could not be written: a full disk must not pass for a clean report, and neither cobra
// nor fmt's users look at each line's error.
type watched struct {
	io.Writer
	err error
}

// Write implements io.Writer.
func (w *watched) Write(p []byte) (int, error) {
	n, err := w.Writer.Write(p)
	if err != nil && w.err == nil {
		w.err = fmt.Errorf("writing to standard output: %w", err)
	}
	return n, err
}

// Root is the tree of commands.
func (a *App) Root() *cobra.Command {
	root := &cobra.Command{
		Use:   "certdrift",
		Short: "Is the certificate that clients really get the one we meant them to get?",
		Long: `certdrift compares three certificates for each endpoint and reports which of them disagree: the one declared in
certdrift.yaml or a Kubernetes manifest, the one attached to the load balancer, and the one served to clients at
every address of the hostname.`,
		Example: `  certdrift check https://example.org
  certdrift check -c certdrift.yaml --environment staging
  certdrift explain cert-chain-incomplete`,
		SilenceUsage: true, SilenceErrors: true,
		Args: cobra.ArbitraryArgs, DisableFlagsInUseLine: true,
		RunE: group,
	}
	root.SetFlagErrorFunc(wrongFlag)
	root.SetHelpTemplate(helpTemplate)
	root.SetUsageTemplate(usageTemplate)
	root.PersistentFlags().Bool("no-color", false, "disable color output (also: NO_COLOR)")
	root.AddCommand(a.check(), a.plan(), a.verify(), a.draft(), a.judge(), a.validate(), a.schema(), a.explain(), a.version())
	root.AddCommand(a.incidents(), a.alert(), a.cost())
	if a.Parts.Demo != nil {
		root.AddCommand(a.demo())
	}
	for _, cmd := range root.Commands() {
		cmd.DisableFlagsInUseLine = true
	}
	root.SetHelpCommand(helpCommand(root))
	root.Version = versionLine(debug.ReadBuildInfo())
	root.SetVersionTemplate("{{.Version}}\n")
	root.InitDefaultCompletionCmd()
	completion(root)
	return root
}

// completion gives cobra's own command what the others have: a hint for a mistyped shell, and examples.
func completion(root *cobra.Command) {
	examples := map[string]string{
		"bash": "source <(certdrift completion bash)", "zsh": `certdrift completion zsh > "${fpath[1]}/_certdrift"`,
		"fish": "certdrift completion fish | source", "powershell": "certdrift completion powershell | Out-String | Invoke-Expression",
	}
	for _, cmd := range root.Commands() {
		if cmd.Name() != "completion" {
			continue
		}
		cmd.Args, cmd.RunE, cmd.Example = cobra.ArbitraryArgs, group, "  "+examples["bash"]
		for _, shell := range cmd.Commands() {
			shell.Example = "  " + examples[shell.Name()]
		}
	}
}

// group runs a command that only has subcommands: it prints help, or a hint for a mistyped one.
func group(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return unknownCommand(cmd, args[0])
	}
	return cmd.Help()
}

func helpCommand(root *cobra.Command) *cobra.Command {
	return &cobra.Command{
		Use: "help [COMMAND]", Short: "Show help for a command", Example: "  certdrift help check", DisableFlagsInUseLine: true,
		RunE: func(_ *cobra.Command, args []string) error {
			cmd, rest, err := root.Find(args)
			if err != nil || len(rest) > 0 {
				return unknownCommand(root, strings.Join(args, " "))
			}
			return cmd.Help()
		},
	}
}

// helpTemplate puts the examples before everything but the first sentence.
const helpTemplate = `{{.Short}}
{{if .HasExample}}
Examples:
{{.Example}}
{{end}}{{if .Long}}
{{.Long}}
{{end}}
{{.UsageString}}`

const usageTemplate = `Usage:{{if .Runnable}}
  {{.UseLine}}{{end}}{{if .HasAvailableSubCommands}}
  {{.CommandPath}} COMMAND{{end}}{{if .HasAvailableSubCommands}}

Commands:{{range .Commands}}{{if .IsAvailableCommand}}
  {{rpad .Name .NamePadding}} {{.Short}}{{end}}{{end}}{{end}}{{if .HasAvailableLocalFlags}}

Flags:
{{.LocalFlags.FlagUsages | trimTrailingWhitespaces}}{{end}}{{if .HasAvailableInheritedFlags}}

Global flags:
{{.InheritedFlags.FlagUsages | trimTrailingWhitespaces}}{{end}}{{if .HasAvailableSubCommands}}

Run "{{.CommandPath}} COMMAND --help" for more.{{end}}
`
