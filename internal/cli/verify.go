package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"certdrift/internal/boot"
	"certdrift/internal/finding"
	"certdrift/internal/report"
	"certdrift/internal/round"
)

// verification is `certdrift verify`: its flags.
type verification struct {
	app          *App
	config       string
	environments []string
	wait         time.Duration
	interval     time.Duration
	topics       topicFlags
	out          output
}

func (a *App) verify() *cobra.Command {
	v := &verification{app: a}
	cmd := &cobra.Command{
		Use:   "verify [-c FILE] [-e ENVIRONMENT] [--wait 5m]",
		Short: "Wait after a deployment until every endpoint is clean in two consecutive rounds, or report problems",
		Example: `  certdrift verify --environment staging --wait 5m
  certdrift verify -e production --format junit -o verify.xml
  certdrift verify --wait 0 --fail-on warning`,
		Long: `Repeats the round of "certdrift check" until every address of every endpoint is clean in two consecutive rounds and the
listeners match what is declared, or until --wait is over. The report is of the last round; progress goes to standard
error. Each round opens fresh connections and uses a clean trust store.

Probes connect directly, as in "certdrift check": proxies in the environment are reported as ignored.

With --wait 0, there is one round, and one more to confirm it if it is clean. Otherwise, there is always a round when --wait
is over, however long --interval is.

If the alert topic is set, with --topic or CERTDRIFT_TOPIC_ARN as in the functions, its subscriptions are checked too:
a deployment does not pass if its alerts would reach no one. No message is sent.

Exit status: 0 clean, 1 findings at or above --fail-on, 2 usage or configuration error, 3 some checks could not be run;
after a report of what was checked so far, 130 if interrupted (Ctrl-C) and 143 if terminated.`,
		Args: noArgs,
		RunE: v.run,
	}
	f := cmd.Flags()
	f.StringVarP(&v.config, "config", "c", "", "configuration `FILE`, or - for standard input (default "+defaultConfig+")")
	f.StringSliceVarP(&v.environments, "environment", "e", nil, "only these environments of the configuration")
	durationFlag(f, &v.wait, "wait", 5*time.Minute, "how long to wait for a clean state")
	durationFlag(f, &v.interval, "interval", 10*time.Second, "time between rounds")
	v.topics.flags(cmd)
	v.out.flags(cmd)
	_ = cmd.MarkFlagFilename("config", "yaml", "yml") // fails only for an unknown flag
	_ = cmd.RegisterFlagCompletionFunc("environment", func(cmd *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
		return (&check{app: a, config: v.config}).completeEnvironments(cmd, args, word)
	})
	return cmd
}

func (v *verification) run(cmd *cobra.Command, _ []string) error {
	if err := v.flags(); err != nil {
		return err
	}
	q, ready, err := v.plan(cmd.Context())
	if err != nil {
		return err
	}
	if !ready {
		return v.app.refuse(cmd, &v.out, q.Diagnostics)
	}
	v.app.reportProxies(q.Config.Endpoints)
	ctx, stop := interruptible(cmd.Context()) // not before: what waits for standard input does not look at a context
	defer stop()
	outcome, err := v.until(ctx, q)
	stopped := v.app.interrupted(ctx)
	if err != nil {
		return fmt.Errorf("running the round: %w", err)
	}
	r := v.report(outcome)
	if err := v.out.write(v.app, cmd, r); err != nil {
		return err
	}
	return cmp.Or(stopped, status(report.ExitStatus(r)))
}

func (v *verification) flags() error {
	if err := errors.Join(v.out.check(), v.topics.check(v.app)); err != nil {
		return err
	}
	if v.wait < 0 {
		return usage("a duration such as 5m, or 0", "--wait must not be negative: %s", v.wait)
	}
	if v.interval <= 0 {
		return usage("a duration such as 10s", "--interval must be greater than zero, not %s", v.interval)
	}
	return nil
}

// plan reads the configuration, narrowed to the environments asked for, and its manifests. ready is false where the
// configuration as a whole is at fault.
func (v *verification) plan(ctx context.Context) (q round.Request, ready bool, err error) {
	if q.Config, q.Diagnostics, err = v.app.load(v.config); err != nil || round.Fatal(q.Diagnostics) {
		return q, false, err
	}
	q.Environments = round.Environments(q.Config, q.Diagnostics)
	if err := narrow(&q, v.environments); err != nil {
		return q, false, err
	}
	if err := idle(q); err != nil {
		return q, false, err
	}
	q.Config.Policy.Settle = 0 // a gate waits until what is served is what is attached, and passes over nothing
	if len(q.Config.Manifests) > 0 {
		declare(&q, v.app.Parts.Manifests(ctx, configFile(v.config), q.Config, v.app.Stdin))
	}
	return q, true, nil
}

// until repeats rounds. A configuration with faults won't be clean however long one waits.
func (v *verification) until(ctx context.Context, q round.Request) (round.Result, error) {
	steady := round.Steady{Now: v.app.Now, Pause: boot.Wait, For: v.wait, Every: v.interval}
	if len(q.Diagnostics) > 0 {
		fmt.Fprintln(v.app.Stderr, "certdrift: the configuration has errors, which waiting does not fix: running one round")
		steady.For = 0
	}
	topic, chat := v.topics.named(v.app)
	once := func(ctx context.Context) (round.Result, error) {
		progress, done := v.app.progress("verifying endpoints", len(q.Config.Endpoints))
		defer done()
		outcome, err := v.app.Parts.Round(ctx, q, boot.Options{Progress: progress, Log: v.app.log(), Topic: topic, ChatTopic: chat})
		outcome.Conclusion.Findings = round.About(v.environments, outcome.Conclusion.Findings)
		return outcome, err
	}
	good := func(o round.Result) bool { return report.ExitStatus(v.report(o)) == report.StatusClean }
	last, confirmed, err := round.Until(ctx, steady, once, good, v.progress)
	if err == nil && !confirmed && good(last) { // interrupted before the second round
		last.Conclusion.Complete = false
	}
	return last, err
}

func (v *verification) report(o round.Result) report.Report {
	return report.Build(report.Input{Round: o.Round, Conclusion: o.Conclusion, FailOn: v.out.failOn})
}

// progress prints on standard error how a round went, and what comes next.
func (v *verification) progress(n int, last round.Result, next time.Duration) {
	r := v.report(last)
	line := fmt.Sprintf("certdrift: round %d, %s: ", n, v.app.Now().UTC().Format("15:04:05"))
	bad := problems(r)
	switch {
	case report.ExitStatus(r) == report.StatusClean:
		line += "clean"
	case len(bad) == 0:
		line += "incomplete"
	default:
		line += strings.Join(bad[:min(len(bad), 3)], ", ")
		if rest := len(bad) - 3; rest > 0 {
			line += fmt.Sprintf(" and %d more", rest)
		}
	}
	if next > 0 {
		line += fmt.Sprintf("; next round in %s", next.Round(min(next, time.Millisecond)))
	}
	fmt.Fprintln(v.app.Stderr, clean(line))
}

// problems names what keeps a report from being clean, each code and place once.
func problems(r report.Report) []string {
	var out []string
	for _, f := range r.Findings {
		if r.FailOn == finding.None || f.Severity < r.FailOn {
			continue
		}
		what := string(f.Code)
		if key := cmp.Or(f.Endpoint, f.Listener, strings.Join(f.Affects, " ")); key != "" {
			what += " of " + finding.Clean(strings.TrimPrefix(f.Environment+"/"+key, "/"), finding.QuoteLimit)
		}
		if !slices.Contains(out, what) {
			out = append(out, what)
		}
	}
	return out
}
