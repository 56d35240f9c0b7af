package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
	"certdrift/internal/prose"
	"certdrift/internal/report"
	"certdrift/internal/round"
)

// validation is `certdrift validate`: its flags.
type validation struct {
	app    *App
	config string
	out    output
}

func (a *App) validate() *cobra.Command {
	v := &validation{app: a}
	cmd := &cobra.Command{
		Use:   "validate [-c FILE | FILE]",
		Short: "Check a configuration and report every error in it",
		Example: `  certdrift validate
  certdrift validate -c deploy/certdrift.yaml
  certdrift validate --format github`,
		Long: `Reads the configuration and the files it names, including manifests; makes no network connection, not even to S3.
Errors go to standard error as FILE:LINE:COL: MESSAGE, each with a hint.

Exit status: 0 valid, 2 at least one error.`,
		RunE: v.run,
	}
	cmd.Flags().StringVarP(&v.config, "config", "c", "", "configuration `FILE`, or - for standard input (default "+defaultConfig+")")
	v.out.flags(cmd)
	_ = cmd.MarkFlagFilename("config", "yaml", "yml") // fails only for an unknown flag
	return cmd
}

func (v *validation) run(cmd *cobra.Command, args []string) error {
	path := v.config
	switch {
	case len(args) > 1 || len(args) == 1 && path != "":
		return usage("run it once for each", "validate takes one configuration")
	case len(args) == 1:
		path = args[0]
	}
	if err := v.out.check(); err != nil {
		return err
	}
	cfg, faults, err := v.app.load(path)
	if err != nil {
		return err
	}
	local := cfg
	local.Manifests = slices.DeleteFunc(slices.Clone(cfg.Manifests), func(path string) bool { return strings.HasPrefix(path, "s3://") })
	if len(local.Manifests) > 0 {
		faults = append(faults, v.app.Parts.Manifests(cmd.Context(), configFile(path), local, v.app.Stdin).Diagnostics...)
		observation.SortDiagnostics(faults)
	}
	if len(faults) > 0 {
		return v.app.refuse(cmd, &v.out, faults)
	}
	if v.out.format.name == "text" && v.out.file == "" {
		environments := round.Environments(cfg, nil)
		name := clean(configFile(path))
		if path == standardInput {
			name = "standard input"
		}
		fmt.Fprintf(v.app.Stdout, "%s is valid: %s in %s\n", name, prose.Count(len(cfg.Endpoints), "endpoint"), prose.Count(len(environments), "environment"))
		return nil
	}
	now := v.app.Now()
	empty := observation.Round{Schema: observation.Schema, Started: now, Finished: now}
	return v.out.write(v.app, cmd, report.Build(report.Input{Round: empty, Conclusion: finding.Conclusion{Complete: true}, FailOn: v.out.failOn}))
}
