package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"certdrift/internal/config"
	"certdrift/internal/finding"
	"certdrift/internal/judge"
	"certdrift/internal/observation"
	"certdrift/internal/report"
	"certdrift/internal/round"
)

// savedLimit bounds a file of observations, in bytes: 10,000 endpoints with their chains take a tenth of it.
const savedLimit = 1 << 30

// saved is a file of observations: a round, and the policy it was judged by. Files of other programs may leave that out.
type saved struct {
	observation.Round
	Policy *judge.Policy `json:"policy,omitempty"`
}

// save writes what a round saw, for `certdrift judge`. Secrets do not marshal (see target.Secret).
func (s saved) save(path string) error {
	err := replaceFile(path, func(w io.Writer) error {
		enc := json.NewEncoder(w)
		enc.SetIndent("", " ")
		return enc.Encode(s)
	})
	if err != nil {
		return fmt.Errorf("saving the observations: %w", err)
	}
	return nil
}

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
		Short: "Judge saved observations again, at another time or by another policy",
		Example: `  certdrift check --save observations.json https://example.org
  certdrift judge observations.json
  certdrift judge observations.json --at 2027-03-01
  certdrift judge observations.json -c certdrift.yaml --format json`,
		Long: `Nothing is dialled: the same facts give the same findings. Without --at they are judged by the time they were
seen, and without -c by the policy of then. The file is what "certdrift check --save" wrote; "-" reads standard input.

Exit status: as of "certdrift check".`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usage("such as `certdrift judge observations.json`; `certdrift check --save FILE` writes one", "judge takes one file of observations, but got %d", len(args))
			}
			return nil
		},
		RunE: r.run,
	}
	cmd.Flags().StringVarP(&r.config, "config", "c", "", "take the policy (expiry, revocation, settle time) from this configuration `FILE`")
	cmd.Flags().StringVar(&r.at, "at", "", "judge by this `TIME`: 2027-03-01, 2027-03-01T12:00:00Z, or a duration after the round, such as 30d")
	r.out.flags(cmd)
	_ = cmd.MarkFlagFilename("config", "yaml", "yml") // fails for an unknown flag only
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
	policy := judge.DefaultPolicy()
	if seen.Policy != nil {
		policy = *seen.Policy
	}
	if r.config != "" {
		cfg, faults, err := r.app.load(r.config, false)
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

// readRound reads a saved round. A file of another kind is the caller's mistake.
func readRound(stdin io.Reader, path string) (saved, error) {
	var seen saved
	from := stdin
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return seen, usage("`certdrift check --save FILE` writes one", "reading the observations: %w", err)
		}
		defer func() { _ = f.Close() }()
		from = f
	}
	dec := json.NewDecoder(io.LimitReader(from, savedLimit))
	dec.DisallowUnknownFields() // a fact that is passed over could be the one that matters
	err := dec.Decode(&seen)
	if err == nil && seen.Schema != observation.Schema {
		err = fmt.Errorf("its schema is %q, not %q", seen.Schema, observation.Schema)
	}
	if err == nil && dec.More() {
		err = errors.New("something follows the document")
	}
	if err == nil {
		err = hollow(seen.Round)
	}
	if err != nil {
		return seen, usage("it takes what `certdrift check --save FILE` wrote", "reading the observations in %q: %w", path, err)
	}
	return seen, nil
}

// hollow tells of a file that lacks what a round always has: judged, it would be clean, though nobody looked.
func hollow(r observation.Round) error {
	if len(r.Endpoints) == 0 && !r.ListenersRead && len(r.Faults) == 0 && len(r.Troubles) == 0 && r.AlertPath == nil {
		return errors.New("nothing was looked at in it: it has neither endpoints nor listeners")
	}
	for _, e := range r.Endpoints {
		if !e.Probed {
			continue
		}
		if what := lacks(e.DNS, e.Addresses); what != "" {
			return fmt.Errorf("the endpoint %s: %s", finding.Quote(e.Target.Name), what)
		}
	}
	return nil
}

// lacks says what is missing of what was asked at a place and wherever that leads; empty for nothing.
func lacks(dns observation.DNS, all []observation.Address) string {
	if len(all) == 0 && dns.Failure == nil {
		return "its addresses are missing"
	}
	for _, a := range all {
		if a.Failure == nil && a.TLS == nil && a.HTTP == nil && a.Withheld == "" {
			return fmt.Sprintf("its address %s has neither an answer nor a failure", finding.Quote(a.Address))
		}
		if a.HTTP == nil {
			continue
		}
		for _, h := range a.HTTP.Hops {
			if what := lacks(h.DNS, h.Addresses); h.Blocked == "" && what != "" {
				return fmt.Sprintf("the redirect to %s: %s", finding.Quote(h.URL), what)
			}
		}
	}
	return ""
}

// parseAt reads --at: a time, a date (its first moment in UTC), or a duration after the round.
func parseAt(word string, finished time.Time) (time.Time, error) {
	if word == "" {
		return finished, nil
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04", time.DateOnly} {
		if t, err := time.Parse(layout, word); err == nil {
			return t, nil
		}
	}
	if d, err := config.ParseDuration(strings.TrimPrefix(word, "+")); err == nil {
		return finished.Add(d), nil
	}
	if d, err := time.ParseDuration(word); err == nil { // 0s, and times before the round
		return finished.Add(d), nil
	}
	return time.Time{}, usage("such as 2027-03-01, 2027-03-01T12:00:00Z, or 30d after the round", "--at is no time: %q", word)
}
