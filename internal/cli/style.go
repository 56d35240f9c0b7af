package cli

import (
	"strconv"

	"charm.land/lipgloss/v2"
	"github.com/spf13/cobra"

	"certdrift/internal/report"
)

// colour reports whether standard output takes colour: a terminal, unless NO_COLOR (https://no-color.org) or --no-color
// say otherwise, or anything at all with CLICOLOR_FORCE (https://bixense.com/clicolors).
func (a *App) colour(cmd *cobra.Command) bool {
	if off, _ := cmd.Flags().GetBool("no-color"); off || a.Getenv("NO_COLOR") != "" {
		return false
	}
	if force := a.Getenv("CLICOLOR_FORCE"); force != "" && force != "0" {
		return true
	}
	return a.StdoutTerminal && a.Getenv("TERM") != "dumb" && a.Getenv("CLICOLOR") != "0"
}

// widest is how wide text is on a terminal at most: longer lines are hard to read.
const widest = 120

// columns is how wide text may be: as COLUMNS says (POSIX), else as wide as the terminal; 0 where neither is known.
func (a *App) columns() int {
	if n, err := strconv.Atoi(a.Getenv("COLUMNS")); err == nil && n > 0 {
		return n
	}
	return min(a.Columns, widest)
}

// style returns how the report marks words.
func (a *App) style(cmd *cobra.Command) report.Style {
	if !a.colour(cmd) {
		return report.Plain
	}
	dress := map[report.Role]lipgloss.Style{
		report.RoleHeading:  lipgloss.NewStyle().Bold(true),
		report.RoleCritical: lipgloss.NewStyle().Bold(true).Foreground(lipgloss.Red),
		report.RoleWarning:  lipgloss.NewStyle().Foreground(lipgloss.Yellow),
		report.RoleInfo:     lipgloss.NewStyle().Foreground(lipgloss.Cyan),
		report.RoleGood:     lipgloss.NewStyle().Foreground(lipgloss.Green),
		report.RoleFaint:    lipgloss.NewStyle().Faint(true),
	}
	return func(role report.Role, text string) string { return dress[role].Render(text) }
}
