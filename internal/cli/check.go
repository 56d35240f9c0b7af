package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"certdrift/internal/boot"
	"certdrift/internal/config"
	"certdrift/internal/judge"
	"certdrift/internal/observation"
	"certdrift/internal/policy"
	"certdrift/internal/report"
	"certdrift/internal/round"
	"certdrift/internal/target"
	"certdrift/internal/trust"
)

// defaultConfig is read where neither -c nor a URL is given.
const defaultConfig = "certdrift.yaml"

// check is `certdrift check`: its flags.
type check struct {
	app          *App
	config       string
	environments []string
	urls         urls
	caFiles      []string
	timeout      time.Duration
	deadline     time.Duration
	save         string
	out          output
}

func (a *App) check() *cobra.Command {
	c := &check{app: a}
	cmd := &cobra.Command{
		Use:   "check [-c FILE] [URL…]",
		Short: "Probe endpoints now, read their load balancers, and report problems",
		Example: `  certdrift check https://example.org tls://example.org:8443 smtp://mail.example.org
  certdrift check -c certdrift.yaml -e staging --fail-on warning
  certdrift check https://api.example.org --connect-to 10.0.0.7:443 --ca-file private-ca.pem
  certdrift check --format junit -o certdrift.xml
  certdrift check --save observations.json`,
		Long: `Runs one round: every address of every endpoint is probed with a fresh connection and checked against a clean trust
store, Mozilla's by default. If the configuration names load balancers, certdrift reads from AWS what is attached to
them; otherwise no AWS credentials are needed. No state is kept and no alerts are sent.

Probes connect directly. HTTPS_PROXY and the like are ignored; where they would apply, that is reported on standard error.

URLs can be given in addition to a configuration (-c), or instead of one. Without either, certdrift.yaml is read.
URL schemes: https (the default), http, tls (handshake only), and STARTTLS: ` + target.StartTLSSchemes(", ") + `.

Exit status: 0 clean, 1 findings at or above --fail-on, 2 usage or configuration error, 3 some checks could not be run;
after a report of what was checked so far, 130 if interrupted (Ctrl-C) and 143 if terminated.`,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE:              c.run,
	}
	f := cmd.Flags()
	f.StringVarP(&c.config, "config", "c", "", "configuration `FILE`, or - for standard input (default "+defaultConfig+" if no URL is given)")
	f.StringSliceVarP(&c.environments, "environment", "e", nil, "only these environments of the configuration")
	f.StringArrayVar(&c.urls.connectTo, "connect-to", nil, "connect to `HOST:PORT` instead of resolving the URLs' hosts; may be repeated")
	f.StringArrayVar(&c.caFiles, "ca-file", nil, "also trust the CAs in `FILE`, for every endpoint; may be repeated")
	durationFlag(f, &c.timeout, "timeout", 0, "time limit for each phase of a probe: DNS, connect, TLS, first byte, body (default from the configuration, or 10s)")
	durationFlag(f, &c.deadline, "deadline", 5*time.Minute, "time limit for the whole round; endpoints not reached in time are reported")
	f.StringVar(&c.save, "save", "", "save the observations to `FILE`, for `certdrift judge`")
	c.out.flags(cmd)
	_ = cmd.MarkFlagFilename("config", "yaml", "yml") // fails only for an unknown flag
	_ = cmd.RegisterFlagCompletionFunc("environment", c.completeEnvironments)
	return cmd
}

func (c *check) run(cmd *cobra.Command, args []string) error {
	if err := c.flags(cmd, args); err != nil {
		return err
	}
	q, err := c.plan(args)
	if err != nil {
		return err
	}
	if round.Fatal(q.Diagnostics) {
		return c.app.refuse(cmd, &c.out, q.Diagnostics)
	}
	if err := narrow(&q, c.environments); err != nil {
		return err
	}
	if err := idle(q); err != nil {
		return err
	}
	if len(q.Config.Manifests) > 0 {
		declare(&q, c.app.Parts.Manifests(cmd.Context(), configFile(c.config), q.Config, c.app.Stdin))
	}
	c.app.reportProxies(q.Config.Endpoints)
	outcome, stopped, err := c.round(cmd.Context(), q)
	if err != nil {
		return fmt.Errorf("running the round: %w", err)
	}
	outcome.Conclusion.Findings = round.About(c.environments, outcome.Conclusion.Findings)
	var unsaved error
	if c.save != "" {
		unsaved = saved{outcome.Round, &q.Config.Policy}.save(c.save)
	}
	r := report.Build(report.Input{Round: outcome.Round, Conclusion: outcome.Conclusion, FailOn: c.out.failOn})
	if err := errors.Join(c.out.write(c.app, cmd, r), unsaved); err != nil {
		return err
	}
	return cmp.Or(stopped, status(report.ExitStatus(r)))
}

// flags checks what can be checked before anything is read.
func (c *check) flags(cmd *cobra.Command, args []string) error {
	if err := errors.Join(c.out.check(), writable("save", c.save)); err != nil {
		return err
	}
	if c.save != "" && filepath.Clean(c.save) == filepath.Clean(c.out.file) {
		return usage("use two different files", "--save and --output are both %q", c.save)
	}
	for _, d := range []struct {
		flag  string
		value time.Duration
	}{{"timeout", c.timeout}, {"deadline", c.deadline}} {
		if cmd.Flags().Changed(d.flag) && d.value <= 0 {
			return usage("a duration such as 10s or 2m", "--%s must be greater than zero, not %s", d.flag, d.value)
		}
	}
	if len(args) > 0 && c.config == "" && len(c.environments) > 0 {
		return usage("name the configuration with -c FILE", "--environment requires a configuration, but only URLs are given")
	}
	if len(args) == 0 && cmd.Flags().Changed("connect-to") {
		return usage("in a configuration, set connect_to per endpoint", "--connect-to requires URLs, but none are given")
	}
	return nil
}

// plan reads the configuration and the URLs.
func (c *check) plan(args []string) (round.Request, error) {
	var q round.Request
	configured := c.config != "" || len(args) == 0
	if configured {
		var err error
		if q.Config, q.Diagnostics, err = c.app.load(c.config, "give a URL: `certdrift check https://example.org`"); err != nil {
			return round.Request{}, err
		}
	}
	alone, faults, err := c.urls.parse(c.app.Parts.Parse, args)
	if err != nil {
		return round.Request{}, err
	}
	q.Diagnostics = append(q.Diagnostics, faults...)
	if configured {
		q.Config.Endpoints = append(q.Config.Endpoints, alone.Endpoints...)
	} else {
		q.Config = alone
	}
	return q, c.override(q.Config.Endpoints)
}

// override applies the flags that hold for every endpoint.
func (c *check) override(endpoints []target.Endpoint) error {
	cas, err := readCAs(c.caFiles)
	if err != nil {
		return err
	}
	for i := range endpoints {
		if c.timeout > 0 {
			endpoints[i].Timeout = c.timeout
		}
		endpoints[i].Trust.CAs = append(slices.Clip(endpoints[i].Trust.CAs), cas...)
	}
	return nil
}

// readCAs reads PEM certificates and returns them as DER.
func readCAs(files []string) ([][]byte, error) {
	var ders [][]byte
	for _, file := range files {
		data, err := readFile(file)
		if err != nil {
			return nil, usage("", "reading the CAs: %w", err)
		}
		certs, err := trust.Certificates(data)
		if err != nil {
			return nil, usage("the file must contain PEM certificates", "reading the CAs in %q: %w", file, err)
		}
		for _, cert := range certs {
			ders = append(ders, cert.Raw)
		}
	}
	return ders, nil
}

// standardInput is the name of a file that stands for standard input.
const standardInput = "-"

// load reads the configuration in a file: certdrift.yaml where the flag is empty, standard input where it is "-". otherwise is what a
// caller who has none can do besides.
func (a *App) load(flag string, otherwise ...string) (config.Config, []observation.Diagnostic, error) {
	if flag == standardInput {
		text, err := io.ReadAll(io.LimitReader(a.Stdin, fileLimit+1))
		if err == nil && len(text) > fileLimit {
			err = errTooLarge
		}
		if err != nil {
			return config.Config{}, nil, usage("", "reading the configuration from standard input: %w", err)
		}
		a.Stdin = spent{}
		cfg, faults := a.Parts.Parse("standard input", text)
		return cfg, faults, nil
	}
	path := configFile(flag)
	cfg, faults, err := a.Parts.Load(path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && flag == "":
		ways := append([]string{"name one with -c FILE", "create one with `certdrift init`"}, otherwise...)
		return cfg, nil, usage(strings.Join(ways, ", or "), "no %s in this directory", path)
	case errors.Is(err, fs.ErrNotExist):
		return cfg, nil, usage(fmt.Sprintf("name another file, or create it: `certdrift init --from-aws -o %s`", path), "there is no %q", path)
	case err != nil:
		return cfg, nil, usage("", "reading the configuration: %w", err)
	}
	return cfg, faults, nil
}

// spent is standard input after the configuration was read from it: whatever else is to come from there is an error, not empty.
type spent struct{}

// Read implements io.Reader.
func (spent) Read([]byte) (int, error) {
	return 0, errors.New("standard input was already read as the configuration (-c -)")
}

// configFile is the file that -c names, or the default.
func configFile(flag string) string { return cmp.Or(flag, defaultConfig) }

// narrow keeps the endpoints of the environments asked for, and the diagnostics about them. URLs have none and stay.
func narrow(q *round.Request, environments []string) error {
	if len(environments) == 0 {
		return nil
	}
	known := round.Environments(q.Config, q.Diagnostics)
	for _, e := range environments {
		if !slices.Contains(known, e) {
			return usage(oneOf(e, known), "the configuration has no environment %q", e)
		}
	}
	q.Config, q.Diagnostics = round.In(environments, q.Config, q.Diagnostics)
	return nil
}

// idle refuses a round that checks nothing, which would pass for clean: a configuration of manifests alone is for plan.
func idle(q round.Request) error {
	if len(q.Config.Endpoints) > 0 || q.Config.Scope.Enabled || len(q.Diagnostics) > 0 {
		return nil
	}
	return usage("add endpoints or load_balancers; for manifests alone, use `certdrift plan`", "nothing to check: the configuration has no endpoints and no load_balancers")
}

// round runs the round until its deadline or an interrupt (Ctrl-C); what was done by then is reported. stopped is the exit status
// after an interrupt, or nil.
func (c *check) round(ctx context.Context, q round.Request) (outcome round.Result, stopped, err error) {
	ctx, cancel := context.WithTimeout(ctx, c.deadline)
	defer cancel()
	ctx, stop := interruptible(ctx)
	defer stop()
	progress, done := c.app.progress("checking endpoints", len(q.Config.Endpoints))
	outcome, err = c.app.Parts.Round(ctx, q, boot.Options{Progress: progress, Log: c.app.log()})
	done()
	return outcome, c.app.interrupted(ctx), err
}

func (c *check) completeEnvironments(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	cfg, faults, err := c.app.Parts.Load(configFile(c.config))
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return round.Environments(cfg, faults), cobra.ShellCompDirectiveNoFileComp
}

// refuse reports what is wrong with a configuration: every error with its position and hint on standard error, and, unless
// the format is text, a report of config-invalid findings on standard output.
func (a *App) refuse(cmd *cobra.Command, out *output, faults []observation.Diagnostic) error {
	a.printDiagnostics(faults)
	if out.format.name == "text" && out.file == "" {
		return statusError(report.StatusUsage)
	}
	now := a.Now()
	seen := observation.Round{Schema: observation.Schema, Started: now, Finished: now, Diagnostics: faults}
	conclusion := judge.Judge(judge.Input{Policy: policy.DefaultThresholds(), Roots: a.Parts.Roots, Now: now, Round: seen})
	if err := out.write(a, cmd, report.Build(report.Input{Round: seen, Conclusion: conclusion, FailOn: out.failOn})); err != nil {
		return err
	}
	return statusError(report.StatusUsage)
}
