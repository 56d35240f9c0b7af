package cli

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"

	"certdrift/internal/report"
	"certdrift/internal/round"
)

var update = flag.Bool("update", false, "write docs/cli.md anew")

// TestReferenceIsCurrent holds docs/cli.md to what the commands themselves say.
func TestReferenceIsCurrent(t *testing.T) {
	app := &App{Parts: Product()}
	app.Parts.Demo = func(context.Context, io.Writer, report.Style) (round.Result, error) { return round.Result{}, nil }
	var b strings.Builder
	b.WriteString("# The command line\n\nMade from the commands' own help: `go test ./internal/cli -update`.\n")
	b.WriteString("\nData goes to standard output, progress and errors to standard error. AWS is reached through the SDK's own configuration\n" +
		"(profiles, roles, `AWS_ENDPOINT_URL`), and only where the configuration names load balancers.\n" +
		"[report.md](report.md) has every key of `--format json`. Its `verdict` answers `--fail-on`, as the exit status does: the same round is\n" +
		"`fail` with `--fail-on warning` and may be `pass` with `never`.\n\n" +
		"`make man` writes manual pages and completions for bash, zsh, fish and PowerShell; `certdrift completion SHELL` prints one.\n")
	b.WriteString("\n| exit status | means |\n| --- | --- |\n| 0 | clean |\n| 1 | findings at or above `--fail-on` |\n" +
		"| 2 | wrong usage, or a wrong configuration |\n| 3 | not everything could be seen or decided |\n" +
		"| 130, 143 | interrupted (Ctrl-C), or terminated, after a report of what was seen so far |\n")
	for _, cmd := range app.Root().Commands() {
		if cmd.Name() != "help" && cmd.Name() != "completion" {
			describe(&b, cmd)
		}
	}
	path := filepath.Join("..", "..", "docs", "cli.md")
	if *update {
		if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(have), b.String()); diff != "" {
		t.Errorf("docs/cli.md is not current (-update writes it anew):\n%s", diff)
	}
}

func describe(b *strings.Builder, cmd *cobra.Command) {
	fmt.Fprintf(b, "\n## certdrift %s\n\n%s.\n\n```sh\n%s\n```\n", cmd.Name(), cmd.Short, outdent(cmd.Example))
	if cmd.Long != "" {
		fmt.Fprintf(b, "\n%s\n", cmd.Long)
	}
	fmt.Fprintf(b, "\n```\n%s\n", cmd.UseLine())
	if flags := cmd.NonInheritedFlags().FlagUsages(); flags != "" {
		fmt.Fprintf(b, "\n%s", flags)
	}
	b.WriteString("```\n")
}

func outdent(example string) string {
	var out []string
	for _, line := range strings.Split(example, "\n") {
		out = append(out, strings.TrimPrefix(line, "  "))
	}
	return strings.Join(out, "\n")
}

// TestEveryCommandHelps holds that each command says what it does and shows an example of itself.
func TestEveryCommandHelps(t *testing.T) {
	var look func(cmd *cobra.Command)
	look = func(cmd *cobra.Command) {
		if cmd.Short == "" || !strings.Contains(cmd.Example, cmd.CommandPath()) {
			t.Errorf("%s lacks a sentence or an example of itself", cmd.CommandPath())
		}
		for _, below := range cmd.Commands() {
			look(below)
		}
	}
	look((&App{Parts: Product()}).Root())
}
