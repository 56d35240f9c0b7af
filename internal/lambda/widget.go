package lambda

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/lambdacontext"

	"certdrift/internal/finding"
	"certdrift/internal/incident"
	"certdrift/internal/report"
	"certdrift/internal/report/widget"
	"certdrift/internal/round"
)

// The widget's time limits: a dashboard waits for the response, and asks again whenever someone sorts.
const (
	widgetRound = 20 * time.Second
	widgetReuse = time.Minute
)

// WidgetParts are what a Widget is made of.
type WidgetParts struct {
	// Round runs one round, without state and without alerts.
	Round func(ctx context.Context, q round.Request) (round.Result, error)
	Load  func(ctx context.Context) (round.Request, error)
	// Incidents reads what the functions keep; nil where no table is configured.
	Incidents func(ctx context.Context) ([]incident.Record, error)
	Log       *slog.Logger
	Now       func() time.Time
}

// Widget answers a CloudWatch dashboard's custom widget: a round of its own, without publishing anything, drawn as a
// table. A round is reused for a minute, so that sorting probes nothing.
type Widget struct {
	WidgetParts

	turn chan struct{} // a semaphore of one: its holder runs the round
	last *drawn
}

// drawn is what the last round saw.
type drawn struct {
	at        time.Time
	report    report.Report
	incidents []incident.Record
	notes     []string
}

// NewWidget returns a Widget made of its parts.
func NewWidget(p WidgetParts) *Widget { return &Widget{WidgetParts: p, turn: make(chan struct{}, 1)} }

// call is what a dashboard sends: the widget's parameters, and its context.
type call struct {
	Describe bool `json:"describe"`
	widget.Query
	Context struct {
		Theme string `json:"theme"`
	} `json:"widgetContext"`
}

// Handle returns the widget's HTML, or its documentation in Markdown where a call asks for that.
func (w *Widget) Handle(ctx context.Context, raw json.RawMessage) (string, error) {
	var c call
	if err := json.Unmarshal(raw, &c); err != nil {
		return "", answered(fmt.Errorf("reading the dashboard's call: %w", err))
	}
	if c.Describe {
		return widget.Documentation(), nil
	}
	d, err := w.draw(ctx)
	if err != nil {
		w.Log.ErrorContext(ctx, "drawing the inventory failed", "error", err)
		return "", answered(err)
	}
	function := ""
	if lc, ok := lambdacontext.FromContext(ctx); ok {
		function = lc.InvokedFunctionArn
	}
	return widget.HTML(widget.Input{
		Report: d.report, Incidents: d.incidents, Query: c.Query, Function: function, Dark: c.Context.Theme == "dark", Notes: d.notes,
	}), nil
}

// draw runs a round, or returns the last one while it is fresh. Concurrent calls share one round.
func (w *Widget) draw(ctx context.Context) (*drawn, error) {
	select {
	case w.turn <- struct{}{}:
		defer func() { <-w.turn }()
	case <-ctx.Done():
		return nil, fmt.Errorf("waiting for another call's round: %w", ctx.Err())
	}
	if w.last != nil && w.Now().Sub(w.last.at) < widgetReuse {
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
				w.Log.WarnContext(ctx, "reading the incidents failed", "error", err)
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
