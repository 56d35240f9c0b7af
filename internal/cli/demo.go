package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"certdrift/internal/report"
)

func (a *App) demo() *cobra.Command {
	var out output
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Replay on this machine the incident that certdrift was built for",
		Example: `  certdrift demo
  certdrift demo --format html -o incident.html`,
		Long: `Runs certdrift's own functions against real TLS servers on loopback and a simulated AWS account: all is well, then a
manual fix in the console, weeks of quiet, a deployment of outdated templates to staging and production, the alerts,
the fix, and the recovery. Nothing leaves this machine. With -o, the report from when everything was broken is written
to a file, in any format.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := out.check(); err != nil {
				return err
			}
			worst, err := a.Parts.Demo(cmd.Context(), a.Stdout, a.style(cmd))
			if err != nil {
				return fmt.Errorf("running the demo: %w", err)
			}
			r := report.Build(report.Input{Round: worst.Round, Conclusion: worst.Conclusion, FailOn: out.failOn})
			if out.file != "" {
				return out.write(a, cmd, r)
			}
			fmt.Fprintf(a.Stdout, "\nThe report from when everything was broken: %s\nFor the full report, run: certdrift demo --format html -o incident.html\n", report.CountingLine(r))
			return nil
		},
	}
	out.flags(cmd)
	return cmd
}
