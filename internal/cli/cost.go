package cli

import (
	"fmt"
	"math"
	"time"

	"github.com/spf13/cobra"

	"certdrift/internal/config"
	costs "certdrift/internal/cost"
	"certdrift/internal/metric"
	"certdrift/internal/prose"
	"certdrift/internal/report"
	"certdrift/internal/round"
	"certdrift/internal/target"
)

// cost is `certdrift cost`: its flags.
type cost struct {
	app       *App
	config    string
	functions int
	plan      costs.Plan
	format    textOrJSON
}

func (a *App) cost() *cobra.Command {
	c := &cost{app: a}
	cmd := &cobra.Command{
		Use:   "cost [-c FILE]",
		Short: "Estimate the monthly cost of a configuration before deploying it",
		Example: `  certdrift cost -c certdrift.yaml
  certdrift cost -c certdrift.yaml --memory 1769 --workers 20`,
		Long: `Counts the CloudWatch metrics that the functions would write for a configuration: a fixed number per environment and
function, regardless of the number of endpoints; those of endpoints with per_endpoint_metrics; and, with
metrics.per_certificate, about one per endpoint. What metrics.while_failing can add is shown separately.

Then estimates metrics, alarms, Lambda, logs and traces for the stack's parameters (--workers, --memory, --probe-every,
--inspect-every, --all-lines), from the processor time that an endpoint takes (docs/scale.md), and says whether rounds fit
into their time. Endpoints that hang take longer. For comparison: what AWS's own monitors charge for as many endpoints.
Prices are us-east-1 list prices without the free tier. Not included: SNS, the alerts' key, storage of logs and NAT.

Exit status: 0 printed, 2 usage or configuration error.`,
		Args: noArgs, RunE: func(*cobra.Command, []string) error { return c.run() },
	}
	cmd.Flags().StringVarP(&c.config, "config", "c", "", "configuration `FILE`, or - for standard input (default "+defaultConfig+")")
	cmd.Flags().IntVar(&c.functions, "functions", 2, "number of functions that write metrics (probe and inspect)")
	cmd.Flags().IntVar(&c.plan.Workers, "workers", 0, "the stack's `Workers`: functions that probe at once for probe")
	cmd.Flags().IntVar(&c.plan.MemoryMB, "memory", 256, "the stack's `MemorySize`, in MB")
	cmd.Flags().DurationVar(&c.plan.ProbeEvery, "probe-every", time.Minute, "the `interval` of ProbeSchedule")
	cmd.Flags().DurationVar(&c.plan.InspectEvery, "inspect-every", 5*time.Minute, "the `interval` of InspectSchedule")
	cmd.Flags().BoolVar(&c.plan.AllLines, "all-lines", false, "the stack's LogEndpoints is all: each round logs a line for every endpoint")
	c.format.flag(cmd)
	_ = cmd.MarkFlagFilename("config", "yaml", "yml") // fails only for an unknown flag
	return cmd
}

// bill is the output of `certdrift cost`.
type bill struct {
	Schema          string     `json:"schema"`
	Environments    int        `json:"environments"`
	Endpoints       int        `json:"endpoints"`
	OwnSeries       int        `json:"endpoints_with_series"` // endpoints that ask for series of their own
	Certificates    int        `json:"certificates_with_series"`
	WhileFailing    bool       `json:"series_while_failing,omitempty"`
	Failing         *failing   `json:"failing,omitempty"` // where WhileFailing
	Series          int        `json:"series"`
	SeriesHourly    int        `json:"series_an_hour_a_day"`
	MonthlyUSD      float64    `json:"monthly_usd"`
	EverySeriesUSD  float64    `json:"monthly_usd_every_endpoint"` // were all endpoints to ask for series of their own
	EachEndpointUSD float64    `json:"monthly_usd_one_more_endpoint"`
	Lines           []billLine `json:"lines"`
	// What the stack costs besides, for its parameters.
	PricesOf string        `json:"prices_of"`
	Stack    []costs.Line  `json:"stack"`
	StackUSD float64       `json:"stack_monthly_usd"`
	Seconds  costs.Seconds `json:"seconds"`
	Fits     bool          `json:"rounds_fit"`
	Others   []costs.Other `json:"others"`
}

// failing is what endpoints add that have series for as long as they fail; it is in no other figure.
type failing struct {
	HourUSD    float64 `json:"usd_an_endpoint_and_hour"` // to a thousandth of a cent
	Endpoints  int     `json:"endpoints_at_most"`        // at once
	MonthlyUSD float64 `json:"monthly_usd_at_most"`      // did they all fail all month
}

// billLine is what one metric adds.
type billLine struct {
	Metric  string `json:"metric"`
	Series  int    `json:"series"`
	Meaning string `json:"meaning"`
}

func (c *cost) run() error {
	if err := c.format.check(); err != nil {
		return err
	}
	if c.functions < 0 {
		return usage("probe and inspect are 2", "--functions is %d", c.functions)
	}
	if p := c.plan; p.Workers < 0 || p.MemoryMB < 128 || p.ProbeEvery < time.Minute || p.InspectEvery < time.Minute {
		return usage("--workers is 0 or more, --memory 128 or more, and an interval a minute or more", "these are no parameters of the stack")
	}
	cfg, faults, err := c.app.load(c.config)
	if err != nil {
		return err
	}
	c.app.printDiagnostics(faults)
	own := 0
	for _, e := range cfg.Endpoints {
		if e.PerEndpointMetrics {
			own++
		}
	}
	inventory := metric.Inventory{
		Environments: len(round.Environments(cfg, faults)), Functions: c.functions, Endpoints: own, Certificates: certificatesOf(cfg),
	}
	b := priced(inventory, len(cfg.Endpoints))
	if cfg.MetricsWhileFailing {
		b.WhileFailing, b.Failing = true, pricedFailing(inventory, len(cfg.Endpoints)-own)
	}
	c.plan.Endpoints, c.plan.MetricsUSD = len(cfg.Endpoints), b.MonthlyUSD
	b.add(c.plan)
	if c.format.name == "text" {
		b.text(c.app)
	} else if err := c.app.writeJSON(b); err != nil {
		return err
	}
	if len(faults) > 0 { // what is left out of the count has been named
		return statusError(report.StatusUsage)
	}
	return nil
}

// certificatesOf is how many certificates get series of their own, where that is asked for: one for each endpoint that
// speaks TLS. What is shared by endpoints of an environment makes fewer, what else is attached to listeners more; neither
// is known before a round has run.
func certificatesOf(c config.Config) int {
	if !c.MetricsPerCertificate {
		return 0
	}
	n := 0
	for _, e := range c.Endpoints {
		if e.Kind != target.HTTP {
			n++
		}
	}
	return min(n, metric.MaxCertificates)
}

func priced(i metric.Inventory, endpoints int) bill {
	usd := monthly(i, i.Endpoints)
	b := bill{
		Schema: "certdrift.cost/1", Environments: i.Environments, Endpoints: endpoints, OwnSeries: i.Endpoints,
		MonthlyUSD: rounded(usd, 2), EverySeriesUSD: rounded(monthly(i, endpoints), 2),
		EachEndpointUSD: rounded(monthly(i, i.Endpoints+1)-usd, 2), Certificates: i.Certificates, Lines: []billLine{},
	}
	b.Series, b.SeriesHourly = metric.SeriesCount(i)
	for _, d := range metric.Definitions() {
		if n := i.Count(d); n > 0 {
			b.Lines = append(b.Lines, billLine{d.Name, n, d.Meaning})
		}
	}
	return b
}

// add adds what the stack costs besides its metrics.
func (b *bill) add(p costs.Plan) {
	b.PricesOf, b.Stack, b.Others = costs.PricesOf, p.Lines(), p.Others()
	b.StackUSD = rounded(costs.Total(b.Stack), 2)
	for i := range b.Stack {
		b.Stack[i].MonthlyUSD = rounded(b.Stack[i].MonthlyUSD, 2)
	}
	for i := range b.Others {
		b.Others[i].MonthlyUSD = rounded(b.Others[i].MonthlyUSD, 2)
	}
	s := p.Seconds()
	b.Seconds, b.Fits = costs.Seconds{Probe: rounded(s.Probe, 1), Worker: rounded(s.Worker, 1), Inspect: rounded(s.Inspect, 1)}, p.Fits()
}

// pricedFailing prices the series of endpoints that have none while all is well: bounded as the functions bound them.
func pricedFailing(i metric.Inventory, endpoints int) *failing {
	usd, most := monthly(i, i.Endpoints), min(endpoints, metric.MaxFailing)
	return &failing{
		HourUSD: rounded((monthly(i, i.Endpoints+1)-usd)/metric.HoursAMonth, 5), Endpoints: most,
		MonthlyUSD: rounded(monthly(i, i.Endpoints+most)-usd, 2),
	}
}

// monthly is what an inventory costs a month, in USD, with so many endpoints that have series of their own.
func monthly(i metric.Inventory, own int) float64 {
	i.Endpoints = own
	return metric.MonthlyUSD(metric.SeriesCount(i))
}

// rounded is an amount to so many decimals.
func rounded(usd float64, decimals int) float64 {
	scale := math.Pow10(decimals)
	return math.Round(usd*scale) / scale
}

func (b bill) text(a *App) {
	for _, l := range b.Lines {
		fmt.Fprintf(a.Stdout, "%5d  %-20s %s\n", l.Series, l.Metric, l.Meaning)
	}
	fmt.Fprintf(a.Stdout, "\n%s, %s, %d with per-endpoint metrics: %d metrics",
		prose.Count(b.Environments, "environment"), prose.Count(b.Endpoints, "endpoint"), b.OwnSeries, b.Series)
	if b.SeriesHourly > 0 {
		fmt.Fprintf(a.Stdout, ", and %d for one hour a day", b.SeriesHourly)
	}
	if b.Certificates > 0 {
		fmt.Fprintf(a.Stdout, "\nCounts about one certificate per endpoint; shared certificates make it fewer, other certificates on the listeners more.")
	}
	fmt.Fprintf(a.Stdout, "\n%.2f USD per month. Per-endpoint metrics for one more endpoint add %.2f; with them for every endpoint the total is %.2f.\n",
		b.MonthlyUSD, b.EachEndpointUSD, b.EverySeriesUSD)
	if f := b.Failing; f != nil {
		fmt.Fprintf(a.Stdout, "Not included: metrics of failing endpoints, %.5f USD per endpoint and hour, for at most %s at a time: %.2f if that lasted all month.\n",
			f.HourUSD, prose.Count(f.Endpoints, "endpoint"), f.MonthlyUSD)
	}
	b.stackText(a)
}

// stackText prints what the stack costs besides its metrics.
func (b bill) stackText(a *App) {
	fmt.Fprintf(a.Stdout, "\nThe stack, at us-east-1 prices of %s:\n\n", b.PricesOf)
	for _, l := range b.Stack {
		fmt.Fprintf(a.Stdout, "%10.2f  %-17s %s\n", l.MonthlyUSD, l.Item, l.Quantity)
	}
	fmt.Fprintf(a.Stdout, "%10.2f  in all\n\nA round of probe takes about %.1f s, one of inspect %.1f s", b.StackUSD, b.Seconds.Probe, b.Seconds.Inspect)
	if b.Seconds.Worker > 0 {
		fmt.Fprintf(a.Stdout, ", a worker %.1f s", b.Seconds.Worker)
	}
	fmt.Fprintln(a.Stdout, ".")
	if !b.Fits {
		fmt.Fprintln(a.Stdout, "That is too long: give the functions more memory (MemorySize), or set Workers for probe.")
	}
	for _, o := range b.Others {
		fmt.Fprintf(a.Stdout, "%10.2f  %s: %s\n", o.MonthlyUSD, o.Name, o.Note)
	}
}
