package boot

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"certdrift/internal/awsio/state"
	"certdrift/internal/finding"
	"certdrift/internal/incident"
	"certdrift/internal/report"
	"certdrift/internal/report/widget"
	"certdrift/internal/round"
	"certdrift/internal/trust"
)

// The widget's patience: a dashboard waits for the answer, and asks again whenever somebody sorts.
const (
	widgetRound = 20 * time.Second
	widgetKeeps = time.Minute
)

// WidgetParts are what a Widget is made of.
type WidgetParts struct {
	// Round runs one round that tells nobody.
	Round func(ctx context.Context, have Loaded) (round.Result, error)
	Load  func(ctx context.Context) (Loaded, error)
	// Incidents reads what the functions keep; nil where no table is configured.
	Incidents func(ctx context.Context) ([]incident.Record, error)
	Log       *slog.Logger
	Now       func() time.Time
}

// Widget answers a CloudWatch dashboard's custom widget: a round of its own, without publishing anything, drawn as a
// table. What a round saw is kept for a minute, so that sorting probes nothing.
type Widget struct {
	WidgetParts

	turn chan struct{} // holds one: who has it may look
	last *drawn
}

// drawn is what the last round gave.
type drawn struct {
	at        time.Time
	report    report.Report
	incidents []incident.Record
	notes     []string
}

// NewWidget makes a Widget of its parts.
func NewWidget(p WidgetParts) *Widget { return &Widget{WidgetParts: p, turn: make(chan struct{}, 1)} }

// OpenWidget makes the product's own.
func OpenWidget(ctx context.Context, getenv func(string) string) (*Widget, error) {
	env, err := ReadEnv(getenv)
	if err != nil {
		return nil, err
	}
	cloud, err := newCloud(ctx)
	if err != nil {
		return nil, err
	}
	stores := &trust.Stores{}
	logger := lambdacontext.NewLogger()
	probers, inspector := probers{stores: stores}, cloud.inspector()
	path := cloud.alertPath(env.Topic, env.ChatTopic, env.Expected)
	load := &loader{reader: cloud.reader(), location: env.Config, now: time.Now}
	p := WidgetParts{Load: load.load, Log: logger, Now: time.Now}
	p.Round = func(ctx context.Context, have Loaded) (round.Result, error) {
		runner := &round.Runner{Now: time.Now, Prober: probers.get(have.Config), Inspector: inspector, Roots: stores.Get, Log: logger, AlertPath: path}
		return runner.Run(ctx, round.Request{
			Config: have.Config, Diagnostics: have.Diagnostics, Manifests: have.Manifests, ObserveErrors: have.ObserveErrors, Depth: round.Listeners,
		})
	}
	if env.Table != "" {
		p.Incidents = state.New(dynamodb.NewFromConfig(cloud.base), env.Table, time.Now).Load
	}
	return NewWidget(p), nil
}

// call is what a dashboard sends: the widget's parameters, and its surroundings.
type call struct {
	Describe bool `json:"describe"`
	widget.Query
	Context struct {
		Theme string `json:"theme"`
	} `json:"widgetContext"`
}

// Handle answers one call: with its documentation in Markdown where that is asked for, else with HTML.
func (w *Widget) Handle(ctx context.Context, raw json.RawMessage) (string, error) {
	var c call
	if err := json.Unmarshal(raw, &c); err != nil {
		return "", fmt.Errorf("reading the dashboard's call: %w", err)
	}
	if c.Describe {
		return widget.Documentation(), nil
	}
	d, err := w.look(ctx)
	if err != nil {
		w.Log.ErrorContext(ctx, "inventory not drawn", "error", err)
		return "", err
	}
	function := ""
	if lc, ok := lambdacontext.FromContext(ctx); ok {
		function = lc.InvokedFunctionArn
	}
	return widget.HTML(widget.Input{
		Report: d.report, Incidents: d.incidents, Query: c.Query, Function: function, Dark: c.Context.Theme == "dark", Notes: d.notes,
	}), nil
}

// look runs a round, or gives the last one while it is fresh. Calls that come at once wait for one round.
func (w *Widget) look(ctx context.Context) (*drawn, error) {
	select {
	case w.turn <- struct{}{}:
		defer func() { <-w.turn }()
	case <-ctx.Done():
		return nil, fmt.Errorf("waiting for another call's round: %w", ctx.Err())
	}
	if w.last != nil && w.Now().Sub(w.last.at) < widgetKeeps {
		return w.last, nil
	}
	ctx, cancel := context.WithTimeout(ctx, widgetRound)
	defer cancel()
	have, err := w.Load(ctx)
	if err != nil {
		return nil, fmt.Errorf("loading the configuration: %w", err)
	}
	d := &drawn{at: w.Now()}
	var reading sync.WaitGroup
	if w.Incidents != nil {
		reading.Go(func() {
			var err error
			if d.incidents, err = w.Incidents(ctx); err != nil {
				w.Log.WarnContext(ctx, "incidents not read", "error", err)
				d.notes = append(d.notes, "The incidents could not be read.")
			}
		})
	}
	res, err := w.Round(ctx, have)
	reading.Wait()
	if err != nil {
		return nil, fmt.Errorf("running the widget's round: %w", err)
	}
	d.report = report.Build(report.Input{Round: res.Round, Conclusion: res.Conclusion, FailOn: finding.Critical})
	w.last = d
	return d, nil
}
