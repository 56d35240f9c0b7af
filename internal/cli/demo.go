package cli

import (
	"fmt"

	"github.com/spf13/cobra"
)

func (a *App) demo() *cobra.Command {
	return &cobra.Command{
		Use:     "demo",
		Short:   "Replay the incident that certdrift exists for, on this machine",
		Example: `  certdrift demo`,
		Long: `Real TLS servers on loopback and a simulated AWS account: healthy, a hand-made fix in the console, a stale redeploy on
staging and production, the alerts, the repair, the recovery. It runs the product's own rounds; nothing leaves this machine.`,
		Args: noArgs, ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := a.Parts.Demo(cmd.Context(), a.Stdout); err != nil {
				return fmt.Errorf("running the demo: %w", err)
			}
			return nil
		},
	}
}
