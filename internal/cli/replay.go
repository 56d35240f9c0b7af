package cli

import (
	"strings"
	"time"

	"github.com/spf13/cobra"

	"certdrift/internal/judge"
	"certdrift/internal/policy"
	"certdrift/internal/report"
	"certdrift/internal/round"
)

// replay is `certdrift judge`: its flags.
type replay struct {
	app    *App
	config string
	at     string
	out    output
}

func (a *App) judge() *cobra.Command {
	r := &replay{app: a}
	cmd := &cobra.Command{
		Use:   "judge OBSERVATIONS",
		Short: "Evaluate saved observations again, at another time or with another policy",
		Example: `  certdrift check --save observations.json https://example.org
  certdrift judge observations.json
  certdrift judge observations.json --at 2027-03-01
  certdrift judge observations.json -c certdrift.yaml --format json`,
		Long: `Nothing is probed: the same observations always produce the same findings. By default they are evaluated as of the
time of the round (--at) and with its policy (-c). OBSERVATIONS is a file written by "certdrift check --save", or "-"
for standard input.

Exit status: as for "certdrift check".`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usage("such as `certdrift judge observations.json`; `certdrift check --save FILE` writes one", "judge takes one file of observations, but got %d", len(args))
			}
			return nil
		},
		RunE: r.run,
	}
	cmd.Flags().StringVarP(&r.config, "config", "c", "", "take the policy (expiry, revocation, settle time) from this configuration `FILE`")
	cmd.Flags().StringVar(&r.at, "at", "", "evaluate as of this `TIME`: 2027-03-01, 2027-03-01T12:00:00Z, or a duration after the round, such as 30d")
	r.out.flags(cmd)
	_ = cmd.MarkFlagFilename("config", "yaml", "yml") // fails only for an unknown flag
	return cmd
}

func (r *replay) run(cmd *cobra.Command, args []string) error {
	if err := r.out.check(); err != nil {
		return err
	}
	seen, err := readRound(r.app.Stdin, args[0])
	if err != nil {
		return err
	}
	at, err := parseAt(r.at, seen.Finished)
	if err != nil {
		return err
	}
	policy := policy.DefaultThresholds()
	if seen.Policy != nil {
		policy = *seen.Policy
	}
	if r.config != "" {
		cfg, faults, err := r.app.load(r.config)
		if err != nil {
			return err
		}
		if round.Fatal(faults) {
			return r.app.refuse(cmd, &r.out, faults)
		}
		policy = cfg.Policy
	}
	conclusion := judge.Judge(judge.Input{Policy: policy, Roots: r.app.Parts.Roots, Now: at, Round: seen.Round})
	rep := report.Build(report.Input{Round: seen.Round, Conclusion: conclusion, FailOn: r.out.failOn, At: at})
	if err := r.out.write(r.app, cmd, rep); err != nil {
		return err
	}
	return status(report.ExitStatus(rep))
}

// parseAt reads --at: a time, a date (its first moment in UTC), or a duration after the round.
func parseAt(word string, finished time.Time) (time.Time, error) {
	if word == "" && !finished.IsZero() {
		return finished, nil
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04", time.DateOnly} {
		if t, err := time.Parse(layout, word); err == nil {
			return t, nil
		}
	}
	if finished.IsZero() {
		return finished, usage("give a time, such as --at 2027-03-01", "the observations do not say when the round finished")
	}
	if d, err := parseDuration(strings.TrimPrefix(word, "+")); err == nil {
		return finished.Add(d), nil
	}
	return time.Time{}, usage("such as 2027-03-01, 2027-03-01T12:00:00Z, or 30d after the round", "invalid --at %q", word)
}
