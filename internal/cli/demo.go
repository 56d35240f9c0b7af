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
		Short: "Replay the incident that certdrift exists for, on this machine",
		Example: `  certdrift demo
  certdrift demo --format html -o incident.html`,
		Long: `Real TLS servers on loopback and a simulated AWS account: all is well, a hand-made fix in the console, weeks of quiet, a
stale redeploy on staging and production, the alerts, the repair, the recovery. It runs the product's own functions; nothing leaves this
machine. With -o the report of the moment when everything was broken is written to a file, in any format.`,
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
			fmt.Fprintf(a.Stdout, "\nThe report of the moment when everything was broken: %s\nSee the whole of it: certdrift demo --format html -o incident.html\n", report.CountingLine(r))
			return nil
		},
	}
	out.flags(cmd)
	return cmd
}
